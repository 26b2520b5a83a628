/** A condition has one colour: the same set of conditions in a report, in the viewer and on the terminal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { colorDepth, conditionNames, nearest256, terminalTheme } from '../src/cli/terminal/colors.js';
import { padded } from '../src/cli/terminal/table.js';
import { conditionLabel } from '../src/config/names.js';
import type { OperationName } from '../src/listops/language/operations.js';
import { colorAt, CONDITION_COLORS, placesOf, THEME_NAMES, type ThemeName } from '../src/palette.js';
import { conditionColor, type Spec } from '../src/report/charts/common.js';
import { conditionLabels } from '../src/report/page/conditions.js';
import { themed } from '../src/report/theme.js';
import { RunIndex } from '../src/viewer/disk/run-index.js';
import { colorClass, conditionColors } from '../src/viewer/web/format.js';
import { exampleReport } from './report/example-report.js';
import { sampleConfig, writeRun } from './viewer/sample-runs.js';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-palette-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In no order of any kind. */
const CONDITIONS: readonly (readonly [readonly OperationName[], 'full' | 'pairs'])[] = [
  [['SUM'], 'pairs'],
  [['MAX', 'MED', 'SUM'], 'full'],
  [['FIRST', 'SUM'], 'full'],
  [['SUM'], 'full'],
  [['MIN'], 'full'],
  [['MAX', 'MED'], 'pairs'],
];
const CONFIGS = CONDITIONS.map(([tasks, regime]) => sampleConfig(tasks, 1, regime));
const LABELS = CONFIGS.map(conditionLabel);
const ESCAPE = '\u001b';

/** `#rrggbb` of a name with a 24-bit dot. */
function dotOf(name: string): string {
  const [, code] = name.split(`${ESCAPE}[38;2;`);
  return `#${code
    .slice(0, code.indexOf('m'))
    .split(';')
    .map((channel) => Number(channel).toString(16).padStart(2, '0'))
    .join('')}`;
}

function reportColors(theme: ThemeName): Map<string, string> {
  const base = exampleReport({ seeds: 1 });
  const [subject] = base.subjects;
  const report = { ...base, training: [], subjects: LABELS.map((label) => ({ ...subject, label })) };
  const labels = conditionLabels(report);
  const { encoding } = themed({ encoding: { color: conditionColor(labels) } }, theme, labels);
  const { domain, range } = ((encoding as Spec).color as Spec).scale as Readonly<
    Record<'domain' | 'range', readonly string[]>
  >;
  return new Map(domain.map((label, i) => [label, range[i]]));
}

describe('the colour of a condition', () => {
  it('is one in the report, the viewer and the terminal', async () => {
    for (const config of CONFIGS) writeRun(folder, { config, end: 'budget' });
    const runs = await new RunIndex([folder]).runs();
    expect(new Set(runs.map(({ label }) => label))).toEqual(new Set(LABELS));
    const sheet = conditionColors();
    for (const theme of THEME_NAMES) {
      const inReport = reportColors(theme);
      const named = conditionNames(
        LABELS,
        { isTTY: true },
        {
          COLORTERM: 'truecolor',
          COLORFGBG: theme === 'light' ? '0;15' : '15;0',
        },
      );
      const root = theme === 'light' ? ':root ' : ":root[data-theme='dark'] ";
      for (const { label, place } of runs) {
        const color = inReport.get(label);
        expect(sheet, label).toContain(`${root}.${colorClass(place)}{--c:${color ?? ''}}`);
        expect(dotOf(named(label)), label).toBe(color);
      }
      expect(new Set(inReport.values()).size).toBe(LABELS.length);
    }
  });
});

describe('the colour that a condition asks for', () => {
  const WIDTHS = [8, 16, 24, 32, 48, 64];
  const label = (tasks: string, regime: string, width: number): string => `${tasks}, ${regime}, d=${width}`;
  const alone = (one: string): number => placesOf([one]).get(one) ?? -1;

  it('is one in every report: what is compared with it changes nothing for the conditions of the presets', () => {
    const colors = new Map<string, Set<number>>();
    for (const regime of ['full', 'pairs'])
      for (const width of WIDTHS) {
        const own = ['SUM', 'MAX+MED+SUM', 'MAX+MED'].map((tasks) => label(tasks, regime, width));
        for (const shown of [own, own.slice(0, 2), own.slice(1), [own[0]]])
          for (const [one, place] of placesOf(shown))
            colors.set(one, (colors.get(one) ?? new Set()).add(place));
      }
    expect(colors.size).toBe(36);
    for (const [one, places] of colors) expect([...places], one).toEqual([alone(one)]);
  });

  it('is one of its own for each condition of the preset quick, none near black on a light page', () => {
    const quick = [
      ...['SUM, pairs, d=16', 'MAX+MED+SUM, pairs, d=16', 'MAX+MED+SUM, full, d=16', 'FIRST+SUM, full, d=16'],
      ...['SUM, full, d=16, embeddingInit=0.02', 'SUM, full, d=16, embeddingInit=0.5'],
    ];
    expect(new Set(quick.map(alone)).size).toBe(quick.length);
    const lightest = quick.map((one) =>
      Math.max(...[1, 3, 5].map((at) => parseInt(CONDITION_COLORS.light[alone(one)].slice(at, at + 2), 16))),
    );
    // the two near black have no channel above 0x40
    expect(Math.min(...lightest)).toBeGreaterThan(0x40);
  });

  it('stays with a plain condition among others of longer names', () => {
    const plain = ['SUM, pairs, d=16', 'MAX+MED+SUM, pairs, d=16'];
    const others = Array.from({ length: 6 }, (_, i) => `SUM, full, d=8, steps=${i}, evaluateEvery=${7 * i}`);
    const places = placesOf([...others, ...plain]);
    for (const one of plain) expect(places.get(one)).toBe(alone(one));
  });

  it('is given to the plainest of those that ask for it, and each of eight has one of its own', () => {
    for (const count of [2, 5, 8, 20, 70]) {
      const many = Array.from({ length: count }, (_, i) => label(`T${i}`, 'full', 16));
      const places = placesOf([...many].reverse());
      expect([...places.keys()]).toEqual([...many].sort());
      expect(new Set(places.values()).size).toBe(count);
      expect(Math.max(...places.values())).toBeLessThan(8 * Math.ceil(count / 8));
      for (const one of many) {
        const rivals = many.filter((other) => alone(other) === alone(one) && other !== one);
        const isFirst = rivals.every(
          (other) => other.length > one.length || (other.length === one.length && other > one),
        );
        if (isFirst) expect(places.get(one), one).toBe(alone(one));
      }
    }
  });
});

describe('colours of the terminal', () => {
  it('are those that it says it has, and none where they are not wanted', () => {
    expect(colorDepth(true, { COLORTERM: 'truecolor' })).toBe(24);
    expect(colorDepth(true, { COLORTERM: '24bit', NO_COLOR: '' })).toBe(24);
    expect(colorDepth(true, { TERM: 'xterm-256color' })).toBe(256);
    expect(colorDepth(true, { COLORTERM: 'truecolor', NO_COLOR: '1' })).toBe(0);
    expect(colorDepth(true, { TERM: 'dumb' })).toBe(0);
    expect(colorDepth(false, { COLORTERM: 'truecolor' })).toBe(0);
    expect(
      [undefined, '0;15', '15;0', '0;default;7'].map((ground) => terminalTheme({ COLORFGBG: ground })),
    ).toEqual(['dark', 'light', 'dark', 'light']);
  });

  it('are the nearest of 256, and still as many as conditions', () => {
    expect(['#000000', '#ffffff', '#ff0000', '#5f87af', '#080808', '#767676'].map(nearest256)).toEqual([
      16, 231, 196, 67, 232, 243,
    ]);
    for (const theme of THEME_NAMES)
      expect(new Set(CONDITION_COLORS[theme].map(nearest256)).size).toBe(CONDITION_COLORS[theme].length);
    const named = conditionNames(['A', 'B'], { isTTY: true }, { TERM: 'xterm' });
    expect(named('B')).toBe(
      `${ESCAPE}[38;5;${nearest256(colorAt('dark', placesOf(['A', 'B']).get('B') ?? -1))}m\u25cf${ESCAPE}[39m B`,
    );
  });

  it('leave names as they are without colours, and take no room in a table', () => {
    expect(conditionNames(['A'], { isTTY: false }, {})('A')).toBe('A');
    expect(conditionNames(['A'], { isTTY: true }, {})('unknown')).toBe('unknown');
    const named = conditionNames(['A'], { isTTY: true }, {})('A');
    expect(padded(named, 5)).toBe(`${named}  `);
    expect(padded('A', -3)).toBe('  A');
  });
});
