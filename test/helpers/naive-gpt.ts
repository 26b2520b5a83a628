/**
 * The forward pass in float64, one activation after another, as slowly and plainly as it can be written: what engines and
 * probes are checked against. Nothing here is shared with an engine. Letters: N rows, S sequences, C width, H heads.
 */
import type { Batch, Intervention } from '../../src/engine/engine.js';
import { parseActivationName } from '../../src/model/activations.js';
import { type GptConfig, LAYER_NORM_EPS } from '../../src/model/gpt-config.js';
import {
  POSITION_EMBEDDING,
  TOKEN_EMBEDDING,
  UNEMBEDDING,
  UNEMBEDDING_BIAS,
  parameterTable,
  parameterView,
} from '../../src/model/parameters.js';

export interface NaiveResult {
  /** [nTargets, dVocab] */
  readonly logits: Float64Array;
  /** [nTargets] nats */
  readonly losses: Float64Array;
  /** every activation, in the layout of model/activations.ts, after any edit */
  readonly activations: ReadonlyMap<string, Float64Array>;
}

/** Called with each activation as soon as it exists; may change the values before anything reads them. */
export type Edit = (name: string, values: Float64Array) => void;

/** erf by its series of positive terms: 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!! */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** Forward pass of a batch. @param parameters - [arenaSize] in parameterTable layout */
export function naiveForward(
  config: GptConfig,
  parameters: Float32Array,
  batch: Batch,
  edit: Edit = () => undefined,
): NaiveResult {
  const { dModel: C, nHeads, dMlp, dVocab } = config;
  const N = batch.tokens.length;
  const table = parameterTable(config);
  const view = (name: string): Float32Array => parameterView(table, parameters, name);
  const bias = (name: string): Float32Array | undefined => (config.bias ? view(`${name}.bias`) : undefined);
  const activations = new Map<string, Float64Array>();
  const note = (name: string, values: Float64Array): Float64Array => {
    edit(name, values);
    activations.set(name, values);
    return values;
  };
  const linear = (
    x: Float64Array,
    width: number,
    name: string,
    out: number,
    hasBias = config.bias,
  ): Float64Array => matmul(x, width, view(`${name}.weight`), hasBias ? bias(name) : undefined, out);
  const norm = (x: Float64Array, name: string): Float64Array =>
    layerNorm(x, C, view(`${name}.weight`), bias(name));

  const wte = view(TOKEN_EMBEDDING);
  const wpe = view(POSITION_EMBEDDING);
  const embed = new Float64Array(N * C);
  const position = new Float64Array(N * C);
  for (const { start, length } of sequences(batch)) {
    for (let t = 0; t < length; t++) {
      const row = start + t;
      for (let c = 0; c < C; c++) {
        embed[row * C + c] = wte[batch.tokens[row] * C + c];
        position[row * C + c] = wpe[t * C + c];
      }
    }
  }
  let residual = add(note('embed', embed), note('pos_embed', position));

  for (let layer = 0; layer < config.nLayers; layer++) {
    const block = `transformer.h.${config.shareBlocks ? 0 : layer}`;
    const at = (name: string): string => `blocks.${layer}.${name}`;
    residual = note(at('resid_pre'), residual);
    const normalized1 = note(at('ln1.normalized'), norm(residual, `${block}.ln_1`));
    const qkv = linear(normalized1, C, `${block}.attn.c_attn`, 3 * C, config.qkvBias);
    const part = (index: number): Float64Array =>
      Float64Array.from({ length: N * C }, (_, i) => qkv[Math.floor(i / C) * 3 * C + index * C + (i % C)]);
    const q = note(at('attn.q'), part(0));
    const k = note(at('attn.k'), part(1));
    const v = note(at('attn.v'), part(2));
    const scores = note(at('attn.attn_scores'), attentionScores(q, k, batch, C, nHeads));
    const pattern = note(at('attn.pattern'), softmaxRows(scores, batch, nHeads));
    const z = note(at('attn.z'), weightedValues(pattern, v, batch, C, nHeads));
    const attnOut = note(at('attn_out'), linear(z, C, `${block}.attn.c_proj`, C));
    const middle = note(at('resid_mid'), add(residual, attnOut));
    const normalized2 = note(at('ln2.normalized'), norm(middle, `${block}.ln_2`));
    const pre = note(at('mlp.pre'), linear(normalized2, C, `${block}.mlp.c_fc`, dMlp));
    const post = note(
      at('mlp.post'),
      pre.map((x) => (config.activation === 'relu' ? Math.max(0, x) : 0.5 * x * (1 + erf(x / Math.SQRT2)))),
    );
    const mlpOut = note(at('mlp_out'), linear(post, dMlp, `${block}.mlp.c_proj`, C));
    residual = note(at('resid_post'), add(middle, mlpOut));
  }

  const final = note('ln_final.normalized', norm(residual, 'transformer.ln_f'));
  const targets = [...batch.targets].flatMap((target, row) => (target < 0 ? [] : [{ target, row }]));
  const kept = new Float64Array(targets.length * C);
  targets.forEach(({ row }, i) => kept.set(final.subarray(row * C, (row + 1) * C), i * C));
  const unembedding = view(config.tied ? TOKEN_EMBEDDING : UNEMBEDDING);
  const shift = config.unembeddingBias ? view(UNEMBEDDING_BIAS) : undefined;
  const logits = matmul(kept, C, unembedding, shift, dVocab);
  const losses = Float64Array.from(targets, ({ target }, i) =>
    crossEntropy(logits.subarray(i * dVocab, (i + 1) * dVocab), target),
  );
  return { logits, losses, activations };
}

/** The contract's interventions as an edit, so that both sides of a comparison take the same list. */
export function editOf(config: GptConfig, batch: Batch, interventions: readonly Intervention[]): Edit {
  return (name, values) => {
    for (const { at, positions, heads, op, value } of interventions) {
      if (at !== name) continue;
      const { layout } = parseActivationName(config, name).row;
      const rowsChanged = positions === undefined ? undefined : new Set(positions);
      const width = layout.kind === 'rows' ? layout.width(config) : 0;
      const addresses =
        layout.kind === 'rows'
          ? rowAddresses(values.length, width, config.nHeads)
          : patternAddresses(batch, config.nHeads);
      for (const { index, row, head, column } of addresses) {
        if (rowsChanged !== undefined && !rowsChanged.has(row)) continue;
        if (heads !== undefined && !heads.includes(head)) continue;
        const operand =
          typeof value === 'number' ? value : value.length === values.length ? value[index] : value[column];
        if (op === 'set') values[index] = operand;
        else if (op === 'add') values[index] += operand;
        else values[index] *= operand;
      }
    }
  };
}

interface Address {
  readonly index: number;
  readonly row: number;
  readonly head: number;
  readonly column: number;
}

function* rowAddresses(length: number, width: number, nHeads: number): Generator<Address> {
  for (let index = 0; index < length; index++) {
    const column = index % width;
    yield { index, row: Math.floor(index / width), head: Math.floor(column / (width / nHeads)), column };
  }
}

function* patternAddresses(batch: Batch, nHeads: number): Generator<Address> {
  let index = 0;
  for (const { start, length } of sequences(batch)) {
    for (let head = 0; head < nHeads; head++) {
      for (let query = 0; query < length; query++) {
        for (let key = 0; key < length; key++)
          yield { index: index++, row: start + query, head, column: key };
      }
    }
  }
}

/** Start and length of each sequence of a batch. */
export function sequences(batch: Batch): { readonly start: number; readonly length: number }[] {
  return Array.from({ length: batch.offsets.length - 1 }, (_, s) => ({
    start: batch.offsets[s],
    length: batch.offsets[s + 1] - batch.offsets[s],
  }));
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]);
}

/** x [N, width] times the transpose of weight [out, width], plus bias [out]. */
function matmul(
  x: Float64Array,
  width: number,
  weight: Float32Array,
  bias: Float32Array | undefined,
  out: number,
): Float64Array {
  const N = x.length / width;
  const y = new Float64Array(N * out);
  for (let n = 0; n < N; n++) {
    for (let o = 0; o < out; o++) {
      let total = bias === undefined ? 0 : bias[o];
      for (let i = 0; i < width; i++) total += x[n * width + i] * weight[o * width + i];
      y[n * out + o] = total;
    }
  }
  return y;
}

function layerNorm(
  x: Float64Array,
  C: number,
  weight: Float32Array,
  bias: Float32Array | undefined,
): Float64Array {
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += C) {
    const row = x.subarray(start, start + C);
    const mean = row.reduce((a, b) => a + b, 0) / C;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / C;
    const scale = 1 / Math.sqrt(variance + LAYER_NORM_EPS);
    for (let c = 0; c < C; c++) {
      y[start + c] = (row[c] - mean) * scale * weight[c] + (bias === undefined ? 0 : bias[c]);
    }
  }
  return y;
}

/** Concatenated [H, T, T]: q.k / sqrt(dHead), -Infinity above the diagonal. */
function attentionScores(
  q: Float64Array,
  k: Float64Array,
  batch: Batch,
  C: number,
  nHeads: number,
): Float64Array {
  const dHead = C / nHeads;
  const scores: number[] = [];
  for (const { start, length } of sequences(batch)) {
    for (let head = 0; head < nHeads; head++) {
      for (let query = 0; query < length; query++) {
        for (let key = 0; key < length; key++) {
          let total = 0;
          for (let d = head * dHead; d < (head + 1) * dHead; d++) {
            total += q[(start + query) * C + d] * k[(start + key) * C + d];
          }
          scores.push(key > query ? -Infinity : total / Math.sqrt(dHead));
        }
      }
    }
  }
  return Float64Array.from(scores);
}

function softmaxRows(scores: Float64Array, batch: Batch, nHeads: number): Float64Array {
  const pattern = new Float64Array(scores.length);
  let at = 0;
  for (const { length } of sequences(batch)) {
    for (let row = 0; row < nHeads * length; row++, at += length) {
      const own = scores.subarray(at, at + length);
      const most = Math.max(...own);
      const total = own.reduce((a, b) => a + Math.exp(b - most), 0);
      for (let i = 0; i < length; i++) pattern[at + i] = Math.exp(own[i] - most) / total;
    }
  }
  return pattern;
}

function weightedValues(
  pattern: Float64Array,
  v: Float64Array,
  batch: Batch,
  C: number,
  nHeads: number,
): Float64Array {
  const dHead = C / nHeads;
  const z = new Float64Array(v.length);
  let at = 0;
  for (const { start, length } of sequences(batch)) {
    for (let head = 0; head < nHeads; head++) {
      for (let query = 0; query < length; query++) {
        for (let key = 0; key < length; key++, at++) {
          for (let d = head * dHead; d < (head + 1) * dHead; d++) {
            z[(start + query) * C + d] += pattern[at] * v[(start + key) * C + d];
          }
        }
      }
    }
  }
  return z;
}

function crossEntropy(logits: Float64Array, target: number): number {
  const most = Math.max(...logits);
  return most + Math.log(logits.reduce((a, b) => a + Math.exp(b - most), 0)) - logits[target];
}
