/**
 * What can be changed in a model while it answers: a part, or the residual stream at a stage, at one position or at all, is
 * switched off, held at its mean, or takes another prompt's values. Browser-safe.
 */
import type { Intervention } from '../engine/engine.js';
import { UserError, unacceptable } from '../errors.js';
import { parsePart, partNames } from '../lens/ablate.js';
import { type ActivationName, activationName } from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';

export const TREATMENTS = ['zero', 'mean', 'swap'] as const;
export type Treatment = (typeof TREATMENTS)[number];

export interface Change {
  /** `L0.H1`, `L0.attn`, `L1.mlp`, or a stage of the residual stream: `L0.resid_mid` */
  readonly part: string;
  /** position in the sequence from 0; absent: all */
  readonly at?: number;
  readonly how: Treatment;
}

/** Values that take the place of a model's own: [rows, width] by activation. */
export type SourceRows = ReadonlyMap<ActivationName, Float32Array>;

interface Site {
  readonly at: ActivationName;
  readonly head?: number;
}

const STREAM = /^L(\d+)\.(resid_pre|resid_mid|resid_post)$/;

/** Stages of the residual stream that can be exchanged, in order of computation; each is there once. */
export function streamNames({ nLayers }: GptConfig): string[] {
  return Array.from({ length: nLayers }, (_, layer) => [`L${layer}.resid_pre`, `L${layer}.resid_mid`])
    .flat()
    .concat(`L${nLayers - 1}.resid_post`);
}

/** Every activation that a change can name: what a source of values has to hold. */
export function changeableActivations({ nLayers }: GptConfig): ActivationName[] {
  return Array.from({ length: nLayers }, (_, layer) =>
    (['resid_pre', 'attn.z', 'attn_out', 'resid_mid', 'mlp_out', 'resid_post'] as const).map((name) =>
      activationName(name, layer),
    ),
  ).flat();
}

export function hasPart(config: GptConfig, part: string): boolean {
  return partNames(config).includes(part) || streamNames(config).includes(part);
}

function sitesOf(config: GptConfig, part: string): readonly Site[] {
  const stream = STREAM.exec(part);
  if (stream === null) return parsePart(part, config).sites;
  return [{ at: activationName(stream[2] as 'resid_pre' | 'resid_mid' | 'resid_post', Number(stream[1])) }];
}

/**
 * The interventions of some changes on a sequence so long; a position beyond it changes nothing yet. A mean holds on at its
 * last row, another prompt's values end with it.
 * @param sources - by treatment: rows of every changeable activation
 */
export function interventionsOf(
  config: GptConfig,
  changes: readonly Change[],
  sources: (how: 'mean' | 'swap') => SourceRows,
  length: number,
): Intervention[] {
  return changes.flatMap(({ part, at: position, how }) =>
    sitesOf(config, part).flatMap(({ at, head }): Intervention[] => {
      if (position !== undefined && position >= length) return [];
      const heads = head === undefined ? {} : { heads: [head] };
      const one = position === undefined ? {} : { positions: Int32Array.of(position) };
      if (how === 'zero') return [{ at, op: 'set', value: 0, ...one, ...heads }];
      const rows = sources(how).get(at);
      if (rows === undefined) throw new RangeError(`No values for ${at}.`);
      const { dModel } = config;
      const nRows = rows.length / dModel;
      const value = new Float32Array(length * dModel);
      value.set(rows.subarray(0, Math.min(rows.length, value.length)));
      if (how === 'mean') {
        for (let t = nRows; t < length; t++) value.set(rows.subarray(rows.length - dModel), t * dModel);
        return [{ at, op: 'set', value, ...one, ...heads }];
      }
      if (position !== undefined && position >= nRows) return [];
      const known = Int32Array.from({ length: Math.min(length, nRows) }, (_, t) => t);
      return [{ at, op: 'set', value, positions: known, ...one, ...heads }];
    }),
  );
}

/** `L0.H1@5:swap`; without a position `L0.H1:zero`. */
export function changeText({ part, at, how }: Change): string {
  return `${part}${at === undefined ? '' : `@${at}`}:${how}`;
}

const CHANGE = /^(L\d{1,3}\.(?:attn|mlp|H\d{1,4}|resid_pre|resid_mid|resid_post))(?:@(\d{1,4}))?:([a-z]+)$/;

/** @throws UserError in one line */
export function parseChange(text: string): Change {
  const match = CHANGE.exec(text);
  if (match === null)
    throw unacceptable('change', text, 'a part and what is done, such as L0.H1:zero or L0.mlp@5:swap');
  const [, part, at, word] = match;
  const how = TREATMENTS.find((name) => name === word);
  if (how === undefined) throw unacceptable('change', text, `one of ${TREATMENTS.join(', ')} after ":"`);
  return { part, how, ...(at === undefined ? {} : { at: Number(at) }) };
}

/** Same part and position: at most one change stands there. */
export const isSamePlace = (a: Change, b: Change): boolean => a.part === b.part && a.at === b.at;

/** Puts a change in, or takes it out where the very same stands. */
export function toggled(changes: readonly Change[], change: Change): Change[] {
  const others = changes.filter((other) => !isSamePlace(other, change));
  const same = changes.some((other) => isSamePlace(other, change) && other.how === change.how);
  return same ? others : [...others, change];
}

/** @throws UserError where a model has no such part */
export function checkPart(config: GptConfig, part: string): void {
  if (hasPart(config, part)) return;
  throw new UserError(
    `change: found the part ${part}, expected one of ${[...partNames(config), ...streamNames(config)].join(', ')}.`,
  );
}
