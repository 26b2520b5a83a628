/**
 * Capturing activations when nothing is overwritten: one pass over chunks of sequences that stay in cache (capture.c),
 * which copies every activation that is asked for to where it will stay. Interventions: analysis.ts. Browser-safe.
 */
import { type ActivationName, activationNames, parseActivationName } from '../../model/activations.js';
import type { GptConfig } from '../../model/gpt-config.js';
import type { Batch } from '../engine.js';
import type { BatchShape } from './batch.js';
import { Carve } from './carve.js';
import type { CaptureResult, ModelContext } from './context.js';
import { patternSize } from './interventions.js';
import type { Address, RealArray } from './module.js';

/** Whole sequences that one call of the kernels takes: [first, end), with what lies before them and in them. */
interface Group {
  readonly first: number;
  readonly end: number;
  readonly rowsBefore: number;
  readonly rows: number;
  readonly patternsBefore: number;
  readonly patterns: number;
}

/** Rows of a group of several sequences at most, where results wait in memory of the kernels to be copied out. */
const GROUP_ROWS = 256;

/** @returns activations in the order of computation; all bytes are those of analysis.ts */
export function captureActivations<R extends RealArray>(
  context: ModelContext<R>,
  batch: Batch,
  { N, S, longest, nTargets }: BatchShape,
  capture: readonly ActivationName[],
): CaptureResult<R> {
  const { config, memory, description, parameters, realBytes, pool, threads } = context;
  const { functions } = memory;
  const patterns = patternSize(config, batch);
  const wanted = new Set<string>(capture);
  const all = activationTable(config);
  const known = new Set<string>(all.rows.map(({ name }) => name));
  for (const name of wanted) if (!known.has(name)) parseActivationName(config, name); // says what is known
  const rows = all.rows.filter(({ name }) => wanted.has(name));
  const logits = memory.newReals(nTargets * config.dVocab);
  const losses = memory.newReals(nTargets);
  const results = rows.map(({ width }) => memory.newReals(width === undefined ? patterns : N * width));

  const isReached = [logits, losses, ...results].every(({ address }) => address !== undefined);
  const groups = cut(batch.offsets, config.nHeads, isReached ? Infinity : GROUP_ROWS);
  const mostRows = Math.max(...groups.map(({ rows }) => rows));
  const mostPatterns = Math.max(...groups.map(({ patterns }) => patterns));
  const carve = new Carve(memory, realBytes);
  /** where the kernels write: the result itself, or where it waits */
  const written = (address: Address | undefined, waiting: number): (() => Address) =>
    isReached && address !== undefined ? () => address : carve.reals(waiting);
  const outputs = rows.map(({ name, index, width }, i) => {
    const { array, address } = results[i];
    return {
      name,
      index,
      width,
      array,
      at: written(address, width === undefined ? mostPatterns : mostRows * width),
    };
  });
  const logitsAt = written(logits.address, logits.array.length);
  const lossesAt = written(losses.address, losses.array.length);
  const io = { tokens: carve.ints(N), targets: carve.ints(N), offsets: carve.ints(S + 1) };
  const table = carve.bytes(all.rows.length * 8);
  const work = carve.bytes(functions.capture_work_bytes(description, mostRows, S, longest, threads));
  carve.place();
  memory.ints(io.tokens(), N).set(batch.tokens);
  memory.ints(io.targets(), N).set(batch.targets);
  const addresses = memory.doubles(table(), all.rows.length).fill(0);
  for (const { index, at } of outputs) addresses[index] = at();

  let targets = 0;
  for (const { first, end, rows, rowsBefore, patterns: own, patternsBefore } of groups) {
    const offsets = memory.ints(io.offsets(), end - first + 1);
    for (let s = first; s <= end; s++) offsets[s - first] = batch.offsets[s] - rowsBefore;
    functions.capture_batch(
      pool,
      description,
      parameters,
      work(),
      io.tokens() + 4 * rowsBefore,
      io.targets() + 4 * rowsBefore,
      io.offsets(),
      rows,
      end - first,
      longest,
      table(),
      logitsAt() + realBytes * targets * config.dVocab,
      lossesAt() + realBytes * targets,
      first === 0 ? 1 : 0,
    );
    for (let i = rowsBefore; i < rowsBefore + rows; i++) if (batch.targets[i] >= 0) targets++;
    if (isReached) continue;
    for (const { width, array, at } of outputs) {
      const [before, count] =
        width === undefined ? [patternsBefore, own] : [rowsBefore * width, rows * width];
      array.set(memory.reals(at(), count), before);
    }
  }
  if (!isReached) {
    logits.array.set(memory.reals(logitsAt(), logits.array.length));
    losses.array.set(memory.reals(lossesAt(), losses.array.length));
  }
  let sum = 0;
  for (let i = 0; i < nTargets; i++) sum += losses.array[i];
  return {
    logits: logits.array,
    losses: losses.array,
    lossNats: sum / nTargets,
    activations: new Map(outputs.map(({ name, array }) => [name, array])),
  };
}

interface Row {
  readonly name: ActivationName;
  /** its place in the table of addresses */
  readonly index: number;
  /** undefined: scores or patterns */
  readonly width: number | undefined;
}
interface ActivationTable {
  /** in the order of computation */
  readonly rows: readonly Row[];
  /** those with a row a position */
  readonly rowsByName: ReadonlyMap<string, { readonly index: number; readonly width: number }>;
}
const tables = new WeakMap<GptConfig, ActivationTable>();

/** All activations of a model; made once, as taking the names apart costs as much as a small batch. */
export function activationTable(config: GptConfig): ActivationTable {
  const known = tables.get(config);
  if (known !== undefined) return known;
  const rows = activationNames(config).map((name, index) => {
    const { layout } = parseActivationName(config, name).row;
    return { name, index, width: layout.kind === 'rows' ? layout.width(config) : undefined };
  });
  const rowsByName = new Map(
    rows.flatMap(({ name, index, width }) =>
      width === undefined ? [] : [[name, { index, width }] as const],
    ),
  );
  const table = { rows, rowsByName };
  tables.set(config, table);
  return table;
}

/** Cuts a batch into groups of at most `most` rows, or of one longer sequence. */
function cut(offsets: Int32Array, nHeads: number, most: number): Group[] {
  const groups: Group[] = [];
  let first = 0;
  let patternsBefore = 0;
  let patterns = 0;
  const S = offsets.length - 1;
  for (let s = 0; s < S; s++) {
    patterns += nHeads * (offsets[s + 1] - offsets[s]) ** 2;
    if (s + 1 < S && offsets[s + 2] - offsets[first] <= most) continue;
    const rowsBefore = offsets[first];
    const rows = offsets[s + 1] - rowsBefore;
    groups.push({ first, end: s + 1, rowsBefore, rows, patternsBefore, patterns });
    first = s + 1;
    patternsBefore += patterns;
    patterns = 0;
  }
  return groups;
}
