/** Runs left out are named; the words of a report, and the command that makes it. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { parseReport } from '../../src/report/parse-report.js';
import type { Report } from '../../src/report/schema.js';
import { runCli } from '../helpers/cli.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');
const RUNS = readdirSync(REFERENCE).sort();
const ALONE = RUNS.filter((run) => run.startsWith('sum-'));
const JOINT = RUNS.filter((run) => run.startsWith('max-'));
const SETTLED = `export const probe = { name: 'seed', title: 'Seed', question: 'Which?',
  measure: ({ subject }) => ({ seed: subject.seed }),
  statistics: [{ id: 'seed', title: 'Seed', formula: 'seed', unit: '1', sentence: 'seed', of: ({ seed }) => [{ value: seed }] }] };`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-not-given-'));
  cpSync(REFERENCE, join(folder, 'checkpoints'), { recursive: true });
  writeFileSync(join(folder, 'seed.mjs'), SETTLED);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function probe(args: readonly string[]): { report: Report; stderr: string } {
  const { code, stdout, stderr } = runCli(['probe', './seed.mjs', ...args, '--json', '--quiet'], folder);
  expect(code, stderr).toBe(0);
  return { report: parseReport(stdout, 'stdout'), stderr };
}
const part = (report: Report, id: string) => report.claims.find((claim) => claim.part === id);

describe('runs of the same conditions that were not given', () => {
  it('are named, and the claims about them withheld', () => {
    const { report, stderr } = probe([...JOINT, ALONE[1]]);
    expect(stderr).toMatch(/^not given: 2 runs \(sum-pairs-.*\) of the same conditions\..*--subset\.\n$/);
    const [note] = report.provenance.dataNotes.filter((text) => text.startsWith('Not given'));
    expect(note).toBe(`Not given: 2 runs of SUM, pairs, d=16: ${ALONE[0]}, ${ALONE[2]}.`);
    expect(part(report, 'C3c')?.reason).toMatch(/^withheld: .*\(2 of SUM, pairs, d=16\)$/);
    const rows = report.observations.filter(({ statistic }) => statistic === 'report/runs-not-given');
    expect(rows).toEqual([
      { subject: `${ALONE[1]}@16000`, statistic: 'report/runs-not-given', scope: {}, value: 2 },
    ]);
  });

  it('are none when all are given, as copies, by their files or by name', () => {
    const shipped = JOINT.map((run) => join(REFERENCE, run));
    const { report, stderr } = probe([...shipped, ...ALONE]);
    expect(stderr).toBe('');
    expect(report.observations.some(({ statistic }) => statistic.startsWith('report/'))).toBe(false);
    expect(part(report, 'C3c')?.reason).not.toContain('withheld');
  });

  it('are found beside runs that lie elsewhere, and not among what is no run', () => {
    const other = join(folder, 'elsewhere');
    for (const run of ALONE) cpSync(join(REFERENCE, run), join(other, run), { recursive: true });
    mkdirSync(join(other, 'no-run'));
    mkdirSync(join(other, 'odd'));
    writeFileSync(join(other, 'odd', 'config.json'), '{"data":');
    rmSync(join(folder, 'checkpoints', ALONE[0]), { recursive: true });
    try {
      const { report } = probe([join(other, ALONE[1]), join(other, ALONE[2])]);
      expect(report.provenance.dataNotes.join(' ')).toContain(
        `Not given: 1 run of SUM, pairs, d=16: ${ALONE[0]}.`,
      );
    } finally {
      cpSync(join(REFERENCE, ALONE[0]), join(folder, 'checkpoints', ALONE[0]), { recursive: true });
    }
  });

  it('on purpose: no verdict at all, and the report says so', () => {
    const { report, stderr } = probe([...JOINT, ALONE[1], '--subset']);
    expect(stderr).toBe('');
    expect(new Set(report.claims.map(({ verdict }) => verdict))).toEqual(new Set(['too few runs to say']));
    expect(part(report, 'C3a')?.reason).toBe('subset given on purpose: exploratory');
    expect(report.provenance.dataNotes.slice(0, 2)).toEqual([
      `Not given: 2 runs of SUM, pairs, d=16: ${ALONE[0]}, ${ALONE[2]}.`,
      'The runs were chosen on purpose: no verdict is claimed from them.',
    ]);
    expect(report.provenance.command).toMatch(/^sumlens probe \.\/seed\.mjs max-.* --subset$/);
  });
});

describe('the words of a report', () => {
  const words = [
    '--title',
    `It's <b>mine</b>`,
    '--notes',
    'First & foremost.\n\nSecond.',
    '--name',
    'worded',
  ];

  it('are in report.json and on the page, with the command that makes it', () => {
    const { report } = probe([`${ALONE[0]}@0,16000`, ALONE[1], ...words]);
    expect([report.title, report.notes]).toEqual([`It's <b>mine</b>`, 'First & foremost.\n\nSecond.']);
    const command = `sumlens probe ./seed.mjs ${ALONE[0]}@0,16000 ${ALONE[1]} --name worded --title 'It'\\''s <b>mine</b>' --notes 'First & foremost.\n\nSecond.'`;
    expect(report.provenance.command).toBe(command);
    const page = readFileSync(join(folder, 'reports', 'worded', 'index.html'), 'utf8');
    expect(page).toContain('<p>First &amp; foremost.</p><p>Second.</p>');
    expect(page).toMatch(/<h1>It(&#39;|')s &lt;b&gt;mine&lt;\/b&gt;<\/h1>/);
    expect(page).toContain(`${ALONE[0]}@0,16000 ${ALONE[1]} --name worded --title`);
  });

  it('of a page alone are those that "report" is given', () => {
    const args = [
      'report',
      join('reports', 'worded'),
      '--title',
      'Other',
      '--notes',
      'Third.',
      '--out',
      'o.html',
    ];
    expect(runCli(args, folder).code).toBe(0);
    const page = readFileSync(join(folder, 'o.html'), 'utf8');
    expect([
      page.includes('<h1>Other</h1>'),
      page.includes('<p>Third.</p>'),
      page.includes('foremost.</p>'),
    ]).toEqual([true, true, false]);
  });

  it.each([
    ['--title', ''],
    ['--title', 'a\nb'],
    ['--title', 'x'.repeat(201)],
    ['--notes', '\u0007'],
  ])('are refused: %s %j', (flag, text) => {
    const { code, stderr } = runCli(['probe', './seed.mjs', ALONE[0], flag, text], folder);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain(`${flag}: found`);
  });
});
