/**
 * The analysis driver: the forward pass one named activation at a time (model/activations.ts), each of which may be read
 * or overwritten before anything uses it. Browser-safe.
 */
import { type ActivationName, activationName, parseActivationName } from '../../model/activations.js';
import type { Batch } from '../engine.js';
import { type BatchShape, targetRows } from './batch.js';
import { Carve } from './carve.js';
import {
  applyIntervention,
  checkIntervention,
  type CutRows,
  cutRows,
  patternSize,
  pickRows,
} from './interventions.js';
import { type CaptureResult, copy, type ModelContext, type RealForwardOptions } from './context.js';
import type { Address, RealArray } from './module.js';
import { AFTER_ATTENTION, neededActivations } from './needed.js';
import { walkStages } from './walk.js';

/**
 * Runs the rows through every stage that something still depends on; the result's bytes equal the fused driver's when
 * nothing is overwritten.
 */
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
  const { computed, read } = neededActivations(config, capture, interventions);
  const last = config.nLayers - 1;
  const onlyTargets = options.captureRows === 'targets';
  const isCutShort =
    nTargets < N &&
    (onlyTargets ||
      (!capture.has('ln_final.normalized') &&
        !AFTER_ATTENTION.some((name) => capture.has(activationName(name, last)))));

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
  // the rows of the logits among those that the last block was computed for
  memory.ints(wanted.rows(), nTargets).set(isCutShort ? rows.map((_, i) => i) : rows);
  memory.ints(wanted.targets(), nTargets).set(targets);

  const activations = new Map<ActivationName, R>();
  /** the rows that are left, once the last block computes those with a target alone */
  let cut: CutRows | undefined;
  const at = (name: ActivationName, address: Address, compute: () => void): void => {
    if (!read.has(name)) return;
    if (computed.has(name)) compute();
    const relevant = interventions.filter((one) => one.at === name);
    if (relevant.length === 0 && !capture.has(name)) return;
    const { layout } = parseActivationName(config, name).row;
    const width = layout.kind === 'rows' ? layout.width(config) : undefined;
    const stride = kernels.row_numbers(width ?? 0);
    if (relevant.length > 0) {
      const n = cut?.rows.length ?? N;
      const view = memory.reals(address, width === undefined ? patterns : n * stride);
      // what no value is for: columns beyond the width, and what a query must not see
      if (!computed.has(name) && stride !== width) view.fill(name.endsWith('.attn_scores') ? -Infinity : 0);
      for (const one of relevant) applyIntervention(config, batch, one, stride, view, cut);
    }
    if (capture.has(name)) {
      const found =
        width === undefined
          ? memory.copyRows(address, 1, patterns, patterns)
          : onlyTargets && cut === undefined
            ? pickRows(memory.reals(address, N * stride), rows, width, stride)
            : memory.copyRows(address, cut?.rows.length ?? N, width, stride);
      activations.set(name, found);
    }
  };
  kernels.stage_prepare(d, p, weights());
  const { x, h, q, k, v, z, out, scores, pattern, pre, post } = place(buffers);
  walkStages({
    config,
    kernels,
    description: d,
    parameters: p,
    weights: weights(),
    rows: { x, h, q, z, out, pre, post },
    keysOf: () => k,
    valuesOf: () => v,
    scores,
    pattern,
    count: () => cut?.rows.length ?? N,
    ids: { tokens: ids.tokens(), positions: ids.positions() },
    visit: at,
    computeScores: () => kernels.stage_scores(d, scores, q, k, ids.offsets(), S, iota(), scratch()),
    computePattern: () => kernels.stage_pattern(d, pattern, scores, ids.offsets(), S, scratch()),
    computeZ: () => kernels.stage_values(d, z, pattern, v, ids.offsets(), S, iota(), scratch()),
    afterAttention(layer) {
      if (layer !== last || !isCutShort) return;
      const stride = kernels.row_numbers(config.dModel);
      for (const address of [z, x]) keepRows(memory.reals(address, N * stride), rows, stride);
      cut = cutRows(N, rows);
    },
  });
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

/** Moves the rows to the front, in order. @param rows - ascending */
function keepRows(x: RealArray, rows: Int32Array, stride: number): void {
  rows.forEach((row, i) => x.copyWithin(i * stride, row * stride, (row + 1) * stride));
}

/** Addresses of all pieces of a placed arena. */
function place<K extends string>(pieces: Readonly<Record<K, () => Address>>): Record<K, Address> {
  const entries = Object.entries<() => Address>(pieces).map(([name, address]) => [name, address()]);
  return Object.fromEntries(entries) as Record<K, Address>;
}
