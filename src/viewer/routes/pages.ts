/** The viewer's own pages (one shell, filled in by the front end) and the files they are made of. */
import { Router, type Request, type Response } from 'express';
import type { ViewerDeps } from '../deps.js';
import { notFound } from '../http/guard.js';
import { rootFrom, withRoot } from '../http/relative.js';
import { pickReport } from './reports.js';
import { pick } from './runs.js';

/** Pages that are of no run, report or sweep; the front end has the same ones (web/pages.ts). */
const PAGES = ['/', '/compare', '/playground', '/jobs', '/reports'];

export function pageRoutes(deps: ViewerDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get(PAGES, (request, response) => sendShell(deps, request, response));
  router.get('/runs/:id', async (request, response) => {
    pick(await deps.listRuns(), request.params.id);
    sendShell(deps, request, response);
  });
  router.get('/reports/:name', async (request, response) => {
    pickReport(await deps.listReports(), request.params.name);
    sendShell(deps, request, response);
  });
  router.get('/sweeps/:name', async (request, response) => {
    if ((await deps.readSweep(request.params.name)) === undefined) throw notFound('sweep');
    sendShell(deps, request, response);
  });
  router.get('/assets/:name', (request, response) => sendAsset(deps, response, request.params.name));
  return router;
}

/** The shell, its links relative to the address: it may be served below any path. */
function sendShell(deps: ViewerDeps, request: Pick<Request, 'url'>, response: Response): void {
  const asset = deps.assets.get('index.html');
  if (asset === undefined) throw notFound('page');
  response.type(asset.type).send(withRoot(asset.body.toString('utf8'), rootFrom(request.url)));
}

function sendAsset(deps: ViewerDeps, response: Response, name: string): void {
  const asset = deps.assets.get(name);
  if (asset === undefined) throw notFound('page');
  response.type(asset.type).send(asset.body);
}
