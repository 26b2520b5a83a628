/**
 * A treatment leaves everything before its first intervention as it was: instead of computing that again, the pass goes on
 * from the values of the intact model. The numbers are the same bytes, as the intact model's were computed in the same way.
 */
import type { Intervention } from '../../src/engine/engine.js';
import { type ActivationName, activationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import type { Replacements } from '../../src/lens/components.js';

/** What treatments change, in the order of computation within a block. */
const CHANGED = ['attn.pattern', 'attn.z', 'attn_out', 'mlp_out'] as const;
type Changed = (typeof CHANGED)[number];

/** What `resumed` needs beside the activations that treatments change. */
export function residualNames({ nLayers }: GptConfig): ActivationName[] {
  return Array.from({ length: nLayers }, (_, layer) => [
    activationName('resid_pre', layer),
    activationName('resid_mid', layer),
  ]).flat();
}

/**
 * @param interventions - at the activations of CHANGED alone
 * @param clean - of the intact model on the same batch: attn.z, attn_out, mlp_out and residualNames
 * @returns interventions that give the same, before them those that spare the work
 */
export function resumed(interventions: readonly Intervention[], clean: Replacements): Intervention[] {
  let layer = Infinity;
  let stage: number = CHANGED.length;
  for (const { at } of interventions) {
    const [, block, name] = /^blocks\.(\d+)\.(.+)$/.exec(at) ?? [];
    const found = CHANGED.indexOf(name as Changed);
    if (found < 0) throw new RangeError(`resumed: found ${at}, expected ${CHANGED.join(', ')} of a block.`);
    if (Number(block) > layer || (Number(block) === layer && found >= stage)) continue;
    layer = Number(block);
    stage = found;
  }
  if (!Number.isFinite(layer)) return [...interventions];
  const first = CHANGED[stage];
  const from = [activationName(first === 'mlp_out' ? 'resid_mid' : 'resid_pre', layer)];
  const changed = activationName(first, layer);
  const isReplaced = interventions.some(
    ({ at, op, positions, heads }) =>
      at === changed && op === 'set' && positions === undefined && heads === undefined,
  );
  // patterns are only ever replaced as a whole
  if (!isReplaced && first !== 'attn.pattern') from.push(changed);
  return [
    ...from.map((at): Intervention => {
      const value = clean.get(at);
      if (value === undefined) throw new RangeError(`resumed: ${at} of the intact model is missing.`);
      return { at, op: 'set', value };
    }),
    ...interventions,
  ];
}
