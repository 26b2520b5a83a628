/** Online codes: by a probe fitted in another way, on labels whose length is known, and with what is sent in blocks. */
import { describe, expect, it } from 'vitest';
import { BLOCK_ENDS, blockEnds, onlineCodeBits } from '../../../src/analysis/classifiers/code-length.js';
import { Rng } from '../../../src/tensor/rng.js';

const ROWS = 64;
const ends = BLOCK_ENDS.map((share) => share * ROWS);
const order = Array.from({ length: ROWS }, (_, i) => (i * 27) % ROWS);

/** [64, 2] noise, and labels that follow its first column roughly. */
function noisy(seed: number) {
  const rng = new Rng(seed, 'code length');
  const x = Float64Array.from({ length: 2 * ROWS }, () => rng.normal());
  const labels = Uint8Array.from({ length: ROWS }, (_, i) => (x[2 * i] + rng.normal() > 0 ? 1 : 0));
  return { x, labels };
}

/** Penalised logistic regression by plain gradient descent. @returns f of any row */
function descend(x: Float64Array, rows: readonly number[], labels: Uint8Array): (row: number) => number {
  const mean = [0, 1].map((j) => rows.reduce((sum, i) => sum + x[2 * i + j], 0) / rows.length);
  const size = rows.reduce((sum, i) => sum + (x[2 * i] - mean[0]) ** 2 + (x[2 * i + 1] - mean[1]) ** 2, 0);
  const at = (i: number, j: number): number => (x[2 * i + j] - mean[j]) / Math.sqrt(size / rows.length);
  const w = [0, 0, 0];
  const f = (i: number): number => w[0] * at(i, 0) + w[1] * at(i, 1) + w[2];
  for (let step = 0; step < 20_000; step++) {
    const gradient = [w[0], w[1], 0];
    for (const i of rows) {
      const error = 1 / (1 + Math.exp(-f(i))) - labels[i];
      gradient[0] += error * at(i, 0);
      gradient[1] += error * at(i, 1);
      gradient[2] += error;
    }
    gradient.forEach((g, j) => (w[j] -= (g * 1.5) / rows.length));
  }
  return f;
}

describe('online code length', () => {
  it('is the surprise of probes fitted on what was sent', () => {
    const { x, labels } = noisy(1);
    let bits = ends[0];
    for (let block = 1; block < ends.length; block++) {
      const sent = order.slice(0, ends[block - 1]);
      const ones = sent.reduce((sum, row) => sum + labels[row], 0);
      const hasBoth = ones > 0 && ones < sent.length;
      const f = hasBoth ? descend(x, sent, labels) : () => Math.log((ones + 1) / (sent.length - ones + 1));
      for (const row of order.slice(ends[block - 1], ends[block]))
        bits += Math.log2(1 + Math.exp(labels[row] === 1 ? -f(row) : f(row)));
    }
    expect(onlineCodeBits({ x, cols: 2, order, ends }, [labels])[0]).toBeCloseTo(bits, 6);
  });

  it('is short where labels can be read, and about a bit where they cannot', () => {
    const { x } = noisy(2);
    const rng = new Rng(3, 'labels');
    const readable = Uint8Array.from({ length: ROWS }, (_, i) => (x[2 * i] > 0 ? 1 : 0));
    const random = Array.from({ length: 40 }, () => Uint8Array.from(readable, () => rng.below(2)));
    const [own, ...others] = onlineCodeBits({ x, cols: 2, order, ends }, [readable, ...random]);
    const mean = others.reduce((a, b) => a + b) / others.length / ROWS;
    expect(own / ROWS).toBeLessThan(0.6);
    expect(mean).toBeGreaterThan(1);
    expect(mean).toBeLessThan(1.2);
  });

  it('features that are all equal: the share of what was sent', () => {
    const labels = Uint8Array.from({ length: 8 }, (_, i) => i % 2);
    const [bits] = onlineCodeBits(
      { x: new Float64Array(8).fill(3), cols: 1, order: [0, 1, 2, 3, 4, 5, 6, 7], ends: [2, 4, 8] },
      [labels],
    );
    expect(bits).toBeCloseTo(8, 9);
  });

  it('one class so far: the rule of succession', () => {
    const labels = Uint8Array.of(1, 1, 1, 0);
    const [bits] = onlineCodeBits({ x: [1, 2, 3, 4], cols: 1, order: [0, 1, 2, 3], ends: [2, 4] }, [labels]);
    expect(bits).toBeCloseTo(2 - Math.log2(3 / 4) - Math.log2(1 / 4), 9);
  });

  it('blocks keep neighbours of one group together', () => {
    const groups = Array.from({ length: 64 }, (_, i) => String(Math.floor(i / 3)));
    expect(blockEnds(groups)).toEqual([3, 6, 9, 18, 33, 64]);
    expect(blockEnds(['a', 'a', 'b'])).toEqual([2, 3]);
  });
});
