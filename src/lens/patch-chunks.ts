/**
 * How the cells of a patching grid go through the model: several at once where prompts are few, and from where they differ
 * from the clean run, whose own values stand for what is computed before. Browser-safe.
 */
import type { Intervention, Model } from '../engine/engine.js';
import { type ActivationName, activationName, parseActivationName } from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';
import type { PatchCell, PatchSite, PromptPair } from './patch.js';
import type { Prompt } from './prompt.js';
import { lastRun, offsetsOf } from './run.js';

/** Tokens of one forward pass. */
const CHUNK_TOKENS = 16384;

/** The clean or the corrupted prompts, run once. */
export interface Side {
  readonly prompts: readonly Prompt[];
  /** [P + 1] */
  readonly offsets: Int32Array;
  /** [P, dVocab] of the last positions */
  readonly logits: Float32Array;
  /** of all positions, in their own layout */
  readonly activations: ReadonlyMap<ActivationName, Float32Array>;
}

export function sideOf(model: Model, prompts: readonly Prompt[], capture: readonly ActivationName[]): Side {
  return { prompts, offsets: offsetsOf(prompts), ...lastRun(model, prompts, { capture }) };
}

/** What goes through the model at once: of every cell the pairs [first, end), one cell after another. */
export interface PatchChunk {
  readonly cells: readonly number[];
  readonly first: number;
  readonly end: number;
  /** the one activation that all these cells change parts of the rows of: it is put together beforehand, and set as a whole */
  readonly mixed: ActivationName | undefined;
  /** activations of the clean run that are set as a whole, so that nothing before them is computed again */
  readonly resumed: readonly ActivationName[];
  /** activations of the clean run that are needed */
  readonly held: readonly ActivationName[];
}

/** How a cell is run; cells of which this is the same may go together. */
type Plan = Omit<PatchChunk, 'cells' | 'first' | 'end'>;

function planOf(config: GptConfig, cell: PatchCell): Plan {
  const names = [...new Set(cell.map(({ at }) => at))];
  const parsed = names.map((name) => parseActivationName(config, name));
  const layer = Math.min(...parsed.map((name) => name.layer ?? -1));
  const isPartial = cell.some(({ head, neuron }) => head !== undefined || neuron !== undefined);
  const mixed =
    isPartial && names.length === 1 && parsed[0].row.layout.kind === 'rows' ? names[0] : undefined;
  const inMlp = mixed !== undefined && /\.mlp\.(pre|post)$/.test(mixed);
  const resumed =
    layer >= 0 && inMlp
      ? [activationName('resid_mid', layer)]
      : layer > 0 && Number.isFinite(layer)
        ? [activationName('resid_pre', layer)]
        : [];
  // single neurons are exchanged within the clean run's own rows; single rows are compared with its own
  const own = cell.flatMap(({ at, position, neuron }) =>
    neuron === undefined && position === undefined ? [] : [at],
  );
  const held = [...new Set([...resumed, ...own, ...(mixed === undefined ? [] : [mixed])])];
  return { mixed, resumed, held };
}

/** All cells over all pairs; neighbours that are run in the same way go together as far as CHUNK_TOKENS lets them. */
export function patchChunks(
  config: GptConfig,
  pairs: readonly PromptPair[],
  cells: readonly PatchCell[],
): PatchChunk[] {
  const ranges: { first: number; end: number; tokens: number }[] = [];
  pairs.forEach(({ clean }, pair) => {
    const { length } = clean.tokens;
    const last = ranges.at(-1);
    if (last === undefined || last.tokens + length > CHUNK_TOKENS) {
      ranges.push({ first: pair, end: pair + 1, tokens: length });
    } else {
      last.end = pair + 1;
      last.tokens += length;
    }
  });
  const most = ranges.length > 1 ? 1 : Math.max(1, Math.floor(CHUNK_TOKENS / ranges[0].tokens));
  const groups: { key: string; plan: Plan; cells: number[] }[] = [];
  cells.forEach((cell, c) => {
    const plan = planOf(config, cell);
    const key = JSON.stringify([plan.mixed ?? null, plan.resumed]);
    const last = groups.at(-1);
    if (last?.key === key && last.cells.length < most) {
      last.cells.push(c);
      last.plan = { ...plan, held: [...new Set([...last.plan.held, ...plan.held])] };
    } else {
      groups.push({ key, plan, cells: [c] });
    }
  });
  return groups.flatMap(({ plan, cells: own }) =>
    ranges.map(({ first, end }) => ({ ...plan, cells: own, first, end })),
  );
}

interface Sides {
  readonly clean: Side;
  readonly corrupted: Side;
}

/**
 * Whether a cell changes anything in the pairs of a chunk: single positions whose corrupted rows are the clean ones, bit for
 * bit, change nothing, as where both prompts have the same token and no other before.
 */
export function changesAnything(
  config: GptConfig,
  cell: PatchCell,
  { first, end }: PatchChunk,
  { clean, corrupted }: Sides,
): boolean {
  return cell.some(({ at, position }) => {
    const isRows = parseActivationName(config, at).row.layout.kind === 'rows';
    const [own, other] = [clean, corrupted].map(({ activations }) => activations.get(at));
    if (position === undefined || !isRows || own === undefined || other === undefined) return true;
    const width = own.length / clean.offsets[clean.prompts.length];
    const [a, b] = [own, other].map((x) => new Int32Array(x.buffer, x.byteOffset, x.length));
    for (let pair = first; pair < end; pair++) {
      const from = (clean.offsets[pair] + position) * width;
      for (let i = from; i < from + width; i++) if (a[i] !== b[i]) return true;
    }
    return false;
  });
}

/** The interventions of a chunk: first where the clean run is gone on from, then what its cells change. */
export function patchesOf(
  config: GptConfig,
  chunk: PatchChunk,
  cells: readonly PatchCell[],
  { clean, corrupted }: Sides,
): Intervention[] {
  const { first, end, mixed, resumed } = chunk;
  const own = chunk.cells.map((cell) => cells[cell]);
  const part = (side: Side, at: ActivationName): Float32Array => partOf(config, side, at, first, end);
  const start = resumed.map((at): Intervention => ({
    at,
    op: 'set',
    value: joined(own.map(() => part(clean, at))),
  }));
  const starts = Array.from(
    { length: end - first },
    (_, p) => clean.offsets[first + p] - clean.offsets[first],
  );
  const rows = clean.offsets[end] - clean.offsets[first];
  const mix = (at: ActivationName, sites: readonly PatchSite[]): Float32Array => {
    const out = part(clean, at).slice();
    const values = part(corrupted, at);
    const width = out.length / rows;
    const dHead = config.dModel / config.nHeads;
    for (const { position, head, neuron } of sites) {
      const [from, to] =
        neuron !== undefined
          ? [neuron, neuron + 1]
          : head !== undefined
            ? [head * dHead, (head + 1) * dHead]
            : [0, width];
      const copyRow = (row: number): void => {
        for (let i = row * width + from; i < row * width + to; i++) out[i] = values[i];
      };
      if (position !== undefined) for (const begin of starts) copyRow(begin + position);
      else for (let row = 0; row < rows; row++) copyRow(row);
    }
    return out;
  };
  if (mixed !== undefined) {
    return [...start, { at: mixed, op: 'set', value: joined(own.map((cell) => mix(mixed, cell))) }];
  }
  // sites that set the same activation and the same heads share one intervention
  const groups = new Map<string, { at: ActivationName; head?: number; rows: number[]; whole: number }>();
  own.forEach((cell, k) => {
    for (const { at, position, head } of cell) {
      const key = `${at} ${head ?? 'all'}`;
      const group = groups.get(key) ?? { at, ...(head === undefined ? {} : { head }), rows: [], whole: 0 };
      groups.set(key, group);
      if (position !== undefined) for (const begin of starts) group.rows.push(k * rows + begin + position);
      else {
        group.whole++;
        for (let row = 0; row < rows; row++) group.rows.push(k * rows + row);
      }
    }
  });
  const values = new Map<ActivationName, Float32Array>();
  const valueOf = (at: ActivationName): Float32Array => {
    let value = values.get(at);
    if (value === undefined) {
      value = joined(
        own.map((cell) => {
          const neurons = cell.filter((site) => site.at === at && site.neuron !== undefined);
          return neurons.length > 0 ? mix(at, neurons) : part(corrupted, at);
        }),
      );
      values.set(at, value);
    }
    return value;
  };
  const changes = [...groups.values()].map(({ at, head, rows: changed, whole }): Intervention => {
    const positions = whole === own.length ? {} : { positions: ascending(changed) };
    return {
      at,
      op: 'set',
      value: valueOf(at),
      ...positions,
      ...(head === undefined ? {} : { heads: [head] }),
    };
  });
  return [...start, ...changes];
}

/** Rows, each once, in order. */
function ascending(rows: readonly number[]): Int32Array {
  const isAscending = rows.every((row, i) => i === 0 || rows[i - 1] < row);
  return isAscending ? Int32Array.from(rows) : Int32Array.from(new Set(rows)).sort();
}

/** One after another; a single one as it is. */
function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let from = 0;
  for (const part of parts) {
    out.set(part, from);
    from += part.length;
  }
  return out;
}

/** An activation of the pairs [first, end): rows [T, width], or patterns [heads, T, T], sequence after sequence. */
function partOf(
  config: GptConfig,
  { offsets, activations }: Side,
  at: ActivationName,
  first: number,
  end: number,
): Float32Array {
  const x = activations.get(at);
  if (x === undefined) throw new RangeError(`The engine did not return ${at}.`);
  const last = offsets.length - 1;
  if (first === 0 && end === last) return x;
  if (parseActivationName(config, at).row.layout.kind === 'rows') {
    const width = x.length / offsets[last];
    return x.subarray(offsets[first] * width, offsets[end] * width);
  }
  const before = (pair: number): number => {
    let squares = 0;
    for (let p = 0; p < pair; p++) squares += (offsets[p + 1] - offsets[p]) ** 2;
    return squares * config.nHeads;
  };
  return x.subarray(before(first), before(end));
}
