/** What is readable in the residual stream, layer by layer and position by position, beside an untrained model and a bag of operands. */
import {
  askGrouped,
  type GroupedAnswers,
  type GroupFold,
  groupFolds,
  majorityRate,
} from '../../src/analysis/grouped-probe.js';
import { PairProbe, testLabelling } from '../../src/analysis/leave-pair-out.js';
import type { FitCounts } from '../../src/analysis/linear-probe.js';
import { centred, type Matrix, matrix, rowOf, squaredNorm, zeros } from '../../src/analysis/matrix.js';
import type { Model } from '../../src/engine/engine.js';
import { type ActivationName, activationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import type { CellNumbers, ContextNumbers, LabellingNumbers } from '../../src/report/charts/parity-data.js';
import type { Rng } from '../../src/tensor/rng.js';
import type { Battery, Position } from './battery.js';
import { labellingNumbers, round } from './measurement.js';
import { labelsOf } from './token-probes.js';

const FOLDS = 5;
/** random labellings of the values, the control of Hewitt and Liang (EMNLP 2019) */
const CONTROL_LABELLINGS = 3;

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
): ContextNumbers {
  const { filled, positions } = battery;
  const { config } = models.trained;
  const stages = stagesOf(config);
  const moduli = divisorsOf(options.modulus);
  const asked = positions.map((position, p) => questionsAt(position, moduli, options, p));
  const measureModel = (model: Model, from: number): CellNumbers[] => {
    const { activations } = model.forward(filled.batch, { capture: stages.map(({ at }) => at) });
    return stages.slice(from).flatMap(({ at }, i) => {
      const stage = from + i;
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
    template: filled.template.id,
    prompts: filled.nPrompts,
    moduli,
    positions: positions.map(({ name, label }) => ({ name, label })),
    stages: stages.map(({ name }) => name),
    majority: asked.map(({ classes }) => moduli.map((_, m) => round(majorityRate(classes[m])))),
    cells: measureModel(models.trained, 0),
    untrained: measureModel(models.untrained, stages.length - 1),
    bag: positions.map((position, p) => {
      options.tick();
      const x = bagOf(filled.numbers, position.nOperands, embedding);
      return cellOf({ stage: 0, position: p }, x, asked[p], options, counts);
    }),
  };
}

/** The residual stream before the first block, and after every attention and feed-forward layer. */
function stagesOf({ nLayers }: GptConfig): { readonly name: string; readonly at: ActivationName }[] {
  return [
    { name: 'embedding', at: activationName('resid_pre', 0) },
    ...Array.from({ length: nLayers }, (_, layer) => [
      { name: `attention ${layer + 1}`, at: activationName('resid_mid', layer) },
      { name: `feed-forward ${layer + 1}`, at: activationName('resid_post', layer) },
    ]).flat(),
  ];
}

/** Divisors of n above 1: residues modulo them are what cosets can be known by. */
export function divisorsOf(n: number): number[] {
  return Array.from({ length: n - 1 }, (_, i) => i + 2).filter((divisor) => n % divisor === 0);
}

interface Asked {
  readonly folds: readonly GroupFold[];
  /** first the residues by modulus, then the random labellings */
  readonly classes: readonly Int32Array[];
  readonly values: Int32Array;
  readonly isStrict: boolean;
  readonly nModuli: number;
  readonly stream: number;
}

/** The same folds and control labellings at every stage, so that stages can be compared. */
function questionsAt(
  { values, groups, isStrict }: Position,
  moduli: readonly number[],
  { modulus, rng }: ContextOptions,
  position: number,
): Asked {
  const draw = rng(10 + position);
  const parity = labelsOf('parity', modulus);
  const controls = Array.from({ length: CONTROL_LABELLINGS }, () => draw.shuffle(parity.slice()));
  return {
    folds: groupFolds(groups, FOLDS, draw),
    classes: [
      ...moduli.map((m) => values.map((value) => value % m)),
      ...controls.map((labels) => values.map((value) => labels[value])),
    ],
    values,
    isStrict,
    nModuli: moduli.length,
    stream: 10 + position,
  };
}

function cellOf(
  place: Pick<CellNumbers, 'stage' | 'position'>,
  x: Matrix,
  asked: Asked,
  options: ContextOptions,
  counts: FitCounts,
): CellNumbers {
  const { folds, classes, values, nModuli } = asked;
  const { modulus } = options;
  const answers: GroupedAnswers = askGrouped(
    x.data,
    x.cols,
    folds,
    { classes, circle: { values, modulus } },
    counts,
  );
  const controls = answers.accuracy.slice(nModuli);
  return {
    ...place,
    accuracy: answers.accuracy.slice(0, nModuli).map(round),
    control: round(controls.reduce((sum, value) => sum + value, 0) / controls.length),
    circleR2: answers.circleR2.map(round),
    strict: asked.isStrict ? strictParity(x, asked, options, counts) : null,
  };
}

/** Parity of the mean activation of every result: a probe must carry over to results it was not fitted on. */
function strictParity(
  x: Matrix,
  { values, stream }: Asked,
  { modulus, contextRelabellings, rng, tick }: ContextOptions,
  counts: FitCounts,
): LabellingNumbers | null {
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
  return labellingNumbers(
    testLabelling(new PairProbe(means, counts), labelsOf('parity', modulus), {
      rng: () => rng(stream + 100),
      sampled: contextRelabellings,
      tick,
    }),
  );
}

/** @returns [P, C] the row at `offset` of every sequence */
function rowsAt(all: Float32Array, cols: number, length: number, offset: number, nPrompts: number): Matrix {
  const out = zeros(nPrompts, cols);
  for (let p = 0; p < nPrompts; p++) {
    const from = (p * length + offset) * cols;
    out.data.set(all.subarray(from, from + cols), p * cols);
  }
  return out;
}

/** @returns [P, d] sum of the token embeddings of the first operands */
function bagOf(numbers: readonly (readonly number[])[], nOperands: number, { cols, data }: Matrix): Matrix {
  const out = matrix(numbers.length, cols, new Float64Array(numbers.length * cols));
  numbers.forEach((operands, p) => {
    for (const number of operands.slice(0, nOperands)) {
      for (let j = 0; j < cols; j++) out.data[p * cols + j] += data[number * cols + j];
    }
  });
  return out;
}
