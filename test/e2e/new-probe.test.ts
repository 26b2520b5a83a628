/** A module of one's own, from the template to what a report has of it, without another line. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRun } from '../../src/checkpoint/store.js';
import { gptConfigOf } from '../../src/config/names.js';
import { packageRoot } from '../../src/io/package-root.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../src/model/parameters.js';
import { parseReport } from '../../src/report/parse-report.js';
import type { Report } from '../../src/report/schema.js';
import { probeTemplate } from '../../src/workflows/probing/probe-template.js';
import { runCli } from '../helpers/cli.js';
import { cacheEntries } from '../workflows/probing/probe-files.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');
const RUNS = readdirSync(REFERENCE).sort();
const PATHS = RUNS.map((run) => join(REFERENCE, run));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-new-probe-'));
  expect(runCli(['new-probe', 'number-length'], folder)).toEqual({
    code: 0,
    stdout: 'number-length.ts\nrun it: sumlens probe ./number-length.ts <checkpoint...>\n',
    stderr: '',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function probe(file: string, args: readonly string[], name: string): Report {
  const { code, stderr } = runCli(['probe', file, ...args, '--name', name, '--quiet'], folder);
  expect([code, stderr]).toEqual([0, '']);
  const path = join(folder, 'reports', name, 'report.json');
  return parseReport(readFileSync(path), path);
}

/** What the template computes, in other words. */
function lengthOf(run: string): number {
  const store = openRun(join(REFERENCE, run));
  const { config } = store;
  const { parameters } = store.loadStep('final');
  const gpt = gptConfigOf(config);
  const all = parameterView(parameterTable(gpt), parameters, TOKEN_EMBEDDING);
  let squares = 0;
  for (let number = 0; number < 10; number++)
    for (let i = 0; i < gpt.dModel; i++)
      squares += all[(vocabularyOf(config.data).firstNumber + number) * gpt.dModel + i] ** 2;
  return Math.sqrt(squares / 10);
}

describe('a module from the template', () => {
  it('has its number, finding, comparison, picture and column', () => {
    const report = probe('./number-length.ts', PATHS, 'six');
    const { findings, charts, status } = report.modules['number-length'];
    expect(status).toBe('ok');
    const rows = report.observations.filter(({ statistic }) => statistic === 'number-length/length');
    expect(rows.map(({ subject }) => subject)).toEqual(RUNS.map((run) => `${run}@16000`));
    rows.forEach(({ value }, i) => expect(value).toBeCloseTo(lengthOf(RUNS[i]), 6));
    const difference = findings.find(({ about }) => about?.kind === 'difference');
    const means = ['max-', 'sum-'].map((prefix) => {
      const own = RUNS.filter((run) => run.startsWith(prefix)).map(lengthOf);
      return own.reduce((sum, value) => sum + value, 0) / own.length;
    });
    expect(difference?.estimate).toBeCloseTo(means[0] - means[1], 6);
    expect(difference?.interval?.low).toBeLessThan(means[0] - means[1]);
    const estimates = findings
      .filter(({ about }) => about?.kind !== 'difference')
      .map(({ estimate }) => estimate);
    for (const mean of means)
      expect(estimates.some((estimate) => Math.abs(Number(estimate) - mean) < 1e-6)).toBe(true);
    expect(charts.map(({ id }) => id)).toEqual(['statistics']);
    const page = readFileSync(join(folder, 'reports', 'six', 'index.html'), 'utf8');
    expect(page).toContain('Length of the number embeddings');
    expect(report.provenance.command).toMatch(/^sumlens probe \.\/number-length\.ts max-/);
    expect(runCli(['report', join('reports', 'six'), '--csv', 'o.csv', '--quiet'], folder).code).toBe(0);
    const lines = readFileSync(join(folder, 'o.csv'), 'utf8').split('\n');
    const value = lines[0].split(',').indexOf('value');
    const own = lines.filter((line) => line.includes(',number-length/length,'));
    expect(own).toHaveLength(6);
    // labels hold commas, so cells are counted from the end
    const fromEnd = value - lines[0].split(',').length;
    expect(own.map((line) => Number(line.split(',').at(fromEnd)))).toEqual(rows.map((row) => row.value));
  });

  it('has its series over steps', () => {
    const report = probe('./number-length.ts', [`${PATHS[3]}@all`, '--series', '--subset'], 'steps');
    const page = readFileSync(join(folder, 'reports', 'steps', 'index.html'), 'utf8');
    expect(page).toContain('data-name="series-number-length"');
    expect(report.subjects.length).toBeGreaterThanOrEqual(6);
  });

  it('is measured again when it changes, and not otherwise', () => {
    const entries = () =>
      cacheEntries(join(folder, 'reports')).filter((name) => name.startsWith('number-length/'));
    const before = entries();
    probe('./number-length.ts', PATHS, 'again');
    expect(entries()).toEqual(before);
    mkdirSync(join(folder, 'lib'), { recursive: true });
    writeFileSync(join(folder, 'lib', 'half.ts'), 'export const half = (x: number): number => x / 2;\n');
    const text = readFileSync(join(folder, 'number-length.ts'), 'utf8')
      .replace('import {', `import { half } from './lib/half.js';\nimport {`)
      .replace('Math.sqrt(squares', 'half(Math.sqrt(squares')
      .replace('modulus) };', 'modulus)) };');
    writeFileSync(join(folder, 'halved.ts'), text);
    const halved = probe('./halved.ts', [PATHS[0], '--subset'], 'halved-1');
    const value = (report: Report) =>
      report.observations.find(({ statistic }) => statistic === 'number-length/length')?.value ?? NaN;
    expect(value(halved)).toBeCloseTo(lengthOf(RUNS[0]) / 2, 6);
    writeFileSync(join(folder, 'lib', 'half.ts'), 'export const half = (x: number): number => x / 4;\n');
    expect(value(probe('./halved.ts', [PATHS[0], '--subset'], 'halved-2'))).toBeCloseTo(
      lengthOf(RUNS[0]) / 4,
      6,
    );
  });

  it('is short, and right by the types of the package', () => {
    const text = probeTemplate('number-length');
    expect(readFileSync(join(folder, 'number-length.ts'), 'utf8')).toBe(text);
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
    const file = join(folder, 'number-length.ts');
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      types: [],
      paths: { sumlens: [join(packageRoot(), 'dist', 'src', 'index.d.ts')] },
    });
    const source = program.getSourceFile(file);
    const found = [...program.getSemanticDiagnostics(source), ...program.getSyntacticDiagnostics(source)];
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([]);
  });
});

describe('mistakes in one line', () => {
  it.each([
    ['export const probe = {\n  name: ;\n};', /^sumlens: probe: \.\/bad\.ts:2:9: Unexpected ";"\.$/],
    [
      "import { x } from './none.js';\nexport const probe = x;",
      /bad\.ts:1:\d+: Could not resolve "\.\/none\.js"\.$/,
    ],
    [
      "export const probe = { name: 'bad' };",
      /probe: \.\/bad\.ts has no title, question, measure, statistics;/,
    ],
    ["throw new Error('ups');", /probe: \.\/bad\.ts could not be loaded: ups\./],
  ])('%j', (text, message) => {
    writeFileSync(join(folder, 'bad.ts'), text);
    const { code, stderr } = runCli(['probe', './bad.ts', PATHS[0]], folder);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr.trim()).toMatch(message);
  });

  it('a file that is not there', () => {
    const { code, stderr } = runCli(['probe', './none.ts', PATHS[0]], folder);
    expect([code, stderr]).toEqual([
      2,
      'sumlens: probe: found "./none.ts", expected a file that exports a probe.\n',
    ]);
  });

  it.each(['number-length', 'Upper', 'all', 'ablation', '../x', 'a'.repeat(41)])('a name: %s', (name) => {
    const before = readFileSync(join(folder, 'number-length.ts'));
    const { code, stdout, stderr } = runCli(['new-probe', name], folder);
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1]);
    expect(readFileSync(join(folder, 'number-length.ts'))).toEqual(before);
  });
});
