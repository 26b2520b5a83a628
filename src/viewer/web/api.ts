/** The lists and details of the API, typed by the contract. */
import type { ReportSummary, RunDetail, RunList, SweepSummary } from '../contract.js';
import type { JobForm } from '../contract/jobs.js';
import { AnswerError, resource, send } from './resource.js';

export const runList = resource('/api/runs', (body) => body as RunList);
export const reportList = resource(
  '/api/reports',
  (body) => (body as { reports: readonly ReportSummary[] }).reports,
);
export const sweepList = resource(
  '/api/sweeps',
  (body) => (body as { sweeps: readonly SweepSummary[] }).sweeps,
);

export const jobFormResource = resource('/api/jobs/form', (body) => body as JobForm);

export async function getRun(address: string): Promise<RunDetail> {
  return (await (await send(`/api/runs/${address}`)).json()) as RunDetail;
}

/**
 * Changes something. A server that was started anew has another token: reading brings its cookie, and it is tried once more.
 * @throws AnswerError with the server's words
 */
export async function change(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body: unknown,
): Promise<unknown> {
  const attempt = async (): Promise<unknown> => {
    const init = { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    return (await send(path, init)).json();
  };
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof AnswerError) || error.status !== 403) throw error;
    await send('/api/openapi.json');
    return attempt();
  }
}
