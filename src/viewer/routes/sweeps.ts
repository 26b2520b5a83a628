/** /api/sweeps: the list, and one sweep as it goes on, also while another process runs it. */
import { Router, type Request, type Response } from 'express';
import { POLL_MS, type ViewerDeps } from '../deps.js';
import { notFound } from '../http/guard.js';
import type { EventStream, EventStreams } from '../http/streams.js';

export function sweepRoutes(deps: ViewerDeps, streams: EventStreams): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/api/sweeps', async (_request, response) => {
    response.json({ sweeps: await deps.listSweeps() });
  });
  router.get('/api/sweeps/:name/events', async (request: Request<{ name: string }>, response: Response) => {
    const { name } = request.params;
    if (request.method === 'HEAD') {
      if ((await deps.readSweep(name)) === undefined) throw notFound('sweep');
      response.type('text/event-stream').end();
      return;
    }
    // before anything is waited for, so that a client that goes away gives its place back
    const stream = streams.open(response);
    let found = false;
    try {
      found = (await deps.readSweep(name)) !== undefined;
    } finally {
      if (!found) stream.abandon();
    }
    if (!found) throw notFound('sweep');
    stream.begin();
    try {
      await follow(name, deps, stream);
    } catch (error) {
      deps.log(
        `viewer: live view of sweep ${name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      stream.end();
    }
  });
  return router;
}

/** Sends the state whenever it has changed, until the client has gone: what is stopped may be taken up again. */
async function follow(name: string, deps: ViewerDeps, stream: EventStream): Promise<void> {
  let shown = '';
  while (stream.isOpen) {
    const state = await deps.readSweep(name);
    if (state === undefined) {
      stream.send('gone', {});
      return;
    }
    const text = JSON.stringify(state);
    if (text !== shown) stream.send('sweep', state);
    shown = text;
    await stream.pause(POLL_MS);
  }
}
