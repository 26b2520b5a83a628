/** Answers and bodies of /api/compare as schemas: see schemas.ts. */
import { z } from 'zod';
import {
  type Comparison,
  type MeasureRequest,
  MOST_COMPARED,
  type Planes,
  type SavedReport,
  type SaveRequest,
} from '../contract/compare.js';
import { jobSchema } from './schemas.js';

const text = z.string();
const texts = z.array(text).readonly();
const whole = z.int();
const numberOrNull = z.number().nullable();
const pair = z.tuple([z.number(), z.number()]).readonly();
const list = <T extends z.ZodType>(of: T) => z.array(of).readonly();
const points = list(pair);
const named = list(z.strictObject({ checkpoint: text, reason: text }));

const mapSchema = z.strictObject({
  statistic: text,
  title: text,
  unit: text,
  xTitle: text,
  yTitle: text,
  most: z.number(),
  panels: list(
    z.strictObject({
      title: text,
      x: texts,
      y: texts,
      cells: list(
        z.strictObject({ x: text, y: text, value: z.number(), low: numberOrNull, high: numberOrNull }),
      ),
    }),
  ),
});

const statisticSchema = z.strictObject({
  statistic: text,
  title: text,
  within: text,
  unit: text,
  sentence: text,
  means: list(
    z.strictObject({
      place: whole,
      learned: z.boolean().nullable(),
      mean: z.number(),
      low: numberOrNull,
      high: numberOrNull,
      p: numberOrNull,
      control: numberOrNull,
      values: list(z.strictObject({ checkpoint: text, seed: whole, value: z.number() })),
    }),
  ),
});

const differenceSchema = z.strictObject({
  statistic: text,
  title: text,
  within: text,
  unit: text,
  a: whole,
  b: whole,
  seeds: pair,
  estimate: z.number(),
  low: numberOrNull,
  high: numberOrNull,
  p: numberOrNull,
  method: text.nullable(),
  spreads: numberOrNull,
});

const runSchema = z.strictObject({
  run: text,
  address: text.exactOptional(),
  seed: whole,
  place: whole,
  label: text,
  steps: list(whole),
  chosen: list(whole),
  loss: points,
  accuracy: list(z.strictObject({ operation: text, points })),
  readout: list(z.strictObject({ name: text, points })),
});

const checkpointSchema = z.strictObject({
  id: text,
  run: text,
  step: whole,
  seed: whole,
  place: whole,
  label: text,
  counts: z.boolean(),
  learned: z.boolean().nullable(),
  accuracy: z.record(text, z.number()).readonly().nullable(),
});

export const comparisonSchema: z.ZodType<Comparison> = z.strictObject({
  of: texts,
  series: z.boolean(),
  conditions: list(z.strictObject({ label: text, place: whole, runs: whole, learned: whole.nullable() })),
  checkpoints: list(checkpointSchema),
  runs: list(runSchema),
  settings: list(z.strictObject({ path: text, values: texts })),
  modules: list(
    z.strictObject({ module: text, title: text, measured: whole, missing: whole, leftOut: named }),
  ),
  missing: whole,
  statistics: list(statisticSchema),
  differences: list(differenceSchema),
  maps: list(z.strictObject({ a: whole, b: whole, maps: list(mapSchema) })),
  others: list(z.strictObject({ address: text, label: text })),
  notes: texts,
  leftOut: named,
  learnedAccuracy: z.number(),
});

export const planesSchema: z.ZodType<Planes> = z.strictObject({
  n: whole,
  reach: z.number(),
  runs: list(
    z.strictObject({
      run: text,
      seed: whole,
      place: whole,
      label: text,
      share: z.number(),
      steps: list(z.strictObject({ step: whole, size: z.number(), points })),
    }),
  ),
  leftOut: named,
});

/** null: nobody asked for it */
export const latestJobSchema = z.strictObject({ job: jobSchema.nullable() });

const chosen = {
  of: z.array(z.string().min(1).max(200)).min(1).max(MOST_COMPARED),
  series: z.boolean().optional(),
};
export const measureSchema: z.ZodType<MeasureRequest> = z.strictObject({
  ...chosen,
  name: z.string().max(200).optional(),
});
export const saveSchema: z.ZodType<SaveRequest> = z.strictObject({
  ...chosen,
  name: z.string().max(200),
  title: z.string().max(400).optional(),
});
export const savedSchema: z.ZodType<SavedReport> = z.strictObject({ report: text });
