/**
 * How often training drew the operands of an operation. The stream of examples is a pure function of data and seed, so
 * this can be known afterwards: from the distribution at depth 1, where it is exact in the mean, and otherwise by
 * drawing the first examples again.
 */
import { Rng } from '../../tensor/rng.js';
import type { DataConfig } from '../data-config.js';
import { RESULT } from '../language/expression.js';
import { ExpressionDrawer, createGenerator } from './generate.js';
import { splitInputs } from './inputs.js';
import { scanTokens } from './leak.js';
import type { OperandMultiset } from './multisets.js';
import { OPERATION_NAMES, createOperationContext } from '../language/operations.js';
import type { OperationName } from '../language/operations.js';
import { createHoldout, multisetKey } from './regimes.js';
import { SequenceWriter } from '../language/sequence.js';
import { vocabularyOf } from '../language/tokenizer.js';

/** Examples that are drawn again; counts of longer trainings are scaled up from them. */
export const MOST_RECOUNTED = 20_000;

export interface TrainingCounts {
  /** expected: mean of the distribution; counted: all examples; sampled: scaled up from the first MOST_RECOUNTED */
  readonly method: 'expected' | 'counted' | 'sampled';
  /** how often training showed this multiset, in any order, as the operands of the operation */
  draws(operation: OperationName, multiset: OperandMultiset): number;
}

/** Examples over which the mean length is taken. */
const LENGTHS = 2000;

/**
 * How many examples training has used, from how many rows of its batches: a row is an example, or a window of several.
 * @param seed - the run's data seed
 */
export function examplesUsed(data: DataConfig, seed: number, rows: number): number {
  if (data.window === undefined) return rows;
  const generator = createGenerator(data, seed);
  const count = Math.min(LENGTHS, data.fixedSize ?? LENGTHS);
  let tokens = 0;
  for (let index = 0; index < count; index++) tokens += generator.example(index).tokens.length;
  // examples written end to end share the token between them where it both ends and starts one
  const { start, end } = vocabularyOf(data);
  const length = tokens / count - (start === end ? 1 : 0);
  return Math.round((rows * data.window) / length);
}

/**
 * @param seed - the run's data seed
 * @param examples - examples that training has used: steps times batch size
 * @param first - number of the first of them; other than 0 in a later phase of a run
 */
export function trainingCounts(data: DataConfig, seed: number, examples: number, first = 0): TrainingCounts {
  const isOneCall = data.depth === 1 || data.nesting === 0;
  return isOneCall && data.fixedSize === undefined && data.digitSkew === undefined
    ? expectedCounts(data, examples)
    : recount(data, seed, examples, first);
}

/** Of several parts of a training together. */
export function summedCounts(parts: readonly TrainingCounts[]): TrainingCounts {
  if (parts.length === 1) return parts[0];
  const methods = parts.map(({ method }) => method);
  return {
    method: (['sampled', 'expected', 'counted'] as const).find((name) => methods.includes(name)) ?? 'counted',
    draws: (operation, multiset) => parts.reduce((sum, part) => sum + part.draws(operation, multiset), 0),
  };
}

/** Operation and operand count are uniform, and so are the operand lists that are not held out. */
function expectedCounts(data: DataConfig, examples: number): TrainingCounts {
  const holdout = createHoldout(data);
  const [fewest, most] = data.operands;
  const perList = new Map<number, number>();
  for (let arity = fewest; arity <= most; arity++) {
    const { trained, held } = splitInputs(data, arity);
    const share = trained.length / (trained.length + held.length);
    perList.set(arity, examples / data.tasks.length / (most - fewest + 1) / (share * data.modulus ** arity));
  }
  return {
    method: 'expected',
    draws(operation, { operands, nOrders }) {
      if (!data.tasks.includes(operation) || holdout.isHeldOut(operands)) return 0;
      return nOrders * (perList.get(operands.length) ?? 0);
    },
  };
}

function recount(data: DataConfig, seed: number, examples: number, first: number): TrainingCounts {
  const context = createOperationContext(data);
  const drawer = new ExpressionDrawer(data, context, createHoldout(data));
  const writer = new SequenceWriter(context, 'steps');
  // a set of fixed size comes back in the same order again and again
  const distinct = Math.min(examples, data.fixedSize ?? Infinity);
  const drawn = Math.min(distinct, MOST_RECOUNTED);
  const counts = new Map<string, number>();
  for (let index = first; index < first + drawn; index++) {
    const which = data.fixedSize === undefined ? index : index % data.fixedSize;
    const length = drawer.draw(new Rng(seed, 'data', which));
    writer.clear();
    writer.append(drawer.tokens, length);
    const { tokens, roles, operations } = writer.sequence(0);
    const reductions = scanTokens(tokens, { modulus: data.modulus });
    let step = 0;
    for (let t = 0; t < tokens.length; t++) {
      if (roles[t] !== RESULT) continue;
      const key = `${OPERATION_NAMES[operations[t]]} ${multisetKey(reductions[step++])}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const scale = drawn === 0 ? 0 : examples / drawn;
  return {
    method: drawn === distinct ? 'counted' : 'sampled',
    draws: (operation, { operands }) => (counts.get(`${operation} ${multisetKey(operands)}`) ?? 0) * scale,
  };
}
