/** `sumlens inspect` on a shipped run: what it prints, what it refuses. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectionText, paintFor } from '../../../src/cli/terminal/inspect-text.js';
import { packageRoot } from '../../../src/io/package-root.js';
import type { Inspection } from '../../../src/workflows/inspect.js';
import { runCli } from '../../helpers/cli.js';

const RUN = join('checkpoints', 'reference', 'sum-pairs-d16-s1-45202e910ba4');
const MIXED = join('checkpoints', 'reference', 'max-med-sum-pairs-d16-s1-5deca8f89d56');
const inspect = (...args: string[]) => runCli(['inspect', ...args], packageRoot());

interface Found extends Inspection {
  readonly checkpoint: string;
}

describe('sumlens inspect', () => {
  const { stdout, code } = inspect(
    RUN,
    MIXED,
    '(SUM 7 3 6)',
    '--patch',
    '(SUM 7 4 6)',
    '--ablate',
    'mlp',
    '--json',
  );
  const [sum, mixed] = JSON.parse(stdout) as Found[];

  it('asks every checkpoint named', () => {
    expect(code).toBe(0);
    expect(sum.checkpoint).toMatch(/^sum-pairs/);
    expect(mixed.checkpoint).toMatch(/^max-med-sum-pairs/);
    for (const { right, answer } of [sum, mixed]) {
      expect(right).toBe(true);
      expect(answer.map(({ token }) => token)).toEqual(['6', 'e']);
    }
  });

  it('agrees with itself: last stage, answer, attribution, attention', () => {
    for (const { logitLens, answer, attribution, attention, tokens } of [sum, mixed]) {
      expect(logitLens.at(-1)?.right).toBeCloseTo(answer[0].probability, 6);
      const total = attribution.parts.reduce((all, { value }) => all + value, 0);
      expect(total).toBeCloseTo(attribution.total, 3);
      for (const { weights } of attention) {
        expect(weights).toHaveLength(tokens.length);
        expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      }
    }
  });

  it('patches: before the first block only the token that differs matters, after the last only the last position', () => {
    for (const { patch } of [sum, mixed]) {
      expect(patch?.positions[0].effects.map((effect) => Math.round(100 * (effect ?? NaN)))).toEqual([
        0, 0, 0, 0, 100, 0, 0, 0,
      ]);
      expect(patch?.positions.at(-1)?.effects.map((effect) => Math.round(100 * (effect ?? NaN)) + 0)).toEqual(
        [0, 0, 0, 0, 0, 0, 0, 100],
      );
    }
  });

  it('ablates: without feed-forward layers neither knows the result', () => {
    for (const { ablation } of [sum, mixed]) {
      expect(ablation?.before).toBeGreaterThan(0.9);
      expect(ablation?.right).toBeLessThan(0.5);
    }
  });

  it('fits 80 columns, also for a long chain, and is coloured on a terminal only', () => {
    const { stdout: text } = inspect(
      MIXED,
      '(MAX 1 2 3)',
      '--patch',
      '(MAX 1 5 3)',
      '--ablate',
      'L0.attn,L1.mlp',
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).not.toContain('\u001b');
    expect(inspectionText('x', mixed, paintFor({ isTTY: true }, {}))).toContain('\u001b[32mright');
    expect(inspectionText('x', mixed, paintFor({ isTTY: true }, { NO_COLOR: '1' }))).not.toContain('\u001b');
  });

  it('says what the run was not trained on, beside the answer', () => {
    const { stdout: text, stderr, code: status } = inspect(RUN, '(SUM 7 (MAX 3 6))');
    expect(status).toBe(0);
    expect(text).toContain('s ( SUM 7 ( MAX 3 6 ) ) >');
    expect(stderr).toMatch(/trained on SUM and never on MAX; what it says is a guess/);
    expect(stderr).toMatch(/trained on single calls, asked 2 deep/);
    expect(inspect(MIXED, '(MED 7 3)').stderr).toBe('');
  });

  it('says so where a patch has nowhere to move the answer', () => {
    const { stdout: text } = inspect(RUN, '(SUM 7 3)', '--patch', '(SUM 7 3)');
    expect(text).toContain('the answer is the same in both');
    expect(stdout).not.toContain('the answer is the same in both');
  });

  it.each([
    [['(SUM 7 3)'], /found "\(SUM 7 3\)" alone, expected a checkpoint and an expression/],
    [[RUN, '(SUMM 7 3)'], /position 2: found "SUMM".* Did you mean SUM\?/],
    [[RUN, '(SUM 7 3) > 1'], /leaves the true chain/],
    [[RUN, '(SUM 7 3) > 0 e'], /after which nothing comes/],
    [[RUN, '(SUM 7 3'], /position 9: found the end, expected "\)"/],
    [[RUN, '(SUM 7 33)'], /position 8: found "33", expected a number from 0 to 9/],
    [
      [RUN, '(SUM 7 3)', '--patch', '(SUM 7 3 6)'],
      /--patch: found .* of 8 tokens up to its result, expected 7/,
    ],
    [
      [RUN, '(SUM 7 3)', '--ablate', 'L7.attn'],
      /part: found "L7.attn", expected attn, mlp, all, or one of L0.attn/,
    ],
    [[RUN, '(SUM 7 3)', '--by', 'means'], /--by: found "means", expected one of .* Did you mean mean\?/],
    [['no-such-run', '(SUM 7 3)'], /no-such-run/],
  ])('refuses %j in one line', (args, message) => {
    const { code: status, stderr, stdout: out } = inspect(...args);
    expect([status, out]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
