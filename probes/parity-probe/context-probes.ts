/**
 * What is readable in the residual stream, layer by layer and position by position. The untrained model of the same seed and
 * the bag of operands are asked the same, in the same folds. What is asked where is battery.ts.
 */
import {
  askGrouped,
  type GroupFold,
  groupFolds,
  majorityRate,
} from '../../src/analysis/classifiers/grouped-probe.js';
import {
  type LabellingTest,
  PairProbe,
  testLabelling,
} from '../../src/analysis/classifiers/leave-pair-out.js';
import type { FitCounts } from '../../src/analysis/classifiers/linear-probe.js';
import { divisorsOf } from '../../src/analysis/memorization-index.js';
import { centred, type Matrix, rowOf, squaredNorm, zeros } from '../../src/analysis/matrix.js';
import type { Model } from '../../src/engine/engine.js';
import { type ActivationName, activationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import type { Rng } from '../../src/tensor/rng.js';
import { mean } from '../../src/tensor/sum.js';
import type { Battery, Position } from './battery.js';
import { labelsOf } from './token-probes.js';

const FOLDS = 5;
/** random labellings of the values, the control of Hewitt and Liang (EMNLP 2019) */
const CONTROL_LABELLINGS = 3;

/** substreams of one template: folds and control labellings by position, tests by position */
const STREAM = { position: 10, test: 110 } as const;

export interface ContextOptions {
  readonly modulus: number;
  readonly contextRelabellings: number;
  readonly rng: (index: number) => Rng;
  readonly tick: () => void;
}

/** @param embedding - [n, d] token embeddings of the numbers */
export function contextNumbers(
  battery: Battery,
  models: { readonly trained: Model; readonly untrained: Model },
  embedding: Matrix,
  options: ContextOptions,
  counts: FitCounts,
) {
  const { filled, positions } = battery;
  const { config } = models.trained;
  const stages = stagesOf(config);
  const moduli = divisorsOf(options.modulus);
  const asked = positions.map((position, p) => questionsAt(position, moduli, options, p));
  const measureModel = (model: Model): CellNumbers[] => {
    const { activations } = model.forward(filled.batch, { capture: stages.map(({ at }) => at) });
    return stages.flatMap(({ at }, stage) => {
      const all = activations.get(at);
      if (all === undefined) throw new RangeError(`The engine did not return ${at}.`);
      return positions.map((position, p) => {
        options.tick();
        const x = rowsAt(all, config.dModel, filled.length, position.offset, filled.nPrompts);
        return cellOf({ stage, position: p }, x, asked[p], options, counts);
      });
    });
  };
  return {
    /** `(SUM # # #)` */
    template: filled.template.id,
    prompts: filled.nPrompts,
    moduli: moduli as readonly number[],
    positions: positions.map(({ name, label, kind, groups }) => ({
      name,
      label,
      kind,
      /** distinct sets of numbers among the prompts: what an interval may count */
      multisets: new Set(groups).size,
    })),
    /** the embedding, then attention and feed-forward of every layer in turn */
    stages: stages.map(({ name }) => name),
    /** by position and modulus: accuracy of always answering the most frequent class */
    majority: asked.map(({ classes }) => moduli.map((_, m) => majorityRate(classes[m]))),
    cells: measureModel(models.trained),
    /** the same of the untrained model, cell for cell */
    untrained: measureModel(models.untrained),
    /** the sum of the operands' token embeddings in place of the residual stream; stage 0 */
    bag: positions.map((position, p) => {
      options.tick();
      const x = bagOf(filled.numbers, position.blanks, embedding);
      return cellOf({ stage: 0, position: p }, x, asked[p], options, counts);
    }),
  };
}
export type ContextNumbers = Readonly<ReturnType<typeof contextNumbers>>;

/** The residual stream before the first block, and after every attention and feed-forward layer or, shared, pass; layers count from 0. */
export function stagesOf({
  nLayers,
  shareBlocks,
}: GptConfig): { readonly name: string; readonly at: ActivationName }[] {
  const pass = shareBlocks ? 'pass ' : '';
  return [
    { name: 'embedding', at: activationName('resid_pre', 0) },
    ...Array.from({ length: nLayers }, (_, layer) => [
      { name: `attention ${pass}${layer}`, at: activationName('resid_mid', layer) },
      { name: `feed-forward ${pass}${layer}`, at: activationName('resid_post', layer) },
    ]).flat(),
  ];
}

interface Asked {
  readonly folds: readonly GroupFold[];
  /** first the residues by modulus, then the random labellings */
  readonly classes: readonly Int32Array[];
  readonly values: Int32Array;
  readonly nModuli: number;
  /** of the tests of relabellings */
  readonly stream: number;
}

/** The same folds and control labellings at every stage, so that stages can be compared. */
function questionsAt(
  { values, groups }: Position,
  moduli: readonly number[],
  { modulus, rng }: ContextOptions,
  position: number,
): Asked {
  const draw = rng(STREAM.position + position);
  const parity = labelsOf('parity', modulus);
  const controls = Array.from({ length: CONTROL_LABELLINGS }, () => draw.shuffle(parity.slice()));
  return {
    folds: groupFolds(groups, FOLDS, draw),
    classes: [
      ...moduli.map((m) => values.map((value) => value % m)),
      ...controls.map((labels) => values.map((value) => labels[value])),
    ],
    values,
    nModuli: moduli.length,
    stream: STREAM.test + position,
  };
}

function cellOf(
  /** indices into stages and positions */
  place: { readonly stage: number; readonly position: number },
  x: Matrix,
  asked: Asked,
  options: ContextOptions,
  counts: FitCounts,
) {
  const { folds, classes, values, nModuli } = asked;
  const circle = { values, modulus: options.modulus };
  const { accuracy, circleR2 } = askGrouped(x.data, x.cols, folds, { classes, circle }, counts);
  return {
    ...place,
    /** held-out, by modulus */
    accuracy: accuracy.slice(0, nModuli),
    /** the same for labels dealt to the values at random, classes as large as even and odd */
    control: mean(accuracy.slice(nModuli)),
    /** held-out R² of cosine and sine of 2 pi k s / n, by k from 1 */
    circleR2,
    /** parity of the mean activation of each value, one even and one odd value held out; null: a value is missing, or all are alike */
    strict: strictParity(x, asked, options, counts),
  };
}
/** What can be read at one layer and position of the residual stream. */
export type CellNumbers = Readonly<ReturnType<typeof cellOf>>;

/** Parity of the mean activation of every value: a probe must carry over to values it was not fitted on. */
function strictParity(
  x: Matrix,
  { values, stream }: Asked,
  { modulus, contextRelabellings, rng, tick }: ContextOptions,
  counts: FitCounts,
): LabellingTest | null {
  const means = zeros(modulus, x.cols);
  const seen = new Int32Array(modulus);
  for (const value of values) seen[value]++;
  if (seen.some((count) => count === 0)) return null;
  for (let i = 0; i < x.rows; i++) {
    const row = rowOf(means, values[i]);
    for (let j = 0; j < x.cols; j++) row[j] += x.data[i * x.cols + j] / seen[values[i]];
  }
  // equal up to rounding: there is nothing to probe
  if (squaredNorm(centred(means)) <= 1e-12 * squaredNorm(means)) return null;
  return testLabelling(new PairProbe(means, counts), labelsOf('parity', modulus), {
    rng: () => rng(stream),
    sampled: contextRelabellings,
    tick,
  });
}

/** @returns [P, C] the row at `offset` of every sequence */
export function rowsAt(
  all: Float32Array,
  cols: number,
  length: number,
  offset: number,
  nPrompts: number,
): Matrix {
  const out = zeros(nPrompts, cols);
  for (let p = 0; p < nPrompts; p++) {
    const from = (p * length + offset) * cols;
    out.data.set(all.subarray(from, from + cols), p * cols);
  }
  return out;
}

/** @returns [P, d] sum of the token embeddings of the numbers in these blanks */
function bagOf(
  numbers: readonly (readonly number[])[],
  blanks: readonly number[],
  { cols, data }: Matrix,
): Matrix {
  const out = zeros(numbers.length, cols);
  numbers.forEach((row, p) => {
    // in the order of the numbers, so that the same numbers give the same bytes however they are written
    for (const number of blanks.map((blank) => row[blank]).sort((a, b) => a - b)) {
      for (let j = 0; j < cols; j++) out.data[p * cols + j] += data[number * cols + j];
    }
  });
  return out;
}
