/**
 * One line of results.jsonl: everything of a finished run that verdicts need, so that the line stands for the run where its
 * checkpoints are gone. The schema of lines, and how they become evaluation rows again.
 */
import { z } from 'zod';
import { END_REASONS } from '../../../checkpoint/store.js';
import { runId } from '../../../config/names.js';
import { parseRunConfig } from '../../../config/parse.js';
import type { RunConfig } from '../../../config/run-config.js';
import { errorMessage } from '../../../errors.js';
import { observationSchema } from '../../../evidence/statistic.js';
import { ofWhatIsTrained } from '../../../train/learned.js';
import type { EvalCell, EvalRow } from '../../../train/metrics.js';

/** Right and asked. */
const count = z.tuple([z.int().nonnegative(), z.int().positive()]);
const counts = z.record(z.string(), count);
/** a number, or the name of one that is not finite */
const metric = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
const step = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const evaluation = z.strictObject({
  step,
  /** by operation: result tokens right and asked, greedy, on prompts of one operation that training may draw */
  trained: counts,
  /** the same on held-out operand multisets */
  held: counts.optional(),
  /** result tokens inside nested expressions, by operation, free-running: what learned asks for; only at depth 2 and more */
  nested: counts.optional(),
  /** of those, the ones in chains of two reductions or more: what `learned` asks; absent in older lines */
  inside: counts.optional(),
  /** whole expressions right and asked */
  chains: count.optional(),
  /** lines of a data file, by outermost operation */
  lines: counts.optional(),
  /** mean cross-entropy of the result token by operation, trained prompts, nats */
  lossNats: z.record(z.string(), metric),
});

/** a number of its last checkpoint */
const observation = observationSchema.omit({ subject: true });

const line = z.strictObject({
  id: z.string(),
  configuration: z.unknown(),
  parameters: z.int().positive(),
  end: z.strictObject({ reason: z.enum(END_REASONS).exclude(['interrupted']), step }),
  evaluations: z.array(evaluation),
  observations: z.array(observation),
  /** modules that gave no observation, with the reason */
  leftOut: z.array(z.strictObject({ module: z.string(), reason: z.string() })),
  /** Frobenius norm of the centred number rows of the token embedding at published steps */
  numberRows: z.array(z.strictObject({ step, norm: metric })),
  /** the last checkpoint: its step and the SHA-256 of its model.safetensors */
  weightsStep: step,
  weightsSha256: sha256,
  /** AdamW's moments there; only of a run whose optimizer another run goes on with */
  momentsSha256: sha256.optional(),
  engine: z.string(),
  /** training time, all sessions together; not comparable between machines */
  seconds: z.number().nonnegative(),
});

export type Evaluation = z.infer<typeof evaluation>;
export type RunObservation = z.infer<typeof observation>;
export type ResultLine = Omit<z.infer<typeof line>, 'configuration'> & { readonly configuration: RunConfig };

/** What keeps a value from being a result line, in one sentence, or the line. */
export function checkResultLine(
  value: unknown,
): { readonly line: ResultLine } | { readonly problem: string } {
  const parsed = line.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue.path.map(String).join('.');
    return { problem: path === '' ? issue.message : `${path}: ${issue.message}` };
  }
  try {
    const configuration = parseRunConfig(parsed.data.configuration, 'configuration');
    const id = runId(configuration);
    if (id !== parsed.data.id) {
      return { problem: `id: found ${parsed.data.id}, but its configuration is that of ${id}` };
    }
    return { line: { ...parsed.data, configuration } };
  } catch (error) {
    return { problem: errorMessage(error).replace(/\.$/, '') };
  }
}

/** What two lines of one run must agree on. The wall clock is no part of a result. */
export function sameResult(a: ResultLine, b: ResultLine): boolean {
  return a.weightsSha256 === b.weightsSha256 && a.end.reason === b.end.reason && a.end.step === b.end.step;
}

/** Evaluation rows as far as "learned" reads them: one cell an operation and side, of no particular arity. */
export function evaluationRows({
  evaluations,
  configuration,
}: Pick<ResultLine, 'evaluations' | 'configuration'>): EvalRow[] {
  return ofWhatIsTrained(evaluations.map(rowOf), configuration);
}

function rowOf({ step: at, trained, held = {}, inside, chains, lossNats }: Evaluation): EvalRow {
  return {
    kind: 'eval',
    step: at,
    cells: [
      ...Object.entries(trained).map(([operation, own]) => cell(operation, own, false, lossNats[operation])),
      ...Object.entries(held).map(([operation, own]) => cell(operation, own, true, 'NaN')),
    ],
    ...(inside !== undefined &&
      chains !== undefined && {
        nested: {
          exact: chains[0],
          total: chains[1],
          roles: {},
          results: [],
          inside: Object.entries(inside).map(([operation, [correct, total]]) => ({
            operation,
            correct,
            total,
          })),
        },
      }),
  };
}

function cell(
  operation: string,
  [correct, total]: readonly [number, number],
  held: boolean,
  lossNats: EvalCell['lossNats'],
): EvalCell {
  return {
    operation,
    arity: 0,
    held,
    enumerated: false,
    total,
    multisets: total,
    correct,
    exact: correct,
    lossNats,
    divisors: {},
  };
}
