/**
 * Models whose weights are set by hand, so that what an ablation must cost is known in closed form. The residual stream is
 * laid out in one-hot parts: token | position | operands | output. A row of it then holds known numbers of ones, LayerNorm
 * multiplies by a known factor, and biases undo its centring. Nothing here is trained.
 */
import { DEFAULT_RUN } from '../../src/config/defaults.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { OPERATION_NAMES, type OperationName } from '../../src/listops/language/operations.js';
import { ARROW, END, FIRST_NUMBER, SPECIAL_TOKENS } from '../../src/listops/language/tokenizer.js';
import { type GptConfig, LAYER_NORM_EPS } from '../../src/model/gpt-config.js';
import {
  POSITION_EMBEDDING,
  TOKEN_EMBEDDING,
  UNEMBEDDING,
  parameterTable,
  parameterView,
} from '../../src/model/parameters.js';

const MODULUS = 10;
const N_CTX = 16;
/** V */
const V = SPECIAL_TOKENS.length + MODULUS + OPERATION_NAMES.length;
/** size of a write to the output part */
const G = 3;
/** gain of the unembedding */
const GAMMA = 1;
/** attention score of the chosen position, all others 0: e^-60 is nothing in float32 */
const SCORE = 60;

export interface PlantedModel {
  readonly config: RunConfig;
  readonly gpt: GptConfig;
  readonly parameters: Float32Array;
}

export interface BlankModel extends PlantedModel {
  /** sets one entry; of a vector at column 0 */
  readonly set: (name: string, row: number, column: number, value: number) => void;
}

/** Of one block, all weights 0 but those of the LayerNorms, which are 1. */
export function blankModel(config: RunConfig): BlankModel {
  const gpt = gptConfigOf(config);
  const table = parameterTable(gpt);
  const parameters = new Float32Array(table.arenaSize);
  const set = (name: string, row: number, column: number, value: number): void => {
    const shape = table.byName.get(name)?.shape ?? [];
    parameterView(table, parameters, name)[row * (shape.length === 2 ? shape[1] : 1) + column] = value;
  };
  for (const name of ['h.0.ln_1', 'h.0.ln_2', 'ln_f']) {
    parameterView(table, parameters, `transformer.${name}.weight`).fill(1);
  }
  return { config, gpt, parameters, set };
}

/** Standard deviation LayerNorm divides by, for a row with this sum and sum of squares over `width` entries. */
export function layerNormSd(width: number, sum: number, squares: number): number {
  return Math.sqrt(squares / width - (sum / width) ** 2 + LAYER_NORM_EPS);
}

/**
 * How far the logit of a token whose output entry is 1 stands above one whose entry is 0; entries scale it.
 * @param rest - sum and sum of squares of everything but the output part
 * @param output - the entries of the output part that are not 0
 */
export function logitPerUnit(
  width: number,
  rest: { readonly sum: number; readonly squares: number },
  output: readonly number[],
): number {
  const sum = rest.sum + output.reduce((a, b) => a + b, 0);
  const squares = rest.squares + output.reduce((a, b) => a + b * b, 0);
  return GAMMA / layerNormSd(width, sum, squares);
}

export const PLANTED = { V, G, MODULUS } as const;

/** SUM or another operation modulo 10, one layer, relu, untied. */
export function runConfig(
  tasks: readonly OperationName[],
  operands: readonly [number, number],
  width: number,
  dMlp: number,
  nHeads = 1,
): RunConfig {
  return {
    ...DEFAULT_RUN,
    data: { ...DEFAULT_RUN.data, tasks, modulus: MODULUS, operands, regime: 'full', depth: 1 },
    model: {
      dModel: width,
      nLayers: 1,
      nHeads,
      dMlp,
      activation: 'relu',
      bias: true,
      qkvBias: true,
      tied: false,
      unembeddingBias: false,
      shareBlocks: false,
      residualInit: 'scaled',
      nCtx: N_CTX,
    },
  };
}

/** One-hot embeddings, and an unembedding that reads the output part. */
function blank(config: RunConfig): BlankModel {
  const model = blankModel(config);
  const { gpt, set } = model;
  const width = gpt.dModel;
  for (let token = 0; token < V; token++) set(TOKEN_EMBEDDING, token, token, 1);
  for (let t = 0; t < N_CTX; t++) set(POSITION_EMBEDDING, t, V + t, 1);
  for (let token = 0; token < V; token++) set(UNEMBEDDING, token, width - V + token, GAMMA);
  return model;
}

const ATTENTION = 'transformer.h.0.attn.c_attn';
const PROJECTION = 'transformer.h.0.attn.c_proj';
const FC = 'transformer.h.0.mlp.c_fc';
const OUT = 'transformer.h.0.mlp.c_proj';

/** Rows of the attention: 0 queries, 1 keys, 2 values. Makes `row` read the exact one-hot entry `column` times `scale`. */
function readOneHot(
  model: ReturnType<typeof blank>,
  part: 0 | 1 | 2,
  row: number,
  columns: readonly number[],
  scale: number,
): void {
  const width = model.gpt.dModel;
  const sd = layerNormSd(width, 2, 2);
  for (const column of columns) model.set(`${ATTENTION}.weight`, part * width + row, column, scale * sd);
  model.set(`${ATTENTION}.bias`, part * width + row, 0, (scale * 2 * columns.length) / width);
}

/** At `>` attention looks at these positions, equally; elsewhere it looks at everything before, equally. */
function attendFromArrow(model: ReturnType<typeof blank>, positions: readonly number[]): void {
  const scale = Math.sqrt(SCORE * Math.sqrt(model.gpt.dModel));
  readOneHot(model, 0, 0, [ARROW], scale);
  readOneHot(
    model,
    1,
    0,
    positions.map((t) => V + t),
    scale,
  );
}

/** The first operand stands behind `s (` and the operation. */
const FIRST_OPERAND = 3;

/** FIRST: attention copies the first operand to `>`. The feed-forward layer is empty. */
export function plantedCopier(): PlantedModel {
  const width = 2 * V + N_CTX;
  const model = blank(runConfig(['FIRST'], [2, 3], width, 4));
  attendFromArrow(model, [FIRST_OPERAND]);
  for (let token = 0; token < V; token++) {
    readOneHot(model, 2, token, [token], 1);
    model.set(`${PROJECTION}.weight`, width - V + token, token, G);
  }
  return model;
}

/**
 * The feed-forward layer looks up the next token from the current one: `>` gives 0, everything else `e`. Attention is empty.
 */
export function plantedLookup(): PlantedModel {
  const width = 2 * V + N_CTX;
  const model = blank(runConfig(['SUM'], [2, 3], width, V));
  const sd = layerNormSd(width, 2, 2);
  for (let token = 0; token < V; token++) {
    model.set(`${FC}.weight`, token, token, sd);
    model.set(`${FC}.bias`, token, 0, 2 / width);
    const next = token === ARROW ? FIRST_NUMBER : END;
    model.set(`${OUT}.weight`, width - V + next, token, G);
  }
  return model;
}

/**
 * SUM of two by table: attention brings both operands to `>`, one neuron for every unordered pair writes the result, one
 * more writes `e` behind it.
 */
export function plantedPairTable(): PlantedModel & {
  readonly sameOperands: { sum: number; squares: number };
  readonly differentOperands: { sum: number; squares: number };
} {
  const width = 2 * V + N_CTX + MODULUS;
  const pairs = (MODULUS * (MODULUS + 1)) / 2;
  const model = blank(runConfig(['SUM'], [2, 2], width, pairs + 1));
  const operands = V + N_CTX;
  attendFromArrow(model, [FIRST_OPERAND, FIRST_OPERAND + 1]);
  for (let number = 0; number < MODULUS; number++) {
    readOneHot(model, 2, number, [FIRST_NUMBER + number], 1);
    // two positions share the attention: twice the half
    model.set(`${PROJECTION}.weight`, operands + number, number, 2);
  }
  const differentOperands = { sum: 4, squares: 4 };
  const sameOperands = { sum: 4, squares: 6 };
  const mean = 4 / width;
  const sdDifferent = layerNormSd(width, 4, 4);
  const sdSame = layerNormSd(width, 4, 6);
  const bothPresent = (2 * (1 - mean)) / sdDifferent;
  const doublePresent = (2 * (2 - mean)) / sdSame;
  const doubleSeenByPair = (2 - 2 * mean) / sdSame;
  let neuron = 0;
  for (let a = 0; a < MODULUS; a++) {
    for (let b = a; b < MODULUS; b++, neuron++) {
      const [own, rival] = a === b ? [doublePresent, bothPresent] : [bothPresent, doubleSeenByPair];
      const threshold = (own + rival) / 2;
      model.set(`${FC}.weight`, neuron, operands + a, a === b ? 2 : 1);
      if (a !== b) model.set(`${FC}.weight`, neuron, operands + b, 1);
      model.set(`${FC}.bias`, neuron, 0, -threshold);
      const result = FIRST_NUMBER + ((a + b) % MODULUS);
      model.set(`${OUT}.weight`, width - V + result, neuron, G / (own - threshold));
    }
  }
  // the result stands at position 7; its row has a one there, which no other row has
  model.set(`${FC}.weight`, neuron, V + FIRST_OPERAND + 4, 1);
  model.set(`${FC}.bias`, neuron, 0, -3);
  model.set(`${OUT}.weight`, width - V + END, neuron, G / 2);
  return { ...model, sameOperands, differentOperands };
}
