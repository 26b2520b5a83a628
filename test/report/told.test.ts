/** What the pictures of a report say beside the picture: captions, sentences, tables. Read from the example report. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { REPORT_CHARTS } from '../../src/report/charts/index.js';
import type { ChartSpec, Report } from '../../src/report/schema.js';
import { exampleReport } from './example-report.js';

const EXAMPLE = JSON.parse(
  readFileSync(join(packageRoot(), 'reports', 'example', 'report.json'), 'utf8'),
) as Report;
const CHARTS: readonly ChartSpec[] = [
  ...Object.values(EXAMPLE.modules).flatMap(({ charts }) => charts),
  ...[EXAMPLE.training, exampleReport({ seeds: 1, conditions: 1 }).training, []].flatMap((training) =>
    REPORT_CHARTS.map((build) => build(training)),
  ),
];

describe.each(CHARTS.map((chart) => [chart.id, chart] as const))(
  '%s',
  (_id, { title, subtitle, summary, table, spec }) => {
    it('colours nothing by name but conditions and arms, whose colours mean nothing else', () => {
      const named: unknown[] = [];
      JSON.stringify(spec, (key, value: unknown) => {
        if (key === 'values') return undefined;
        if (['color', 'fill', 'stroke'].includes(key) && typeof value === 'object' && value !== null)
          named.push(value);
        return value;
      });
      const fields = (named as { readonly field?: string; readonly type?: string }[])
        .filter(({ type }) => type === 'nominal')
        .map(({ field }) => field);
      for (const field of fields) expect(['condition', 'arm']).toContain(field);
    });

    it('says no number that was not computed, and counts one as one', () => {
      for (const text of [title, subtitle, summary]) {
        expect(text).not.toMatch(/\b(null|undefined|NaN)\b/);
        expect(text).not.toMatch(/\b1 (runs|seeds|conditions|prompts|checkpoints)\b/);
      }
    });

    it('has a table whose columns are full, and per cent where they say so', () => {
      for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
      table.columns.forEach((name, i) => {
        const cells = table.rows.map((row) => row[i]);
        if (cells.length > 0)
          expect(
            cells.some((cell) => cell !== ''),
            name,
          ).toBe(true);
        if (name.includes('(%')) for (const cell of cells) expect(cell, name).toMatch(/ %$|^$/);
      });
    });
  },
);

it('says no note of the data twice', () => {
  const { dataNotes } = EXAMPLE.provenance;
  expect(dataNotes.length).toBeGreaterThan(2);
  expect(new Set(dataNotes).size).toBe(dataNotes.length);
});
