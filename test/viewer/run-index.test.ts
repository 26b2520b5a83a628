import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listRuns } from '../../src/checkpoint/list.js';
import { claimById, claimPart } from '../../src/evidence/claims-file.js';
import { VERDICTS } from '../../src/evidence/verdict.js';
import { ownIdentity } from '../../src/io/process-identity.js';
import type { RunSummary } from '../../src/viewer/contract.js';
import { ReportIndex } from '../../src/viewer/report-index.js';
import { checkpointsOf, configText } from '../../src/viewer/run-detail.js';
import { RunIndex } from '../../src/viewer/run-index.js';
import {
  evalLine,
  sampleConfig,
  sampleRoot,
  trainLine,
  writeReport,
  writeRun,
  type SampleRoot,
} from './sample-runs.js';

let sample: SampleRoot;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function index(): RunIndex {
  const { checkpointsDir } = sample;
  return new RunIndex([checkpointsDir, join(checkpointsDir, 'reference')]);
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
      const after = await next();
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
    await pause(450);
    expect((await runs.runs())[0]).toMatchObject({ step: 550, loss: 0.25, accuracy: { SUM: 0.42 } });
    writeFileSync(path, `${trainLine(50, 1.1)}\n`);
    await pause(450);
    expect((await runs.runs())[0]).toMatchObject({ step: 50, loss: 1.1, accuracy: null });
    rmSync(join(sample.checkpointsDir, name), { recursive: true });
    await pause(450);
    expect(await runs.runs()).toEqual([]);
  });

  it('tells conditions of the same label apart by what differs', async () => {
    writeRun(sample.checkpointsDir, { config: sampleConfig(['SUM'], 1), until: 100 });
    const other = sampleConfig(['SUM'], 1);
    const longer = { ...other, training: { ...other.training, steps: 16_000 } };
    writeRun(sample.checkpointsDir, { config: longer, until: 100 });
    const labels = (await index().runs()).map(({ label }) => label).sort();
    expect(labels).toEqual(['SUM, full, d=16, steps=16000', 'SUM, full, d=16, steps=8000']);
  });

  it('lists a link and a name that no address can hold without opening them', async () => {
    const { checkpointsDir, root } = sample;
    writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), name: '<b>', end: 'budget' });
    mkdirSync(join(root, 'elsewhere'));
    const target = writeRun(join(root, 'elsewhere'), { config: sampleConfig(['SUM'], 2), end: 'budget' });
    symlinkSync(join(root, 'elsewhere', target), join(checkpointsDir, 'link'));
    expect(await only('<b>')).toMatchObject({ open: false, status: 'budget' });
    expect(await only('link')).toMatchObject({ open: false, status: 'corrupt', seed: null });
  });
});

describe('the detail of a run', () => {
  it('lists published checkpoints in the order of steps and the configuration as text', async () => {
    const config = sampleConfig(['SUM'], 3);
    const name = writeRun(sample.checkpointsDir, { config, until: 1000 });
    mkdirSync(join(sample.checkpointsDir, name, 'steps', '000999'));
    const rows = await checkpointsOf({ root: sample.checkpointsDir, name });
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
    mkdirSync(join(reportsDir, '.cache'));
    const [bad, empty, good] = await new ReportIndex(reportsDir).reports();
    expect(bad).toMatchObject({ name: 'bad', open: true, reason: 'report.json is not JSON' });
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
    expect(good.verdicts[1].statement).toBe(`${claimById('C2').text}: ${claimPart('C2a').name}`);
    expect(good.verdicts[3].statement).toBe(claimById('C3').text);
  });
});
