/** One checkpoint under study and the design of its run, as far as comparisons and claims need it. */
import { z } from 'zod';

const text = z.string();
const count = z.int().nonnegative();
const byOperation = z.record(text, z.number().min(0).max(1));

/** How a run ended; `running` while it has not. */
export const RUN_ENDS = ['solved', 'budget', 'diverged', 'interrupted', 'running'] as const;

/**
 * How training began: from scratch, after other tasks in the same run (under one curve with the optimizer kept, or in another
 * way), or from a checkpoint (everything, its number rows,
 * everything but them, those rows dealt to other numbers, random rows of their norm).
 */
export const START_KINDS = [
  'scratch',
  'phases',
  'phases-varied',
  'all',
  'numbers',
  'all-but-numbers',
  'numbers-permuted',
  'norm-of-numbers',
] as const;

/** What a run was trained on and how large it is: what says which runs may stand beside each other. */
export const designSchema = z.strictObject({
  /** operations, in the order of the table of operations */
  tasks: z.array(text),
  regime: text,
  modulus: count,
  depth: count,
  /** expressions nest, so that "learned" asks for what is inside them too */
  nested: z.boolean(),
  /** fewest and most operands */
  operands: z.tuple([count, count]),
  dModel: count,
  nLayers: count,
  /** budget in optimizer steps */
  steps: count,
  learningRate: z.number(),
  /** standard deviation of the token embeddings at the start */
  embeddingInit: z.number(),
  /** how training began */
  startKind: z.enum(START_KINDS),
  /** operations that were trained before, joined with +; empty from scratch */
  startTasks: text,
  end: z.enum(RUN_ENDS),
  /** trained here, so that its evaluations tell how it learned */
  trainedHere: z.boolean(),
  /** generated examples, and no lines of a file */
  generated: z.boolean(),
  /** equal in runs of which differences may be taken: vocabulary, modulus, context, regime, source of examples */
  comparable: text,
  /** equal in runs that differ in tasks and seeds alone */
  match: text,
  /** equal in runs that differ in tasks, seeds and budget alone */
  family: text,
  /** equal in runs that differ in tasks, seeds, budget, size, learning rate and start alone */
  ladder: text,
});

export const subjectSchema = z.strictObject({
  /** `<run>@<step>` */
  id: text.min(1),
  run: text.min(1),
  step: count,
  seed: z.int(),
  /** hash of the configuration without seeds */
  condition: text,
  /** `MAX+MED+SUM, full, d=16`: what differs between the conditions compared */
  label: text,
  /** trainable numbers, tied weights once */
  parameters: count,
  weightsSha256: text,
  /** the last checkpoint of its run */
  final: z.boolean(),
  /** at this step: accuracy on result tokens by operation, greedy, trained prompts; null: not evaluated */
  accuracy: byOperation.nullable(),
  /**
   * The smaller of the accuracies at the last two evaluations at or before this step, trained prompts: what "learned" is
   * decided by; where expressions nest, accuracy inside them is one of those, and an operation of which it is not known is
   * left out. Absent: fewer than two evaluations.
   */
  learned: byOperation.exactOptional(),
  design: designSchema,
});

export type Design = z.infer<typeof designSchema>;
/** Seeds are replicates within a condition, steps a series within a run. */
export type Subject = z.infer<typeof subjectSchema>;
