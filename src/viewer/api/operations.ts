/**
 * THE table of the API: a row an address and method. The guard lets changes in by it, the published description is made of
 * it, and a test holds it against the routes that are there and against their answers.
 */
import type { z } from 'zod';
import {
  comparisonSchema,
  latestJobSchema,
  measureSchema,
  planesSchema,
  savedSchema,
  saveSchema,
} from './compare-schemas.js';
import {
  checkpointSchema,
  confirmSchema,
  dryRunSchema,
  jobCheckSchema,
  jobFormSchema,
  jobListSchema,
  jobRequestSchema,
  jobSchema,
  nothingSchema,
  notesSchema,
  reportsSchema,
  runDetailSchema,
  runsSchema,
  sweepRequestSchema,
  sweepsSchema,
  trashedSchema,
} from './schemas.js';

/** `events`: server-sent events, with their names. */
export type AnswerKind =
  | { readonly kind: 'json'; readonly schema: z.ZodType }
  | { readonly kind: 'events'; readonly names: readonly string[] }
  | { readonly kind: 'file'; readonly type: string };

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** parameters in braces, as OpenAPI writes them */
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  /** what may stand in its query, with what it means; the first one must */
  readonly query?: Readonly<Record<string, string>>;
  readonly status: 200 | 201;
  readonly answer: AnswerKind;
}

const json = (schema: z.ZodType): AnswerKind => ({ kind: 'json', schema });
const events = (...names: string[]): AnswerKind => ({ kind: 'events', names });

function read(path: string, summary: string, answer: AnswerKind, query?: Operation['query']): Operation {
  return { method: 'GET', path, summary, status: 200, answer, ...(query === undefined ? {} : { query }) };
}

const OF = 'checkpoints with commas between them: <address of a run>@<step>, @last, @all or @final';

const SERIES = '1: with the cheaper options for many steps';

function change(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  summary: string,
  of: { readonly body: z.ZodType; readonly answer: AnswerKind; readonly status?: 201 },
): Operation {
  return { method, path, summary, body: of.body, status: of.status ?? 200, answer: of.answer };
}

export const OPERATIONS: readonly Operation[] = [
  read('/api/openapi.json', 'This description.', { kind: 'file', type: 'application/json' }),
  read('/api/runs', 'Every run folder, also those that cannot be read.', json(runsSchema)),
  read('/api/runs/{run}', 'One run: its configuration and its checkpoints.', json(runDetailSchema)),
  read(
    '/api/runs/{run}/events',
    'Curves of one run as they grow. Last-Event-ID goes on from there.',
    events('curves', 'state', 'gone', 'end'),
  ),
  read(
    '/api/checkpoints/{run}/{step}',
    'One checkpoint with its weights, by its step or `last`: what the playground computes with.',
    json(checkpointSchema),
  ),
  change('PUT', '/api/runs/{run}/notes', 'Tags and note of one run, instead of those it had.', {
    body: notesSchema,
    answer: json(notesSchema),
  }),
  change('DELETE', '/api/runs/{run}', 'Move one run to the trash folder. Its name confirms it.', {
    body: confirmSchema,
    answer: json(trashedSchema),
  }),
  read('/api/reports', 'Every report folder.', json(reportsSchema)),
  read('/api/reports/{report}/observations.csv', 'The numbers of one report as a tidy table, one row each.', {
    kind: 'file',
    type: 'text/csv',
  }),
  change('DELETE', '/api/reports/{report}', 'Move one report to the trash folder. Its name confirms it.', {
    body: confirmSchema,
    answer: json(trashedSchema),
  }),
  read('/api/sweeps', 'Every sweep.', json(sweepsSchema)),
  read('/api/sweeps/{sweep}/events', 'One sweep as it goes on.', events('sweep', 'gone')),
  read('/api/jobs', 'Jobs that wait, run or have ended, latest first.', json(jobListSchema)),
  read('/api/jobs/form', 'What can be asked for: settings, presets, modules, plans.', json(jobFormSchema)),
  read('/api/jobs/events', 'The list of jobs whenever it changes.', events('jobs')),
  read('/api/jobs/{job}', 'One job.', json(jobSchema)),
  read('/api/jobs/{job}/events', 'One job and what it prints.', events('job', 'log', 'end', 'gone')),
  change('POST', '/api/jobs', 'Start a job, or let it wait for a core.', {
    body: jobRequestSchema,
    answer: json(jobSchema),
    status: 201,
  }),
  change('POST', '/api/jobs/check', 'What a job would do; nothing is started.', {
    body: jobRequestSchema,
    answer: json(jobCheckSchema),
  }),
  change(
    'POST',
    '/api/jobs/dry-run',
    'What the runs of a plan would cost on this machine, timed for five seconds, and which verdicts they can reach; nothing is started.',
    { body: sweepRequestSchema, answer: json(dryRunSchema) },
  ),
  change('POST', '/api/jobs/{job}/cancel', 'Stop a job: what it has published stays.', {
    body: nothingSchema,
    answer: json(jobSchema),
  }),
  change(
    'POST',
    '/api/jobs/{job}/again',
    'Start what a job did once more; what it published is gone on from.',
    {
      body: nothingSchema,
      answer: json(jobSchema),
      status: 201,
    },
  ),
  read('/api/compare', 'Checkpoints side by side, as far as they are measured.', json(comparisonSchema), {
    of: OF,
    series: SERIES,
  }),
  read('/api/compare/planes', 'Their number embeddings in a plane, step by step.', json(planesSchema), {
    of: OF,
  }),
  read(
    '/api/compare/page',
    'What the page of a comparison shows, as one file that works without this viewer.',
    { kind: 'file', type: 'text/html' },
    { of: OF, series: SERIES },
  ),
  change('POST', '/api/compare/report', 'Write that file as a report of a new name.', {
    body: saveSchema,
    answer: json(savedSchema),
    status: 201,
  }),
  read(
    '/api/compare/job',
    'The latest job that measures what a comparison lacks, if somebody asked for one.',
    json(latestJobSchema),
    { of: OF, series: SERIES },
  ),
  change(
    'POST',
    '/api/compare/job',
    'Measure what a comparison lacks, as a job; with a name, write its report with verdicts too. One that waits or runs already is answered.',
    { body: measureSchema, answer: json(jobSchema), status: 201 },
  ),
];

const CHANGES = OPERATIONS.filter(({ method }) => method !== 'GET').map(({ method, path }) => ({
  method,
  pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[A-Za-z0-9_][A-Za-z0-9._+=,@-]{0,159}')}$`),
}));

/** Methods other than GET and HEAD that an address knows. @param path - as sent, with its query, which makes it unknown */
export function changesOf(path: string): string[] {
  return CHANGES.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
}

/** The row that a route of Express belongs to: `/api/runs/:id`. */
export const openApiPath = (route: string): string => route.replace(/:(\w+)/g, '{$1}');
