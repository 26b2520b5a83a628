import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { checkDataConfig, maxTokens, parseTasks } from '../../src/listops/data-config.js';
import type { DataConfig } from '../../src/listops/data-config.js';
import { createGenerator } from '../../src/listops/sampling/generate.js';
import { dataWith } from './settings.js';

const NAMES = 'MAX, MIN, MED, SUM, PROD, NADD, FIRST, MAXp, MINp, MEDp, GSUM, LATIN, TABLE';

describe('checkDataConfig', () => {
  const bad: readonly (readonly [Partial<Record<keyof DataConfig, unknown>>, string])[] = [
    [{ tasks: [] }, `--tasks: found "", expected operations out of ${NAMES} joined with "+".`],
    [
      { tasks: ['MAX', 'SUMM'] },
      `--tasks: found "SUMM", expected operations out of ${NAMES} joined with "+". Did you mean SUM?`,
    ],
    [{ tasks: ['MAX', 'MAX'] }, '--tasks: found "MAX", expected each operation once. Remove one MAX.'],
    [{ modulus: 1 }, '--modulus: found 1, expected a whole number from 2 to 64.'],
    [{ modulus: 65 }, '--modulus: found 65, expected a whole number from 2 to 64.'],
    [{ modulus: NaN }, '--modulus: found "NaN", expected a whole number from 2 to 64.'],
    [{ modulus: '10' }, '--modulus: found "10", expected a whole number from 2 to 64.'],
    [{ depth: 0 }, '--depth: found 0, expected a whole number from 1 to 8.'],
    [{ depth: 1.5 }, '--depth: found 1.5, expected a whole number from 1 to 8.'],
    [
      { operands: [1, 3] },
      '--operands: found "1..3", expected fewest..most, whole numbers from 2 to 16, e.g. 2..3.',
    ],
    [
      { operands: [3, 2] },
      '--operands: found "3..2", expected fewest..most, whole numbers from 2 to 16, e.g. 2..3. Write 2..3.',
    ],
    [
      { operands: [2, 3, 4] },
      '--operands: found "2..3..4", expected fewest..most, whole numbers from 2 to 16, e.g. 2..3.',
    ],
    [{ nesting: -0.1 }, '--nesting: found -0.1, expected a number from 0 to 1.'],
    [{ nesting: NaN }, '--nesting: found "NaN", expected a number from 0 to 1.'],
    [{ format: 'step' }, '--format: found "step", expected steps or direct. Did you mean steps?'],
    [{ loss: 'none' }, '--loss: found "none", expected completion or all.'],
    [
      { regime: 'pair' },
      '--regime: found "pair", expected one of full, pairs, triples, ordered-triples. Did you mean pairs?',
    ],
    [{ holdoutSeed: -1 }, '--holdout-seed: found -1, expected a whole number from 0 to 2^53 - 1.'],
    [{ tableSeed: 0.5 }, '--table-seed: found 0.5, expected a whole number from 0 to 2^53 - 1.'],
    [
      { medianOfEven: 'mean' },
      '--median-of-even: found "mean", expected one of lower, upper, mean-truncated.',
    ],
    [{ fixedSize: 0 }, '--fixed-size: found 0, expected a whole number from 1 to 100000000.'],
    [
      { regime: 'triples', operands: [2, 2] },
      '--regime: found "triples", expected full or pairs when --operands never reaches 3. Allow three operands, e.g. --operands 2..3, or hold out pairs.',
    ],
    // 3,280 calls and 6,561 numbers: 3281 * (16401 + 1) / 2 tokens of expressions, 3,280 `>`, `s` and `e`
    [
      { depth: 8 },
      '--depth 8 with --operands 2..3: found a longest sequence of 26910763 tokens, expected at most 16384. Lower --depth or --operands, or choose --format direct.',
    ],
  ];
  it.each(bad)('refuses %j', (changes, message) => {
    const data = { ...dataWith({}), ...changes } as DataConfig;
    expect(() => checkDataConfig(data)).toThrow(new UserError(message));
    expect(() => createGenerator(data, 0)).toThrow(new UserError(message));
  });

  it('accepts the defaults and the ends of every range', () => {
    for (const data of [
      {},
      { modulus: 2 },
      { modulus: 64 },
      { operands: [2, 2] as const },
      { nesting: 0 },
      { nesting: 1 },
    ]) {
      expect(() => checkDataConfig(dataWith(data as Partial<DataConfig>))).not.toThrow();
    }
  });
});

describe('parseTasks', () => {
  it('puts operations in table order, however they are written', () => {
    expect(parseTasks('SUM + MAX+MED')).toEqual(['MAX', 'MED', 'SUM']);
  });
});

describe('maxTokens', () => {
  it.each([
    { depth: 1, operands: [2, 3] as const, format: 'steps' as const },
    { depth: 2, operands: [2, 3] as const, format: 'steps' as const },
    { depth: 2, operands: [2, 2] as const, format: 'steps' as const },
    { depth: 3, operands: [2, 2] as const, format: 'steps' as const },
    { depth: 2, operands: [2, 3] as const, format: 'direct' as const },
  ])(
    'is reached and never passed: depth $depth, $operands operands, $format',
    ({ depth, operands, format }) => {
      const data = dataWith({ depth, operands, format, nesting: 0.9 });
      const generator = createGenerator(data, 3);
      let longest = 0;
      for (let i = 0; i < 4000; i++) longest = Math.max(longest, generator.example(i).tokens.length);
      expect(longest).toBe(maxTokens(data));
    },
  );

  it('counts no nesting when its probability is 0', () => {
    expect(maxTokens(dataWith({ depth: 5, nesting: 0 }))).toBe(maxTokens(dataWith({ depth: 1 })));
  });
});
