/** What the page of comparison shows: read from the address, and what the server said of it. */
import type { Comparison, MeasureRequest, Planes, SavedReport, SaveRequest } from '../contract/compare.js';
import type { JobSummary } from '../contract/jobs.js';
import { change } from './api.js';
import { send } from './resource.js';
import { setQuery } from './router.js';

/** One part of the address: a run and which of its checkpoints. */
export interface Part {
  readonly address: string;
  /** `last`, `all`, `final` or a step */
  readonly steps: string;
}

/** @param of - parts with commas between them; the address of a run may hold a comma itself */
export function partsOf(of: string): Part[] {
  const found: Part[] = [];
  let open = '';
  for (const piece of of === '' ? [] : of.split(',')) {
    const text = open === '' ? piece : `${open},${piece}`;
    const [, address, steps] = /^(.+)@(\d{1,15}|all|last|final)$/.exec(text) ?? [];
    if (address === undefined) open = text;
    else {
      found.push({ address, steps });
      open = '';
    }
  }
  if (open !== '') found.push(...open.split(',').map((address) => ({ address, steps: 'last' })));
  return found;
}

export const textOf = (parts: readonly Part[]): string =>
  parts.map(({ address, steps }) => `${address}@${steps}`).join(',');

/** Shows other checkpoints: a new entry of the history. */
export function show(parts: readonly Part[]): void {
  setQuery({ of: textOf(parts), step: undefined, pair: undefined }, { replace: false });
}

const query = (of: string, series: boolean): string => `?of=${of}${series ? '&series=1' : ''}`;

export async function getComparison(of: string, series: boolean): Promise<Comparison> {
  return (await (await send(`/api/compare${query(of, series)}`)).json()) as Comparison;
}

export async function getPlanes(of: string): Promise<Planes> {
  return (await (await send(`/api/compare/planes${query(of, false)}`)).json()) as Planes;
}

/** The latest job that measures what is missing; null: nobody asked for one. */
export async function getJob(of: string, series: boolean): Promise<JobSummary | null> {
  const answer = await send(`/api/compare/job${query(of, series)}`);
  return ((await answer.json()) as { job: JobSummary | null }).job;
}

/** @throws AnswerError with the server's words */
export async function startJob(request: MeasureRequest): Promise<JobSummary> {
  return (await change('POST', '/api/compare/job', request)) as JobSummary;
}

/** Writes what the page shows as one file below the reports. @throws AnswerError with the server's words */
export async function saveComparison(request: SaveRequest): Promise<SavedReport> {
  return (await change('POST', '/api/compare/report', request)) as SavedReport;
}
