/** Reports: the list, and the two files of one. The page of a report is served in a sandbox of its own. */
import { Router, type Request, type Response } from 'express';
import { ADDRESS_NAME, type ReportSummary } from '../contract.js';
import type { ViewerDeps } from '../deps.js';
import { notFound } from '../http/guard.js';
import { REPORT_POLICY } from '../http/headers.js';

export function reportRoutes(deps: ViewerDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/api/reports', async (_request, response) => {
    response.json({ reports: await deps.listReports() });
  });
  router.get('/api/reports/:name/observations.csv', async (request, response) => {
    const report = pickReport(await deps.listReports(), request.params.name);
    const csv = await deps.readObservations(report);
    if (csv === undefined) throw notFound('report');
    response.setHeader('Content-Disposition', `attachment; filename="${report.address}.csv"`);
    response.type('text/csv').send(csv);
  });
  // the second address is what a link between two reports on disk comes to
  for (const page of ['/reports/:name/page', '/reports/:name/index.html']) {
    router.get(page, async (request: Request<{ name: string }>, response: Response) => {
      const report = pickReport(await deps.listReports(), request.params.name);
      const body = await deps.readReport(report, 'index.html');
      if (body === undefined) throw notFound('report');
      response.setHeader('Content-Security-Policy', REPORT_POLICY);
      response.type('html').send(body);
    });
  }
  for (const file of ['report.json', 'comparison.json'] as const) {
    router.get(`/reports/:name/${file}`, async (request: Request<{ name: string }>, response: Response) => {
      const report = pickReport(await deps.listReports(), request.params.name);
      const body = await deps.readReport(report, file);
      if (body === undefined) throw notFound('report');
      response.setHeader('Content-Disposition', `attachment; filename="${report.address}.json"`);
      response.type('json').send(body);
    });
  }
  return router;
}

/** The report of that address in the index; the address itself goes no further. */
export function pickReport(reports: readonly ReportSummary[], address: string): ReportSummary {
  const report = ADDRESS_NAME.test(address)
    ? reports.find((entry) => entry.open && entry.address === address)
    : undefined;
  if (report === undefined) throw notFound('report');
  return report;
}
