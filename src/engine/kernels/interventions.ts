/** Overwriting one activation during the analysis pass. Browser-safe. */
import { unacceptable } from '../../errors.js';
import { parseActivationName, type ActivationRow } from '../../model/activations.js';
import type { GptConfig } from '../../model/gpt-config.js';
import type { Batch, ForwardOptions, Intervention } from '../engine.js';
import type { RealArray } from './module.js';

/** An intervention whose name, heads, positions and value have been checked against a batch. */
export type CheckedIntervention<R extends RealArray> = Omit<Intervention, 'value'> & {
  readonly value: number | R;
  readonly row: ActivationRow;
};

const HEAD_ROWS = ['attn.q', 'attn.k', 'attn.v', 'attn.z'];

/** Numbers of all patterns of a batch: sum over sequences of nHeads T^2. */
export function patternSize(config: GptConfig, batch: Batch): number {
  let size = 0;
  for (let s = 0; s + 1 < batch.offsets.length; s++) {
    size += config.nHeads * (batch.offsets[s + 1] - batch.offsets[s]) ** 2;
  }
  return size;
}

/** @throws UserError where rows with a target are asked for of an activation that has no row a position */
export function checkCapture(
  config: GptConfig,
  { capture = [], captureRows = 'all' }: Pick<ForwardOptions, 'capture' | 'captureRows'>,
): void {
  if (captureRows === 'all') return;
  for (const name of capture) {
    if (parseActivationName(config, name).row.layout.kind === 'rows') continue;
    throw unacceptable('capture', name, "activations of one row a position with captureRows 'targets'");
  }
}

/** The rows with a target of x [N, width]. @param rows - ascending */
export function pickRows<R extends RealArray>(x: R, rows: Int32Array, width: number, stride: number): R {
  const out = x.slice(0, rows.length * width) as R;
  for (let i = 0; i < rows.length; i++) {
    for (let c = 0; c < width; c++) out[i * width + c] = x[rows[i] * stride + c];
  }
  return out;
}

/** Throws a UserError where an intervention does not fit the model or the batch. */
export function checkIntervention<R extends RealArray>(
  config: GptConfig,
  batch: Batch,
  intervention: Omit<Intervention, 'value'> & { readonly value: number | R },
): CheckedIntervention<R> {
  const { at, heads, positions, value } = intervention;
  const { row } = parseActivationName(config, at);
  const N = batch.tokens.length;
  for (const position of positions ?? []) {
    if (position < 0 || position >= N) {
      throw unacceptable(
        `positions of the intervention at ${at}`,
        position,
        `rows 0 to ${N - 1} of the batch`,
      );
    }
  }
  if (heads !== undefined) {
    if (row.layout.kind === 'rows' && !HEAD_ROWS.includes(row.name)) {
      throw unacceptable(
        `heads of the intervention at ${at}`,
        heads,
        'none, as this activation has no heads',
      );
    }
    for (const head of heads) {
      if (!Number.isInteger(head) || head < 0 || head >= config.nHeads) {
        throw unacceptable(
          `heads of the intervention at ${at}`,
          head,
          `whole numbers from 0 to ${config.nHeads - 1}`,
        );
      }
    }
  }
  if (typeof value !== 'number') {
    const allowed =
      row.layout.kind === 'rows'
        ? [row.layout.width(config), N * row.layout.width(config)]
        : [patternSize(config, batch)];
    if (!allowed.includes(value.length)) {
      throw unacceptable(
        `value of the intervention at ${at}`,
        value.length,
        `${allowed.join(' or ')} numbers`,
      );
    }
  }
  return { ...intervention, row };
}

/** Rows of a batch that are left in an activation, the others having been left out. */
export interface CutRows {
  /** their rows in the batch, ascending */
  readonly rows: Int32Array;
  /** [N] their places in the activation; -1 where a row was left out */
  readonly places: Int32Array;
}

export function cutRows(N: number, rows: Int32Array): CutRows {
  const places = new Int32Array(N).fill(-1);
  rows.forEach((row, i) => (places[row] = i));
  return { rows, places };
}

/**
 * Changes an activation in place.
 * @param stride - numbers from one row to the next; not for patterns
 * @param x - [N, stride] rows, or concatenated [nHeads, T, T] patterns. Pattern entries above the diagonal are the
 *   mask and are never changed.
 * @param cut - absent: x has all N rows
 */
export function applyIntervention<R extends RealArray>(
  config: GptConfig,
  batch: Batch,
  intervention: CheckedIntervention<R>,
  stride: number,
  x: R,
  cut?: CutRows,
): void {
  if (intervention.row.layout.kind === 'pattern') {
    applyToPattern(config, batch, intervention, x);
  } else {
    applyToRows(config, intervention, intervention.row.layout.width(config), stride, x, cut);
  }
}

function applyToRows<R extends RealArray>(
  config: GptConfig,
  { op, value, heads, positions }: CheckedIntervention<R>,
  width: number,
  stride: number,
  x: R,
  cut: CutRows | undefined,
): void {
  const dHead = config.dModel / config.nHeads;
  const one = typeof value === 'number' || value.length === width;
  if (cut === undefined && positions === undefined && heads === undefined && stride === width) {
    if (typeof value === 'number' || value.length === x.length) {
      change(op, x, 0, x.length, value, 0);
      return;
    }
  }
  const ranges = heads?.map((head) => [head * dHead, (head + 1) * dHead] as const) ?? [[0, width] as const];
  const rows = positions ?? cut?.rows;
  const count = rows?.length ?? x.length / stride;
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : rows[i];
    const place = cut === undefined ? row : cut.places[row];
    if (place < 0) continue;
    for (const [from, to] of ranges) {
      change(op, x, place * stride + from, to - from, value, one ? from : row * width + from);
    }
  }
}

function applyToPattern<R extends RealArray>(
  config: GptConfig,
  batch: Batch,
  { op, value, heads, positions }: CheckedIntervention<R>,
  x: R,
): void {
  const wanted = positions === undefined ? undefined : new Set(positions);
  let at = 0;
  for (let s = 0; s + 1 < batch.offsets.length; s++) {
    const T = batch.offsets[s + 1] - batch.offsets[s];
    for (let head = 0; head < config.nHeads; head++) {
      for (let query = 0; query < T; query++, at += T) {
        if (heads !== undefined && !heads.includes(head)) continue;
        if (wanted !== undefined && !wanted.has(batch.offsets[s] + query)) continue;
        change(op, x, at, query + 1, value, at);
      }
    }
  }
}

/** Changes x[at .. at + n) by a number or by value[from .. from + n); one plain loop each, as this is most of a dose. */
function change<R extends RealArray>(
  op: Intervention['op'],
  x: R,
  at: number,
  n: number,
  value: number | R,
  from: number,
): void {
  if (typeof value === 'number') {
    switch (op) {
      case 'set':
        x.fill(value, at, at + n);
        return;
      case 'add':
        for (let j = 0; j < n; j++) x[at + j] += value;
        return;
      case 'scale':
        for (let j = 0; j < n; j++) x[at + j] *= value;
        return;
    }
  }
  switch (op) {
    case 'set':
      // a call costs more than a few numbers
      if (n > 256) x.set(value.subarray(from, from + n), at);
      else for (let j = 0; j < n; j++) x[at + j] = value[from + j];
      return;
    case 'add':
      for (let j = 0; j < n; j++) x[at + j] += value[from + j];
      return;
    case 'scale':
      for (let j = 0; j < n; j++) x[at + j] *= value[from + j];
      return;
  }
}
