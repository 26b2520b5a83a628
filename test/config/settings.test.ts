import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runId } from '../../src/config/names.js';
import { DEFAULT_RUN, resolveRunConfig } from '../../src/config/parse.js';
import { settingsTable } from '../../src/config/setting-text.js';
import { SETTINGS } from '../../src/config/settings.js';
import { packageRoot } from '../../src/io/package-root.js';

describe('SETTINGS', () => {
  it('has each path and each flag once, and words for both', () => {
    const paths = SETTINGS.map(({ path }) => path);
    const flags = SETTINGS.flatMap(({ flag }) => flag ?? []);
    expect(new Set(paths).size).toBe(paths.length);
    expect(new Set(flags).size).toBe(flags.length);
    for (const { help, reason } of SETTINGS) {
      expect(help.length).toBeGreaterThan(5);
      expect(reason.length).toBeGreaterThan(10);
      expect(reason).not.toBe(help);
    }
  });

  it('has a derived default that is the plain one in the default configuration', () => {
    const derived = SETTINGS.filter((row) => row.derived !== undefined);
    expect(derived.length).toBeGreaterThan(2);
    for (const row of derived) expect(row.derived?.from(DEFAULT_RUN), row.path).toBe(row.default);
  });

  it('gives switches a default that their flag turns over', () => {
    for (const { rule, flag, default: value } of SETTINGS) {
      if (rule.kind !== 'boolean') continue;
      expect(flag?.startsWith('no-') === true || flag === 'untied', flag).toBe(value);
    }
  });
});

it('ids of configurations are what they were before this table', () => {
  expect(
    [
      {},
      { data: { tasks: ['SUM'] }, seed: 3 },
      { data: { tasks: ['SUM'], regime: 'pairs', holdoutSeed: 2 }, training: { steps: 16_000 } },
      { data: { depth: 2 }, model: { dModel: 48, dMlp: 100 }, optimizer: { learningRate: 1e-3 } },
      { model: { bias: false, tied: false }, optimizer: { schedule: 'exponential' } },
      { data: { notation: 'authors', fixedSize: 500, window: 32 } },
    ].map((fields) => runId(resolveRunConfig(fields as Parameters<typeof resolveRunConfig>[0]))),
  ).toMatchInlineSnapshot(`
    [
      "max-med-sum-full-d16-s1-65746bdca916",
      "sum-full-d16-s3-855f8822b29f",
      "sum-pairs-d16-s1-e9537afa6e42",
      "max-med-sum-full-d48-s1-d93b527fad56",
      "max-med-sum-full-d16-s1-ee633205b22e",
      "max-med-sum-full-d16-s1-4a0752344ca4",
    ]
  `);
});

it('docs/settings.md holds the table (npx vitest run test/config -u writes it)', async () => {
  const text = [
    '# Settings',
    '',
    'Every field of a run, made from `src/config/settings.ts`. `sumlens train --help` lists the same flags, and with `--why`',
    'also the reasons. In a configuration file a field stands under its section: `{"data": {"modulus": 7}, "seed": 2}`.',
    '',
    settingsTable(),
  ].join('\n');
  await expect(text).toMatchFileSnapshot(join(packageRoot(), 'docs', 'settings.md'));
});
