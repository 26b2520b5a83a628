/** Arms that start from the runs of other arms, really trained: stand-in ids, results of an earlier start, lost runs. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openRun } from '../../../src/checkpoint/store.js';
import { conditionId } from '../../../src/config/names.js';
import type { RunConfig } from '../../../src/config/run-config.js';
import { canonicalJson } from '../../../src/io/json.js';
import { trainRun } from '../../../src/train/train-run.js';
import { expandPlan, type SweepRun } from '../../../src/workflows/sweep/plan/expand.js';
import { resultOfRun } from '../../../src/workflows/sweep/finished-run.js';
import { parsePlan } from '../../../src/workflows/sweep/plan/plan.js';
import type { Attempt } from '../../../src/workflows/sweep/pool.js';
import { resultsOfPlan, runSweep, sweepResults } from '../../../src/workflows/sweep/sweep.js';

const PLAN = `
name: chain
base:
  data: { modulus: 4 }
  model: { dModel: 4, nLayers: 1, nCtx: 16 }
  optimizer.warmupSteps: 5
  training: { steps: 20, batchSize: 8, evaluateEvery: 10 }
arms:
  order: { data.tasks: [MAX, MED] }
  rows: { data.tasks: [SUM], init: { from: { arm: order }, what: numbers } }
  all: { data.tasks: [SUM], init: { from: { arm: order } } }
  third: { data.tasks: [SUM], init: { from: { arm: rows }, what: numbers-permuted } }
  curriculum: { training: { phases: "MAX+MED:10,SUM:10", phaseSchedule: re-warmed, steps: 20 } }
seeds: 1..2
`;
const runs = expandPlan(parsePlan(PLAN, 'chain.yaml'));

const folder = mkdtempSync(join(tmpdir(), 'sumlens-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Trains as the child does (entry.ts), here. */
function attemptHere(root: string, trained: string[]) {
  return async (_: SweepRun, config: RunConfig): Promise<Attempt> => {
    const { dir, run: id } = await trainRun(config, { root, engine: 'wasm', threads: 1 });
    trained.push(id);
    return { kind: 'finished', line: resultOfRun(openRun(dir), { observations: [], leftOut: [] }) };
  };
}

describe('expandPlan', () => {
  it('gives runs with a source planned ids that differ, sources first, and replicates one condition', () => {
    expect(runs).toHaveLength(10);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(10);
    for (const [i, { source }] of runs.entries()) {
      if (source !== undefined) expect(runs.findIndex(({ id }) => id === source)).toBeLessThan(i);
    }
    const conditions = runs.map(({ config }) => conditionId(config));
    expect(new Set(conditions).size).toBe(5);
  });

  it('refuses what init is not, naming the arm', () => {
    const plan = (arm: string): string =>
      `name: p\nbase: { model.nCtx: 16, data.modulus: 4 }\narms: { a: { data.tasks: [MAX] }, b: { data.tasks: [SUM], init: ${arm} } }\nseeds: [1]`;
    expect(() => expandPlan(parsePlan(plan('{ from: { arm: a }, what: number }'), 'p'))).toThrow(
      /^plan p, arm b: init\.what .*Did you mean numbers\?$/,
    );
    expect(() => expandPlan(parsePlan(plan('{ from: { arm: a }, whatt: all }'), 'p'))).toThrow(
      /init\.whatt: unknown field/,
    );
  });
});

describe('a sweep with sources', () => {
  const options = (place: string, trained: string[], keep: 'all' | 'none') => {
    const root = join(folder, place, 'checkpoints');
    const attempt = attemptHere(root, trained);
    return {
      name: 'chain',
      runs,
      checkpointsDir: root,
      reportsDir: join(folder, 'reports'),
      engine: 'wasm' as const,
      parallel: 2,
      retries: 0,
      keep,
      attempt,
    };
  };

  it('trains every run once under its own id, and knows all of them again without their checkpoints', async () => {
    const trained: string[] = [];
    const end = await runSweep(options('first', trained, 'all'));
    expect(end.failed).toEqual([]);
    expect(end.results.size).toBe(10);
    expect(new Set(trained).size).toBe(10);
    expect(readdirSync(join(folder, 'first', 'checkpoints')).sort()).toEqual([...trained].sort());
    for (const line of end.results.values()) {
      const { init } = line.configuration;
      if (init === undefined) continue;
      const source = [...end.results.values()].find(({ id }) => id === init.from.split('@')[0]);
      expect(source?.weightsSha256).toBe(init.weights);
    }
    const again: string[] = [];
    const second = await runSweep(options('second', again, 'all'));
    expect(again).toEqual([]);
    expect(second.results.size).toBe(10);
  });

  it('trains a lost run again, and first the sources that it lacks', async () => {
    const all = sweepResults(join(folder, 'reports'), 'chain');
    const third = runs.find(({ places }) => places[0].arm === 'third');
    if (third === undefined) throw new Error('no third arm');
    const known = resultsOfPlan(runs, all);
    const idOf = (planned: string | undefined): string => known.get(planned ?? '')?.id ?? '';
    const lost = idOf(third.id);
    expect(lost).not.toBe(third.id);
    const rest = [...all].filter(([id]) => id !== lost);
    expect(resultsOfPlan(runs, new Map(rest)).size).toBe(9);

    const trained: string[] = [];
    const elsewhere = { ...options('third', trained, 'none'), reportsDir: join(folder, 'fewer') };
    mkdirSync(join(folder, 'fewer', 'chain'), { recursive: true });
    const text = rest.map(([, line]) => `${canonicalJson(line)}\n`).join('');
    writeFileSync(join(folder, 'fewer', 'chain', 'results.jsonl'), text);
    const end = await runSweep(elsewhere);
    expect(end.failed).toEqual([]);
    expect(end.results.get(third.id)?.weightsSha256).toBe(all.get(lost)?.weightsSha256);
    const rows = runs.find(({ id }) => id === third.source);
    expect(trained).toEqual([rows?.source, idOf(third.source), lost]);
  });
});
