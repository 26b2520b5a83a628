/**
 * Activation patching: the clean prompt runs with some activations of a corrupted one, and a metric says how far the answer
 * moved (Meng et al. 2022; Zhang and Nanda 2024 for its choices). Here the corrupted values go into the clean run, so that
 * 0 is nothing changed and 1 the corrupted run itself. Path patching is path.ts. Browser-safe.
 */
import type { Intervention, Model } from '../engine/engine.js';
import { UserError } from '../errors.js';
import {
  type ActivationLayout,
  type ActivationName,
  type BlockActivation,
  activationName,
  parseActivationName,
} from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';
import { logDeterministic } from '../tensor/math.js';
import type { Prompt } from './prompt.js';
import { type LensRun, lastLogits, logitsAt, offsetsOf, probabilitiesOf, rowOf, runPrompts } from './run.js';

export interface PromptPair {
  readonly clean: Prompt;
  /** of the same length */
  readonly corrupted: Prompt;
}

/** A number for the answer at the last position. @param logits - [dVocab] */
export type Metric = (logits: Float32Array, pair: PromptPair) => number;

/** The token that a right answer begins with. @throws UserError where it is not known */
export function answerOf(prompt: Prompt): number {
  const answer = prompt.completion?.[0];
  if (answer === undefined) {
    throw new UserError(
      'prompt: found one whose right answer is not known, expected an expression on its true chain.',
    );
  }
  return answer;
}

export const METRICS = {
  /** logit of the clean answer less that of the corrupted one */
  'logit difference': (logits, { clean, corrupted }) => logits[answerOf(clean)] - logits[answerOf(corrupted)],
  /** of the clean answer */
  probability: (logits, { clean }) => probabilitiesOf(logits)[answerOf(clean)],
  /** cross-entropy of the clean answer in nats */
  loss: (logits, { clean }) => -logDeterministic(probabilitiesOf(logits)[answerOf(clean)]),
} as const satisfies Readonly<Record<string, Metric>>;
export type MetricName = keyof typeof METRICS;

/** One place where the corrupted value goes. */
export interface PatchSite {
  readonly at: ActivationName;
  /** absent: all positions. Of a pattern: query positions */
  readonly position?: number;
  readonly head?: number;
  /** one column of a feed-forward activation */
  readonly neuron?: number;
}

/** What is patched at once. */
export type PatchCell = readonly PatchSite[];

export interface PatchResult {
  /** [cells][pairs] the metric */
  readonly values: readonly Float64Array[];
  /** [pairs] without a patch, and of the corrupted prompt itself */
  readonly clean: Float64Array;
  readonly corrupted: Float64Array;
  /** [cells] mean over pairs of (value - clean) over mean of (corrupted - clean): 0 nothing, 1 everything; NaN where both runs agree */
  readonly effect: Float64Array;
}

/** Tokens of one forward pass. */
const CHUNK_TOKENS = 4096;

/** @throws UserError for pairs of unequal length */
export function patchCells(
  model: Model,
  pairs: readonly PromptPair[],
  cells: readonly PatchCell[],
  metric: Metric = METRICS['logit difference'],
): PatchResult {
  checkPairs(pairs);
  const names = [...new Set(cells.flat().map(({ at }) => at))];
  for (const name of names) parseActivationName(model.config, name);
  const clean = runPrompts(
    model,
    pairs.map((pair) => pair.clean),
    {
      capture: [
        ...new Set([
          // single neurons are exchanged within the clean run's own rows
          ...cells.flat().flatMap((site) => (site.neuron === undefined ? [] : [site.at])),
          ...cells.flatMap((cell) => startOf(model.config, [cell]) ?? []),
        ]),
      ],
    },
  );
  const corrupted = runPrompts(
    model,
    pairs.map((pair) => pair.corrupted),
    { capture: names },
  );
  const metricOf = (run: LensRun): Float64Array =>
    Float64Array.from(pairs, (pair, p) => metric(logitsAt(run, rowOf(run, p)), pair));
  const { dVocab } = model.config;
  const values = cells.map(() => new Float64Array(pairs.length));
  for (const copies of chunks(cells.length, pairs)) {
    const prompts = copies.map(({ pair }) => pairs[pair].clean);
    const offsets = offsetsOf(prompts);
    const interventions = [
      ...resumed(model.config, copies, cells, clean),
      ...interventionsFor(model, copies, cells, { clean, corrupted, offsets }),
    ];
    const logits = lastLogits(model, prompts, interventions);
    copies.forEach(({ cell, pair }, copy) => {
      values[cell][pair] = metric(logits.subarray(copy * dVocab, (copy + 1) * dVocab), pairs[pair]);
    });
  }
  const [from, to] = [metricOf(clean), metricOf(corrupted)];
  return { values, clean: from, corrupted: to, effect: effectOf(values, from, to) };
}

/** Share of the way from the clean to the corrupted answer, means over pairs. @param values - [cells][pairs] @returns [cells] */
export function effectOf(
  values: readonly Float64Array[],
  clean: Float64Array,
  corrupted: Float64Array,
): Float64Array {
  const sum = (x: Float64Array): number => x.reduce((total, value) => total + value, 0);
  const range = sum(corrupted) - sum(clean);
  // + 0: no negative zero
  return Float64Array.from(values, (own) => (range === 0 ? NaN : (sum(own) - sum(clean)) / range + 0));
}

interface Copy {
  readonly cell: number;
  readonly pair: number;
}

/** Copies of the clean prompts, each with one cell, a forward pass at a time. */
function* chunks(nCells: number, pairs: readonly PromptPair[]): Generator<Copy[]> {
  let copies: Copy[] = [];
  let tokens = 0;
  for (let cell = 0; cell < nCells; cell++) {
    for (let pair = 0; pair < pairs.length; pair++) {
      const length = pairs[pair].clean.tokens.length;
      if (copies.length > 0 && tokens + length > CHUNK_TOKENS) {
        yield copies;
        copies = [];
        tokens = 0;
      }
      copies.push({ cell, pair });
      tokens += length;
    }
  }
  if (copies.length > 0) yield copies;
}

/** Everything before the first layer that is changed is as in the clean run: what its stream holds there; undefined: no layer before. */
function startOf(config: GptConfig, cells: readonly PatchCell[]): ActivationName | undefined {
  const layers = cells.flat().map(({ at }) => parseActivationName(config, at).layer ?? -1);
  const first = Math.min(...layers);
  return first > 0 && Number.isFinite(first) ? activationName('resid_pre', first) : undefined;
}

/** Goes on from the clean run's values instead of computing them again: the same numbers. */
function resumed(
  config: GptConfig,
  copies: readonly Copy[],
  cells: readonly PatchCell[],
  clean: LensRun,
): Intervention[] {
  const at = startOf(
    config,
    [...new Set(copies.map(({ cell }) => cell))].map((cell) => cells[cell]),
  );
  if (at === undefined) return [];
  const own = blocksOf(clean, at, 'rows');
  return [{ at, op: 'set', value: concatenated(copies.map(({ pair }) => own[pair].values)) }];
}

interface Sources {
  readonly clean: LensRun;
  readonly corrupted: LensRun;
  /** of the copies */
  readonly offsets: Int32Array;
}

/** Sites that set the same activation and the same heads share one intervention. */
function interventionsFor(
  { config }: Model,
  copies: readonly Copy[],
  cells: readonly PatchCell[],
  { clean, corrupted, offsets }: Sources,
): Intervention[] {
  const groups = new Map<string, { at: ActivationName; head?: number; rows: Set<number> }>();
  copies.forEach(({ cell }, copy) => {
    for (const { at, position, head } of cells[cell]) {
      const key = `${at} ${head ?? 'all'}`;
      const group = groups.get(key) ?? { at, ...(head === undefined ? {} : { head }), rows: new Set() };
      groups.set(key, group);
      const [from, to] =
        position === undefined
          ? [offsets[copy], offsets[copy + 1]]
          : [offsets[copy] + position, offsets[copy] + position + 1];
      for (let row = from; row < to; row++) group.rows.add(row);
    }
  });
  const values = new Map<ActivationName, Float32Array>();
  return [...groups.values()].map(({ at, head, rows }) => {
    let value = values.get(at);
    if (value === undefined) {
      const { kind } = parseActivationName(config, at).row.layout;
      const own = blocksOf(clean, at, kind);
      const other = blocksOf(corrupted, at, kind);
      value = concatenated(copies.map((copy) => blockOf(copy, cells, at, own, other)));
      values.set(at, value);
    }
    const positions = Int32Array.from([...rows].sort((a, b) => a - b));
    return { at, op: 'set', value, positions, ...(head === undefined ? {} : { heads: [head] }) };
  });
}

/** What one copy takes: its pair's corrupted values, or, where single neurons are exchanged, its own but for those. */
function blockOf(
  { cell, pair }: Copy,
  cells: readonly PatchCell[],
  at: ActivationName,
  own: readonly Block[],
  other: readonly Block[],
): Float32Array {
  const neurons = cells[cell].flatMap((site) =>
    site.at === at && site.neuron !== undefined ? [{ ...site, neuron: site.neuron }] : [],
  );
  const { values, width } = other[pair];
  if (neurons.length === 0) return values;
  const mixed = own[pair].values.slice();
  for (const { position, neuron } of neurons) {
    for (let start = 0; start < mixed.length; start += width) {
      if (position === undefined || start === position * width)
        mixed[start + neuron] = values[start + neuron];
    }
  }
  return mixed;
}

/** One sequence's part of an activation: rows [T, width], or patterns [heads, T, T]. */
interface Block {
  readonly values: Float32Array;
  readonly width: number;
}

function blocksOf(run: LensRun, at: ActivationName, kind: ActivationLayout['kind']): Block[] {
  const x = run.activations.get(at);
  if (x === undefined) return [];
  const lengths = Array.from(run.offsets.subarray(1), (end, s) => end - run.offsets[s]);
  const unitsOf = (length: number): number => (kind === 'rows' ? length : length * length);
  const scale = x.length / lengths.reduce((sum, length) => sum + unitsOf(length), 0);
  let from = 0;
  return lengths.map((length) => {
    const size = scale * unitsOf(length);
    from += size;
    return { values: x.subarray(from - size, from), width: size / length };
  });
}

function concatenated(blocks: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let from = 0;
  for (const block of blocks) {
    out.set(block, from);
    from += block.length;
  }
  return out;
}

/** @throws UserError */
export function checkPairs(pairs: readonly PromptPair[]): void {
  if (pairs.length === 0) throw new UserError('patching: found no pairs of prompts, expected at least one.');
  pairs.forEach(({ clean, corrupted }, p) => {
    if (clean.tokens.length === corrupted.tokens.length) return;
    throw new UserError(
      `patching: found ${clean.tokens.length} tokens in the clean and ${corrupted.tokens.length} in the corrupted prompt ` +
        `of pair ${p}, expected as many. Change numbers or operations, not how many there are.`,
    );
  });
}

/** Sites named by the layer and the place: one cell a layer and position. */
export function positionCells(
  config: GptConfig,
  name: Extract<BlockActivation, 'resid_pre' | 'resid_mid' | 'resid_post' | 'attn_out' | 'mlp_out'>,
  nPositions: number,
): PatchCell[] {
  return Array.from({ length: config.nLayers }, (_, layer) =>
    Array.from({ length: nPositions }, (_, position) => [{ at: activationName(name, layer), position }]),
  ).flat();
}

/** One cell a layer and head, at all positions or at one. */
export function headCells(config: GptConfig, position?: number): PatchCell[] {
  return Array.from({ length: config.nLayers }, (_, layer) =>
    Array.from({ length: config.nHeads }, (_, head) => [
      { at: activationName('attn.z', layer), head, ...(position === undefined ? {} : { position }) },
    ]),
  ).flat();
}
