/** Probing as a library: faulty modules, the cache, order of subjects, and what is compared with what. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { welchInterval } from '../../../src/analysis/statistics/intervals.js';
import { UserError } from '../../../src/errors.js';
import type { Finding, Report } from '../../../src/report/schema.js';
import { openRun } from '../../../src/checkpoint/store.js';
import {
  probeAndReport,
  type ProbeJobOptions,
  type ProbeJobResult,
} from '../../../src/workflows/probing/probe-job.js';
import { checkpointRef, loadProbe } from '../../../src/workflows/probing/probe-plan.js';
import { loadUserProbe } from '../../../src/workflows/probing/user-probe.js';
import { findSubjects } from '../../../src/workflows/probing/subjects.js';
import { cacheEntries, type Fault, tinyRun, writeProbe } from './probe-files.js';

let folder: string;
let runs: string[];
let reports = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-probe-'));
  runs = [];
  for (const [tasks, seed] of [
    [['SUM'], 1],
    [['SUM'], 2],
    [['SUM'], 3],
    [['MAX', 'SUM'], 1],
    [['MAX', 'SUM'], 2],
  ] as const) {
    runs.push(await tinyRun(join(folder, 'checkpoints'), tasks, seed));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function probe(
  path: string,
  names: readonly string[],
  more: Partial<ProbeJobOptions> = {},
): Promise<ProbeJobResult & { readonly measured: string[]; readonly reportsDir: string }> {
  const measured: string[] = [];
  const reportsDir = more.reportsDir ?? join(folder, `reports-${reports++}`);
  const result = await probeAndReport({
    kind: 'comparison',
    title: 'test',
    name: 'test',
    refs: names.map((name) => checkpointRef(openRun(join(folder, 'checkpoints', name)), 'last')),
    probes: [{ probe: await loadProbe(path), source: path }],
    engine: 'auto',
    parallel: 2,
    version: '0.0.0',
    onProgress: ({ subject, share }) => {
      if (share === 1) measured.push(subject);
    },
    ...more,
    reportsDir,
  });
  return { ...result, measured, reportsDir };
}

/** How many checkpoints the module says it was given. */
const count = ({ modules }: Report, name: string) =>
  modules[name].findings.find(({ id }) => id === 'count')?.estimate;

/** subject id -> the number that a module gave of it */
const values = ({ observations }: Report, name: string): Map<string, number> =>
  new Map(
    observations
      .filter(({ statistic }) => statistic === `${name}/value`)
      .map(({ subject, value }) => [subject, value]),
  );

const differences = ({ modules }: Report, name: string): Finding[] =>
  modules[name].findings.filter(({ about }) => about?.kind === 'difference');

describe('progress', () => {
  it('tells how much of a measurement a module says is done, and that it is finished', async () => {
    const shares: number[] = [];
    await probe(writeProbe(folder, 'tells-shares'), runs.slice(0, 1), {
      onProgress: ({ module, share }) => {
        if (module === 'tells-shares') shares.push(share);
      },
    });
    // what makes no share of anything counts as none
    expect(shares).toEqual([0, 0.25, 0.75, 0, 1]);
  });
});

describe('a faulty module', () => {
  it.each([
    ['throws', 'the measurement broke'],
    ['not-a-number', 'measurement.value is NaN'],
    ['mutates', 'changed the weights'],
    ['combine-throws', 'the combination broke'],
    ['combine-silent', 'did not finish within 1.5 s'],
    ['statistic-throws', 'no number of it'],
    ['findings-incomplete', 'findings[0]'],
    ['observations-incomplete', 'observations[2]'],
    ['incompatible-throws', 'cannot tell'],
    ['incompatible-silent', 'isCompatible did not finish within 1.5 s'],
  ] as const)('%s is one failed module with its reason', async (fault: Fault, reason) => {
    const { report, failures } = await probe(writeProbe(folder, fault), runs.slice(0, 2), {
      timeLimitMs: 1500,
    });
    expect(report.modules[fault].status).toBe('failed');
    expect(report.modules[fault].reason).toContain(reason);
    expect(failures.length).toBeGreaterThan(0);
    expect(report.modules['learning'].status).toBe('ok');
  });

  it.each([
    ['throws-on-one', 'not seed two'],
    ['silent', 'did not finish within 1.5 s'],
    ['dies', 'exit code 3'],
  ] as const)('%s costs the one checkpoint it was at', async (fault: Fault, reason) => {
    const { report, failures } = await probe(writeProbe(folder, fault), runs.slice(0, 3), {
      timeLimitMs: 1500,
    });
    const module = report.modules[fault];
    expect(module.status).toBe('ok');
    expect(count(report, fault)).toBe(2);
    expect(values(report, fault).size).toBe(2);
    expect(module.leftOut.map(({ subject }) => subject)).toEqual([`${runs[1]}@10`]);
    expect(module.leftOut[0].reason).toContain(reason);
    expect(failures).toEqual([{ module: fault, subject: `${runs[1]}@10`, reason: module.leftOut[0].reason }]);
  });

  it('is stopped after --module-limit: what is measured stays, the rest is named with what to do', async () => {
    const { report, failures } = await probe(writeProbe(folder, 'silent'), runs.slice(0, 3), {
      parallel: 1,
      moduleLimitMs: 1500,
    });
    const module = report.modules['silent'];
    expect(module.status).toBe('ok');
    expect(count(report, 'silent')).toBe(1);
    const reason =
      'stopped after 1.5 s with 1 of 3 checkpoints measured; what is measured is kept. Try fewer checkpoints, or a longer --module-limit.';
    expect(module.leftOut).toEqual(runs.slice(1, 3).map((run) => ({ subject: `${run}@10`, reason })));
    expect(failures.map(({ subject }) => subject)).toEqual(module.leftOut.map(({ subject }) => subject));
  });

  it('does not spoil the sound one beside it', async () => {
    const choices = await Promise.all(
      (['combine-throws', 'sound'] as const).map(async (fault) => {
        const source = writeProbe(folder, fault);
        return { probe: await loadProbe(source), source };
      }),
    );
    const { report } = await probe(choices[0].source, runs.slice(0, 2), { probes: choices });
    expect(report.modules['combine-throws'].status).toBe('failed');
    expect(count(report, 'sound')).toBe(2);
  });

  it('is refused when it is no module', async () => {
    const path = join(folder, 'empty.mjs');
    writeFileSync(path, 'export const probe = { name: "../outside" };\n');
    await expect(loadProbe(path)).rejects.toThrow(/has no title, question, measure, statistics/);
    writeFileSync(path, 'export const other = 1;\n');
    await expect(loadProbe(join(folder, 'empty.mjs?2'))).rejects.toThrow(/empty\.mjs/);
  });
});

describe('loadUserProbe', () => {
  const written = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it.each([
    ['waits for ever', 'await new Promise(() => {});\nexport const probe = {};\n'],
    ['loops for ever', 'for (;;);\n'],
  ])('ends a file whose loading %s, and says where to look', async (what, text) => {
    const path = written(`${what.replaceAll(' ', '-')}.mjs`, text);
    const problem = loadUserProbe(path, 1000);
    await expect(problem).rejects.toThrow(UserError);
    await expect(problem).rejects.toThrow(
      `probe: ${path} could not be loaded: it did not finish within 1 s; expected a module that exports its probe at once. Look for an await or a loop outside its functions, or give it longer with --time-limit.`,
    );
  });

  it('names file, line and column of a mistake in the grammar, also in a file that it imports', async () => {
    const bad = written('bad.mjs', 'export const probe = {\n  name: "x"\n  title: "y",\n};\n');
    await expect(loadUserProbe(bad)).rejects.toThrow(UserError);
    await expect(loadUserProbe(bad)).rejects.toThrow(`probe: ${bad}:3:3: Expected "}" but found "title".`);
    const helper = written('bad-helper.mjs', 'export const helper = (;\n');
    const uses = written(
      'uses.mjs',
      'import { helper } from "./bad-helper.mjs";\nexport const probe = helper;\n',
    );
    await expect(loadUserProbe(uses)).rejects.toThrow(`probe: ${helper}:1:24: Unexpected ";".`);
    written('other.mjs', 'export const other = 1;\n');
    const missing = written(
      'missing.mjs',
      'import { gone } from "./other.mjs";\nexport const probe = gone;\n',
    );
    await expect(loadUserProbe(missing)).rejects.toThrow(
      `probe: ${missing}:1:10: No matching export in "other.mjs" for import "gone".`,
    );
    const throwing = written('throwing.mjs', 'throw new Error("ups");\n');
    await expect(loadUserProbe(throwing)).rejects.toThrow(`${throwing} could not be loaded: ups.`);
  });

  it('loads a sound one, and refuses what is no probe as it did', async () => {
    expect((await loadUserProbe(writeProbe(folder, 'sound'))).name).toBe('sound');
    const broken = written('broken.mjs', 'export const probe = { name: "x" };\n');
    await expect(loadUserProbe(broken)).rejects.toThrow(UserError);
    await expect(loadUserProbe(broken)).rejects.toThrow(/has no title, question, measure, statistics/);
    await expect(loadUserProbe(join(folder, 'absent.mjs'))).rejects.toThrow(/could not be loaded/);
    const dying = written('dying.mjs', 'process.exit(0);\n');
    await expect(loadUserProbe(dying)).rejects.toThrow(/ended with exit code 0 and no result/);
  });
});

describe('measurements', () => {
  it('are made once: a checkpoint more is one measurement more, whatever the labels become', async () => {
    const path = writeProbe(folder, 'sound');
    const first = await probe(path, runs.slice(0, 2));
    expect(first.measured).toHaveLength(2);
    const before = cacheEntries(first.reportsDir);
    const again = await probe(path, runs.slice(0, 2), { reportsDir: first.reportsDir });
    expect(again.measured).toEqual([]);
    const more = await probe(path, [runs[3], ...runs.slice(0, 2)], { reportsDir: first.reportsDir });
    expect(more.measured).toEqual([`${runs[3]}@10`]);
    const after = cacheEntries(first.reportsDir);
    expect(after.filter((entry) => !before.includes(entry))).toHaveLength(1);
    expect(after).toHaveLength(3);
  });

  it('of a changed file are made again, although its version is the same', async () => {
    const path = writeProbe(folder, 'sound');
    const first = await probe(path, runs.slice(0, 1));
    writeFileSync(path, `${readFileSync(path, 'utf8')}// changed\n`);
    const again = await probe(path, runs.slice(0, 1), { reportsDir: first.reportsDir });
    expect(again.measured).toHaveLength(1);
  });

  it('of a module whose helper changed are made again, also when the entry and its version did not', async () => {
    const path = writeProbe(folder, 'sound');
    writeFileSync(join(folder, 'inner.mjs'), 'export const shift = 1;\n');
    writeFileSync(join(folder, 'helper.mjs'), "export { shift } from './inner.mjs';\n");
    const entry = readFileSync(path, 'utf8').replace('value: parameters[0]', 'value: parameters[0] + shift');
    writeFileSync(path, `import { shift } from './helper.mjs';\n${entry}`);
    const first = await probe(path, runs.slice(0, 1));
    expect((await probe(path, runs.slice(0, 1), { reportsDir: first.reportsDir })).measured).toEqual([]);
    writeFileSync(join(folder, 'inner.mjs'), 'export const shift = 2;\n');
    const again = await probe(path, runs.slice(0, 1), { reportsDir: first.reportsDir });
    expect(again.measured).toHaveLength(1);
    const value = ({ report }: typeof first) => values(report, 'sound').get(`${runs[0]}@10`) ?? NaN;
    expect(value(again) - value(first)).toBeCloseTo(1, 6);
  });

  it.each([
    ['says-false', 'false'],
    ['says-one', '1'],
    ['says-nothing', 'undefined'],
  ] as const)(
    'of a module that answers isCompatible with %s fail by name, and the report is written',
    async (fault, answer) => {
      const { report, measured } = await probe(writeProbe(folder, fault), runs.slice(0, 1));
      expect(measured).toEqual([]);
      expect(report.modules[fault]).toMatchObject({
        status: 'failed',
        reason: `isCompatible returned ${answer}, expected true, or a sentence that says why it does not apply`,
      });
    },
  );

  it('that are not what was stored are made again', async () => {
    const path = writeProbe(folder, 'sound');
    const first = await probe(path, runs.slice(0, 1));
    const [entry] = cacheEntries(first.reportsDir);
    const file = join(first.reportsDir, '.cache', entry);
    const stored = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      stored.replace(
        /("value":-?[\d.]*)(\d)/,
        (_, head: string, last: string) => `${head}${(Number(last) + 1) % 10}`,
      ),
    );
    expect(readFileSync(file, 'utf8')).not.toBe(stored);
    const again = await probe(path, runs.slice(0, 1), { reportsDir: first.reportsDir });
    expect(again.measured).toHaveLength(1);
    expect(again.report.modules).toEqual(first.report.modules);
    expect(readFileSync(file, 'utf8')).toBe(stored);
  });

  it('of other weights are never taken', async () => {
    const path = writeProbe(folder, 'sound');
    const first = await probe(path, [runs[0]]);
    const other = await probe(path, [], {
      reportsDir: first.reportsDir,
      refs: [checkpointRef(openRun(join(folder, 'checkpoints', runs[0])), 0)],
    });
    expect(other.measured).toEqual([`${runs[0]}@0`]);
  });
});

describe('a comparison', () => {
  it('gives the same bytes for subjects in any order', async () => {
    const path = writeProbe(folder, 'sound');
    const forward = await probe(path, runs);
    const backward = await probe(path, [...runs].reverse());
    for (const file of ['report.json', 'index.html']) {
      expect(readFileSync(join(backward.reportDir, file))).toEqual(
        readFileSync(join(forward.reportDir, file)),
      );
    }
  });

  it('takes the difference of conditions over seeds, and shows each seed', async () => {
    const { report } = await probe(writeProbe(folder, 'sound'), runs);
    const value = values(report, 'sound');
    const of = (names: readonly string[]): number[] => names.map((name) => value.get(`${name}@10`) ?? NaN);
    const [difference, ...others] = differences(report, 'sound');
    expect(others).toEqual([]);
    expect(difference.about).toMatchObject({ statistic: 'sound/value', kind: 'difference', runs: 'all' });
    const expected = welchInterval(of(runs.slice(3)), of(runs.slice(0, 3)), 0.95);
    expect(difference.estimate).toBeCloseTo(expected.estimate, 8);
    expect(difference.interval?.low).toBeCloseTo(expected.low, 8);
    expect(difference.interval?.high).toBeCloseTo(expected.high, 8);
    expect(difference.n.seeds).toBe(5);
    expect(difference.statement).toContain('MAX+SUM, full, d=4 minus SUM, full, d=4');
    const [{ table }] = report.modules['sound'].charts;
    const column = (name: string) => table.rows.map((row) => row[table.columns.indexOf(name)]);
    expect(column('Seed')).toEqual([1, 2, 1, 2, 3]);
    // the column has the name of the axis, and four digits: all of them are in the observations
    const shown = column(table.columns[table.columns.indexOf('Seed') + 1]).map(Number);
    const given = of([...runs.slice(3), ...runs.slice(0, 3)]);
    expect(shown).toEqual(given.map((number) => Number(number.toPrecision(4))));
  });

  it('of one seed each says so and gives no interval', async () => {
    const { report } = await probe(writeProbe(folder, 'sound'), [runs[0], runs[3]]);
    const [difference] = differences(report, 'sound');
    expect(difference.estimate).toBeTypeOf('number');
    expect(difference.interval).toBeUndefined();
    expect(difference.p).toBeUndefined();
    expect(difference.reason).toContain('fewer than two seeds');
    expect(report.modules['sound'].charts[0].subtitle).toContain('one seed a condition: no interval');
    expect(JSON.stringify(report)).not.toContain('Infinity');
  });

  it('takes differences within a regime only, and says that regimes differ', async () => {
    const held = await tinyRun(join(folder, 'checkpoints'), ['SUM'], 1, { regime: 'pairs' });
    const { report } = await probe(writeProbe(folder, 'sound'), [runs[0], held, runs[3]]);
    const taken = differences(report, 'sound');
    expect(taken).toHaveLength(1);
    expect(taken[0].statement).not.toContain('pairs');
    expect(report.modules['sound'].charts[0].table.rows).toHaveLength(3);
    expect(report.provenance.dataNotes.join(' ')).toContain('Regimes full and pairs');
  });

  it('counts the last step of a run, not its steps as replicates', async () => {
    const { refs } = findSubjects([`${runs[0]}@all`, `${runs[3]}@all`], join(folder, 'checkpoints'));
    expect(refs).toHaveLength(4);
    const { report } = await probe(writeProbe(folder, 'sound'), [], { refs });
    const [difference] = differences(report, 'sound');
    expect(difference.n.seeds).toBe(2);
    expect(difference.interval).toBeUndefined();
  });
});
