/**
 * The fused driver (inference.c): chunks of sequences that stay in cache, the last block for rows with a target alone. Rows of
 * activations may be set before anything reads them, and those of rows with a target kept. Every other change and
 * capture is analysis.ts and capture.ts. Browser-safe.
 */
import type { ActivationName } from '../../model/activations.js';
import type { GptConfig } from '../../model/gpt-config.js';
import type { Batch } from '../engine.js';
import type { BatchShape } from './batch.js';
import { activationTable } from './capture.js';
import { Carve } from './carve.js';
import {
  type CaptureResult,
  copy,
  type ModelContext,
  type RealForwardOptions,
  type RealIntervention,
} from './context.js';
import { checkIntervention } from './interventions.js';
import type { Address, RealArray } from './module.js';

/** Numbers of a `given_rows`, model.h. */
const GIVEN_NUMBERS = 4;

/** Whether the fused driver can do what is asked: nothing but rows set whole, and rows with a target kept. */
export function isFused<R extends RealArray>(config: GptConfig, options: RealForwardOptions<R>): boolean {
  const { capture = [], captureRows = 'all', interventions = [] } = options;
  const { nHeads } = config;
  const hasRows = (name: ActivationName): boolean => activationTable(config).rowsByName.has(name);
  return (
    (capture.length === 0 || (captureRows === 'targets' && capture.every(hasRows))) &&
    interventions.every(
      ({ at, op, heads }) =>
        op === 'set' && (heads === undefined || new Set(heads).size === nHeads) && hasRows(at),
    )
  );
}

/** @param options - such as `isFused` accepts @returns the bytes of analysis.ts */
export function forwardFused<R extends RealArray>(
  context: ModelContext<R>,
  batch: Batch,
  { N, S, longest, nTargets }: BatchShape,
  options: RealForwardOptions<R>,
): CaptureResult<R> {
  const { config, memory, description, parameters, realBytes, pool, threads } = context;
  const { capture = [], interventions = [] } = options;
  const carve = new Carve(memory, realBytes);
  const tokens = carve.ints(N);
  const targets = carve.ints(N);
  const offsets = carve.ints(S + 1);
  const losses = carve.reals(nTargets);
  const logits = carve.reals(nTargets * config.dVocab + 16);
  const table = activationTable(config);
  const wanted = new Set<ActivationName>(capture);
  const kept = table.rows.flatMap(({ name, index, width }) =>
    wanted.has(name) && width !== undefined
      ? [{ name, index, numbers: nTargets * width, at: carve.reals(nTargets * width) }]
      : [],
  );
  const given = interventions.map((one) => {
    checkIntervention(config, batch, one);
    const rows = rowsOf(one, N);
    const { index = -1, width = 0 } = table.rowsByName.get(one.at) ?? {};
    return { one, rows, index, width, rowsAt: carve.ints(rows.length), at: carve.reals(rows.length * width) };
  });
  const isVisited = kept.length + given.length > 0;
  const givenAt = carve.bytes(given.length * GIVEN_NUMBERS * 8);
  const keptAt = carve.bytes(isVisited ? table.rows.length * 8 : 0);
  const work = carve.bytes(memory.functions.forward_work_bytes(description, N, S, longest, threads));
  carve.place();

  memory.ints(tokens(), N).set(batch.tokens);
  memory.ints(targets(), N).set(batch.targets);
  memory.ints(offsets(), S + 1).set(batch.offsets);
  if (isVisited) {
    const addresses = memory.doubles(keptAt(), table.rows.length).fill(0);
    for (const { index, at } of kept) addresses[index] = at();
    const records = memory.doubles(givenAt(), given.length * GIVEN_NUMBERS);
    given.forEach(({ one, rows, index, width, rowsAt, at }, i) => {
      memory.ints(rowsAt(), rows.length).set(rows);
      writeValues(memory.reals(at(), rows.length * width), one.value, rows, width, N);
      records.set([index, rows.length, rowsAt(), at()], i * GIVEN_NUMBERS);
    });
  }
  const none: Address = 0;
  const sum = memory.functions.forward_batch(
    pool,
    description,
    parameters,
    work(),
    tokens(),
    targets(),
    offsets(),
    N,
    S,
    longest,
    logits(),
    losses(),
    isVisited ? givenAt() : none,
    given.length,
    isVisited ? keptAt() : none,
  );
  return {
    logits: copy(memory.reals(logits(), nTargets * config.dVocab)),
    losses: copy(memory.reals(losses(), nTargets)),
    lossNats: sum / nTargets,
    activations: new Map(kept.map(({ name, numbers, at }) => [name, copy(memory.reals(at(), numbers))])),
  };
}

/** The rows of the batch that an intervention sets: ascending, each once. */
function rowsOf<R extends RealArray>({ positions }: RealIntervention<R>, N: number): Int32Array {
  if (positions === undefined) {
    const all = new Int32Array(N);
    for (let row = 0; row < N; row++) all[row] = row;
    return all;
  }
  const isAscending = positions.every((row, i) => i === 0 || positions[i - 1] < row);
  return isAscending ? positions : Int32Array.from(new Set(positions)).sort();
}

/** @param out - [rows, width]; written. @param value - a number, one row, or all N rows */
function writeValues<R extends RealArray>(
  out: R,
  value: number | R,
  rows: Int32Array,
  width: number,
  N: number,
): void {
  if (typeof value === 'number') {
    out.fill(value);
    return;
  }
  if (rows.length === N && value.length === N * width) {
    out.set(value);
    return;
  }
  const one = value.length === width;
  for (let i = 0; i < rows.length; i++) {
    const from = one ? 0 : rows[i] * width;
    for (let c = 0; c < width; c++) out[i * width + c] = value[from + c];
  }
}
