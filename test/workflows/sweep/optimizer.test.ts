/** Runs of a plan that go on with the optimizer of another: the same run as by hand, and its source again when its moments are gone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRun } from '../../../src/checkpoint/store.js';
import { runId } from '../../../src/config/names.js';
import { resolveRunConfig } from '../../../src/config/parse.js';
import { withInit } from '../../../src/train/init-source.js';
import { trainRun } from '../../../src/train/train-run.js';
import { expandPlan, type SweepRun } from '../../../src/workflows/sweep/plan/expand.js';
import { resultOfRun } from '../../../src/workflows/sweep/finished-run.js';
import { parsePlan } from '../../../src/workflows/sweep/plan/plan.js';
import { readResults } from '../../../src/workflows/sweep/results/results-file.js';
import { runSweep, type SweepOptions } from '../../../src/workflows/sweep/sweep.js';
import { TINY_PLAN } from './tiny.js';

const PLAN = TINY_PLAN.replace(
  /arms:[^]*axes:/,
  `arms:
  max: { data.tasks: [MAX, SUM] }
  kept: { data.tasks: [SUM, MAX], init: { from: { arm: max, seed: same }, what: all, optimizer: kept } }
  reset: { data.tasks: [SUM, MAX], init: { from: { arm: max, seed: same }, what: all, optimizer: reset } }
axes:`,
)
  .replace('[4, 6, 8]', '[4]')
  .replace('1..2', '[1]')
  .replace('modules: [embedding-pca]', '');

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sumlens-optimizer-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const runsOf = (text = PLAN): SweepRun[] => expandPlan(parsePlan(text, 'plan.yaml'));

/** In this process instead of a child. */
function options(runs: readonly SweepRun[], trained: string[] = []): SweepOptions {
  const root = join(folder, 'checkpoints');
  return {
    name: 'tiny',
    runs,
    checkpointsDir: root,
    reportsDir: join(folder, 'reports'),
    engine: 'wasm',
    parallel: 1,
    retries: 0,
    keep: 'all',
    attempt: async (run, config) => {
      trained.push(run.places[0].arm);
      const { dir } = await trainRun(config, { root, engine: 'wasm', threads: 1 });
      const measured = { observations: [], leftOut: [] };
      return {
        kind: 'finished',
        line: resultOfRun(openRun(dir), measured, { moments: run.givesMoments === true }),
      };
    },
  };
}

describe('init.optimizer of a plan', () => {
  it('gives the run that --init-optimizer kept gives, and another one than reset', async () => {
    const runs = runsOf();
    const { results, failed } = await runSweep(options(runs));
    expect(failed).toEqual([]);
    const [source, kept, reset] = ['max', 'kept', 'reset'].map((arm) => {
      const run = runs.find(({ places }) => places[0].arm === arm);
      return results.get(run?.id ?? '');
    });
    expect(source?.momentsSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(kept?.configuration.init?.optimizer).toEqual({ moments: source?.momentsSha256, updates: 60 });
    expect(reset?.configuration.init?.optimizer).toBeUndefined();
    expect(kept?.weightsSha256).not.toBe(reset?.weightsSha256);
    // as by hand
    const root = join(folder, 'checkpoints');
    const { init: _, ...fields } = kept?.configuration ?? {};
    const request = { from: `${source?.id}@60`, what: 'all', optimizer: 'kept' } as const;
    expect(runId(resolveRunConfig(withInit(fields, request, root)))).toBe(kept?.id);
  }, 60_000);

  it('takes up results again, and trains a source again whose line does not tell its moments', async () => {
    const runs = runsOf();
    // the source alone, by a plan in which nobody goes on with its optimizer
    const alone = runsOf(PLAN.replace(/ {2}kept:.*\n/, '').replace(/ {2}reset:.*\n/, ''));
    await runSweep(options(alone));
    const trained: string[] = [];
    const { results } = await runSweep(options(runs, trained));
    expect(trained).toContain('max');
    expect(results.size).toBe(3);
    expect(results.get(runs[0].id)?.momentsSha256).toBeDefined();
    // read again from the file: the line that tells more counts, and nothing is left to do
    expect(readResults(join(folder, 'reports', 'tiny', 'results.jsonl')).get(runs[0].id)?.momentsSha256).toBe(
      results.get(runs[0].id)?.momentsSha256,
    );
    const again: string[] = [];
    await runSweep(options(runs, again));
    expect(again).toEqual([]);
  }, 60_000);

  it.each([
    ['what: all, optimizer: kept', 'what: numbers, optimizer: kept', 'Only all is kept whole'],
    [
      'what: all, optimizer: kept',
      'what: all, optimizer: keep',
      'init.optimizer: found "keep", expected kept or reset',
    ],
  ])('refuses %s changed to %s in one line', (from, to, message) => {
    expect(() => runsOf(PLAN.replace(from, to))).toThrow(message);
  });
});
