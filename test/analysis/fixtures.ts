/** The committed reference values and planted embeddings of the analysis tests. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Matrix, matrix } from '../../src/analysis/matrix.js';
import type { Rng } from '../../src/tensor/rng.js';

export interface FixtureMatrix {
  rows: number;
  cols: number;
  data: number[];
}
type Stratum = [k1: number, n1: number, k2: number, n2: number];

export interface Fixtures {
  pca: {
    x: FixtureMatrix;
    rank: number;
    mean: number[];
    components: FixtureMatrix;
    scores: FixtureMatrix;
    explainedVariance: number[];
    explainedVarianceRatio: number[];
  }[];
  normal: { z: number; cdf: number }[];
  normalQuantile: { p: number; z: number }[];
  student: { t: number; df: number; cdf: number }[];
  studentQuantile: { p: number; df: number; t: number }[];
  beta: { x: number; a: number; b: number; value: number }[];
  betaQuantile: { p: number; a: number; b: number; x: number }[];
  logGamma: { x: number; value: number }[];
  binomial: { k: number; n: number; p: number; cdf: number }[];
  wilson: { k: number; n: number; level: number; low: number; high: number }[];
  clopperPearson: { k: number; n: number; level: number; low: number; high: number }[];
  correlation: { x: number[]; y: number[]; pearson: number; spearman: number; ranks: number[] };
  cka: { x: FixtureMatrix; y: FixtureMatrix; biased: number; debiased: number }[];
  procrustes: {
    a: FixtureMatrix;
    b: FixtureMatrix;
    rotation: FixtureMatrix;
    scale: number;
    disparity: number;
  }[];
  welch: { a: number[]; b: number[]; level: number; low: number; high: number };
  meanInterval: { a: number[]; level: number; bounds: [number, number] };
  miettinenNurminen: { strata: Stratum[]; level: number; estimate: number; low: number; high: number }[];
  exactStratified: { strata: Stratum[]; p: number }[];
  fisher: { strata: Stratum[]; p: number };
  multiple: { p: number[]; bh: number[]; holm: number[]; stoufferZ: number; stoufferP: number };
  twoSample: { a: number[]; b: number[]; p: number };
  fourier: { x: FixtureMatrix; share: number[] };
  quantile: { x: number[]; q: { p: number; value: number }[] };
}

export const fixtures = JSON.parse(
  readFileSync(new URL('fixtures/fixtures.json', import.meta.url), 'utf8'),
) as Fixtures;

export const toMatrix = ({ rows, cols, data }: FixtureMatrix): Matrix => matrix(rows, cols, data);

/** |found - expected| <= atol + rtol |expected|; NaN equals nothing. */
export function expectClose(
  found: number,
  expected: number,
  { rtol = 1e-12, atol = 0 }: { rtol?: number; atol?: number },
  what: string,
): void {
  const error = Math.abs(found - expected);
  const allowed = atol + rtol * Math.abs(expected);
  expect(
    found === expected || error <= allowed,
    `${what}: found ${found}, expected ${expected}, error ${error} against ${allowed}`,
  ).toBe(true);
}

export function expectAllClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: { rtol?: number; atol?: number },
  what: string,
): void {
  expect(found.length, `${what}: length`).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expectClose(found[i], expected[i], tolerance, `${what}[${i}]`);
}

/** [n, d] isotropic noise. */
export function gaussian(n: number, d: number, rng: Rng, sd = 1): Matrix {
  return matrix(
    n,
    d,
    Float64Array.from({ length: n * d }, () => sd * rng.normal()),
  );
}

/** Planted coordinates of number i, laid into the first dimensions of noise. */
export function planted(
  n: number,
  d: number,
  rng: Rng,
  sd: number,
  coordinates: (i: number) => readonly number[],
): Matrix {
  const x = gaussian(n, d, rng, sd);
  for (let i = 0; i < n; i++) coordinates(i).forEach((value, k) => (x.data[i * d + k] += value));
  return x;
}

export const line = (i: number): number[] => [i];
export const parity = (i: number): number[] => [i % 2 === 0 ? 1 : -1];
export const ring =
  (n: number, frequency = 1) =>
  (i: number): number[] => [
    Math.cos((2 * Math.PI * frequency * i) / n),
    Math.sin((2 * Math.PI * frequency * i) / n),
  ];
