/** Deleting a run or a report: by its address, and only by one who says its name. */
import { Router, type Request, type Response } from 'express';
import { confirmSchema } from '../api/schemas.js';
import { bodyOf } from '../http/body.js';
import type { ViewerDeps } from '../deps.js';
import { notFound, RefusedError } from '../http/guard.js';
import { pickReport } from './reports.js';
import { pick } from './runs.js';

export function trashRoutes(deps: ViewerDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const names = {
    run: async (address: string) => pick(await deps.listRuns(), address).id,
    report: async (address: string) => pickReport(await deps.listReports(), address).name,
  };
  for (const what of ['run', 'report'] as const) {
    router.delete(
      `/api/${what}s/:${what}`,
      async (request: Request<Record<string, string>>, response: Response) => {
        const name = await names[what](request.params[what]);
        if (bodyOf(request, confirmSchema).confirm !== name)
          throw new RefusedError(409, 'confirm: expected the name of what is deleted, as the list shows it.');
        const trash = await deps.trash(what, name);
        if (trash === undefined) throw notFound(what);
        response.json({ trash });
      },
    );
  }
  return router;
}
