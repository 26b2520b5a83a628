/**
 * A model of one layer, weights set by hand, that copies and punctuates the chains of `(SUM a (SUM b c))` and
 * `(SUM (SUM b c) a)` and knows no result: attention carries over what is carried over, the feed-forward layer writes brackets,
 * arrows and ends, and nothing is written where a result comes next. Nothing is trained.
 */
import { DEFAULT_RUN } from '../../src/config/defaults.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { ARROW, CLOSE, END, OPEN, SPECIAL_TOKENS } from '../../src/listops/language/tokenizer.js';
import { POSITION_EMBEDDING, TOKEN_EMBEDDING, UNEMBEDDING } from '../../src/model/parameters.js';
import { blankModel, layerNormSd, PLANTED, type PlantedModel } from './planted-models.js';

const { V, G } = PLANTED;
/** room for one call inside another, and not for two */
const N_CTX = 20;
/** residual stream: token one-hot | position one-hot | output one-hot */
const OUT_AT = V + N_CTX;
const WIDTH = OUT_AT + V;
/** attention scores: the chosen position, and the start token, which carries nothing, for all other queries */
const CHOSEN = 60;
const START_SCORE = 30;

/**
 * `s ( SUM a ( SUM b c ) ) > ( SUM a r ) > x e` and `s ( SUM ( SUM b c ) a ) > ( SUM r a ) > x e`: from where what is copied from
 * where. Where one of them predicts a result instead, a bracket stands at the source.
 */
const COPIES = [
  [11, 2],
  [12, 3],
  [13, 8],
] as const;
/** `e` behind the result of a flat expression stands at 8. */
const WRITES = [
  [10, OPEN],
  [14, CLOSE],
  [15, ARROW],
  [17, END],
  [7, END],
] as const;

/** How far the right token stands above the mean over all tokens where a part writes it. */
export const SCRIBE_MARGIN = (G / layerNormSd(WIDTH, 2 + G, 2 + G * G)) * (1 - 1 / V);

export function plantedScribe(): PlantedModel {
  const config: RunConfig = {
    ...DEFAULT_RUN,
    data: {
      ...DEFAULT_RUN.data,
      tasks: ['SUM'],
      modulus: PLANTED.MODULUS,
      operands: [2, 2],
      depth: 2,
      nesting: 0.5,
      regime: 'full',
    },
    model: {
      ...DEFAULT_RUN.model,
      dModel: WIDTH,
      nLayers: 1,
      nHeads: 1,
      dMlp: WRITES.length,
      activation: 'relu',
      bias: true,
      tied: false,
      nCtx: N_CTX,
    },
  };
  const { gpt, parameters, set } = blankModel(config);
  for (let token = 0; token < V; token++) {
    set(TOKEN_EMBEDDING, token, token, 1);
    set(UNEMBEDDING, token, OUT_AT + token, 1);
  }
  for (let t = 0; t < N_CTX; t++) set(POSITION_EMBEDDING, t, V + t, 1);

  // every row before attention: one token, one position
  const sd = layerNormSd(WIDTH, 2, 2);
  const mean = 2 / WIDTH;
  const attention = 'transformer.h.0.attn.c_attn';
  /** one row of queries (0), keys (1) or values (2) reads a column of the one-hot parts */
  const read = (part: 0 | 1 | 2, row: number, column: number, scale: number): void => {
    set(`${attention}.weight`, part * WIDTH + row, column, scale * sd);
    set(`${attention}.bias`, part * WIDTH + row, 0, scale * mean);
  };
  const root = Math.sqrt(WIDTH);
  COPIES.forEach(([from, source], row) => {
    read(0, row, V + from, CHOSEN * root);
    read(1, row, V + source, 1);
  });
  set(`${attention}.bias`, COPIES.length, 0, START_SCORE * root);
  read(1, COPIES.length, V, 1);
  for (let token = SPECIAL_TOKENS.length; token < V; token++) {
    read(2, token, token, 1);
    set('transformer.h.0.attn.c_proj.weight', OUT_AT + token, token, G);
  }
  WRITES.forEach(([at, token], neuron) => {
    set('transformer.h.0.mlp.c_fc.weight', neuron, V + at, 2 * sd);
    set('transformer.h.0.mlp.c_fc.bias', neuron, 0, 2 * mean - 1);
    set('transformer.h.0.mlp.c_proj.weight', OUT_AT + token, neuron, G);
  });
  return { config, gpt, parameters };
}
