/**
 * What can be ablated in a model, and the interventions that do it. Components name activations; values come from
 * values.ts; nothing is run here.
 */
import type { Intervention } from '../engine/engine.js';
import { type ActivationName, activationName } from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';

export const KINDS = ['attention', 'feed-forward', 'both'] as const;
export type Kind = (typeof KINDS)[number];

/** A part whose write is replaced: a whole kind, one layer's attention or feed-forward, or one head. */
export interface Component {
  /** `attention`, `feed-forward 1`, `head 0.2`; layers and heads count from 0 */
  readonly id: string;
  readonly kind: Kind;
  readonly scope: 'kind' | 'layer' | 'head';
  readonly sites: readonly ComponentSite[];
}

export interface ComponentSite {
  readonly at: ActivationName;
  /** only this head's columns of attn.z */
  readonly head?: number;
}

export const METHODS = ['resample', 'mean', 'zero', 'random'] as const;
/** `random` is the control: x plus a random vector as long as (r - x), r of the resample ablation. */
export type Method = (typeof METHODS)[number];

/** Kinds first, then layers in order, then heads. With shared blocks a layer is one pass through the block. */
export function listComponents(config: GptConfig): Component[] {
  const layers = Array.from({ length: config.nLayers }, (_, layer) => layer);
  const attention = (layer: number): ComponentSite => ({ at: activationName('attn_out', layer) });
  const mlp = (layer: number): ComponentSite => ({ at: activationName('mlp_out', layer) });
  const name = config.shareBlocks ? 'pass ' : '';
  return [
    { id: 'attention', kind: 'attention', scope: 'kind', sites: layers.map(attention) },
    { id: 'feed-forward', kind: 'feed-forward', scope: 'kind', sites: layers.map(mlp) },
    ...layers.flatMap((layer): Component[] => [
      { id: `attention ${name}${layer}`, kind: 'attention', scope: 'layer', sites: [attention(layer)] },
      { id: `feed-forward ${name}${layer}`, kind: 'feed-forward', scope: 'layer', sites: [mlp(layer)] },
    ]),
    ...layers.flatMap((layer) =>
      Array.from({ length: config.nHeads }, (_, head): Component => ({
        id: `head ${name}${layer}.${head}`,
        kind: 'attention',
        scope: 'head',
        sites: [{ at: activationName('attn.z', layer), head }],
      })),
    ),
  ];
}

/** Both kinds at once; part of the dose curves only. */
export function bothKinds(components: readonly Component[]): Component {
  const sites = components.filter(({ scope }) => scope === 'kind').flatMap((component) => component.sites);
  return { id: 'both', kind: 'both', scope: 'kind', sites };
}

/** Replacement of every activation under one method: [N, C] in the rows of the batch. */
export type Replacements = ReadonlyMap<ActivationName, Float32Array>;

export interface Treatment {
  readonly component: Component;
  /** zero needs no values; random's are added, the others' take the place of x */
  readonly op: 'zero' | 'replace' | 'add';
  readonly values?: Replacements;
  /** x becomes (1 - alpha) x + alpha r, or x + alpha r when added */
  readonly alpha: number;
  /** absent: all rows */
  readonly positions?: Int32Array;
  /** direct effect: every other sublayer is held at these clean writes; absent: everything downstream is recomputed */
  readonly frozen?: Replacements;
  /** where alpha r is written, an array an activation; overwritten by the next treatment */
  readonly scratch: Map<string, Float32Array>;
}

/** The interventions of one treatment. */
export function interventionsOf({
  scratch,
  component,
  op,
  values,
  alpha,
  positions,
  frozen,
}: Treatment): Intervention[] {
  const out: Intervention[] = [];
  for (const { at, head } of component.sites) {
    const where = {
      at,
      ...(positions === undefined ? {} : { positions }),
      ...(head === undefined ? {} : { heads: [head] }),
    };
    if (op === 'zero') {
      out.push(alpha === 1 ? { ...where, op: 'set', value: 0 } : { ...where, op: 'scale', value: 1 - alpha });
      continue;
    }
    const value = values?.get(at);
    if (value === undefined) throw new RangeError(`No replacement for ${at}.`);
    if (op === 'replace' && alpha === 1) {
      out.push({ ...where, op: 'set', value });
      continue;
    }
    if (op === 'replace') out.push({ ...where, op: 'scale', value: 1 - alpha });
    out.push({ ...where, op: 'add', value: alpha === 1 ? value : scaled(value, alpha, scratch, at) });
  }
  return frozen === undefined ? out : [...out, ...freeze(component, frozen)];
}

/** alpha r, in an array that is used again: a new one a dose would cost more than the arithmetic. */
function scaled(
  r: Float32Array,
  alpha: number,
  scratch: Map<string, Float32Array>,
  at: string,
): Float32Array {
  let out = scratch.get(at);
  if (out === undefined || out.length !== r.length) {
    out = new Float32Array(r.length);
    scratch.set(at, out);
  }
  for (let i = 0; i < r.length; i++) out[i] = alpha * r[i];
  return out;
}

/** Sets every sublayer write that the component has no part in. */
function freeze(component: Component, frozen: Replacements): Intervention[] {
  // a head writes through its layer's attn_out, which must then stay free
  const free = new Set<string>(
    component.sites.flatMap(({ at }) => [at, at.replace(/\.attn\.z$/, '.attn_out')]),
  );
  return [...frozen].flatMap(([at, value]): Intervention[] =>
    free.has(at) ? [] : [{ at, op: 'set', value }],
  );
}
