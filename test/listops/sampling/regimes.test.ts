import { describe, expect, it } from 'vitest';
import { checkDataConfig, type DataConfig } from '../../../src/listops/data-config.js';
import { createGenerator } from '../../../src/listops/sampling/generate.js';
import { leakReport, scanForLeaks } from '../../../src/listops/sampling/leak.js';
import { BALANCE_LIMIT, createHoldout, orderedHoldout } from '../../../src/listops/sampling/regimes.js';
import { survival } from '../../../src/listops/sampling/statistics.js';
import { decode, encode, vocabulary } from '../../../src/listops/language/tokenizer.js';
import { contains, readExample } from '../independent.js';
import { contextOf, dataWith, settingsOf } from '../settings.js';

const vocab = vocabulary(10);
const settings = settingsOf(contextOf());

/** Leaky examples among printed texts, found by the independent reader. */
function leaksIn(texts: Iterable<string>, sets: readonly (readonly number[])[]): number {
  let leaks = 0;
  for (const text of texts) {
    const steps = readExample(text, settings);
    if (steps.some(({ operands }) => sets.some((set) => contains(operands, set)))) leaks++;
  }
  return leaks;
}

/**
 * First-order Fourier signal from scratch: over all trained operand lists of an operand count, the mean over the first
 * operand a of |mean of exp(2 pi i k s / n) given a|^2; averaged over counts.
 */
function signalOf(sets: readonly (readonly number[])[], n: number, counts: readonly number[]): number[] {
  return Array.from({ length: Math.floor(n / 2) }, (_, index) => {
    const k = index + 1;
    let signal = 0;
    for (const count of counts) {
      for (let a = 0; a < n; a++) {
        let [re, im, total] = [0, 0, 0];
        for (let rest = 0; rest < n ** (count - 1); rest++) {
          const operands = [a, rest % n, ...(count === 3 ? [Math.floor(rest / n)] : [])];
          if (sets.some((set) => contains(operands, set))) continue;
          const angle = (2 * Math.PI * k * operands.reduce((x, y) => x + y, 0)) / n;
          re += Math.cos(angle);
          im += Math.sin(angle);
          total++;
        }
        signal += (re * re + im * im) / (total * total) / n;
      }
    }
    return signal;
  });
}

describe('createHoldout', () => {
  it('holds out 5 of 55 pairs and 22 of 220 triples at modulus 10, distinct and ascending', () => {
    for (const [regime, count, size] of [
      ['pairs', 5, 2],
      ['triples', 22, 3],
    ] as const) {
      const { sets } = createHoldout(dataWith({ regime, holdoutSeed: 4 }));
      expect(new Set(sets.map((set) => set.join())).size).toBe(count);
      for (const set of sets) {
        expect(set).toHaveLength(size);
        expect(set).toEqual(set.toSorted((a, b) => a - b));
      }
    }
  });

  it('is balanced by a signal computed from scratch, and reports its ratio', () => {
    for (let holdoutSeed = 0; holdoutSeed < 12; holdoutSeed++) {
      const { sets, signalRatio } = createHoldout(dataWith({ regime: 'pairs', holdoutSeed }));
      const signal = signalOf(sets, 10, [2, 3]);
      expect(Math.max(...signal) / Math.min(...signal)).toBeCloseTo(signalRatio, 9);
      expect(signalRatio).toBeLessThanOrEqual(BALANCE_LIMIT);
      // no two held sums agree: the most frequent held result is a chance level of 1 in 5
      expect(new Set(sets.map(([a, b]) => (a + b) % 10)).size).toBe(5);
    }
    for (let holdoutSeed = 0; holdoutSeed < 4; holdoutSeed++) {
      const { sets, signalRatio } = createHoldout(dataWith({ regime: 'triples', holdoutSeed }));
      const signal = signalOf(sets, 10, [3]);
      expect(Math.max(...signal) / Math.min(...signal)).toBeCloseTo(signalRatio, 9);
      expect(signalRatio).toBeLessThanOrEqual(BALANCE_LIMIT);
    }
  });

  it('holds pairs a, a out in their share when stratified, balanced as ever, and leaves other hold-outs alone', () => {
    const doublesOf = (sets: readonly (readonly number[])[]): number =>
      sets.filter(([a, b]) => a === b).length;
    let before = 0;
    for (let holdoutSeed = 0; holdoutSeed < 60; holdoutSeed++) {
      const data = dataWith({ regime: 'pairs', holdoutSeed });
      const { sets, signalRatio } = createHoldout({ ...data, holdoutMethod: 'stratified' });
      // 1 of 5, as 10 of 55 pairs are
      expect(sets).toHaveLength(5);
      expect(doublesOf(sets)).toBe(1);
      expect(signalRatio).toBeLessThanOrEqual(BALANCE_LIMIT);
      expect(new Set(sets.map(([a, b]) => (a + b) % 10)).size).toBe(5);
      before += doublesOf(createHoldout(data).sets);
    }
    // without the method doubles are over-represented: what it is for
    expect(before / (60 * 5)).toBeGreaterThan(0.3);
    const large = createHoldout(
      dataWith({ regime: 'pairs', modulus: 23, operands: [2, 2], holdoutMethod: 'stratified' }),
    );
    expect([large.sets.length, doublesOf(large.sets)]).toEqual([27, 2]);
  });

  it('is asked for stratified pairs only in the regime pairs, by a name that exists', () => {
    expect(() => checkDataConfig(dataWith({ regime: 'full', holdoutMethod: 'stratified' }))).toThrow(
      /--holdout-method.*nothing without --regime pairs/,
    );
    const odd = { ...dataWith({ regime: 'pairs' }), holdoutMethod: 'stratifed' } as unknown as DataConfig;
    expect(() => checkDataConfig(odd)).toThrow(/Did you mean stratified\?/);
  });

  it('differs by seed and is the same for every operation', () => {
    const key = (holdoutSeed: number): string =>
      createHoldout(dataWith({ regime: 'pairs', holdoutSeed })).sets.join(' ');
    expect(new Set(Array.from({ length: 20 }, (_, seed) => key(seed))).size).toBe(20);
    const one = createHoldout(dataWith({ regime: 'pairs', tasks: ['SUM'], depth: 3, tableSeed: 9 }));
    const other = createHoldout(dataWith({ regime: 'pairs', tasks: ['MAX', 'MIN'] }));
    expect(one.sets).toEqual(other.sets);
  });

  it.each(['pairs', 'triples'] as const)(
    'holds out in every order and inside more operands (%s)',
    (regime) => {
      const holdout = createHoldout(dataWith({ regime, operands: [2, 5] }));
      const { sets } = holdout;
      let held = 0;
      for (const count of [2, 3, 4, 5]) {
        for (let index = 0; index < 10 ** count; index += count > 4 ? 7 : 1) {
          const operands = Array.from({ length: count }, (_, i) => Math.floor(index / 10 ** i) % 10);
          const expected = sets.some((set) => contains(operands, set));
          if (expected) held++;
          if (holdout.isHeldOut(operands) !== expected)
            expect.fail(`${operands.join(' ')}: expected ${expected}`);
        }
      }
      expect(held).toBeGreaterThan(0);
    },
  );

  it.each([2, 3, 7, 11, 31])('makes a hold-out at modulus %i', (modulus) => {
    for (const regime of ['pairs', 'triples'] as const) {
      const { sets, level } = createHoldout(dataWith({ regime, modulus }));
      const total =
        regime === 'pairs' ? (modulus * (modulus + 1)) / 2 : (modulus * (modulus + 1) * (modulus + 2)) / 6;
      expect(sets.length).toBe(Math.max(1, Math.floor(total / 10)));
      expect(level).toBe(regime === 'pairs' ? 'pair-closed' : 'triple');
    }
    expect(createHoldout(dataWith({ regime: 'pairs', modulus, operands: [2, 2] })).level).toBe('pair-only');
  });
});

describe('leakReport', () => {
  it('finds no leak in 100,000 examples, and neither does the independent reader', () => {
    const data = dataWith({ depth: 2, regime: 'pairs', tasks: ['MAX', 'MED', 'SUM'] });
    const generator = createGenerator(data, 21);
    function* texts(): Generator<string> {
      for (let i = 0; i < 100_000; i++) yield decode(generator.example(i).tokens, vocab);
    }
    expect(leaksIn(texts(), generator.holdout.sets)).toBe(0);
    const report = leakReport(data, 21, 100_000);
    expect(report.leaks).toBe(0);
    expect(report.examples).toBe(100_000);
    expect(report.setsSeen).toBe(0);
    expect(report.first).toBeUndefined();
  }, 60_000);

  it.each(['triples', 'pairs'] as const)('finds none in the format direct (%s)', (regime) => {
    const data = dataWith({ depth: 3, regime, format: 'direct', tasks: ['MED', 'SUM', 'NADD'] });
    const generator = createGenerator(data, 22);
    const texts = Array.from({ length: 3000 }, (_, i) => decode(generator.example(i).tokens, vocab));
    expect(leaksIn(texts, generator.holdout.sets)).toBe(0);
    expect(leakReport(data, 22, 3000).leaks).toBe(0);
  });

  it('counts one planted leak, as the independent reader does, at any reduction and in any order', () => {
    const data = dataWith({ depth: 2, regime: 'pairs' });
    const { sets } = createHoldout(data);
    const [a, b] = sets.find(([x, y]) => x !== y) ?? [];
    const generator = createGenerator(data, 23);
    const plain = Array.from({ length: 500 }, (_, i) => decode(generator.example(i).tokens, vocab));
    // the held pair appears only after the first reduction, in descending order
    const other = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].find(
      (x) =>
        x <= b && !sets.some((set) => contains([x, b], set)) && !sets.some((set) => contains([b, b], set)),
    );
    const inner = other === undefined ? `(MAX ${b} ${b})` : `(MAX ${other} ${b})`;
    const planted = `s (MAX ${inner} ${a}) > (MAX ${b} ${a}) > ${Math.max(a, b)} e`;
    const texts = plain.with(250, planted);
    const scan = scanForLeaks(
      texts.map((text) => encode(text, vocab)),
      data,
    );
    expect(leaksIn(plain, sets)).toBe(0);
    expect(leaksIn(texts, sets)).toBe(1);
    expect(scan.leaks).toBe(1);
    expect(scan.first).toEqual({ example: 250, operands: [b, a] });
    expect(scan.setsSeen).toBe(1);
  });

  it('finds leaks when the same sets are held out in one order only', () => {
    const data = dataWith({ regime: 'pairs' });
    const holdout = createHoldout(data);
    const generator = createGenerator(data, 24, { holdout: orderedHoldout(holdout) });
    const texts = Array.from({ length: 5000 }, (_, i) => decode(generator.example(i).tokens, vocab));
    // an ordered hold-out made here: a text with the held pair in ascending order never appears
    const ascending = texts.filter((text) =>
      readExample(text, settings).some(({ operands }) =>
        holdout.sets.some(([a, b]) => operands.some((x, i) => x === a && operands.slice(i + 1).includes(b))),
      ),
    );
    expect(ascending).toEqual([]);
    const found = leaksIn(texts, holdout.sets);
    expect(found).toBeGreaterThan(100);
    expect(leakReport(data, 24, 5000).ordered.leaks).toBe(found);
    const distinct = holdout.sets.filter(([a, b]) => a !== b).length;
    expect(leakReport(data, 24, 5000).ordered.setsSeen).toBe(distinct);
  });

  it('has nothing to find in the regime full', () => {
    expect(leakReport(dataWith({}), 0, 100)).toMatchObject({
      leaks: 0,
      sets: 0,
      examples: 100,
      reductions: 100,
    });
  });
});

describe('survival', () => {
  it('is 1 in the regime full and near the exact share at depth 1', () => {
    expect(survival(dataWith({})).fraction).toBe(1);
    const data = dataWith({ regime: 'pairs' });
    const { sets } = createHoldout(data);
    let kept = 0;
    for (let index = 0; index < 1000; index++) {
      const operands = [index % 10, Math.floor(index / 10) % 10, Math.floor(index / 100)];
      if (!sets.some((set) => contains(operands, set))) kept += 1 / 2000;
      if (index < 100 && !sets.some((set) => contains(operands.slice(0, 2), set))) kept += 1 / 200;
    }
    expect(Math.abs(survival(data, 10_000).fraction - kept)).toBeLessThan(4 * Math.sqrt(0.13 / 10_000));
  });

  it('warns when fewer than 60 % of expressions survive', () => {
    const data = dataWith({ regime: 'pairs', depth: 3, nesting: 0.7 });
    const { fraction, warning } = survival(data);
    expect(fraction).toBeLessThan(0.6);
    expect(warning).toMatch(/^Only \d+ % of expressions survive the hold-out \(--regime pairs\): /);
  });
});
