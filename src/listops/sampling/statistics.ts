/**
 * What the data itself gives away: mutual information of one operand with the result, chance levels, digit
 * frequencies, and how many expressions survive a hold-out. Leaks are leak.ts.
 */
import { logDeterministic } from '../../tensor/math.js';
import { Rng } from '../../tensor/rng.js';
import { majorityShare } from './chance.js';
import { canonicalTasks } from '../data-config.js';
import type { DataConfig } from '../data-config.js';
import { digitShares } from '../language/digits.js';
import { RESULT } from '../language/expression.js';
import { ExpressionDrawer, createGenerator } from './generate.js';
import { heldOutInputs, resultsOf } from './inputs.js';
import { scanTokens } from './leak.js';
import { createOperationContext } from '../language/operations.js';
import type { OperationName } from '../language/operations.js';
import { createHoldout } from './regimes.js';
import { SequenceWriter } from '../language/sequence.js';
import { vocabularyOf } from '../language/tokenizer.js';

/** Facts about one operation on `arity` numbers that training may show. */
export interface OperationStatistics {
  readonly operation: OperationName;
  readonly arity: number;
  /** enumerated; otherwise on a seeded sample, whose mutual information is slightly too high */
  readonly exact: boolean;
  readonly nTrained: number;
  readonly nHeld: number;
  /** [arity] mutual information of each operand with the result, numbers as often as training draws them */
  readonly mutualInformationNats: readonly number[];
  /** accuracy of the most frequent result among trained and among held-out inputs; NaN without inputs */
  readonly chanceTrained: number;
  readonly chanceHeld: number;
}

export function operationStatistics(data: DataConfig): OperationStatistics[] {
  const context = createOperationContext(data);
  const splits = heldOutInputs(data);
  const shares = data.digitSkew === undefined ? undefined : digitShares(data);
  return canonicalTasks(data.tasks).flatMap((operation) =>
    splits.map(({ arity, exact, trained, held }): OperationStatistics => {
      const results = resultsOf(operation, trained, arity, context);
      const heldResults = resultsOf(operation, held, arity, context);
      const weights =
        shares === undefined
          ? undefined
          : Float64Array.from(results, (_r, row) => listShare(shares, trained, row, arity));
      return {
        operation,
        arity,
        exact,
        nTrained: results.length,
        nHeld: heldResults.length,
        mutualInformationNats: Array.from({ length: arity }, (_, i) => {
          const operand = Int32Array.from(results, (_result, row) => trained[row * arity + i]);
          return mutualInformation(operand, results, data.modulus, weights);
        }),
        chanceTrained: majorityShare(results, data.modulus),
        chanceHeld: majorityShare(heldResults, data.modulus),
      };
    }),
  );
}

/** Probability of the operand list of a row, up to what all rows of one arity share. */
function listShare(shares: Float64Array, inputs: Int32Array, row: number, arity: number): number {
  let share = 1;
  for (let i = 0; i < arity; i++) share *= shares[inputs[row * arity + i]];
  return share;
}

/**
 * Plug-in mutual information in nats of two lists of numbers 0..n-1; exact when the lists are whole populations.
 * @param weights - of each place of the lists; default: all alike
 */
export function mutualInformation(x: Int32Array, y: Int32Array, n: number, weights?: Float64Array): number {
  const joint = new Float64Array(n * n);
  const px = new Float64Array(n);
  const py = new Float64Array(n);
  let total = 0;
  for (let i = 0; i < x.length; i++) {
    const weight = weights === undefined ? 1 : weights[i];
    joint[x[i] * n + y[i]] += weight;
    px[x[i]] += weight;
    py[y[i]] += weight;
    total += weight;
  }
  let nats = 0;
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      const count = joint[a * n + b];
      if (count > 0) nats += (count / total) * logDeterministic((count * total) / (px[a] * py[b]));
    }
  }
  // independence can come out a rounding error below 0
  return Math.max(0, nats);
}

export interface DigitFrequencies {
  readonly examples: number;
  /** [n] share of each number among the operands of all reductions */
  readonly operands: readonly number[];
  /** [n] share of each number among the results of all reductions */
  readonly results: readonly number[];
}

/** Counted on the first examples of a seed. In the format direct, results are the final ones. */
export function digitFrequencies(data: DataConfig, seed: number, nExamples: number): DigitFrequencies {
  const generator = createGenerator(data, seed);
  const { firstNumber } = vocabularyOf(data);
  const operands = new Float64Array(data.modulus);
  const results = new Float64Array(data.modulus);
  for (let index = 0; index < nExamples; index++) {
    const { tokens, roles } = generator.example(index);
    for (const group of scanTokens(tokens, data)) for (const a of group) operands[a]++;
    for (let t = 0; t < tokens.length; t++) if (roles[t] === RESULT) results[tokens[t] - firstNumber]++;
  }
  return { examples: nExamples, operands: shares(operands), results: shares(results) };
}

function shares(counts: Float64Array): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Array.from(counts, (count) => (total === 0 ? 0 : count / total));
}

export interface Survival {
  /** estimated share of expressions without a held-out reduction */
  readonly fraction: number;
  readonly draws: number;
  /** present when fewer than 60 % survive */
  readonly warning?: string;
}

/** Share of expressions, drawn as if nothing were held out, that the regime keeps. */
export function survival(data: DataConfig, draws = 2000): Survival {
  const holdout = createHoldout(data);
  if (holdout.regime === 'full') return { fraction: 1, draws: 0 };
  const context = createOperationContext(data);
  const free = createHoldout({ ...data, regime: 'full' });
  const drawer = new ExpressionDrawer(data, context, free);
  const writer = new SequenceWriter(context, 'steps');
  let kept = 0;
  for (let i = 0; i < draws; i++) {
    writer.clear();
    writer.append(drawer.tokens, drawer.draw(new Rng(data.holdoutSeed, 'evaluation:survival', i)));
    const reductions = scanTokens(writer.sequence(0).tokens, { modulus: data.modulus });
    if (!reductions.some((operands) => holdout.isHeldOut(operands))) kept++;
  }
  const fraction = kept / draws;
  if (fraction >= 0.6) return { fraction, draws };
  const percent = (100 * fraction).toFixed(0);
  return {
    fraction,
    draws,
    warning:
      `Only ${percent} % of expressions survive the hold-out (--regime ${data.regime}): numbers are far from uniform. ` +
      `Lower --depth, --nesting or --operands.`,
  };
}
