/** Calls of the viewer's own server. */
import type { ReportSummary, RunDetail, RunSummary, SweepSummary } from '../contract.js';

async function get(path: string): Promise<unknown> {
  const response = await fetch(path, { headers: { Accept: 'application/json' } });
  const body: unknown = await response.json();
  if (!response.ok) {
    const said = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : '';
    throw new Error(said || `The viewer answered ${response.status}.`);
  }
  return body;
}

// the server of this page is the same build: its answers have the types of contract.ts
export async function getRuns(): Promise<readonly RunSummary[]> {
  return ((await get('/api/runs')) as { runs: readonly RunSummary[] }).runs;
}

export async function getRun(address: string): Promise<RunDetail> {
  return (await get(`/api/runs/${address}`)) as RunDetail;
}

export async function getSweeps(): Promise<readonly SweepSummary[]> {
  return ((await get('/api/sweeps')) as { sweeps: readonly SweepSummary[] }).sweeps;
}

export async function getReports(): Promise<readonly ReportSummary[]> {
  return ((await get('/api/reports')) as { reports: readonly ReportSummary[] }).reports;
}
