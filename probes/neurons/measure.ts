/**
 * Every prompt of two operands is asked, and the neurons of the last feed-forward layer and the logits are read where the
 * result is predicted, as functions of the two numbers.
 */
import { PairFunctions, keyFrequencies, wavesOf } from '../../src/analysis/geometry/pair-fourier.js';
import { type PermutationTest, permutationTests } from '../../src/analysis/statistics/permutation.js';
import type { Model } from '../../src/engine/engine.js';
import type { DataConfig } from '../../src/listops/data-config.js';
import { type OperationName, createOperationContext } from '../../src/listops/language/operations.js';
import { resultBatch } from '../../src/listops/prompts/result-prompts.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import { activationName } from '../../src/model/activations.js';
import { jsonArray, nineDigits } from '../../src/report/report-json.js';
import { argmax, expDeterministic, logDeterministic } from '../../src/tensor/math.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';

export interface MeasureOptions {
  readonly permutations: number;
}

/** The key frequencies hold this share of what depends on a + b in the logits. */
export const KEY_SHARE = 0.9;
/** Prompts of one forward pass. */
const CHUNK = 1024;

/** What a model does with all pairs, pair a n + b a row. For NADD the second number stands negated, so that the result is a + b. */
export interface Answers {
  readonly n: number;
  /** [dMlp][n, n] */
  readonly neurons: readonly Float64Array[];
  /** [dVocab][n, n] */
  readonly logits: readonly Float64Array[];
  /** [n, n] tokens of the right results */
  readonly right: Int32Array;
  readonly firstNumber: number;
}

export function measureSubject(subject: ProbeSubject, options: MeasureOptions, context: MeasureContext) {
  const { data } = subject.config;
  const { model, engine } = context;
  const untrained = engine.createModel(
    model.config,
    { parameters: subject.untrainedParameters },
    'inference',
  );
  try {
    const operations = data.tasks.map((operation, index) => {
      const numbers = pairNumbers(askAll(model, data, operation), {
        count: options.permutations,
        rng: context.rng(index),
        onDraw: (share) => context.progress(index + share, data.tasks.length),
      });
      const before = askAll(untrained, data, operation);
      context.progress(index + 1, data.tasks.length);
      return {
        operation,
        ...numbers,
        untrained: {
          neurons: sharesOf(before.n, before.neurons),
          logits: sharesOf(before.n, numberLogits(before)),
        },
      };
    });
    return nineDigits({ n: data.modulus, neurons: model.config.dMlp, operations });
  } finally {
    untrained.dispose();
  }
}
/** What one checkpoint gives: plain JSON. */
export type NeuronMeasurement = Readonly<ReturnType<typeof measureSubject>>;
export type OperationNumbers = NeuronMeasurement['operations'][number];

function askAll(model: Model, data: DataConfig, operation: OperationName): Answers {
  const { dMlp, dVocab, nLayers } = model.config;
  const n = data.modulus;
  const context = createOperationContext(data);
  const at = activationName('mlp.post', nLayers - 1);
  const second = (b: number): number => (operation === 'NADD' ? (n - b) % n : b);
  const lists = Array.from({ length: n * n }, (_, i) => [Math.floor(i / n), second(i % n)]);
  const neurons = Array.from({ length: dMlp }, () => new Float64Array(n * n));
  const logits = Array.from({ length: dVocab }, () => new Float64Array(n * n));
  const right = new Int32Array(n * n);
  const { firstNumber } = vocabularyOf(data);
  for (let from = 0; from < lists.length; from += CHUNK) {
    const part = lists.slice(from, from + CHUNK);
    const { batch, results } = resultBatch(operation, part, { data, context });
    const found = model.forward(batch, { capture: [at] });
    const written = found.activations.get(at);
    if (written === undefined) throw new RangeError(`The engine did not return ${at}.`);
    part.forEach((_, i) => {
      const row = (batch.offsets[i + 1] - 1) * dMlp;
      neurons.forEach((own, j) => (own[from + i] = written[row + j]));
      logits.forEach((own, token) => (own[from + i] = found.logits[i * dVocab + token]));
      right[from + i] = firstNumber + results[i];
    });
  }
  return { n, neurons, logits, right, firstNumber };
}

/** Logits of the numbers less their mean: what tells results apart. @returns [n][n, n] */
function numberLogits({ n, logits, firstNumber }: Answers): Float64Array[] {
  const own = logits.slice(firstNumber, firstNumber + n);
  const means = new Float64Array(n * n);
  for (const values of own) for (let i = 0; i < means.length; i++) means[i] += values[i] / n;
  return own.map((values) => values.map((x, i) => x - means[i]));
}

/** Shares without a null; null: nothing varies. */
function sharesOf(n: number, functions: readonly Float64Array[]) {
  const pairs = new PairFunctions(n, functions);
  if (pairs.total === 0) return null;
  const { sum, byFrequency, oneFrequency } = pairs.shares();
  return { sum, oneFrequency, byFrequency: Array.from(byFrequency) };
}

/** Everything that is said of one operation, from neurons and logits alone. */
export function pairNumbers(answers: Answers, options: Parameters<typeof permutationTests>[2]) {
  const { n, logits, right } = answers;
  const ofLogits = sharesOf(n, numberLogits(answers));
  const keys = ofLogits === null ? [] : keyFrequencies(ofLogits.byFrequency, KEY_SHARE);
  // at n / 2 a wave of a - b is one of a + b
  const elsewhere = keys.filter((k) => 2 * k !== n);
  const lossOf = (change: (own: Float64Array) => Float64Array): number => lossNats(logits.map(change), right);
  const without = (own: Float64Array, frequencies: readonly number[], of: 1 | -1): Float64Array => {
    const waves = wavesOf(n, own, frequencies, of);
    return own.map((x, i) => x - waves[i]);
  };
  return {
    examples: n * n,
    accuracy: accuracyOf(logits, right),
    neurons: neuronNumbers(answers, options),
    logits: ofLogits,
    keys,
    loss: {
      intact: lossNats(logits, right),
      /** the waves of a + b at the key frequencies, and the mean over all pairs, are all that is left */
      restricted: lossOf((own) => {
        const mean = own.reduce((sum, x) => sum + x, 0) / own.length;
        return wavesOf(n, own, keys).map((x) => x + mean);
      }),
      /** without those waves */
      excluded: lossOf((own) => without(own, keys, 1)),
      /** without the waves of a - b at the same frequencies, n / 2 aside */
      differences: lossOf((own) => without(own, elsewhere, -1)),
    },
  };
}

function neuronNumbers({ n, neurons }: Answers, options: Parameters<typeof permutationTests>[2]) {
  const pairs = new PairFunctions(n, neurons);
  if (pairs.total === 0) return null;
  const [sum, one, ...frequencies] = permutationTests(
    n,
    (names) => {
      const { sum: ofSum, oneFrequency, byFrequency } = pairs.shares(names);
      return [ofSum, oneFrequency, ...byFrequency];
    },
    options,
  );
  return {
    /** neurons that vary */
    active: neurons.filter((own) => own.some((x) => x !== own[0])).length,
    sum: testNumbers(sum),
    oneFrequency: testNumbers(one),
    byFrequency: frequencies.map(testNumbers),
    /** by frequency, share of the variance in neurons whose best frequency it is */
    best: Array.from(pairs.shares().best),
    /** shares at (k, l): k of a from 0 to floor(n/2), l of b from 0 to n - 1 */
    map: jsonArray([Math.floor(n / 2) + 1, n], pairs.map()),
  };
}

function testNumbers({ observed: value, p, midP, nullMean, null95 }: PermutationTest) {
  return { value, p, midP, nullMean, null95 };
}
export type TestNumbers = ReturnType<typeof testNumbers>;

/** Mean cross-entropy over all pairs. @param logits - [V][pairs] */
function lossNats(logits: readonly Float64Array[], right: Int32Array): number {
  let total = 0;
  right.forEach((token, i) => {
    const most = logits.reduce((max, own) => Math.max(max, own[i]), -Infinity);
    const sum = logits.reduce((part, own) => part + expDeterministic(own[i] - most), 0);
    total += logDeterministic(sum) + most - logits[token][i];
  });
  return total / right.length;
}

function accuracyOf(logits: readonly Float64Array[], right: Int32Array): number {
  const row = new Float32Array(logits.length);
  let count = 0;
  right.forEach((token, i) => {
    logits.forEach((own, v) => (row[v] = own[i]));
    if (argmax(row, 0, row.length) === token) count++;
  });
  return count / right.length;
}
