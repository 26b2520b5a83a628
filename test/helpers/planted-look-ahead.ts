/**
 * A model of one layer, weights set by hand, whose closing bracket of `(SUM (SUM a b) c)` holds (a + b + c) mod 10: attention
 * there sums the three numbers, and the feed-forward layer is a staircase that turns the sum into one of ten directions. At
 * every other position attention looks at the start token, which carries nothing. It predicts nothing. Nothing is trained.
 */
import { resolveRunConfig } from '../../src/config/parse.js';
import { FIRST_NUMBER, SPECIAL_TOKENS } from '../../src/listops/language/tokenizer.js';
import { OPERATION_NAMES } from '../../src/listops/language/operations.js';
import { POSITION_EMBEDDING, TOKEN_EMBEDDING } from '../../src/model/parameters.js';
import { blankModel, layerNormSd, type PlantedModel } from './planted-models.js';

const MODULUS = 10;
const N_CTX = 36;
const V = SPECIAL_TOKENS.length + MODULUS + OPERATION_NAMES.length;
/** residual stream: token one-hot | position one-hot | sum | result one-hot */
const SUM_AT = V + N_CTX;
const RESULT_AT = SUM_AT + 1;
const WIDTH = RESULT_AT + MODULUS;
/** sums of three numbers */
const SUMS = 3 * (MODULUS - 1) + 1;
/** height of a sum in the residual stream, small beside the ones that LayerNorm divides by */
const STEP = 0.1;
/** attention scores: the chosen positions, and the start token for all other queries */
const CHOSEN = 60;
const START_SCORE = 30;

/** s ( SUM ( SUM a b ) c ) > */
const OFFSETS = { a: 5, b: 6, c: 8, outerBracket: 9 } as const;

/** @param reads - numbers that attention sums up at the outer bracket: all three, or the inner two */
export function plantedLookAhead(reads: 'all' | 'inner'): PlantedModel {
  const config = resolveRunConfig({
    data: { tasks: ['SUM'], modulus: MODULUS, depth: 2, operands: [2, 2], nesting: 0.5, regime: 'full' },
    model: {
      dModel: WIDTH,
      nLayers: 1,
      nHeads: 1,
      dMlp: SUMS + 2,
      activation: 'relu',
      bias: true,
      tied: false,
      nCtx: N_CTX,
    },
  });
  const { gpt, parameters, set } = blankModel(config);
  for (let token = 0; token < V; token++) set(TOKEN_EMBEDDING, token, token, 1);
  for (let t = 0; t < N_CTX; t++) set(POSITION_EMBEDDING, t, V + t, 1);

  // every row before attention: one token, one position
  const sd = layerNormSd(WIDTH, 2, 2);
  const mean = 2 / WIDTH;
  const attention = 'transformer.h.0.attn.c_attn';
  /** one row of queries (0), keys (1) or values (2) reads these columns of the one-hot parts */
  const read = (part: 0 | 1 | 2, row: number, columns: readonly (readonly [number, number])[]): void => {
    let total = 0;
    for (const [column, weight] of columns) {
      set(`${attention}.weight`, part * WIDTH + row, column, weight * sd);
      total += weight;
    }
    set(`${attention}.bias`, part * WIDTH + row, 0, total * mean);
  };
  const root = Math.sqrt(WIDTH);
  const chosen = reads === 'all' ? [OFFSETS.a, OFFSETS.b, OFFSETS.c] : [OFFSETS.a, OFFSETS.b];
  read(0, 0, [[V + OFFSETS.outerBracket, 1]]);
  read(
    1,
    0,
    chosen.map((t) => [V + t, CHOSEN * root] as const),
  );
  // every query looks at the start a little
  set(`${attention}.bias`, 1, 0, 1);
  read(1, 1, [[V, START_SCORE * root]]);
  read(
    2,
    0,
    Array.from({ length: MODULUS }, (_, number) => [FIRST_NUMBER + number, number] as const),
  );
  set('transformer.h.0.attn.c_proj.weight', SUM_AT, 0, STEP * chosen.length);

  // the sum's height after LayerNorm grows with the sum: a kink at every height, one more at either end
  const heights = Array.from({ length: SUMS + 2 }, (_, k) => {
    const x = (k - 1) * STEP;
    return (x - (2 + x) / WIDTH) / layerNormSd(WIDTH, 2 + x, 2 + x * x);
  });
  for (let k = 0; k < SUMS + 2; k++) {
    set('transformer.h.0.mlp.c_fc.weight', k, SUM_AT, 1);
    set('transformer.h.0.mlp.c_fc.bias', k, 0, -heights[k]);
  }
  // piecewise linear: 1 at the sums of a residue, 0 at all others
  for (let residue = 0; residue < MODULUS; residue++) {
    const at = (k: number): number => (k >= 1 && k <= SUMS && (k - 1) % MODULUS === residue ? 1 : 0);
    let slope = 0;
    for (let k = 0; k < SUMS + 1; k++) {
      const next = (at(k + 1) - at(k)) / (heights[k + 1] - heights[k]);
      set('transformer.h.0.mlp.c_proj.weight', RESULT_AT + residue, k, next - slope);
      slope = next;
    }
  }
  return { config, gpt, parameters };
}
