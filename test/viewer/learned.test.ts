/** What the list says of a run beside its numbers: whether it has learned, where it comes from, its settings. */
import { appendFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunSummary } from '../../src/viewer/contract.js';
import { RunIndex } from '../../src/viewer/disk/run-index.js';
import { evalLine, sampleConfig, sampleRoot, writeRun, type SampleRoot } from './sample-runs.js';

let sample: SampleRoot;
let index: RunIndex;

beforeEach(() => {
  sample = sampleRoot();
  const { checkpointsDir } = sample;
  index = new RunIndex([checkpointsDir, join(checkpointsDir, 'reference')], undefined, Infinity);
});
afterEach(() => sample.remove());

async function listed(name: string): Promise<RunSummary> {
  const run = (await index.runs()).find(({ id }) => id === name);
  if (run === undefined) throw new Error(`${name} is not listed`);
  return run;
}

const add = (name: string, ...lines: string[]): void =>
  appendFileSync(
    join(sample.checkpointsDir, name, 'metrics.jsonl'),
    lines.map((line) => `${line}\n`).join(''),
  );

it('a run has learned when every operation is right at the last two evaluations', async () => {
  const config = sampleConfig(['MAX', 'SUM'], 1);
  const flat = writeRun(sample.checkpointsDir, { config, until: 0, end: 'budget' });
  expect((await listed(flat)).learned).toBeNull();
  const good = { MAX: 1, SUM: 0.99 };
  const cases: readonly [Readonly<Record<string, number>>[], boolean][] = [
    [[good], false],
    [[{ MAX: 1, SUM: 0.5 }, good], false],
    [[good, { MAX: 1, SUM: 0.94 }], false],
    [[good, { MAX: 0.5, SUM: 1 }], false],
    [[{ MAX: 0, SUM: 0 }, good, good], true],
  ];
  for (const [place, [evaluations, learned]] of cases.entries()) {
    const own = sampleConfig(['MAX', 'SUM'], 10 + place);
    const name = writeRun(sample.checkpointsDir, { config: own, until: 0, end: 'budget' });
    add(name, ...evaluations.map((accuracies, i) => evalLine(100 * (i + 1), accuracies)));
    index = new RunIndex([sample.checkpointsDir], undefined, Infinity);
    expect((await listed(name)).learned, JSON.stringify(evaluations)).toBe(learned);
  }
});

it('what a last phase does not train may be forgotten', async () => {
  const training = { phases: 'MAX+MED:100,SUM:200' as never };
  for (const [seed, [last, learned]] of (
    [
      [1, true],
      [0.5, false],
    ] as const
  ).entries()) {
    const config = resolveRunConfig({ training, seed });
    const name = writeRun(sample.checkpointsDir, { config, until: 0, end: 'budget' });
    add(
      name,
      evalLine(200, { MAX: 0.2, MED: 0.1, SUM: 1 }),
      evalLine(300, { MAX: 0.2, MED: 0.1, SUM: last }),
    );
    index = new RunIndex([sample.checkpointsDir], undefined, Infinity);
    expect((await listed(name)).learned).toBe(learned);
  }
});

/** An evaluation with every flat prompt right, and shares right inside nested ones; undefined: the row does not tell. */
function nestedLine(
  step: number,
  flat: readonly string[],
  shares: Readonly<Record<string, number>> | undefined,
): string {
  const row = JSON.parse(evalLine(step, Object.fromEntries(flat.map((task) => [task, 1])))) as object;
  const inside = Object.entries(shares ?? {}).map(([operation, share]) => ({
    operation,
    total: 100,
    correct: 100 * share,
  }));
  const nested = { total: 100, exact: 0, roles: {}, results: [], ...(shares !== undefined && { inside }) };
  return JSON.stringify({ ...row, nested });
}

it('where expressions nest, inside them too', async () => {
  const cases: readonly [(number | undefined)[], boolean | null][] = [
    [[1, 1], true],
    [[1, 0.6], false],
    [[undefined, undefined], null],
  ];
  for (const [place, [shares, learned]] of cases.entries()) {
    const config = resolveRunConfig({
      data: { tasks: ['SUM'], depth: 2 },
      model: { nCtx: 256 },
      seed: place + 1,
    });
    const name = writeRun(sample.checkpointsDir, { config, until: 0, end: 'budget' });
    add(
      name,
      ...shares.map((share, i) =>
        nestedLine(100 * (i + 1), ['SUM'], share === undefined ? undefined : { SUM: share }),
      ),
    );
    index = new RunIndex([sample.checkpointsDir], undefined, Infinity);
    expect((await listed(name)).learned, shares.join(' ')).toBe(learned);
  }
});

it('evaluations of older versions inside nested expressions of what is no longer trained tell nothing', async () => {
  const training = { phases: 'MAX+MED:100,SUM:200' as never };
  const cases: readonly [Readonly<Record<string, number>>, boolean | null][] = [
    [{ SUM: 1 }, true],
    [{ MAX: 1, MED: 1, SUM: 0.5 }, null],
    [{ SUM: 0.5 }, false],
  ];
  for (const [place, [shares, learned]] of cases.entries()) {
    const config = resolveRunConfig({
      data: { depth: 2 },
      model: { nCtx: 256 },
      training,
      seed: place + 1,
    });
    const name = writeRun(sample.checkpointsDir, { config, until: 0, end: 'budget' });
    add(name, ...[200, 300].map((step) => nestedLine(step, ['MAX', 'MED', 'SUM'], shares)));
    index = new RunIndex([sample.checkpointsDir], undefined, Infinity);
    expect((await listed(name)).learned, JSON.stringify(shares)).toBe(learned);
  }
});

it('the last two evaluations count, however many came before and wherever a resumed run went back', async () => {
  for (const evaluations of [2, 255, 256, 257]) {
    const config = sampleConfig(['SUM'], evaluations);
    const name = writeRun(sample.checkpointsDir, { config, until: 0, end: 'budget' });
    const before = Array.from({ length: evaluations - 2 }, (_, i) => evalLine(i + 1, { SUM: i % 2 }));
    const last = [evaluations - 1, evaluations].map((step) => evalLine(step, { SUM: 0.97 }));
    add(name, ...before, ...last.map((line) => line.replaceAll('970', '20')), ...last);
    index = new RunIndex([sample.checkpointsDir], undefined, Infinity);
    expect((await listed(name)).learned, `${evaluations}`).toBe(true);
  }
});

it('names where a link leads, and what came with the package', async () => {
  const { checkpointsDir } = sample;
  mkdirSync(join(checkpointsDir, 'exp'));
  mkdirSync(join(checkpointsDir, 'reference'));
  const own = writeRun(join(checkpointsDir, 'exp'), { config: sampleConfig(['SUM'], 1), end: 'solved' });
  const shipped = writeRun(join(checkpointsDir, 'reference'), {
    config: sampleConfig(['SUM'], 2),
    end: 'solved',
  });
  symlinkSync(join(checkpointsDir, 'exp', own), join(checkpointsDir, 'best'));
  expect(await listed('best')).toMatchObject({ linkOf: `exp/${own}`, open: true });
  expect(await listed(shipped)).toMatchObject({ shipped: true });
  const plain = await listed(`exp/${own}`);
  expect(plain).not.toHaveProperty('linkOf');
  expect(plain).not.toHaveProperty('shipped');
});

it('gives the settings of each condition once, without seeds', async () => {
  for (const seed of [1, 2]) writeRun(sample.checkpointsDir, { config: sampleConfig(['MAX', 'SUM'], seed) });
  const [run] = await index.runs();
  expect(index.conditions()).toHaveLength(1);
  const [{ condition, settings }] = index.conditions();
  expect(condition).toBe(run.condition);
  expect(settings).toMatchObject({
    'data.tasks': ['MAX', 'SUM'],
    'model.dModel': 16,
    'optimizer.schedule': 'cosine',
    'training.steps': 8000,
  });
  expect(Object.keys(settings).filter((path) => /seed$/i.test(path))).toEqual(['data.tableSeed']);
});
