/**
 * The zoo: small models whose weights are set by hand and whose way of computing is therefore known, to learn what a picture
 * of each looks like (docs/zoo.md). Copier and pair table are those of planted-models.ts; here are the clock, which adds
 * angles, and the line, which adds places and looks the result up. Nothing is trained.
 */
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { ARROW, END, FIRST_NUMBER } from '../../src/listops/language/tokenizer.js';
import {
  POSITION_EMBEDDING,
  TOKEN_EMBEDDING,
  UNEMBEDDING,
  parameterTable,
  parameterView,
} from '../../src/model/parameters.js';
import {
  PLANTED,
  type PlantedModel,
  layerNormSd,
  plantedCopier,
  plantedPairTable,
  runConfig,
} from './planted-models.js';

const { V, MODULUS } = PLANTED;
const POSITIONS = 16;
/** `s ( SUM a b ) > c e` */
const OPERANDS = [3, 4] as const;
const RESULT = 7;
/** attention score of a chosen position above the others */
const SCORE = 60;
/** gain of the unembedding */
const GAIN = 20;

/**
 * Columns of the residual stream. Numbers have no column of their own: they are told apart by `number` alone. A quantity is
 * written twice, with both signs, so that LayerNorm's centring does nothing to it.
 */
const LAYOUT = {
  token: 0,
  position: V,
  number: V + POSITIONS,
  first: V + POSITIONS + 4,
  second: V + POSITIONS + 8,
  out: V + POSITIONS + 12,
  size: V + POSITIONS + 16,
} as const;

interface Weights {
  /** adds to one weight [row, column] or, with column 0, to a bias */
  add(name: string, row: number, column: number, value: number): void;
}

const ATTENTION = 'transformer.h.0.attn.c_attn';
const PROJECTION = 'transformer.h.0.attn.c_proj';
const FC = 'transformer.h.0.mlp.c_fc';
const OUT = 'transformer.h.0.mlp.c_proj';

/** Both signs of a quantity, in neighbouring columns. */
function writePair(
  weights: Weights,
  name: string,
  [row, column]: readonly [number, number],
  value: number,
): void {
  weights.add(name, row, column, value);
  weights.add(name, row + 1, column, -value);
}

/** Reads a quantity that was written so; what LayerNorm takes off both is gone. */
function readPair(
  weights: Weights,
  name: string,
  [row, column]: readonly [number, number],
  value: number,
): void {
  weights.add(name, row, column, value / 2);
  weights.add(name, row, column + 1, -value / 2);
}

/** A model with embeddings for all tokens but the numbers, and for positions; `e` after the result. */
function start(
  nHeads: number,
  width: number,
  dMlp: number,
  endSize: number,
): PlantedModel & { weights: Weights } {
  const config = runConfig(['SUM'], [2, 2], width, dMlp + 1, nHeads);
  const gpt = gptConfigOf(config);
  const table = parameterTable(gpt);
  const parameters = new Float32Array(table.arenaSize);
  const weights: Weights = {
    add(name, row, column, value) {
      const { shape } = table.byName.get(name) ?? { shape: [] };
      parameterView(table, parameters, name)[row * (shape.length === 2 ? shape[1] : 1) + column] += value;
    },
  };
  for (const name of ['h.0.ln_1', 'h.0.ln_2', 'ln_f']) {
    parameterView(table, parameters, `transformer.${name}.weight`).fill(1);
  }
  for (let token = 0; token < V; token++) {
    if (token >= FIRST_NUMBER && token < FIRST_NUMBER + MODULUS) continue;
    weights.add(TOKEN_EMBEDDING, token, LAYOUT.token + token, 1);
  }
  for (let t = 0; t < POSITIONS; t++) weights.add(POSITION_EMBEDDING, t, LAYOUT.position + t, 1);
  // the last neuron knows where a result stands, and says that the example ends there
  weights.add(`${FC}.weight`, dMlp, LAYOUT.position + RESULT, 1);
  weights.add(`${FC}.bias`, dMlp, 0, -0.25);
  weights.add(`${OUT}.weight`, LAYOUT.token + END, dMlp, endSize);
  weights.add(UNEMBEDDING, END, LAYOUT.token + END, GAIN);
  return { config, gpt, parameters, weights };
}

/** From `>` a head looks at some positions, equally. */
function attendFromArrow(
  { gpt, weights }: ReturnType<typeof start>,
  head: number,
  positions: readonly number[],
): void {
  const dHead = gpt.dModel / gpt.nHeads;
  const scale = Math.sqrt(SCORE * Math.sqrt(dHead));
  weights.add(`${ATTENTION}.weight`, head * dHead, LAYOUT.token + ARROW, scale);
  for (const t of positions) {
    weights.add(`${ATTENTION}.weight`, gpt.dModel + head * dHead, LAYOUT.position + t, scale);
  }
}

/** Angles a clock's neurons are tuned to. */
const PHASES = 20;

/**
 * SUM by angles. Number a lies at the angle 2 pi k a / 10 of a ring; one head brings the first operand to `>`, another the
 * second. With u, v their unit vectors and p a neuron's direction, neurons hold relu(p u + p v) and relu(p u - p v), and write
 * at twice the angle of p with signs + and -: their sum lies at the angle of a + b, longer than a fixed size for every a, b
 * (the first kind alone vanishes for opposite numbers; Zhong et al. 2023 call it the pizza).
 * @param k - turns around the ring, prime to 10
 */
export function zooClock(k: number): PlantedModel {
  // two heads of equal width
  const width = LAYOUT.size + (LAYOUT.size % 2);
  const model = start(2, width, 2 * PHASES, 20);
  const { weights } = model;
  const angle = (a: number): number => (2 * Math.PI * k * a) / MODULUS;
  for (let a = 0; a < MODULUS; a++) {
    for (const [i, part] of [Math.cos(angle(a)), Math.sin(angle(a))].entries()) {
      weights.add(TOKEN_EMBEDDING, FIRST_NUMBER + a, LAYOUT.number + 2 * i, part);
      weights.add(TOKEN_EMBEDDING, FIRST_NUMBER + a, LAYOUT.number + 2 * i + 1, -part);
      readPair(weights, UNEMBEDDING, [FIRST_NUMBER + a, LAYOUT.out + 2 * i], GAIN * part);
    }
  }
  // a number and its position: one 1, and the ring twice
  const sdOfNumber = layerNormSd(width, 1, 3);
  for (const [head, slot] of [LAYOUT.first, LAYOUT.second].entries()) {
    attendFromArrow(model, head, [OPERANDS[head]]);
    for (const i of [0, 1]) {
      const value = (head * width) / 2 + i;
      readPair(weights, `${ATTENTION}.weight`, [2 * width + value, LAYOUT.number + 2 * i], sdOfNumber);
      writePair(weights, `${PROJECTION}.weight`, [slot + 2 * i, value], 1);
    }
  }
  // `>` and its position, and two rings twice
  const sdOfArrow = layerNormSd(width, 2, 6);
  for (let j = 0; j < PHASES; j++) {
    const phase = (2 * Math.PI * j) / PHASES;
    for (const [kind, sign] of [1, -1].entries()) {
      const neuron = kind * PHASES + j;
      for (const [i, part] of [Math.cos(phase), Math.sin(phase)].entries()) {
        readPair(weights, `${FC}.weight`, [neuron, LAYOUT.first + 2 * i], sdOfArrow * part);
        readPair(weights, `${FC}.weight`, [neuron, LAYOUT.second + 2 * i], sign * sdOfArrow * part);
      }
      for (const [i, part] of [Math.cos(2 * phase), Math.sin(2 * phase)].entries()) {
        writePair(weights, `${OUT}.weight`, [LAYOUT.out + 2 * i, neuron], sign * part);
      }
    }
  }
  return model;
}

/** size of a constant beside which the numbers' places are small, so that LayerNorm divides all by nearly the same */
const CONSTANT = 10;

/**
 * SUM by place. Number a lies at (a - 4.5) / 4.5 of a line; one head brings both operands' places to `>`, where they add up;
 * neurons with their corners at the 19 possible sums make a table from the sum to its residue.
 */
export function zooLine(): PlantedModel {
  const width = LAYOUT.size + MODULUS;
  const sums = 2 * MODULUS - 1;
  const model = start(1, width, sums + 2, 200);
  const { weights } = model;
  const step = 2 / (MODULUS - 1);
  const place = (a: number): number => -1 + step * a;
  const constant = LAYOUT.number + 2;
  for (let token = 0; token < V; token++) {
    weights.add(TOKEN_EMBEDDING, token, constant, CONSTANT);
    weights.add(TOKEN_EMBEDDING, token, constant + 1, -CONSTANT);
  }
  for (let a = 0; a < MODULUS; a++) {
    weights.add(TOKEN_EMBEDDING, FIRST_NUMBER + a, LAYOUT.number, place(a));
    weights.add(TOKEN_EMBEDDING, FIRST_NUMBER + a, LAYOUT.number + 1, -place(a));
    // not quite equal: of points that all lie equally far apart no distances can be correlated
    weights.add(UNEMBEDDING, FIRST_NUMBER + a, LAYOUT.size + a, GAIN + 0.01 * ((3 * a) % MODULUS));
  }
  const sd = layerNormSd(width, 1, 1 + 2 * CONSTANT ** 2);
  attendFromArrow(model, 0, OPERANDS);
  readPair(weights, `${ATTENTION}.weight`, [2 * width, LAYOUT.number], sd);
  // two positions share the attention: twice the half
  writePair(weights, `${PROJECTION}.weight`, [LAYOUT.first, 0], 2);
  for (let corner = 0; corner < sums + 2; corner++) {
    readPair(weights, `${FC}.weight`, [corner, LAYOUT.first], sd);
    weights.add(`${FC}.bias`, corner, 0, -(-2 + step * (corner - 1)));
    // a tent over each sum: up before it, down at it, flat after it
    for (const [sum, slope] of [
      [corner, 1],
      [corner - 1, -2],
      [corner - 2, 1],
    ]) {
      if (sum < 0 || sum >= sums) continue;
      weights.add(`${OUT}.weight`, LAYOUT.size + (sum % MODULUS), corner, (CONSTANT * slope) / step);
    }
  }
  return model;
}

/** By name: how each computes is in docs/zoo.md. */
export const ZOO = {
  copier: plantedCopier,
  'pair table': plantedPairTable,
  'clock, k = 1': () => zooClock(1),
  'clock, k = 3': () => zooClock(3),
  line: zooLine,
} as const satisfies Readonly<Record<string, () => PlantedModel>>;
export type ZooName = keyof typeof ZOO;

export const ZOO_NAMES = Object.keys(ZOO) as readonly ZooName[];
