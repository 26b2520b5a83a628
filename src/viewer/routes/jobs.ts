/** /api/jobs: what can be asked for, what waits, runs and has ended, and what it prints. */
import { Router, type Request, type Response } from 'express';
import { jobRequestSchema, nothingSchema, sweepRequestSchema } from '../api/schemas.js';
import { bodyOf } from '../http/body.js';
import type { JobForm } from '../contract/jobs.js';
import { POLL_MS, type ViewerDeps } from '../deps.js';
import { RefusedError } from '../http/guard.js';
import { jobForm } from '../jobs/form.js';
import { lastEventId, type EventStream, type EventStreams } from '../http/streams.js';

type ById = Request<{ id: string }>;

export function jobRoutes(deps: ViewerDeps, streams: EventStreams): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const { jobs } = deps;
  let form: JobForm | undefined;
  router.get('/api/jobs', (_request, response) => {
    jobs.keepGoing();
    response.json(jobs.list());
  });
  router.get('/api/jobs/form', (_request, response) => {
    form ??= jobForm(jobs.cores);
    response.json(form);
  });
  router.get('/api/jobs/events', (request, response) =>
    streamed(request, response, (stream) => followAll(deps, stream)),
  );
  router.get('/api/jobs/:id', (request: ById, response: Response) => {
    response.json(jobs.get(request.params.id));
  });
  router.get('/api/jobs/:id/events', async (request: ById, response: Response) => {
    const { id } = request.params;
    jobs.get(id);
    await streamed(request, response, (stream) => followOne(id, lastEventId(request), deps, stream));
  });
  router.post('/api/jobs', (request, response) => {
    response.status(201).json(jobs.add(bodyOf(request, jobRequestSchema)));
  });
  router.post('/api/jobs/check', (request, response) => {
    response.json(jobs.check(bodyOf(request, jobRequestSchema)));
  });
  router.post('/api/jobs/dry-run', async (request, response) => {
    response.json(await jobs.dryRun(bodyOf(request, sweepRequestSchema)));
  });
  router.post('/api/jobs/:id/cancel', (request: ById, response: Response) => {
    bodyOf(request, nothingSchema);
    response.json(jobs.cancel(request.params.id));
  });
  router.post('/api/jobs/:id/again', (request: ById, response: Response) => {
    bodyOf(request, nothingSchema);
    response.status(201).json(jobs.again(request.params.id));
  });

  async function streamed(
    request: Pick<Request, 'method'>,
    response: Response,
    follow: (stream: EventStream) => Promise<void>,
  ): Promise<void> {
    if (request.method === 'HEAD') {
      response.type('text/event-stream').end();
      return;
    }
    const stream = streams.open(response);
    stream.begin();
    try {
      await follow(stream);
    } catch (error) {
      deps.log(`viewer: live view of jobs: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      stream.end();
    }
  }
  return router;
}

/** The list whenever it has changed. */
async function followAll({ jobs }: ViewerDeps, stream: EventStream): Promise<void> {
  let shown = '';
  while (stream.isOpen) {
    jobs.keepGoing();
    const list = jobs.list();
    const text = JSON.stringify(list);
    if (text !== shown) stream.send('jobs', list);
    shown = text;
    await stream.pause(POLL_MS);
  }
}

/** One job and its words, until it has ended. */
async function followOne(id: string, from: number, { jobs }: ViewerDeps, stream: EventStream): Promise<void> {
  let shown = '';
  let offset = from;
  let isFirst = true;
  while (stream.isOpen) {
    let job;
    try {
      job = jobs.get(id);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      stream.send('gone', {});
      return;
    }
    const { fresh, text, next } = await jobs.log(id, offset);
    if (text !== '' || isFirst) stream.send('log', { fresh, text }, next);
    isFirst = false;
    offset = next;
    const state = JSON.stringify(job);
    if (state !== shown) stream.send('job', job);
    shown = state;
    if (job.ended !== null) {
      stream.send('end', { state: job.state });
      return;
    }
    await stream.pause(POLL_MS);
  }
}
