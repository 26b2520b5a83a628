/** The compiled fits give the bits of the TypeScript ones, whatever the shape and however a fit ends. */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Features,
  LogisticSolver,
  newFitCounts,
  PENALTY,
  prepareFeatures,
} from '../../../src/analysis/classifiers/linear-probe.js';
import { LogisticKernel } from '../../../src/analysis/classifiers/logistic-kernel.js';
import { buildLogistic } from '../../../src/setup/build-wasm.mjs';
import { Rng } from '../../../src/tensor/rng.js';
import { itNeeding } from '../../helpers/needs.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const kernel = LogisticKernel.open();

interface Case {
  readonly rows: number;
  readonly cols: number;
  readonly draw: Rng;
  /** of the features, by column */
  readonly scale: (column: number) => number;
  /** equal rows taken together */
  readonly most: number;
  /** how strongly the first feature decides */
  readonly slope: number;
}

function featuresOf({ rows, cols, draw, scale, most }: Case): Features {
  const x = Float64Array.from({ length: rows * cols }, (_, i) => scale(i % cols) * draw.normal());
  const multiplicity = Float64Array.from({ length: rows }, () => 1 + draw.below(most));
  return prepareFeatures(x, rows, cols, PENALTY, multiplicity);
}

function labelsOf({ rows, cols, draw, slope }: Case, { x, multiplicity }: Features): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) =>
    draw.normal() + slope * (cols === 0 ? 0 : x[i * cols]) > 0 ? 1 + draw.below(multiplicity[i]) : 0,
  );
}

/** Fits both ways. @returns how the compiled fit ended */
function fitBoth(features: Features, y: ArrayLike<number>): { converged: boolean; iterations: number } {
  const { rows, cols } = features;
  const counts = [newFitCounts(), newFitCounts()];
  const compiled = new LogisticSolver(rows, cols, counts[0], kernel);
  const plain = new LogisticSolver(rows, cols, counts[1], null);
  const ends = [compiled.fit(features, y), plain.fit(features, y)];
  expect(ends[0]).toEqual(ends[1]);
  expect(counts[0]).toEqual(counts[1]);
  expect(new BigInt64Array(compiled.beta.buffer)).toEqual(new BigInt64Array(plain.beta.buffer));
  return ends[0];
}

const one = (): number => 1;

describe('compiled logistic fits', () => {
  it('are there', () => {
    expect(kernel).toBeInstanceOf(LogisticKernel);
  });

  it.each([
    [2, 1],
    [5, 0],
    [8, 8],
    [9, 7],
    [33, 15],
    [100, 16],
    [101, 17],
    [64, 33],
    [640, 16],
    [90, 64],
  ])('have the bits of the plain ones: %i rows, %i features', (rows, cols) => {
    const draw = new Rng(rows, `test:kernel/${cols}`);
    for (const most of [1, 5]) {
      for (const slope of [0, 1, 30]) {
        const own: Case = { rows, cols, draw, scale: one, most, slope };
        const features = featuresOf(own);
        // several labellings of the same rows
        for (let turn = 0; turn < 3; turn++) fitBoth(features, labelsOf(own, features));
      }
    }
  });

  it.each([
    ['features that decide beyond all doubt', (): number => 1e4, 2],
    ['columns of very different size', (column: number): number => 10 ** (column % 9), 2],
    ['features near zero', (): number => 1e-9, 0],
  ])('have the same bits with %s', (_, scale, least) => {
    const iterations = [
      [8, 8],
      [60, 12],
      [120, 16],
    ].map(([rows, cols]) => {
      const own: Case = { rows, cols, draw: new Rng(rows, 'test:kernel/scale'), scale, most: 2, slope: 1 };
      const features = featuresOf(own);
      return fitBoth(features, labelsOf(own, features)).iterations;
    });
    expect(Math.min(...iterations)).toBeGreaterThanOrEqual(least);
  });

  it('do not mix up features that take turns', () => {
    const draw = new Rng(1, 'test:kernel/turns');
    const cases = [3, 16, 5].map((cols): Case => ({
      rows: 30 + cols,
      cols,
      draw,
      scale: one,
      most: 1,
      slope: 1,
    }));
    const features = cases.map(featuresOf);
    for (let turn = 0; turn < 3; turn++) {
      cases.forEach((own, i) => fitBoth(features[i], labelsOf(own, features[i])));
    }
  });

  it('leave what is too large to the plain ones', () => {
    const [rows, cols] = [20_000, 600];
    const large = {
      rows,
      cols,
      x: new Float64Array(0),
      columns: new Float64Array(0),
      penalty: PENALTY,
      multiplicity: new Float64Array(0),
      total: rows,
    };
    const task = { start: 0, factor: new Float64Array(0), isQuasi: true };
    expect(kernel?.fit(large, [], task, new Float64Array(cols + 1))).toBeUndefined();
  });
});

const built = await buildLogistic({ root: ROOT, check: true });
describe('the committed module of the logistic fits', () => {
  const noCompiler = built.reason.includes('is not installed') ? built.reason : undefined;
  itNeeding(noCompiler, 'is what the source gives, byte for byte', () => {
    expect(built.status, built.reason).toBe('current');
  });
});
