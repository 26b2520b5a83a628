/**
 * The model, to be read: one pre-LayerNorm GPT in float64, as plainly as it can be written, sharing nothing with an engine.
 * The tests hold every engine and probe against it. It is slow: a number at a time. Browser-safe.
 * Letters: N rows (tokens of all sequences end to end), C width of the residual stream, T tokens of one sequence.
 */
import { ACTIVATION_FUNCTIONS } from './activation-functions.js';
import { type GptConfig, LAYER_NORM_EPS } from './gpt-config.js';
import {
  POSITION_EMBEDDING,
  TOKEN_EMBEDDING,
  UNEMBEDDING,
  UNEMBEDDING_BIAS,
  parameterTable,
} from './parameters.js';

/** tokens [N], targets [N] (-1: no loss), offsets [S + 1]: where each sequence begins, and N */
export interface ReferenceBatch {
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
  readonly offsets: Int32Array;
}

export interface ReferenceResult {
  /** [nTargets, dVocab] */
  readonly logits: Float64Array;
  /** [nTargets] nats */
  readonly losses: Float64Array;
}

/** Sees each activation (model/activations.ts) as soon as it exists, and may change it before anything reads it. */
export type Watch = (name: string, values: Float64Array) => void;

/** @param parameters - [arenaSize] in the layout of parameterTable */
export function referenceForward(
  config: GptConfig,
  parameters: Float32Array,
  batch: ReferenceBatch,
  watch: Watch = () => undefined,
): ReferenceResult {
  const { dModel: C, dVocab, nLayers, nHeads, shareBlocks } = config;
  const table = parameterTable(config);
  const weight = (name: string): Float32Array | undefined => {
    const spec = table.byName.get(name);
    return spec && parameters.subarray(spec.offset, spec.offset + spec.size);
  };
  const noted = (name: string, values: Float64Array): Float64Array => {
    watch(name, values);
    return values;
  };
  const linear = (x: Float64Array, name: string, out: number): Float64Array =>
    multiply(x, needed(weight(`${name}.weight`)), weight(`${name}.bias`), out);
  const layerNorm = (x: Float64Array, name: string): Float64Array =>
    normalize(x, needed(weight(`${name}.weight`)), weight(`${name}.bias`));
  const sequences = Array.from(batch.offsets.subarray(1), (end, s) => ({ start: batch.offsets[s], end }));

  // what the token is, and where it stands
  const positions = sequences.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, t) => t));
  const embed = noted('embed', rowsOf(needed(weight(TOKEN_EMBEDDING)), batch.tokens, C));
  const position = noted('pos_embed', rowsOf(needed(weight(POSITION_EMBEDDING)), positions, C));
  let stream = add(embed, position);

  for (let layer = 0; layer < nLayers; layer++) {
    const block = `transformer.h.${shareBlocks ? 0 : layer}`;
    const note = (name: string, x: Float64Array): Float64Array => noted(`blocks.${layer}.${name}`, x);

    // attention: every token looks at itself and at those before it, with each head by itself
    stream = note('resid_pre', stream);
    const before = note('ln1.normalized', layerNorm(stream, `${block}.ln_1`));
    const qkv = linear(before, `${block}.attn.c_attn`, 3 * C);
    const [q, k, v] = ['q', 'k', 'v'].map((name, part) =>
      note(`attn.${name}`, columns(qkv, 3 * C, part * C, C)),
    );
    const scores = note('attn.attn_scores', scoresOf(q, k, sequences, nHeads, C));
    const pattern = note('attn.pattern', softmax(scores, sequences, nHeads));
    const z = note('attn.z', gather(pattern, v, sequences, nHeads, C));
    const attention = note('attn_out', linear(z, `${block}.attn.c_proj`, C));
    stream = note('resid_mid', add(stream, attention));

    // feed-forward: every token by itself
    const between = note('ln2.normalized', layerNorm(stream, `${block}.ln_2`));
    const pre = note('mlp.pre', linear(between, `${block}.mlp.c_fc`, config.dMlp));
    const post = note('mlp.post', pre.map(ACTIVATION_FUNCTIONS[config.activation].value));
    const feedForward = note('mlp_out', linear(post, `${block}.mlp.c_proj`, C));
    stream = note('resid_post', add(stream, feedForward));
  }

  const final = noted('ln_final.normalized', layerNorm(stream, 'transformer.ln_f'));
  const asked = [...batch.targets.keys()].filter((row) => batch.targets[row] >= 0);
  const unembedding = needed(weight(config.tied ? TOKEN_EMBEDDING : UNEMBEDDING));
  const logits = multiply(rowsOf(final, asked, C), unembedding, weight(UNEMBEDDING_BIAS), dVocab);
  const losses = Float64Array.from(asked, (row, i) => {
    const own = logits.subarray(i * dVocab, (i + 1) * dVocab);
    return logSumExp(own) - own[batch.targets[row]];
  });
  return { logits, losses };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Rows of x [R, C] by their index. */
function rowsOf(x: Float32Array | Float64Array, index: ArrayLike<number>, C: number): Float64Array {
  return Float64Array.from({ length: index.length * C }, (_, i) => x[index[Math.floor(i / C)] * C + (i % C)]);
}

/** `count` columns of x [N, width] from column `from` on. */
function columns(x: Float64Array, width: number, from: number, count: number): Float64Array {
  const length = (x.length / width) * count;
  return Float64Array.from({ length }, (_, i) => x[Math.floor(i / count) * width + from + (i % count)]);
}

const add = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value + b[i]);

/** x [N, in] times the transpose of w [out, in], plus b [out]. */
function multiply(x: Float64Array, w: Float32Array, b: Float32Array | undefined, out: number): Float64Array {
  const width = w.length / out;
  return Float64Array.from({ length: (x.length / width) * out }, (_, i) => {
    const [n, o] = [Math.floor(i / out), i % out];
    let total = b?.[o] ?? 0;
    for (let j = 0; j < width; j++) total += x[n * width + j] * w[o * width + j];
    return total;
  });
}

/** Each row: (x - mean) / sqrt(variance + eps) times w [C] plus b [C]. */
function normalize(x: Float64Array, w: Float32Array, b: Float32Array | undefined): Float64Array {
  const C = w.length;
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += C) {
    const row = x.subarray(start, start + C);
    const mean = row.reduce((a, value) => a + value, 0) / C;
    const variance = row.reduce((a, value) => a + (value - mean) ** 2, 0) / C;
    const scale = 1 / Math.sqrt(variance + LAYER_NORM_EPS);
    for (let c = 0; c < C; c++) y[start + c] = (row[c] - mean) * scale * w[c] + (b?.[c] ?? 0);
  }
  return y;
}

/** For each sequence [head, query, key]: q.k / sqrt(dHead), -Infinity where the key comes after the query. */
function scoresOf(
  q: Float64Array,
  k: Float64Array,
  sequences: readonly Span[],
  nHeads: number,
  C: number,
): Float64Array {
  const dHead = C / nHeads;
  const scores: number[] = [];
  for (const [head, query, key] of cells(sequences, nHeads)) {
    let total = 0;
    for (let d = head * dHead; d < (head + 1) * dHead; d++) total += q[query * C + d] * k[key * C + d];
    scores.push(key > query ? -Infinity : total / Math.sqrt(dHead));
  }
  return Float64Array.from(scores);
}

/** Over the keys of each query. */
function softmax(scores: Float64Array, sequences: readonly Span[], nHeads: number): Float64Array {
  const pattern = new Float64Array(scores.length);
  let at = 0;
  for (const { start, end } of sequences) {
    const T = end - start;
    for (let row = 0; row < nHeads * T; row++, at += T) {
      const own = scores.subarray(at, at + T);
      const total = logSumExp(own);
      pattern.set(
        own.map((score) => Math.exp(score - total)),
        at,
      );
    }
  }
  return pattern;
}

/** z [N, C]: for each query the values [N, C] of its keys, weighted by the pattern. */
function gather(
  pattern: Float64Array,
  v: Float64Array,
  sequences: readonly Span[],
  nHeads: number,
  C: number,
): Float64Array {
  const dHead = C / nHeads;
  const z = new Float64Array(v.length);
  let at = 0;
  for (const [head, query, key] of cells(sequences, nHeads)) {
    const p = pattern[at++];
    for (let d = head * dHead; d < (head + 1) * dHead; d++) z[query * C + d] += p * v[key * C + d];
  }
  return z;
}

/** Head, row of the query and row of the key, in the order in which patterns lie. */
function* cells(sequences: readonly Span[], nHeads: number): Generator<[number, number, number]> {
  for (const span of sequences) {
    for (let head = 0; head < nHeads; head++) {
      for (let query = span.start; query < span.end; query++) {
        for (let key = span.start; key < span.end; key++) yield [head, query, key];
      }
    }
  }
}

/** log of the sum of exponentials, the greatest taken out first so that nothing overflows */
function logSumExp(x: Float64Array): number {
  const most = Math.max(...x);
  return most + Math.log(x.reduce((a, value) => a + Math.exp(value - most), 0));
}

function needed(found: Float32Array | undefined): Float32Array {
  if (found === undefined) throw new RangeError('The model has no such parameter.');
  return found;
}
