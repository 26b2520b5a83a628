/** `sumlens verdicts` and `report --csv`: what the numbers alone decide is what the report says, byte for byte. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { claimLines } from '../../../src/cli/terminal/table.js';
import { fromCsv, toCsv } from '../../../src/evidence/table.js';
import { canonicalJson } from '../../../src/io/json.js';
import { reportJson } from '../../../src/report/report-json.js';
import { toParquet } from '../../../src/workflows/reports/table-file.js';
import { decideTable, verdictsOf } from '../../../src/workflows/verdicts.js';
import { runCli, withFolder } from '../../helpers/cli.js';
import { decidedTable, madeReport } from '../../helpers/made-report.js';
import { madeSubject } from '../../helpers/made-subject.js';

describe('verdicts of a table', () => {
  const { subjects, observations } = decidedTable(14);
  const report = madeReport(subjects, observations);

  it('are decided, so that the tests below compare something', () => {
    const of = (part: string) => report.claims.find((claim) => (claim.part ?? claim.claim) === part)?.verdict;
    expect([of('C2a'), of('C3a'), of('C3c'), of('C4')]).toEqual([
      'supported',
      'supported',
      'contradicted',
      'too few runs to say',
    ]);
  });

  it('are those of the report, printed and as JSON, from its CSV and from itself', () =>
    withFolder((folder) => {
      writeFileSync(join(folder, 'report.json'), reportJson(report));
      const written = runCli(['report', 'report.json', '--csv', 'o.csv', '--json'], folder);
      expect([written.code, JSON.parse(written.stdout)]).toEqual([0, { pages: [], tables: ['o.csv'] }]);
      const printed = `${claimLines(report.claims)}\n`;
      for (const file of ['o.csv', 'report.json', '.'])
        expect(runCli(['verdicts', file], folder), file).toEqual({ code: 0, stdout: printed, stderr: '' });
      const claims = canonicalJson((JSON.parse(reportJson(report)) as { claims: unknown }).claims);
      const { stdout } = runCli(['verdicts', 'o.csv', '--json'], folder);
      expect(canonicalJson((JSON.parse(stdout) as { claims: unknown }).claims)).toBe(claims);
    }));

  it('follow the numbers: one that was changed in the CSV changes them', () => {
    const text = toCsv({ subjects, observations });
    const changed = text.replaceAll(/,0\.90\d*,,,,,,/g, ',0.1,,,,,,');
    expect(changed).not.toBe(text);
    const claims = decideTable(fromCsv(changed, 'changed.csv'));
    expect(claims.find(({ part }) => part === 'C3a')?.verdict).not.toBe('supported');
  });

  it('that a report states and its numbers do not give are named, exit code 1', () =>
    withFolder((folder) => {
      const claims = report.claims.map((claim) =>
        claim.part === 'C3a' ? { ...claim, verdict: 'contradicted' as const } : claim,
      );
      writeFileSync(join(folder, 'report.json'), reportJson({ ...report, claims }));
      const { code, stdout, stderr } = runCli(['verdicts', 'report.json'], folder);
      expect([code, stdout]).toEqual([1, `${claimLines(report.claims)}\n`]);
      expect(stderr).toMatch(/^report\.json: the report says otherwise \(C3a\): its numbers or its verdicts/);
      const other = { ...report.provenance, claimsSha256: 'f'.repeat(64) };
      writeFileSync(join(folder, 'report.json'), reportJson({ ...report, claims, provenance: other }));
      expect(verdictsOf(join(folder, 'report.json')).differs).toContain('other claims (ffffffffffff and not');
    }));

  it.each([
    [['none.csv'], 'verdicts: found "none.csv", expected a file that exists'],
    [['.'], 'expected a folder that holds report.json or results.jsonl'],
    [
      ['x.txt'],
      'expected observations.csv of "report --csv" (or .csv.gz), results.jsonl of a sweep, or report.json',
    ],
    [['x.csv'], 'x.csv: found no column subject, run, step'],
  ])('refuse %j in one line', (args, words) =>
    withFolder((folder) => {
      for (const name of ['x.txt', 'x.csv']) writeFileSync(join(folder, name), 'a,b\n');
      const { code, stdout, stderr } = runCli(['verdicts', ...args], folder);
      expect([code, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
      expect(stderr).toContain(words);
    }),
  );
});

describe('tables for other programs', () => {
  it('hold every checkpoint, measured or not, and no accuracy of another step', () => {
    const { subjects, observations } = decidedTable(2);
    const idle = madeSubject({ seed: 99, accuracy: null, learned: null });
    const late = { ...subjects[0], step: 16_000 };
    const row = (step: number) => ({
      ...observations.find(({ subject }) => subject === late.id && true),
      subject: late.id,
      statistic: 'learning/evaluation',
      scope: { operation: 'SUM', step },
      value: 1,
    });
    const read = (step: number) =>
      fromCsv(
        toCsv({
          subjects: [late, idle],
          observations: [...observations.filter(({ subject }) => subject === late.id), row(step)],
        }),
        'o.csv',
      ).subjects;
    expect(read(16_000)).toEqual([late, idle]);
    expect(read(15_000)).toEqual([{ ...late, accuracy: null }, idle]);
  });

  it('are the same as Parquet', async () => {
    const { subjects, observations } = decidedTable(2);
    const idle = madeSubject({ seed: 99, accuracy: null, learned: null });
    const table = { subjects: [...subjects, idle], observations };
    const bytes = toParquet(table);
    expect(toParquet(table)).toEqual(bytes);
    const rows = await parquetReadObjects({ file: bytes.buffer as ArrayBuffer });
    const header = toCsv(table).split('\n')[0].split(',');
    // written as text again, cell by cell, it is the CSV
    const quoted = (cell: string | number | bigint | boolean | null): string => {
      const text = cell === null ? '' : String(cell);
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const lines = [
      header,
      ...rows.map((one) =>
        header.map((name) => quoted(one[name] as string | number | bigint | boolean | null)),
      ),
    ];
    expect(`${lines.map((cells) => cells.join(',')).join('\n')}\n`).toBe(toCsv(table));
  });

  it('are of one report, and go where a file can be', () =>
    withFolder((folder) => {
      writeFileSync(join(folder, 'report.json'), reportJson(madeReport([], [])));
      const twice = runCli(['report', 'report.json', 'report.json', '--csv', 'o.csv'], folder);
      expect([twice.code, twice.stderr]).toEqual([
        2,
        'sumlens: --csv: found "o.csv", expected one report when a file is named. Leave --csv away.\n',
      ]);
      expect(runCli(['report', 'report.json', '--parquet', '.'], folder).code).toBe(2);
      const both = runCli(['report', '.', '--csv', 'o.csv', '--out', 'page.html', '--quiet'], folder);
      expect([both.code, both.stderr]).toEqual([0, '']);
      expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain('<!doctype html>');
    }));
});
