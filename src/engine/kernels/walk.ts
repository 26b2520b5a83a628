/**
 * The order in which the stages of the forward pass follow each other, one named activation after the other. What drives it
 * says where rows lie, how many there are, and what becomes of each activation. Browser-safe.
 */
import {
  activationName,
  type ActivationName,
  type BlockActivation,
  type ModelActivation,
} from '../../model/activations.js';
import type { GptConfig } from '../../model/gpt-config.js';
import type { Address, KernelFunctions } from './module.js';

/** Which LayerNorm and which linear map: the numbers of stages.c. */
const NORM = { ln1: 0, ln2: 1, final: 2 } as const;
const LINEAR = { q: 0, k: 1, v: 2, attnOut: 3, mlpPre: 4, mlpOut: 5 } as const;

/** First row that is computed, of every activation that has rows. */
export interface RowAddresses {
  readonly x: Address;
  readonly h: Address;
  readonly q: Address;
  readonly z: Address;
  readonly out: Address;
  readonly pre: Address;
  readonly post: Address;
}

export interface Walk {
  readonly config: GptConfig;
  readonly kernels: KernelFunctions;
  readonly description: Address;
  readonly parameters: Address;
  /** packed by stage_prepare */
  readonly weights: Address;
  readonly rows: RowAddresses;
  /** of a layer: the first row that is computed */
  keysOf(layer: number): Address;
  valuesOf(layer: number): Address;
  readonly scores: Address;
  readonly pattern: Address;
  /** rows that are computed; may become fewer after attention */
  count(): number;
  readonly ids: { readonly tokens: Address; readonly positions: Address };
  /** computes an activation, or not, and does with it what is asked */
  visit(name: ActivationName, address: Address, compute: () => void): void;
  computeScores(layer: number): void;
  computePattern(): void;
  computeZ(layer: number): void;
  /** called between attention's z and what is computed from it */
  afterAttention(layer: number): void;
}

/** Leaves ln_final.normalized in `rows.h`. */
export function walkStages(walk: Walk): void {
  const { config, kernels, description: d, parameters: p, weights, rows, ids, scores, pattern } = walk;
  const { x, h, q, z, out, pre, post } = rows;
  const atModel = (name: ModelActivation, address: Address, compute: () => void): void =>
    walk.visit(activationName(name), address, compute);
  const n = walk.count();
  atModel('embed', x, () => kernels.stage_embed(d, p, x, ids.tokens, n, 0));
  atModel('pos_embed', out, () => kernels.stage_embed(d, p, out, ids.positions, n, 1));
  for (let layer = 0; layer < config.nLayers; layer++) {
    const k = walk.keysOf(layer);
    const v = walk.valuesOf(layer);
    const at = (name: BlockActivation, address: Address, compute: () => void): void =>
      walk.visit(activationName(name, layer), address, compute);
    const add = (): void => kernels.stage_add(d, x, x, out, walk.count());
    const norm = (which: number): void =>
      kernels.stage_layernorm(d, p, weights, layer, which, h, x, walk.count());
    const linear = (which: number, to: Address, from: Address): void =>
      kernels.stage_linear(d, p, weights, layer, which, to, from, walk.count());
    // with later blocks it is what the block before has left in x
    at('resid_pre', x, layer === 0 ? add : () => undefined);
    at('ln1.normalized', h, () => norm(NORM.ln1));
    at('attn.q', q, () => linear(LINEAR.q, q, h));
    at('attn.k', k, () => linear(LINEAR.k, k, h));
    at('attn.v', v, () => linear(LINEAR.v, v, h));
    at('attn.attn_scores', scores, () => walk.computeScores(layer));
    at('attn.pattern', pattern, () => walk.computePattern());
    at('attn.z', z, () => walk.computeZ(layer));
    walk.afterAttention(layer);
    at('attn_out', out, () => linear(LINEAR.attnOut, out, z));
    at('resid_mid', x, add);
    at('ln2.normalized', h, () => norm(NORM.ln2));
    at('mlp.pre', pre, () => linear(LINEAR.mlpPre, pre, h));
    at('mlp.post', post, () => kernels.stage_activation(d, post, pre, walk.count()));
    at('mlp_out', out, () => linear(LINEAR.mlpOut, out, post));
    at('resid_post', x, add);
  }
  atModel('ln_final.normalized', h, () =>
    kernels.stage_layernorm(d, p, weights, 0, NORM.final, h, x, walk.count()),
  );
}
