/**
 * Which activations a pass has to compute: those that the logits or a capture still depend on once some have been
 * overwritten as a whole. Browser-safe.
 */
import { type ActivationName, activationName, type BlockActivation } from '../../model/activations.js';
import type { GptConfig } from '../../model/gpt-config.js';
import type { Intervention } from '../engine.js';

export interface Needed {
  /** to be computed by its stage */
  readonly computed: ReadonlySet<ActivationName>;
  /** computed, or overwritten as a whole and read by a later stage or a capture */
  readonly read: ReadonlySet<ActivationName>;
}

/** What each activation of a block is computed from, in the order of computation. */
const BLOCK: readonly (readonly [BlockActivation, readonly BlockActivation[]])[] = [
  ['ln1.normalized', ['resid_pre']],
  ['attn.q', ['ln1.normalized']],
  ['attn.k', ['ln1.normalized']],
  ['attn.v', ['ln1.normalized']],
  ['attn.attn_scores', ['attn.q', 'attn.k']],
  ['attn.pattern', ['attn.attn_scores']],
  ['attn.z', ['attn.pattern', 'attn.v']],
  ['attn_out', ['attn.z']],
  ['resid_mid', ['resid_pre', 'attn_out']],
  ['ln2.normalized', ['resid_mid']],
  ['mlp.pre', ['ln2.normalized']],
  ['mlp.post', ['mlp.pre']],
  ['mlp_out', ['mlp.post']],
  ['resid_post', ['resid_mid', 'mlp_out']],
];

/** What is computed from z on has one row a position and mixes none: in the last block only rows with a target matter. */
export const AFTER_ATTENTION: readonly BlockActivation[] = [
  'attn_out',
  'resid_mid',
  'ln2.normalized',
  'mlp.pre',
  'mlp.post',
  'mlp_out',
  'resid_post',
];

/** @param interventions - with the names of activations that exist */
export function neededActivations(
  config: GptConfig,
  capture: ReadonlySet<ActivationName>,
  interventions: readonly Omit<Intervention, 'value'>[],
): Needed {
  const whole = new Set(interventions.filter(isWhole).map(({ at }) => at));
  const computed = new Set<ActivationName>();
  const read = new Set<ActivationName>(capture);
  const ask = (name: ActivationName, from: readonly ActivationName[]): void => {
    if (!read.has(name) || whole.has(name)) return;
    computed.add(name);
    for (const input of from) read.add(input);
  };
  const final = activationName('ln_final.normalized');
  read.add(final);
  ask(final, [activationName('resid_post', config.nLayers - 1)]);
  for (let layer = config.nLayers - 1; layer >= 0; layer--) {
    for (const [name, from] of BLOCK.toReversed())
      ask(
        activationName(name, layer),
        from.map((input) => activationName(input, layer)),
      );
    const before =
      layer === 0
        ? [activationName('embed'), activationName('pos_embed')]
        : [activationName('resid_post', layer - 1)];
    ask(activationName('resid_pre', layer), before);
  }
  for (const name of [activationName('embed'), activationName('pos_embed')]) ask(name, []);
  return { computed, read };
}

/** Nothing of what was there before is left. */
function isWhole({ op, positions, heads }: Omit<Intervention, 'value'>): boolean {
  return op === 'set' && positions === undefined && heads === undefined;
}
