/**
 * Writing one sequence on, token by token, under interventions: weights are packed once, and a row is computed once, keys and
 * values being kept. A row depends on no later one, and its arithmetic on no other row's, so that the logits are those of a
 * pass over all tokens so far, bit by bit. Browser-safe.
 */
import { type ActivationName, parseActivationName } from '../../model/activations.js';
import { checkBatch } from './batch.js';
import { Carve } from './carve.js';
import { copy, type ModelContext, type RealWriteOnOptions } from './context.js';
import { applyIntervention, checkIntervention, type CutRows } from './interventions.js';
import type { RealArray } from './module.js';
import { neededActivations } from './needed.js';
import { walkStages } from './walk.js';

/** See Model.writeOn. */
export function writeOn<R extends RealArray>(
  context: ModelContext<R>,
  prompt: Int32Array,
  options: RealWriteOnOptions<R>,
): void {
  const { config, memory, description: d, parameters: p, realBytes } = context;
  const { functions: kernels } = memory;
  checkBatch(config, batchOf(prompt));
  const most = config.nCtx;
  // rows of values count over the longest sequence
  const whole = batchOf(new Int32Array(most));
  const interventions = options.interventions.map((one) => checkIntervention(config, whole, one));
  const { computed, read } = neededActivations(config, new Set(), interventions);

  const stride = kernels.row_numbers(config.dModel);
  const rowBytes = stride * realBytes;
  const carve = new Carve(memory, realBytes);
  const residual = (): (() => number) => carve.reals(most * stride);
  const hidden = (): (() => number) => carve.reals(most * kernels.row_numbers(config.dMlp));
  const pattern = (): (() => number) => carve.reals(config.nHeads * most * most);
  const ids = { tokens: carve.ints(most), positions: carve.ints(most), offsets: carve.ints(2) };
  const bounds = { scores: carve.ints(most + 1), values: carve.ints(most + 1) };
  const wanted = { row: carve.ints(1), target: carve.ints(1) };
  const perLayer = Array.from({ length: config.nLayers }, () => ({ k: residual(), v: residual() }));
  const pieces = {
    ...{ x: residual(), h: residual(), q: residual(), z: residual(), out: residual() },
    ...{ pre: hidden(), post: hidden(), scores: pattern(), pattern: pattern() },
  };
  const logits = carve.reals(config.dVocab + 16);
  const losses = carve.reals(1);
  const scratch = carve.reals(kernels.stage_scratch(d, most) + kernels.padded_width(config.dVocab));
  const weights = carve.bytes(kernels.stage_weight_bytes(d));
  carve.bytes(64); // whole vectors are read past the last row
  carve.place();
  kernels.stage_prepare(d, p, weights());
  memory.ints(wanted.target(), 1).fill(0);

  let rows = prompt;
  for (let from = 0; ;) {
    const count = rows.length;
    const length = from + count;
    memory.ints(ids.tokens(), count).set(rows);
    memory.ints(ids.positions(), count).forEach((_, i, all) => (all[i] = from + i));
    memory.ints(ids.offsets(), 2).set([0, length]);
    // a query before every key has no products, and a query whose last key is none has no values: those rows are done already
    memory.ints(bounds.scores(), length).forEach((_, i, all) => (all[i] = i < from ? -1 : i));
    // stage_values reads where keys end one number further on
    memory.ints(bounds.values(), length + 1).forEach((_, i, all) => (all[i] = i <= from ? 0 : i));
    const places = new Int32Array(most).fill(-1);
    for (let i = 0; i < count; i++) places[from + i] = i;
    const here: CutRows = { rows: Int32Array.from({ length: count }, (_, i) => from + i), places };

    const visit = (name: ActivationName, address: number, compute: () => void): void => {
      if (!read.has(name)) return;
      if (computed.has(name)) compute();
      const relevant = interventions.filter((one) => one.at === name);
      if (relevant.length === 0) return;
      const { layout } = parseActivationName(config, name).row;
      if (layout.kind !== 'rows') return;
      const apart = kernels.row_numbers(layout.width(config));
      const view = memory.reals(address, count * apart);
      // columns beyond the width, which no value is for
      if (!computed.has(name) && apart !== layout.width(config)) view.fill(0);
      for (const one of relevant) applyIntervention(config, whole, one, apart, view, here);
    };
    const { q, z, x, h, out, pre, post, scores, pattern } = pieces;
    const atRow = (address: number): number => address + from * rowBytes;
    walkStages({
      config,
      kernels,
      description: d,
      parameters: p,
      weights: weights(),
      rows: { x: x(), h: h(), q: atRow(q()), z: atRow(z()), out: out(), pre: pre(), post: post() },
      keysOf: (layer) => atRow(perLayer[layer].k()),
      valuesOf: (layer) => atRow(perLayer[layer].v()),
      scores: scores(),
      pattern: pattern(),
      count: () => count,
      ids: { tokens: ids.tokens(), positions: ids.positions() },
      visit,
      computeScores(layer) {
        const k = perLayer[layer].k();
        kernels.stage_scores(d, scores(), q(), k, ids.offsets(), 1, bounds.scores(), scratch());
      },
      computePattern: () => kernels.stage_pattern(d, pattern(), scores(), ids.offsets(), 1, scratch()),
      computeZ(layer) {
        const v = perLayer[layer].v();
        kernels.stage_values(d, z(), pattern(), v, ids.offsets(), 1, bounds.values(), scratch());
      },
      afterAttention: () => undefined,
    });
    memory.ints(wanted.row(), 1)[0] = count - 1;
    kernels.stage_logits(
      d,
      p,
      weights(),
      logits(),
      losses(),
      h(),
      wanted.row(),
      wanted.target(),
      1,
      out(),
      scratch(),
    );
    const token = options.next(copy(memory.reals(logits(), config.dVocab)));
    if (token === undefined || length >= most) return;
    rows = Int32Array.of(token);
    checkBatch(config, batchOf(rows));
    from = length;
  }
}

/** One sequence, as checks want it. */
function batchOf(tokens: Int32Array): Parameters<typeof checkBatch>[1] {
  const N = tokens.length;
  const none = new Int32Array(N).fill(-1);
  return { tokens, targets: none, roles: none, offsets: Int32Array.of(0, N) };
}
