/** /api/checkpoints: one checkpoint with its weights, for the playground, which computes in the browser. */
import { Router } from 'express';
import type { ViewerDeps } from '../deps.js';
import { notFound } from '../http/guard.js';
import { pick } from './runs.js';

export function checkpointRoutes(deps: ViewerDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/api/checkpoints/:run/:step', async (request, response) => {
    const { run: address, step } = request.params;
    const run = pick(await deps.listRuns(), address);
    const document = /^(?:last|\d{1,15})$/.test(step)
      ? await deps.readCheckpoint(run, step === 'last' ? 'last' : Number(step))
      : undefined;
    if (document === undefined) throw notFound('checkpoint');
    response.json(document);
  });
  return router;
}
