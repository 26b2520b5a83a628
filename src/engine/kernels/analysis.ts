/**
 * The analysis driver: the forward pass one named activation at a time (model/activations.ts), each of which may be read
 * or overwritten before anything uses it. Browser-safe.
 */
import {
  type ActivationName,
  activationName,
  type BlockActivation,
  type ModelActivation,
  parseActivationName,
} from '../../model/activations.js';
import type { Batch } from '../engine.js';
import { type BatchShape, targetRows } from './batch.js';
import { Carve } from './carve.js';
import { applyIntervention, checkIntervention, patternSize } from './interventions.js';
import { type CaptureResult, copy, type ModelContext, type RealForwardOptions } from './context.js';
import type { Address, RealArray } from './module.js';

/** Which LayerNorm and which linear map: the numbers of stages.c. */
const NORM = { ln1: 0, ln2: 1, final: 2 } as const;
const LINEAR = { q: 0, k: 1, v: 2, attnOut: 3, mlpPre: 4, mlpOut: 5 } as const;

/** Runs all rows through every stage; the result's bytes equal the fused driver's when nothing is overwritten. */
export function runStages<R extends RealArray>(
  context: ModelContext<R>,
  batch: Batch,
  { N, S, longest, nTargets }: BatchShape,
  options: RealForwardOptions<R>,
): CaptureResult<R> {
  const { config, memory, description: d, parameters: p, realBytes } = context;
  const kernels = memory.functions;
  const capture = new Set(options.capture?.map((name) => parseActivationName(config, name).name));
  const interventions = (options.interventions ?? []).map((one) => checkIntervention(config, batch, one));

  const residual = N * kernels.row_numbers(config.dModel);
  const hidden = N * kernels.row_numbers(config.dMlp);
  const patterns = patternSize(config, batch);
  const carve = new Carve(memory, realBytes);
  const ids = { tokens: carve.ints(N), positions: carve.ints(N), offsets: carve.ints(S + 1) };
  const iota = carve.ints(longest + 1);
  const wanted = { rows: carve.ints(nTargets), targets: carve.ints(nTargets) };
  const buffers = {
    x: carve.reals(residual),
    h: carve.reals(residual),
    q: carve.reals(residual),
    k: carve.reals(residual),
    v: carve.reals(residual),
    z: carve.reals(residual),
    out: carve.reals(residual),
    scores: carve.reals(patterns),
    pattern: carve.reals(patterns),
    pre: carve.reals(hidden),
    post: carve.reals(hidden),
  };
  const logits = carve.reals(nTargets * config.dVocab + 16);
  const losses = carve.reals(nTargets);
  const scratch = carve.reals(kernels.stage_scratch(d, longest) + kernels.padded_width(config.dVocab));
  const weights = carve.bytes(kernels.stage_weight_bytes(d));
  carve.bytes(64); // whole vectors are read past the last row
  carve.place();

  memory.ints(ids.tokens(), N).set(batch.tokens);
  const offsets = memory.ints(ids.offsets(), S + 1);
  offsets.set(batch.offsets);
  const positions = memory.ints(ids.positions(), N);
  for (let s = 0; s < S; s++) {
    for (let i = offsets[s]; i < offsets[s + 1]; i++) positions[i] = i - offsets[s];
  }
  memory.ints(iota(), longest + 1).forEach((_, i, all) => (all[i] = i));
  const { rows, targets } = targetRows(batch, nTargets);
  memory.ints(wanted.rows(), nTargets).set(rows);
  memory.ints(wanted.targets(), nTargets).set(targets);

  const activations = new Map<ActivationName, R>();
  const visit = (name: ActivationName, address: Address): void => {
    const relevant = interventions.filter((one) => one.at === name);
    if (relevant.length === 0 && !capture.has(name)) return;
    const { layout } = parseActivationName(config, name).row;
    const width = layout.kind === 'rows' ? layout.width(config) : undefined;
    const stride = kernels.row_numbers(width ?? 0);
    if (relevant.length > 0) {
      const view = memory.reals(address, width === undefined ? patterns : N * stride);
      for (const one of relevant) applyIntervention(config, batch, one, stride, view);
    }
    if (capture.has(name)) {
      const found =
        width === undefined
          ? memory.copyRows(address, 1, patterns, patterns)
          : memory.copyRows(address, N, width, stride);
      activations.set(name, found);
    }
  };
  const atModel = (name: ModelActivation, address: Address): void => visit(activationName(name), address);

  kernels.stage_prepare(d, p, weights());
  const { x, h, q, k, v, z, out, scores, pattern, pre, post } = place(buffers);
  kernels.stage_embed(d, p, x, ids.tokens(), N, 0);
  atModel('embed', x);
  kernels.stage_embed(d, p, out, ids.positions(), N, 1);
  atModel('pos_embed', out);
  kernels.stage_add(d, x, x, out, N);
  for (let layer = 0; layer < config.nLayers; layer++) {
    const at = (name: BlockActivation, address: Address): void => visit(activationName(name, layer), address);
    const norm = (which: number, to: Address): void =>
      kernels.stage_layernorm(d, p, weights(), layer, which, to, x, N);
    const linear = (which: number, to: Address, from: Address): void =>
      kernels.stage_linear(d, p, weights(), layer, which, to, from, N);
    at('resid_pre', x);
    norm(NORM.ln1, h);
    at('ln1.normalized', h);
    linear(LINEAR.q, q, h);
    at('attn.q', q);
    linear(LINEAR.k, k, h);
    at('attn.k', k);
    linear(LINEAR.v, v, h);
    at('attn.v', v);
    kernels.stage_scores(d, scores, q, k, ids.offsets(), S, iota(), scratch());
    at('attn.attn_scores', scores);
    kernels.stage_pattern(d, pattern, scores, ids.offsets(), S, scratch());
    at('attn.pattern', pattern);
    kernels.stage_values(d, z, pattern, v, ids.offsets(), S, iota(), scratch());
    at('attn.z', z);
    linear(LINEAR.attnOut, out, z);
    at('attn_out', out);
    kernels.stage_add(d, x, x, out, N);
    at('resid_mid', x);
    norm(NORM.ln2, h);
    at('ln2.normalized', h);
    linear(LINEAR.mlpPre, pre, h);
    at('mlp.pre', pre);
    kernels.stage_activation(d, post, pre, N);
    at('mlp.post', post);
    linear(LINEAR.mlpOut, out, post);
    at('mlp_out', out);
    kernels.stage_add(d, x, x, out, N);
    at('resid_post', x);
  }
  kernels.stage_layernorm(d, p, weights(), 0, NORM.final, h, x, N);
  atModel('ln_final.normalized', h);
  const sum = kernels.stage_logits(
    d,
    p,
    weights(),
    logits(),
    losses(),
    h,
    wanted.rows(),
    wanted.targets(),
    nTargets,
    out,
    scratch(),
  );
  return {
    logits: copy(memory.reals(logits(), nTargets * config.dVocab)),
    losses: copy(memory.reals(losses(), nTargets)),
    lossNats: sum / nTargets,
    activations,
  };
}

/** Addresses of all pieces of a placed arena. */
function place<K extends string>(pieces: Readonly<Record<K, () => Address>>): Record<K, Address> {
  const entries = Object.entries<() => Address>(pieces).map(([name, address]) => [name, address()]);
  return Object.fromEntries(entries) as Record<K, Address>;
}
