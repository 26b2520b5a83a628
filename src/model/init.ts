/** Initial parameters: a pure function of (configuration, seed), the same bits on every platform. Browser-safe. */
import { Rng } from '../tensor/rng.js';
import { assertLength } from '../tensor/shape.js';
import type { GptConfig } from './gpt-config.js';
import { parameterTable } from './parameters.js';

/** @returns [arenaSize] float32 in the layout of parameterTable(config); gaps are zero */
export function initialParameters(config: GptConfig, seed: number): Float32Array {
  const arena = new Float32Array(parameterTable(config).arenaSize);
  fillInitialParameters(config, seed, arena);
  return arena;
}

/** Writes them where they are needed, without a second copy. @param arena - [arenaSize] zeros; float32 values either way */
export function fillInitialParameters(
  config: GptConfig,
  seed: number,
  arena: Float32Array | Float64Array,
): void {
  const table = parameterTable(config);
  assertLength(arena, table.arenaSize, 'arena [arenaSize]');
  table.specs.forEach((spec, index) => {
    const end = spec.offset + spec.size;
    if (spec.init.kind === 'constant') {
      arena.fill(spec.init.value, spec.offset, end);
      return;
    }
    // one substream a tensor: another width of one tensor does not move the draws of the next
    const rng = new Rng(seed, 'init', index);
    for (let i = spec.offset; i < end; i++) arena[i] = Math.fround(spec.init.std * rng.normal());
  });
}
