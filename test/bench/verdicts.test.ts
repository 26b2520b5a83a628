/** How bench/lib turns times into ratios and goals into verdicts. */
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../bench/lib/arguments.mjs';
import { interleave, speedRatio } from '../../bench/lib/rounds.mjs';
import { judge, measureRow, NotMeasured, sameLosses } from '../../bench/lib/row.mjs';
import { quantile } from '../../bench/lib/statistics.mjs';
import { summaryLine } from '../../bench/lib/table.mjs';

describe('speedRatio', () => {
  it('takes the ratio within each round, so that a slow round changes nothing', () => {
    const slow = (factor: number, ms: number): { wallMs: number; cpuMs: number } => ({
      wallMs: ms * factor,
      cpuMs: ms,
    });
    const rounds = { a: [1, 5, 2].map((f) => slow(f, 10)), b: [1, 5, 2].map((f) => slow(f, 40)) };
    const { wall, cpu } = speedRatio(rounds, ['a', 3], ['b', 2]);
    for (const found of [wall, cpu]) {
      expect([found.median, found.q1, found.q3]).toEqual(
        [6, 6, 6].map((x) => expect.closeTo(x, 12) as number),
      );
    }
  });

  it('gives the quartiles that numpy.percentile gives', () => {
    expect([0.25, 0.5, 0.75].map((q) => quantile([7, 1, 3, 2], q))).toEqual([1.75, 2.5, 4]);
  });
});

describe('interleave', () => {
  it('lets every contender work once a round, in alternating order, and drops the warm-up', async () => {
    const order: string[] = [];
    const contender = (name: string): { name: string; run: () => { wallMs: number; cpuMs: number } } => ({
      name,
      run: () => {
        order.push(name);
        return { wallMs: order.length, cpuMs: 1 };
      },
    });
    const rounds = await interleave([contender('a'), contender('b')], { rounds: 2, warmup: 1 });
    expect(order.join('')).toBe('baabba');
    expect(rounds.a.map(({ wallMs }) => wallMs)).toEqual([3, 6]);
  });
});

describe('a row', () => {
  it('is met at its goal and missed beyond it', () => {
    expect([1.9, 1.89].map((x) => judge({ atLeast: 1.9 }, x))).toEqual(['met', 'missed']);
    expect([0.05, 0.051].map((x) => judge({ atMost: 0.05 }, x))).toEqual(['met', 'missed']);
    expect(judge(undefined, 3)).toBe('for information');
    expect(judge({ atLeast: 0 }, NaN)).toBe('missed');
  });

  it('is not measured when losses differ, at the first step that does', () => {
    expect(() =>
      sameLosses([
        ['sumlens', [2, 1]],
        ['other', [2, 1.00001]],
      ]),
    ).not.toThrow();
    expect(() =>
      sameLosses([
        ['sumlens', [2, 1]],
        ['other', [2, 1.01]],
      ]),
    ).toThrow('losses differ at step 2: sumlens 1, other 1.01');
    expect(() =>
      sameLosses([
        ['sumlens', [2]],
        ['other', [NaN]],
      ]),
    ).toThrow('losses differ');
  });

  it('that fails for want of a framework is forgiven on request only, any other failure never', async () => {
    const row = (error: Error, needsPeer: boolean): object => ({
      id: 'x',
      goal: { atLeast: 1 },
      needsPeer,
      run: () => Promise.reject(error),
    });
    const missing = await measureRow(row(new NotMeasured('no Python'), true), {});
    const broken = await measureRow(row(new Error('losses differ'), true), {});
    expect([missing.status, broken.status]).toEqual(['not measured', 'not measured']);
    expect([false, true].map((allow) => summaryLine([missing], allow, 1).failed)).toEqual([true, false]);
    expect([false, true].map((allow) => summaryLine([broken], allow, 1).failed)).toEqual([true, true]);
  });
});

describe('parseArguments', () => {
  const rows = [
    { id: 'wasm d=16', group: 'wasm' },
    { id: 'jax d=16', group: 'jax' },
    { id: 'quick', group: 'long', long: true },
  ];
  const ids = (...args: string[]): string[] => {
    const parsed = parseArguments(args, rows);
    return parsed.kind === 'run' ? parsed.rows.map(({ id }) => id) : [parsed.kind];
  };

  it('chooses rows by id or group, the long ones when asked', () => {
    expect(ids()).toEqual(['wasm d=16', 'jax d=16']);
    expect(ids('--long')).toHaveLength(3);
    expect(ids('--only', 'jax', '--only', 'quick')).toEqual(['jax d=16', 'quick']);
  });

  it('refuses an unknown row or a number of rounds that says nothing', () => {
    expect(parseArguments(['--only', 'tpu'], rows)).toMatchObject({
      message: '--only: found "tpu", expected a row (--list) or one of wasm, jax, long.',
    });
    expect(ids('--rounds', '1')).toEqual(['bad']);
  });
});
