/** The answers of the API as schemas: those of the published description, held to the types of contract.ts by the compiler. */
import { z } from 'zod';
import {
  type ConditionSettings,
  CURVE_GROUPS,
  type ReportSummary,
  RUN_STATUSES,
  type RunDetail,
  type RunList,
  type RunSummary,
  type SweepSummary,
} from '../contract.js';
import {
  type DryRunResult,
  type FieldValue,
  JOB_KINDS,
  JOB_STATES,
  type JobCheck,
  type JobForm,
  type JobList,
  type JobRequest,
  type JobSummary,
  MOST_PLAN_LETTERS,
} from '../contract/jobs.js';
import type { Problem } from '../http/problem.js';

const text = z.string();
const texts = z.array(text).readonly();
const numberOrNull = z.number().nullable();
const point = z.tuple([z.number(), numberOrNull]).readonly();

export const problemSchema: z.ZodType<Problem> = z.strictObject({
  type: z.literal('about:blank'),
  title: text,
  status: z.int(),
  detail: text,
});

export const runSchema: z.ZodType<RunSummary> = z.strictObject({
  id: text,
  open: z.boolean(),
  address: text,
  linkOf: text.exactOptional(),
  shipped: z.literal(true).exactOptional(),
  status: z.enum(RUN_STATUSES),
  reason: text.exactOptional(),
  reading: z.literal(true).exactOptional(),
  condition: text,
  label: text,
  place: z.int(),
  tasks: texts,
  seed: numberOrNull,
  parameters: numberOrNull,
  step: z.number(),
  steps: numberOrNull,
  loss: numberOrNull,
  accuracy: z.record(text, z.number()).readonly().nullable(),
  learned: z.boolean().nullable(),
  sparkline: z.array(point).readonly(),
  chance: numberOrNull,
  tags: texts.exactOptional(),
  note: text.exactOptional(),
});

const conditionSchema: z.ZodType<ConditionSettings> = z.strictObject({
  condition: text,
  settings: z
    .record(
      text,
      z.union([text, z.number(), z.boolean(), z.null(), z.array(z.union([text, z.number()])).readonly()]),
    )
    .readonly(),
});

export const runsSchema: z.ZodType<RunList> = z.strictObject({
  runs: z.array(runSchema).readonly(),
  conditions: z.array(conditionSchema).readonly(),
});

export const runDetailSchema: z.ZodType<RunDetail> = z.strictObject({
  run: runSchema,
  config: z
    .array(z.tuple([text, z.array(z.tuple([text, text]).readonly()).readonly()]).readonly())
    .readonly(),
  checkpoints: z
    .array(z.strictObject({ step: z.number(), sizeBytes: z.number(), sha256: text.nullable() }))
    .readonly(),
  learnedAccuracy: z.number(),
  siblings: z
    .array(z.strictObject({ id: text, seed: numberOrNull, open: z.boolean(), address: text }))
    .readonly(),
});

/** The weights as the playground reads them (src/playground). */
export const checkpointSchema = z.strictObject({
  kind: text,
  name: text,
  label: text,
  step: z.number(),
  /** the run's config.json */
  config: z.record(text, z.unknown()),
  weightsSha256: text,
  /** base64 of little-endian float32 */
  weights: text,
});

export const curveGroupSchema = z.enum(CURVE_GROUPS);

export const reportSchema: z.ZodType<ReportSummary> = z.strictObject({
  name: text,
  open: z.boolean(),
  address: text,
  reading: z.literal(true).exactOptional(),
  reason: text.exactOptional(),
  title: text,
  subjects: z.number(),
  conditions: texts,
  modules: texts,
  verdicts: z
    .array(
      z.strictObject({
        claim: text,
        statement: text,
        verdict: text,
        tone: z.number(),
        isDecided: z.boolean(),
      }),
    )
    .readonly(),
  sizeBytes: z.number(),
  beside: text.exactOptional(),
  comparison: z.literal(true).exactOptional(),
});

export const reportsSchema = z.strictObject({ reports: z.array(reportSchema) });

const sweepSchema: z.ZodType<SweepSummary> = z.strictObject({
  name: text,
  running: z.boolean(),
  finished: z.number(),
  total: numberOrNull,
  share: numberOrNull,
  etaMs: numberOrNull,
});

export const sweepsSchema = z.strictObject({ sweeps: z.array(sweepSchema) });

const checkShape = { title: text, command: text, runs: texts, notes: texts };

export const jobCheckSchema: z.ZodType<JobCheck> = z.strictObject(checkShape);

export const jobSchema: z.ZodType<JobSummary> = z.strictObject({
  ...checkShape,
  id: text,
  kind: z.enum(JOB_KINDS),
  state: z.enum(JOB_STATES),
  added: text,
  begun: text.nullable(),
  ended: text.nullable(),
  progress: z.strictObject({ share: z.number(), text, etaMs: numberOrNull }).nullable(),
  cores: z.int(),
  reason: text.nullable(),
  report: text.nullable(),
});

export const dryRunSchema: z.ZodType<DryRunResult> = z.strictObject({
  plan: text,
  description: text,
  jobs: z.int(),
  rows: z
    .array(
      z.strictObject({
        part: text,
        arm: text,
        runs: z.int(),
        left: z.int(),
        fewestParameters: z.int(),
        mostParameters: z.int(),
        fewestSteps: z.int(),
        mostSteps: z.int(),
        coreHours: z.number(),
      }),
    )
    .readonly(),
  runs: z.int(),
  left: z.int(),
  coreHours: z.number(),
  claims: z.array(z.strictObject({ claim: text, reachable: z.boolean(), why: text })).readonly(),
});

export const jobListSchema: z.ZodType<JobList> = z.strictObject({
  cores: z.int(),
  jobs: z.array(jobSchema).readonly(),
});

export const jobFormSchema: z.ZodType<JobForm> = z.strictObject({
  cores: z.int(),
  fields: z
    .array(
      z.strictObject({
        path: text,
        flag: text,
        help: text,
        reason: text,
        kind: z.enum(['whole', 'number', 'boolean', 'choice', 'names', 'range', 'other']),
        allowed: text,
        of: texts,
        low: numberOrNull,
        high: numberOrNull,
        value: text,
        byDefault: text,
      }),
    )
    .readonly(),
  presets: z
    .array(
      z.strictObject({
        name: text,
        description: text,
        runs: z.int(),
        fields: z.record(text, text).readonly(),
      }),
    )
    .readonly(),
  modules: z.array(z.strictObject({ name: text, title: text, question: text })).readonly(),
  plans: z.array(z.strictObject({ name: text, description: text, sizes: texts })).readonly(),
  planSizes: texts,
});

const fieldValue: z.ZodType<FieldValue> = z.union([text.max(2000), z.number(), z.boolean()]);

export const sweepRequestSchema = z.strictObject({
  kind: z.literal('sweep'),
  plan: text.max(60).optional(),
  text: text.max(MOST_PLAN_LETTERS).optional(),
  size: text.max(20).optional(),
  stopAfter: z.number().min(0.1).max(1e6).optional(),
});

/** What a job may be asked for; the values are checked by what runs it, in its own words. */
export const jobRequestSchema: z.ZodType<JobRequest> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('train'),
    preset: text.max(40).optional(),
    fields: z.record(text.max(60), fieldValue).optional(),
  }),
  z.strictObject({
    kind: z.literal('preset'),
    preset: text.max(40),
    steps: z.int().min(1).max(100_000_000).optional(),
  }),
  z.strictObject({
    kind: z.literal('probe'),
    module: text.max(60),
    checkpoints: z.array(text.max(400)).min(1).max(500),
    name: text.max(64).optional(),
    series: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal('compare'),
    checkpoints: z.array(text.max(400)).min(1).max(500),
    series: z.boolean().optional(),
    name: text.max(64).optional(),
  }),
  sweepRequestSchema,
]);

/** Most tags of one run, and their longest. */
export const MOST_TAGS = 16;
export const notesSchema = z.strictObject({
  tags: z.array(text.trim().min(1).max(40)).max(MOST_TAGS),
  note: text.max(4000),
});

/** Whoever deletes says what: the name as the list shows it. */
export const confirmSchema = z.strictObject({ confirm: text.min(1).max(4000) });

/** Where what was deleted lies now. */
export const trashedSchema = z.strictObject({ trash: text });

export const nothingSchema = z.strictObject({});
