/** The lists and details of the API, typed by the contract. */
import type { ReportSummary, RunDetail, RunSummary, SweepSummary } from '../contract.js';
import { resource, send } from './resource.js';

export const runList = resource('/api/runs', (body) => (body as { runs: readonly RunSummary[] }).runs);
export const reportList = resource(
  '/api/reports',
  (body) => (body as { reports: readonly ReportSummary[] }).reports,
);
export const sweepList = resource(
  '/api/sweeps',
  (body) => (body as { sweeps: readonly SweepSummary[] }).sweeps,
);

export async function getRun(address: string): Promise<RunDetail> {
  return (await (await send(`/api/runs/${address}`)).json()) as RunDetail;
}
