/** /api/compare: checkpoints side by side, and the one job that measures what is missing or writes the report. */
import { Router, type Request, type Response } from 'express';
import { measureSchema, saveSchema } from '../api/compare-schemas.js';
import { nothingSchema } from '../api/schemas.js';
import { bodyOf } from '../body.js';
import type { ViewerDeps } from '../deps.js';
import { notFound, RefusedError } from '../guard.js';
import type { EventStreams } from '../streams.js';

export function compareRoutes({ compare }: Pick<ViewerDeps, 'compare'>, streams: EventStreams): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/api/compare', async (request, response) => {
    const { of, series } = queryOf(request);
    response.json(await compare.compare(of, series));
  });
  router.get('/api/compare/planes', async (request, response) => {
    response.json(await compare.planes(queryOf(request).of));
  });
  router.get('/api/compare/job', (_request, response) => {
    response.json({ job: compare.job() });
  });
  router.get('/api/compare/job/events', async (request: Request, response: Response) => {
    if (request.method === 'HEAD') {
      response.type('text/event-stream').end();
      return;
    }
    const stream = streams.open(response);
    stream.begin();
    // many messages of a quick job are one for the page
    let isDue = true;
    const forget = compare.onJob(() => (isDue = true));
    try {
      while (stream.isOpen) {
        if (isDue) {
          isDue = false;
          stream.send('job', { job: compare.job() });
        }
        await stream.pause(JOB_POLL_MS);
      }
    } finally {
      forget();
      stream.end();
    }
  });
  router.post('/api/compare/measure', async (request, response) => {
    response.status(201).json(await compare.measure(bodyOf(request, measureSchema)));
  });
  router.post('/api/compare/report', async (request, response) => {
    response.status(201).json(await compare.save(bodyOf(request, saveSchema)));
  });
  router.post('/api/compare/cancel', (request, response) => {
    bodyOf(request, nothingSchema);
    response.json(compare.cancel());
  });
  return router;
}

const JOB_POLL_MS = 150;

/** `?of=<part>,<part>&series=1`; the guard let nothing through that would have to be decoded. */
function queryOf(request: Request): { of: string; series: boolean } {
  const [path, query = ''] = request.url.split('?', 2);
  const fields = query.split('&').map((part): [string, string] => {
    const at = part.indexOf('=');
    return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
  });
  const of = fields.filter(([name]) => name === 'of').map(([, value]) => value);
  const unknown = fields.find(([name]) => name !== 'of' && name !== 'series' && name !== '');
  if (unknown !== undefined) throw new RefusedError(400, `${path} does not know "${unknown[0]}".`);
  if (of.length !== 1 || of[0] === '') throw notFound('comparison');
  return { of: of[0], series: fields.some(([name, value]) => name === 'series' && value === '1') };
}
