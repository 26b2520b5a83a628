/** Initial parameters: a pure function of (configuration, seed), the same bits on every platform. Browser-safe. */
import { Rng } from '../tensor/rng.js';
import type { GptConfig } from './gpt-config.js';
import { parameterTable } from './parameters.js';

/** @returns [arenaSize] float32 in the layout of parameterTable(config); gaps are zero */
export function initialParameters(config: GptConfig, seed: number): Float32Array {
  const table = parameterTable(config);
  const arena = new Float32Array(table.arenaSize);
  table.specs.forEach((spec, index) => {
    const end = spec.offset + spec.size;
    if (spec.init.kind === 'constant') {
      arena.fill(spec.init.value, spec.offset, end);
      return;
    }
    // one substream a tensor: another width of one tensor does not move the draws of the next
    const rng = new Rng(seed, 'init', index);
    for (let i = spec.offset; i < end; i++) arena[i] = spec.init.std * rng.normal();
  });
  return arena;
}
