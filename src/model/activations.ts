/**
 * THE table of activations: one row a stage boundary of the forward pass, in the order of computation. Names are
 * TransformerLens's without `hook_`. With shared blocks the block index counts applications. Browser-safe.
 */
import type { GptConfig } from './gpt-config.js';
import { unacceptable, nearest } from '../errors.js';

/** How one activation lies in memory, for N tokens in S ragged sequences of lengths T_s. */
export type ActivationLayout =
  /** [N, width] row-major float32 */
  | { readonly kind: 'rows'; readonly width: (config: GptConfig) => number }
  /** for each sequence [nHeads, T_s, T_s] row-major (head, query, key), concatenated over sequences */
  | { readonly kind: 'pattern' };

export interface ActivationRow {
  /** name inside a block (`resid_pre`) or of the whole model (`embed`) */
  readonly name: string;
  readonly scope: 'model' | 'block';
  readonly layout: ActivationLayout;
  readonly meaning: string;
}

const rows = (width: (config: GptConfig) => number): ActivationLayout => ({ kind: 'rows', width });
const residual = rows((config) => config.dModel);
const mlp = rows((config) => config.dMlp);
const pattern: ActivationLayout = { kind: 'pattern' };

export const ACTIVATIONS = [
  { name: 'embed', scope: 'model', layout: residual, meaning: 'token embedding' },
  { name: 'pos_embed', scope: 'model', layout: residual, meaning: 'position embedding' },
  { name: 'resid_pre', scope: 'block', layout: residual, meaning: 'residual stream before the block' },
  {
    name: 'ln1.normalized',
    scope: 'block',
    layout: residual,
    meaning: 'after LayerNorm 1, weight and bias applied',
  },
  { name: 'attn.q', scope: 'block', layout: residual, meaning: 'queries, heads side by side' },
  { name: 'attn.k', scope: 'block', layout: residual, meaning: 'keys' },
  { name: 'attn.v', scope: 'block', layout: residual, meaning: 'values' },
  {
    name: 'attn.attn_scores',
    scope: 'block',
    layout: pattern,
    meaning: 'q.k / sqrt(dHead); -Infinity above the diagonal',
  },
  {
    name: 'attn.pattern',
    scope: 'block',
    layout: pattern,
    meaning: 'softmax of the scores; 0 above the diagonal',
  },
  { name: 'attn.z', scope: 'block', layout: residual, meaning: 'pattern-weighted values' },
  { name: 'attn_out', scope: 'block', layout: residual, meaning: "attention's write to the residual stream" },
  {
    name: 'resid_mid',
    scope: 'block',
    layout: residual,
    meaning: 'residual stream between attention and feed-forward',
  },
  {
    name: 'ln2.normalized',
    scope: 'block',
    layout: residual,
    meaning: 'after LayerNorm 2, weight and bias applied',
  },
  { name: 'mlp.pre', scope: 'block', layout: mlp, meaning: 'feed-forward neurons before the non-linearity' },
  { name: 'mlp.post', scope: 'block', layout: mlp, meaning: 'feed-forward neurons after it' },
  {
    name: 'mlp_out',
    scope: 'block',
    layout: residual,
    meaning: "feed-forward's write to the residual stream",
  },
  { name: 'resid_post', scope: 'block', layout: residual, meaning: 'residual stream after the block' },
  {
    name: 'ln_final.normalized',
    scope: 'model',
    layout: residual,
    meaning: 'after the final LayerNorm, weight and bias applied',
  },
] as const satisfies readonly ActivationRow[];

type Row = (typeof ACTIVATIONS)[number];
export type BlockActivation = Extract<Row, { scope: 'block' }>['name'];
export type ModelActivation = Extract<Row, { scope: 'model' }>['name'];

/** A full name such as `embed` or `blocks.1.attn.pattern`. That the layer exists is seen by the engine. */
export type ActivationName = ModelActivation | `blocks.${number}.${BlockActivation}`;

/** activationName('resid_post', 1) is `blocks.1.resid_post`; activationName('embed') is `embed`. */
export function activationName(name: ModelActivation): ActivationName;
export function activationName(name: BlockActivation, layer: number): ActivationName;
export function activationName(name: string, layer?: number): ActivationName {
  return (layer === undefined ? name : `blocks.${layer}.${name}`) as ActivationName;
}

/** Every activation of a model, in the order of computation. */
export function activationNames(config: GptConfig): ActivationName[] {
  const names: string[] = [];
  const block = ACTIVATIONS.filter((row) => row.scope === 'block');
  for (const row of ACTIVATIONS) {
    if (row.scope === 'model' && row.name !== 'ln_final.normalized') names.push(row.name);
  }
  for (let layer = 0; layer < config.nLayers; layer++) {
    for (const row of block) names.push(`blocks.${layer}.${row.name}`);
  }
  names.push('ln_final.normalized');
  return names as ActivationName[];
}

/** Looks a full name up; throws a UserError with the nearest known name. */
export function parseActivationName(
  config: GptConfig,
  name: string,
): { row: ActivationRow; layer: number | undefined; name: ActivationName } {
  const match = /^blocks\.(\d+)\.(.+)$/.exec(name);
  const layer = match === null ? undefined : Number(match[1]);
  const short = match === null ? name : match[2];
  const scope = match === null ? 'model' : 'block';
  const row = ACTIVATIONS.find((candidate) => candidate.scope === scope && candidate.name === short);
  if (row === undefined || (layer !== undefined && layer >= config.nLayers)) {
    const known: string[] = activationNames(config);
    const near = nearest(name, known);
    throw unacceptable(
      'activation',
      name,
      `one of ${known.join(', ')}`,
      near === undefined ? undefined : `Did you mean "${near}"?`,
    );
  }
  return { row, layer, name: name as ActivationName };
}
