import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listRuns } from '../../../src/checkpoint/list.js';
import { openRun, parseCheckpointAddress } from '../../../src/checkpoint/store.js';
import { claimById, claimPart } from '../../../src/evidence/claims-file.js';
import { VERDICTS } from '../../../src/evidence/verdict.js';
import { ownIdentity } from '../../../src/io/process-identity.js';
import { sha256Hex } from '../../../src/io/sha256.js';
import { ADDRESS_NAME, type RunSummary } from '../../../src/viewer/contract.js';
import { ReportIndex } from '../../../src/viewer/disk/report-index.js';
import { checkpointsOf, configText } from '../../../src/viewer/disk/run-detail.js';
import { runCache } from '../../../src/viewer/disk/run-cache.js';
import { RunIndex } from '../../../src/viewer/disk/run-index.js';
import {
  evalLine,
  sampleConfig,
  sampleRoot,
  trainLine,
  writeReport,
  writeRun,
  type SampleRoot,
} from '../sample-runs.js';

let sample: SampleRoot;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function index(): RunIndex {
  const { checkpointsDir } = sample;
  // a list of a busy machine is whole too
  return new RunIndex([checkpointsDir, join(checkpointsDir, 'reference')], undefined, Infinity);
}

async function only(name: string): Promise<RunSummary> {
  const run = (await index().runs()).find(({ id }) => id === name);
  if (run === undefined) throw new Error(`${name} is not listed`);
  return run;
}

beforeEach(() => {
  sample = sampleRoot();
});
afterEach(() => sample.remove());

describe('RunIndex', () => {
  it('gives condition, seed, parameters, step and accuracy of a run', async () => {
    const name = writeRun(sample.checkpointsDir, { config: sampleConfig(['MAX', 'SUM'], 7), end: 'solved' });
    const run = await only(name);
    expect(run).toMatchObject({
      open: true,
      status: 'solved',
      label: 'MAX+SUM, full, d=16',
      tasks: ['MAX', 'SUM'],
      seed: 7,
      step: 8000,
      steps: 8000,
      chance: 0.1,
      accuracy: { MAX: 1, SUM: 1 },
    });
    expect(run.parameters).toBeGreaterThan(1000);
    expect(run.sparkline.length).toBeLessThanOrEqual(80);
    expect(run.sparkline.at(-1)).toEqual([8000, 1]);
  });

  it('gives the same list until something changes, links and counts of folders among it', async () => {
    const { checkpointsDir } = sample;
    const first = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), end: 'budget' });
    writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 2), until: 100 });
    const runs = index();
    let before = await runs.runs();
    const next = async (): Promise<readonly RunSummary[]> => {
      await pause(450);
      return runs.runs();
    };
    expect(await next()).toBe(before);
    for (const change of [
      () => appendFileSync(join(checkpointsDir, first, 'metrics.jsonl'), `${trainLine(9000, 0.5)}\n`),
      () => symlinkSync(join(checkpointsDir, first), join(checkpointsDir, 'a-link')),
      () => rmSync(join(checkpointsDir, 'a-link')),
      () => rmSync(join(checkpointsDir, first), { recursive: true }),
    ]) {
      change();
      // a list that took long to make is kept for longer
      const old = before;
      let after = await next();
      for (let i = 0; after === old && i < 40; i++) after = await next();
      expect(after).not.toBe(before);
      expect(after).not.toEqual(before);
      before = after;
    }
  });

  it('agrees with the store on the state of every folder', async () => {
    const { checkpointsDir } = sample;
    const config = (seed: number) => sampleConfig(['SUM'], seed);
    writeRun(checkpointsDir, { config: config(1), running: true, until: 100 });
    writeRun(checkpointsDir, { config: config(2), end: 'budget' });
    writeRun(checkpointsDir, { config: config(3), end: 'interrupted', until: 100 });
    writeRun(checkpointsDir, { config: config(4), until: 100 });
    // taken up again after an interruption
    writeRun(checkpointsDir, { config: config(5), end: 'interrupted', running: true, until: 100 });
    // its holder is gone
    const dead = writeRun(checkpointsDir, { config: config(6), until: 100 });
    const gone = { ...ownIdentity(), pid: 2 ** 22 + 1, generation: 0, text: 'training' };
    writeFileSync(join(checkpointsDir, dead, 'lock'), JSON.stringify(gone));
    mkdirSync(join(checkpointsDir, 'reference'));
    writeRun(join(checkpointsDir, 'reference'), { config: config(7), end: 'solved' });
    writeFileSync(join(checkpointsDir, 'README.md'), 'not a run');
    mkdirSync(join(checkpointsDir, 'empty'));
    mkdirSync(join(checkpointsDir, 'broken'));
    writeFileSync(join(checkpointsDir, 'broken', 'config.json'), '{');
    const edited = writeRun(checkpointsDir, { config: config(8), end: 'budget' });
    writeFileSync(join(checkpointsDir, edited, 'config.json'), JSON.stringify(config(8), null, 1));
    const badEnd = writeRun(checkpointsDir, { config: config(9) });
    writeFileSync(join(checkpointsDir, badEnd, 'end.json'), '{"reason":"won"}');
    const ours = (await index().runs()).map(({ id, status }) => `${id} ${status}`);
    const theirs = listRuns(checkpointsDir).map(({ name, status }) => `${name} ${status}`);
    expect(ours).toEqual(theirs);
    expect(ours.length).toBe(11);
    for (const run of await index().runs()) {
      if (run.status !== 'corrupt') continue;
      expect(run.reason).toBeTruthy();
      expect(run.reason).not.toContain(sample.root);
    }
  });

  it('says at which step and in what a run diverged', async () => {
    const name = writeRun(sample.checkpointsDir, {
      config: sampleConfig(['SUM'], 1),
      end: 'diverged',
      until: 100,
    });
    const row = { kind: 'diverged', step: 123, quantity: 'gradient norm', value: 'NaN' };
    appendFileSync(join(sample.checkpointsDir, name, 'metrics.jsonl'), `${JSON.stringify(row)}\n`);
    expect(await only(name)).toMatchObject({
      status: 'diverged',
      reason: 'At step 123 gradient norm was NaN.',
      loss: null,
    });
  });

  it('follows a run that grows, is cut back, and goes away', async () => {
    const name = writeRun(sample.checkpointsDir, {
      config: sampleConfig(['SUM'], 1),
      until: 500,
      running: true,
    });
    const path = join(sample.checkpointsDir, name, 'metrics.jsonl');
    const runs = index();
    expect((await runs.runs())[0].step).toBe(500);
    appendFileSync(path, `${trainLine(550, 0.25)}\n${evalLine(550, { SUM: 0.42 })}\n`);
    const first = () => expect.poll(async () => (await runs.runs())[0], { timeout: 20_000 });
    await first().toMatchObject({ step: 550, loss: 0.25, accuracy: { SUM: 0.42 } });
    writeFileSync(path, `${trainLine(50, 1.1)}\n`);
    await first().toMatchObject({ step: 50, loss: 1.1, accuracy: null });
    rmSync(join(sample.checkpointsDir, name), { recursive: true });
    await first().toBeUndefined();
  });

  it('tells conditions of the same label apart by what differs', async () => {
    writeRun(sample.checkpointsDir, { config: sampleConfig(['SUM'], 1), until: 100 });
    const other = sampleConfig(['SUM'], 1);
    const longer = { ...other, training: { ...other.training, steps: 16_000 } };
    writeRun(sample.checkpointsDir, { config: longer, until: 100 });
    const labels = (await index().runs()).map(({ label }) => label).sort();
    expect(labels).toEqual(['SUM, full, d=16, steps=16000', 'SUM, full, d=16, steps=8000']);
  });

  it('lists runs in folders of folders and links to runs, and names links that leave the folder', async () => {
    const { checkpointsDir, root } = sample;
    const run = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), end: 'budget' });
    const exp = join(checkpointsDir, 'exp', 'first');
    const nested = writeRun(exp, { config: sampleConfig(['SUM'], 2), end: 'budget' });
    mkdirSync(join(root, 'elsewhere'));
    const outside = writeRun(join(root, 'elsewhere'), { config: sampleConfig(['SUM'], 3), end: 'budget' });
    symlinkSync(join(root, 'elsewhere', outside), join(checkpointsDir, 'out'));
    symlinkSync(join('..', '..', run), join(exp, 'best'));
    symlinkSync(join('exp', 'first', nested), join(checkpointsDir, 'linked'));
    // circles and what leads nowhere
    symlinkSync('..', join(exp, 'up'));
    symlinkSync('loop', join(checkpointsDir, 'loop'));
    // a damaged run stays one run, whatever lies in it
    mkdirSync(join(checkpointsDir, 'damaged', 'steps', '000064'), { recursive: true });
    const runs = await index().runs();
    expect(runs.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'damaged corrupt',
      'exp/first/best budget',
      `exp/first/${nested} budget`,
      'exp/first/up corrupt',
      'linked budget',
      'loop corrupt',
      'out corrupt',
      `${run} budget`,
    ]);
    const of = (id: string) => runs.find((entry) => entry.id === id);
    expect(of('exp/first/best')).toMatchObject({ open: true, address: 'exp=2Ffirst=2Fbest', seed: 1 });
    expect(of('linked')).toMatchObject({ open: true, seed: 2 });
    expect(of('out')).toMatchObject({
      open: false,
      seed: null,
      reason: 'is a link that leaves this folder: such links are not followed',
    });
    // the command line takes the same names
    for (const id of ['exp/first/best', `exp/first/${nested}`, 'linked', run]) {
      expect(parseCheckpointAddress(id, checkpointsDir).runDir).toBe(join(checkpointsDir, id));
      expect(openRun(join(checkpointsDir, id)).config.data.tasks).toEqual(['SUM']);
    }
  });

  it('gives every name an address of its own that a guard lets pass', async () => {
    const { checkpointsDir } = sample;
    const names = [
      'a+b',
      'a b',
      'a=20b',
      'é',
      '=C3=A9',
      '<b>',
      '-rf',
      '"',
      "it's",
      '100%',
      '#1',
      'a?b',
      '_',
      '数',
    ];
    names.push('x'.repeat(250), 'é'.repeat(100), 'é'.repeat(101));
    names.forEach((name, i) =>
      writeRun(checkpointsDir, { config: sampleConfig(['SUM'], i + 1), name, until: 100, end: 'budget' }),
    );
    const runs = await index().runs();
    expect(runs).toHaveLength(names.length);
    for (const run of runs) {
      expect(run).toMatchObject({ open: true, status: 'budget' });
      expect(run.address).toMatch(ADDRESS_NAME);
    }
    expect(new Set(runs.map(({ address }) => address)).size).toBe(names.length);
    expect(runs.find(({ id }) => id === 'a+b')?.address).toBe('a+b');
  });
});

describe('the cache of the list', () => {
  const file = (): string => join(sample.reportsDir, '.cache', 'viewer-runs.json');
  const cached = (): RunIndex => new RunIndex([sample.checkpointsDir], runCache(file()), Infinity);
  const N = 220;
  /** written long enough ago to be settled */
  const fill = (): void => {
    for (let seed = 1; seed <= N; seed++)
      writeRun(sample.checkpointsDir, {
        config: sampleConfig(['SUM'], seed),
        ...{ until: 250, end: 'budget', publishes: false },
      });
  };
  const realNow = Date.now.bind(Date);
  afterEach(() => vi.restoreAllMocks());

  it('gives the list that reading gives, and sees what changed since', async () => {
    fill();
    const plain = await index().runs();
    // files changed a moment ago are not cached
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() - 60_000);
    expect(await cached().runs()).toEqual(plain);
    expect(readFileSync(file(), 'utf8').split('\n')[1].slice(0, 50)).toBe('[]');
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 5000);
    await cached().runs();
    const kept = readFileSync(file(), 'utf8');
    expect(JSON.parse(kept.split('\n')[1])).toHaveLength(N);
    expect(await cached().runs()).toEqual(plain);
    // what it gives is what the cache says, which shows that nothing was read
    const told = kept.replaceAll('"loss":', '"loss":1e3,"was":');
    const body = told.slice(told.indexOf('\n') + 1);
    const head = kept.slice(0, kept.indexOf('\n')).replace(/[0-9a-f]{64}/, sha256Hex(body));
    writeFileSync(file(), `${head}\n${body}`);
    expect((await cached().runs()).every(({ loss }) => loss === 1e3)).toBe(true);
    // a file that changed is read: also one of the same length and time
    const changed = plain[7].id;
    const metrics = join(sample.checkpointsDir, changed, 'metrics.jsonl');
    const { atime, mtime } = statSync(metrics);
    const text = readFileSync(metrics, 'utf8');
    writeFileSync(metrics, text.replace(/"lossNats":1\./g, '"lossNats":2.'));
    utimesSync(metrics, atime, mtime);
    const after = await cached().runs();
    expect(after.find(({ id }) => id === changed)?.loss).toBeGreaterThan(2);
    expect(after.filter(({ loss }) => loss === 1e3)).toHaveLength(N - 1);
  });

  it('is ignored and written again when it is damaged, foreign or cannot be read', async () => {
    fill();
    const plain = await index().runs();
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 5000);
    await cached().runs();
    const good = readFileSync(file(), 'utf8');
    for (const bad of [
      good.replace('"open":true', '"open":false'),
      good.slice(0, -100),
      good.replace(/"version":"[^"]*"/, '"version":"0.0.0"'),
      good.replace(sample.checkpointsDir, '/elsewhere'),
      good.replace('sumlens viewer runs', 'something else'),
      '',
      '\n',
      '[]',
      'null\nnull',
    ]) {
      writeFileSync(file(), bad);
      expect(await cached().runs()).toEqual(plain);
      expect(readFileSync(file(), 'utf8')).toBe(good);
    }
    // the right sum over entries of the wrong shape
    for (const body of [
      '{}',
      '[null,1,"x",{},{"id":"x"}]',
      good.split('\n')[1].replaceAll('"step":', '"stop":'),
    ]) {
      const head = good.split('\n')[0].replace(/[0-9a-f]{64}/, sha256Hex(body));
      writeFileSync(file(), `${head}\n${body}`);
      expect(await cached().runs()).toEqual(plain);
    }
    rmSync(file());
    mkdirSync(file());
    expect(await cached().runs()).toEqual(plain);
  });

  it('is not written for a few runs', async () => {
    writeRun(sample.checkpointsDir, { config: sampleConfig(['SUM'], 1), end: 'budget' });
    await cached().runs();
    expect(existsSync(join(sample.reportsDir, '.cache'))).toBe(false);
  });
});

describe('the detail of a run', () => {
  it('lists published checkpoints in the order of steps and the configuration as text', async () => {
    const config = sampleConfig(['SUM'], 3);
    const name = writeRun(sample.checkpointsDir, { config, until: 1000 });
    mkdirSync(join(sample.checkpointsDir, name, 'steps', '000999'));
    const rows = await checkpointsOf({ root: sample.checkpointsDir, parts: [name] });
    expect(rows.map(({ step }) => step)).toEqual([64, 128, 256, 512]);
    expect(rows[0]).toMatchObject({
      sizeBytes: 33_000,
      sha256: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
    });
    const text = configText(config);
    expect(text.map(([section]) => section)).toEqual(['Data', 'Model', 'Optimizer', 'Training']);
    expect(text[3][1]).toContainEqual(['seed', '3']);
  });
});

describe('ReportIndex', () => {
  it('summarises a report and says what is wrong with one that it cannot read', async () => {
    const { reportsDir } = sample;
    writeReport(reportsDir, 'good');
    writeReport(reportsDir, 'bad');
    writeFileSync(join(reportsDir, 'bad', 'report.json'), '[');
    mkdirSync(join(reportsDir, 'empty'));
    writeReport(reportsDir, 'of-nothing');
    writeFileSync(join(reportsDir, 'of-nothing', 'report.json'), '{}');
    mkdirSync(join(reportsDir, '.cache'));
    const [bad, empty, good, ofNothing] = await new ReportIndex(reportsDir).reports();
    expect(bad).toMatchObject({ name: 'bad', open: true, reason: 'report.json is not JSON' });
    expect(ofNothing.reason).toBe('report.json is not a report: it has no schemaVersion or no subjects');
    expect(empty).toMatchObject({
      name: 'empty',
      open: false,
      reason: 'index.html is missing or is no plain file',
    });
    expect(good).toMatchObject({
      name: 'good',
      open: true,
      subjects: 6,
      modules: ['embedding-pca', 'ablation'],
    });
    expect(good.conditions).toEqual(['MAX+MED+SUM, full, d=16', 'SUM, full, d=16']);
    // parts with one verdict are one line
    expect(good.verdicts.map(({ claim, verdict, tone }) => [claim, verdict, tone])).toEqual(
      (
        [
          ['C1', 3],
          ['C2a', 0],
          ['C2b', 3],
          ['C3', 1],
          ['C4', 2],
        ] as const
      ).map(([claim, tone]) => [claim, VERDICTS[tone], tone]),
    );
    expect(good.verdicts.filter(({ isDecided }) => isDecided).map(({ claim }) => claim)).toEqual([
      'C2a',
      'C3',
      'C4',
    ]);
    expect(good.verdicts[1].statement).toBe(`${claimById('C2').text}: ${claimPart('C2a').name}`);
    expect(good.verdicts[3].statement).toBe(claimById('C3').text);
  });

  it('lists nested and linked reports, and names links that leave the folder', async () => {
    const { reportsDir, root } = sample;
    writeReport(reportsDir, 'plain');
    writeReport(join(reportsDir, 'set'), 'one of two');
    writeReport(join(root, 'elsewhere'), 'secret');
    symlinkSync('plain', join(reportsDir, 'link'));
    symlinkSync(join(root, 'elsewhere', 'secret'), join(reportsDir, 'out'));
    const reports = new ReportIndex(reportsDir);
    const list = await reports.reports();
    expect(list.map(({ name, open, address }) => [name, open, address])).toEqual([
      ['link', true, 'link'],
      ['out', false, 'out'],
      ['plain', true, 'plain'],
      ['set/one of two', true, 'set=2Fone=20of=20two'],
    ]);
    expect(list[1].reason).toMatch(/leaves this folder/);
    expect(await reports.read('link', 'report.json')).toEqual(await reports.read('plain', 'report.json'));
    expect(await reports.read('out', 'report.json')).toBeUndefined();
  });
});
