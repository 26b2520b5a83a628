/** Initial parameters with parts of another model's: what `init` of a run takes over. Pure; browser-safe. */
import { Rng } from '../tensor/rng.js';
import type { GptConfig } from './gpt-config.js';
import { TOKEN_EMBEDDING, parameterTable, parameterView } from './parameters.js';

export type TransplantPart = 'all' | 'numbers' | 'all-but-numbers' | 'numbers-permuted' | 'norm-of-numbers';

export interface Transplant {
  readonly config: GptConfig;
  /** [arenaSize] what the run would start from otherwise */
  readonly fresh: Float32Array;
  readonly sourceConfig: GptConfig;
  /** [arenaSize] of sourceConfig; of the same width, and for `all` and `all-but-numbers` of the same shape altogether */
  readonly source: Float32Array;
  /** rows of the token embedding that are numbers: the first, and how many */
  readonly firstNumber: number;
  readonly modulus: number;
  /** of the run: deals rows to numbers */
  readonly seed: number;
}

/**
 * numbers-permuted: row k goes to number p(k), p a seeded permutation that leaves no number its own row.
 * norm-of-numbers: the fresh rows, spread about their mean until the root of the sum of squared distances from it is that of
 * the source's rows; random directions, and nothing else of the source.
 * @returns [arenaSize] a new array
 */
export function transplanted(what: TransplantPart, from: Transplant): Float32Array {
  const { config, fresh, source, modulus, seed } = from;
  const C = config.dModel;
  const theirs = numberRows(from, from.sourceConfig, source);
  if (what === 'all') return source.slice();
  const result = what === 'all-but-numbers' ? source.slice() : fresh.slice();
  const rows = numberRows(from, config, result);
  switch (what) {
    case 'numbers':
      rows.set(theirs);
      return result;
    case 'all-but-numbers':
      rows.set(numberRows(from, config, fresh));
      return result;
    case 'numbers-permuted':
      derangement(modulus, seed).forEach((to, k) => rows.set(theirs.subarray(k * C, (k + 1) * C), to * C));
      return result;
    case 'norm-of-numbers': {
      const means = columnMeans(rows, C);
      const scale = centredNorm(theirs, C) / centredNorm(rows, C);
      for (let i = 0; i < rows.length; i++) rows[i] = means[i % C] + (rows[i] - means[i % C]) * scale;
      return result;
    }
  }
}

/** [modulus, C] the number rows of the token embedding; a view */
function numberRows(
  { firstNumber, modulus }: Transplant,
  config: GptConfig,
  arena: Float32Array,
): Float32Array {
  const C = config.dModel;
  const embedding = parameterView(parameterTable(config), arena, TOKEN_EMBEDDING);
  return embedding.subarray(firstNumber * C, (firstNumber + modulus) * C);
}

/** A permutation of 0..n-1, n at least 2, without a fixed point: uniform among them, drawn until there is none. */
function derangement(n: number, seed: number): Int32Array {
  for (let draw = 0; ; draw++) {
    const candidate = new Rng(seed, 'init:permutation', draw).permutation(n);
    if (candidate.every((to, k) => to !== k)) return candidate;
  }
}

/** [C] @param rows - [n, C] */
function columnMeans(rows: Float32Array, C: number): Float64Array {
  const means = new Float64Array(C);
  rows.forEach((value, i) => (means[i % C] += value));
  return means.map((sum) => sum / (rows.length / C));
}

/** Root of the sum of squared distances from the mean row. @param rows - [n, C] */
export function centredNorm(rows: Float32Array, C: number): number {
  const means = columnMeans(rows, C);
  return Math.sqrt(rows.reduce((sum, value, i) => sum + (value - means[i % C]) ** 2, 0));
}
