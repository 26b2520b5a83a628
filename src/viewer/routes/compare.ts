/** /api/compare: checkpoints side by side, and the job that measures what is missing. */
import { Router, type Request } from 'express';
import { measureSchema, saveSchema } from '../api/compare-schemas.js';
import { bodyOf } from '../http/body.js';
import type { ViewerDeps } from '../deps.js';
import { notFound, RefusedError } from '../http/guard.js';
import { REPORT_POLICY } from '../http/headers.js';

export function compareRoutes({ compare, jobs }: Pick<ViewerDeps, 'compare' | 'jobs'>): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/api/compare', async (request, response) => {
    const { of, series } = queryOf(request);
    response.json(await compare.compare(of, series));
  });
  router.get('/api/compare/planes', async (request, response) => {
    response.json(await compare.planes(queryOf(request).of));
  });
  router.get('/api/compare/page', async (request, response) => {
    const { of, series } = queryOf(request);
    response.setHeader('Content-Security-Policy', REPORT_POLICY);
    response.setHeader('Content-Disposition', 'attachment; filename="comparison.html"');
    response.type('html').send(await compare.page(of, series));
  });
  router.post('/api/compare/report', async (request, response) => {
    response.status(201).json(await compare.save(bodyOf(request, saveSchema)));
  });
  router.get('/api/compare/job', async (request, response) => {
    const { of, series } = queryOf(request);
    response.json({ job: jobs.latestOf(await compare.jobOf({ of: [of], series })) ?? null });
  });
  router.post('/api/compare/job', async (request, response) => {
    response.status(201).json(jobs.addOnce(await compare.jobOf(bodyOf(request, measureSchema))));
  });
  return router;
}

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
