/** `sumlens compare` and `probe` as a user runs them: addresses, refusals, damage, faults and kills. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MORE_PROBES, PROBES } from '../../probes/index.js';
import { openRun } from '../../src/checkpoint/store.js';
import { parseReport } from '../../src/report/parse-report.js';
import type { Report } from '../../src/report/schema.js';
import { runCli, startCli } from '../helpers/cli.js';
import { cacheEntries, tinyRun, writeProbe } from '../workflows/probing/probe-files.js';

let folder: string;
let alone: string[];
let joint: string[];
let otherModulus: string;
let otherContext: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-compare-'));
  const root = join(folder, 'checkpoints');
  alone = [];
  joint = [];
  for (const seed of [1, 2, 3]) alone.push(await tinyRun(root, ['SUM'], seed));
  for (const seed of [1, 2]) joint.push(await tinyRun(root, ['MAX', 'SUM'], seed));
  otherModulus = await tinyRun(root, ['SUM'], 1, { modulus: 7 });
  otherContext = await tinyRun(root, ['SUM'], 1, { nCtx: 40 });
  writeProbe(folder, 'sound');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reportOf = (name: string): Report =>
  parseReport(readFileSync(join(folder, 'reports', name, 'report.json')), name);

/** How many checkpoints the module says it was given. */
const count = ({ modules }: Report, name: string) =>
  modules[name].findings.find(({ id }) => id === 'count')?.estimate;

describe('sumlens compare', () => {
  it('compares two runs with every module, one JSON document on stdout', () => {
    const { code, stdout, stderr } = runCli(['compare', alone[0], joint[0], '--json'], folder);
    expect(code, stderr).toBe(0);
    const report = parseReport(stdout, 'stdout');
    expect(report.subjects.map(({ run }) => run)).toEqual([joint[0], alone[0]]);
    expect(Object.keys(report.modules)).toEqual(expect.arrayContaining(PROBES.map(({ name }) => name)));
    for (const [name, module] of Object.entries(report.modules)) expect(module.status, name).toBe('ok');
    // one seed each: nothing that looks like an interval
    const intervals = Object.values(report.modules).flatMap(({ findings }) =>
      findings.flatMap(({ interval }) => (interval === undefined ? [] : [interval.low, interval.high])),
    );
    for (const bound of intervals) expect(bound).toBeTypeOf('number');
    expect(stdout).toContain('fewer than two seeds');
    expect(existsSync(join(folder, 'reports', 'compare', 'index.html'))).toBe(true);
  });

  it('gives the same bytes in another order, and measures only what is added', () => {
    const files = (): Buffer[] =>
      ['report.json', 'index.html'].map((file) => readFileSync(join(folder, 'reports', 'compare', file)));
    const entries = (): string[] => cacheEntries(join(folder, 'reports'));
    expect(runCli(['compare', alone[0], joint[0]], folder).code).toBe(0);
    const [before, measured] = [files(), entries()];
    expect(runCli(['compare', joint[0], alone[0]], folder).code).toBe(0);
    expect(files()).toEqual(before);
    expect(entries()).toEqual(measured);
    expect(runCli(['compare', joint[1], joint[0], alone[0], '--quiet'], folder).code).toBe(0);
    const added = entries().filter((entry) => !measured.includes(entry));
    expect(added.map((entry) => entry.split('/')[0]).sort()).toEqual(PROBES.map(({ name }) => name).sort());
    // three comparisons with every module
  }, 180_000);

  it('prints claims, differences and the place of the report', () => {
    const { code, stdout } = runCli(['probe', './sound.mjs', ...alone, ...joint, '--name', 'five'], folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/The first weight: MAX\+SUM, full, d=4 minus SUM, full, d=4/);
    expect(stdout).toMatch(/report: .*five.index\.html/);
  });

  it.each([
    ['modulus', (): string => otherModulus, /modulus: 10 \(.*\), 7 \(.*\)|modulus: 7 \(.*\), 10 \(.*\)/],
    ['context length', (): string => otherContext, /nCtx: (32|40) \(/],
  ])('refuses checkpoints of another %s in one line', (_, run, pattern) => {
    const { code, stdout, stderr } = runCli(['compare', alone[0], run(), '--name', 'unlike'], folder);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(pattern);
    expect(existsSync(join(folder, 'reports', 'unlike'))).toBe(false);
  });

  it('shows unlike checkpoints beside each other with probe, marked and not subtracted', () => {
    const { code } = runCli(['probe', './sound.mjs', alone[0], otherModulus, '--name', 'marked'], folder);
    expect(code).toBe(0);
    const report = reportOf('marked');
    expect(report.provenance.dataNotes.join(' ')).toContain('modulus');
    const { findings } = report.modules['sound'];
    expect(findings.map(({ about }) => about?.kind)).toEqual(['mean', 'mean', undefined]);
  });

  it.each([
    [[], 'no checkpoint'],
    [['RUN'], 'one checkpoint'],
    [['RUN', 'no-such-run'], 'no-such-run'],
    [['RUN', 'RUN@7'], '@7'],
    [['RUN', 'RUN@0', '--name', '../up'], '--name'],
    [['RUN', 'RUN@0', '--time-limit', '0'], '--time-limit'],
  ])('refuses %j', (args, words) => {
    const given = args.map((arg) => arg.replace('RUN', alone[0]));
    const { code, stderr } = runCli(['compare', ...given], folder);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(words);
  });

  it('lists the modules', () => {
    expect(runCli(['probe', '--list'], folder).stdout).toContain('embedding-pca');
    const { modules } = JSON.parse(runCli(['probe', '--list', '--json'], folder).stdout) as {
      modules: { name: string }[];
    };
    expect(modules.map(({ name }) => name)).toEqual([...PROBES, ...MORE_PROBES].map(({ name }) => name));
  });
});

describe('addresses', () => {
  const measured = (args: readonly string[], name: string): string[] => {
    const { code, stderr } = runCli(['probe', './sound.mjs', ...args, '--name', name], folder);
    expect(code, stderr).toBe(0);
    return reportOf(name).subjects.map(({ id }) => id);
  };

  it('names steps of one run', () => {
    expect(measured([`${alone[0]}@all`], 'all')).toEqual([`${alone[0]}@0`, `${alone[0]}@10`]);
    expect(measured([`${alone[0]}@10,0`, `${alone[0]}@final`], 'some')).toEqual([
      `${alone[0]}@0`,
      `${alone[0]}@10`,
    ]);
    expect(measured([join('checkpoints', alone[0], 'steps', '000000')], 'path')).toEqual([`${alone[0]}@0`]);
  });

  it('takes a step at which nothing was evaluated, and does not say that it has learned or not', async () => {
    const run = await tinyRun(join(folder, 'checkpoints'), ['SUM'], 9, { steps: 70, evaluateEvery: 70 });
    for (const args of [
      ['probe', 'all', `${run}@64`],
      ['compare', `${run}@0`, `${run}@64`],
    ]) {
      const { code, stderr } = runCli([...args, '--name', 'unknown', '--quiet'], folder);
      expect(code, stderr).toBe(0);
      const { modules, subjects } = reportOf('unknown');
      expect(subjects.at(-1)).toMatchObject({ step: 64, final: false, accuracy: null });
      for (const [name, module] of Object.entries(modules)) expect(module.status, name).toBe('ok');
      const said = Object.values(modules).flatMap(({ charts, findings }) => [
        ...charts.flatMap(({ subtitle, summary }) => [subtitle, summary]),
        ...findings.map(({ statement }) => statement),
      ]);
      expect(said.filter((text) => /runs? that learned SUM|, not learned/.test(text))).toEqual([]);
    }
  });

  it('takes a weights file with its configuration, and measures what the run gives', () => {
    const run = join(folder, 'checkpoints', alone[1]);
    copyFileSync(join(run, 'steps', '000010', 'model.safetensors'), join(folder, 'mine.safetensors'));
    const config = join(run, 'config.json');
    expect(measured(['mine.safetensors', '--config', config], 'file')).toEqual(['mine@10']);
    const value = (name: string): unknown =>
      reportOf(name).observations.find(({ statistic }) => statistic === 'sound/value')?.value;
    measured([alone[1]], 'its-run');
    expect(value('file')).toBe(value('its-run'));
    expect(value('file')).toBeCloseTo(openRun(run).loadStep('last').parameters[0], 6);

    const without = runCli(['probe', './sound.mjs', 'mine.safetensors'], folder);
    expect(without.code).toBe(2);
    expect(without.stderr).toContain('--config');
    const other = join(folder, 'other.json');
    writeFileSync(other, JSON.stringify({ model: { dModel: 8, nLayers: 1 } }));
    const unfit = runCli(['probe', './sound.mjs', 'mine.safetensors', '--config', other], folder);
    expect(unfit.code).toBe(1);
    expect(unfit.stderr).toMatch(/mine\.safetensors.*shape/);
  });

  it('takes shipped runs by a path and by name', () => {
    cpSync(join(folder, 'checkpoints', alone[2]), join(folder, 'checkpoints', 'reference', alone[2]), {
      recursive: true,
    });
    expect(measured([join('checkpoints', 'reference', alone[2])], 'shipped')).toEqual([`${alone[2]}@10`]);
  });
});

describe('when something fails', () => {
  it('names a damaged checkpoint and goes on with the others, exit code 1', () => {
    const damaged = join(folder, 'checkpoints', alone[1], 'steps', '000010', 'model.safetensors');
    const good = readFileSync(damaged);
    const bad = Buffer.from(good);
    bad[bad.length - 3] ^= 1;
    writeFileSync(damaged, bad);
    try {
      const { code, stdout, stderr } = runCli(
        ['probe', './sound.mjs', alone[0], `${alone[1]}@10`, alone[2], '--name', 'damaged', '--json'],
        folder,
      );
      expect(code).toBe(1);
      expect(stderr).toContain(`${alone[1]}@10 was left out`);
      expect(stderr).toContain('model.safetensors');
      const report = parseReport(stdout, 'stdout');
      expect(report.subjects.map(({ run }) => run)).toEqual([alone[0], alone[2]]);
      expect(count(report, 'sound')).toBe(2);
      expect(report.modules['sound'].leftOut.map(({ subject }) => subject)).toEqual([`${alone[1]}@10`]);
      // without a step the one before is taken, which is said here and in the report
      const fallback = runCli(['probe', './sound.mjs', alone[1], '--name', 'fallback'], folder);
      expect(fallback.code).toBe(1);
      expect(fallback.stderr).toContain('Step 0 is used in its place.');
      expect(reportOf('fallback').subjects.map(({ id }) => id)).toEqual([`${alone[1]}@0`]);
    } finally {
      writeFileSync(damaged, good);
    }
  });

  it('names a failed module and the checkpoint it failed on, exit code 1', () => {
    writeProbe(folder, 'silent');
    const { code, stdout, stderr } = runCli(
      ['probe', './silent.mjs', ...alone, '--time-limit', '1', '--json'],
      folder,
    );
    expect(code).toBe(1);
    expect(stderr).toContain(`silent failed on ${alone[1]}@10: did not finish within 1 s`);
    expect(count(parseReport(stdout, 'stdout'), 'silent')).toBe(2);
  });

  it('shows no half result after a kill, and goes on where it was', async () => {
    writeFileSync(
      join(folder, 'slow.mjs'),
      readFileSync(writeProbe(folder, 'sound'), 'utf8')
        .replace("name: 'sound'", "name: 'slow'")
        .replace('measure({', 'async measure({')
        .replace('{ return { value:', '{ await new Promise((r) => setTimeout(r, 1500)); return { value:'),
    );
    const args = ['probe', './slow.mjs', ...alone, '--threads', '1', '--name', 'killed'];
    const reports = join(folder, 'reports');
    const slow = (): string[] => cacheEntries(reports).filter((entry) => entry.startsWith('slow/'));
    const child = startCli(args, folder);
    const ended = new Promise((done) => child.once('exit', done));
    while (slow().length === 0) await new Promise((done) => setTimeout(done, 50));
    child.kill('SIGKILL');
    await ended;
    const kept = slow();
    expect(kept.length).toBeLessThan(3);
    for (const entry of kept.filter((name) => name.endsWith('.json')))
      expect(() => void JSON.parse(readFileSync(join(reports, '.cache', entry), 'utf8'))).not.toThrow();
    expect(existsSync(join(reports, 'killed'))).toBe(false);
    const again = runCli(args, folder);
    expect(again.code, again.stderr).toBe(0);
    expect(count(reportOf('killed'), 'slow')).toBe(3);
    expect(readdirSync(reports).filter((name) => name.startsWith('.tmp'))).toEqual([]);
  });
});
