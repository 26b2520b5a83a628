/**
 * Activation patching: the clean prompt runs with some activations of a corrupted one, and a metric says how far the answer
 * moved (Meng et al. 2022; Zhang and Nanda 2024 for its choices). Here the corrupted values go into the clean run, so that
 * 0 is nothing changed and 1 the corrupted run itself. Path patching is path.ts. Browser-safe.
 */
import type { Model } from '../engine/engine.js';
import { UserError } from '../errors.js';
import {
  type ActivationName,
  type BlockActivation,
  activationName,
  parseActivationName,
} from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';
import { logDeterministic } from '../tensor/math.js';
import type { Prompt } from './prompt.js';
import { type Side, changesAnything, patchChunks, patchesOf, sideOf } from './patch-chunks.js';
import { lastLogits, probabilitiesOf } from './run.js';

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

/** @throws UserError for pairs of unequal length */
export function patchCells(
  model: Model,
  pairs: readonly PromptPair[],
  cells: readonly PatchCell[],
  metric: Metric = METRICS['logit difference'],
): PatchResult {
  checkPairs(pairs);
  for (const { at } of cells.flat()) parseActivationName(model.config, at);
  const chunks = patchChunks(model.config, pairs, cells);
  const sideRun = (side: keyof PromptPair, capture: readonly ActivationName[]): Side =>
    sideOf(
      model,
      pairs.map((pair) => pair[side]),
      capture,
    );
  const clean = sideRun('clean', [...new Set(chunks.flatMap(({ held }) => held))]);
  const corrupted = sideRun('corrupted', [...new Set(cells.flat().map(({ at }) => at))]);
  const { dVocab } = model.config;
  const metricOf = (logits: Float32Array, pair: number, row = pair): number =>
    metric(logits.subarray(row * dVocab, (row + 1) * dVocab), pairs[pair]);
  const values = cells.map(() => new Float64Array(pairs.length));
  for (const chunk of chunks) {
    const { first, end } = chunk;
    const isRun = (cell: number): boolean =>
      changesAnything(model.config, cells[cell], chunk, { clean, corrupted });
    const run = chunk.cells.filter(isRun);
    for (const cell of chunk.cells) {
      if (run.includes(cell)) continue;
      for (let pair = first; pair < end; pair++) values[cell][pair] = metricOf(clean.logits, pair);
    }
    if (run.length === 0) continue;
    const asked = { ...chunk, cells: run };
    const prompts = run.flatMap(() => clean.prompts.slice(first, end));
    const logits = lastLogits(model, prompts, patchesOf(model.config, asked, cells, { clean, corrupted }));
    run.forEach((cell, k) => {
      for (let pair = first; pair < end; pair++) {
        values[cell][pair] = metricOf(logits, pair, k * (end - first) + pair - first);
      }
    });
  }
  const [from, to] = [clean, corrupted].map(({ logits }) =>
    Float64Array.from(pairs, (_, pair) => metricOf(logits, pair)),
  );
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
