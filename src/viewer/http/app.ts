/** The viewer as an Express application that does not listen. All it knows of the world is in `deps`. */
import compression from 'compression';
import express, { type Express } from 'express';
import type { ViewerDeps } from '../deps.js';
import { errorHandler } from './error-handler.js';
import { changesOf } from '../api/operations.js';
import { bodyBytes } from './body.js';
import { guard, notFound } from './guard.js';
import { ownHeaders } from './headers.js';
import { withoutBase } from './relative.js';
import { apiRoutes } from '../routes/api.js';
import { jobRoutes } from '../routes/jobs.js';
import { checkpointRoutes } from '../routes/checkpoints.js';
import { compareRoutes } from '../routes/compare.js';
import { pageRoutes } from '../routes/pages.js';
import { reportRoutes } from '../routes/reports.js';
import { runRoutes } from '../routes/runs.js';
import { sweepRoutes } from '../routes/sweeps.js';
import { trashRoutes } from '../routes/trash.js';
import { session } from './session.js';
import { EventStreams } from './streams.js';

export interface ViewerApp {
  readonly app: Express;
  /** ends every live view, so that the server can close */
  readonly closeStreams: () => void;
}

export function createApp(deps: ViewerDeps): ViewerApp {
  const streams = new EventStreams();
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', false);
  app.set('trust proxy', false);
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.use(ownHeaders());
  app.use((request, _response, next) => {
    request.url = withoutBase(request.url, deps.bases);
    next();
  });
  app.use(guard({ hosts: () => deps.hosts(), changes: changesOf }));
  app.use(session(deps));
  app.use(bodyBytes());
  app.use((_request, response, next) => {
    // validated again each time: cheap on this machine, and never an old curve
    response.setHeader('Cache-Control', 'no-cache');
    next();
  });
  app.use(compression());
  app.use(apiRoutes());
  app.use(jobRoutes(deps, streams));
  app.use(runRoutes(deps, streams));
  app.use(checkpointRoutes(deps));
  app.use(sweepRoutes(deps, streams));
  app.use(reportRoutes(deps));
  app.use(compareRoutes(deps));
  app.use(trashRoutes(deps));
  app.use(pageRoutes(deps));
  app.use((_request, _response, next) => next(notFound('page')));
  app.use(errorHandler((line) => deps.log(line)));
  return { app, closeStreams: () => streams.closeAll() };
}
