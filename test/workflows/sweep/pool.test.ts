import { describe, expect, it } from 'vitest';
import type { SweepRun } from '../../../src/workflows/sweep/plan/expand.js';
import { type Attempt, type PoolOptions, runPool } from '../../../src/workflows/sweep/pool.js';
import { resultFor, tinyRuns } from './tiny.js';

const [a, b, c, d] = tinyRuns();
/** b and c start from a, d from c. */
const CHAIN: readonly SweepRun[] = [
  a,
  { ...b, source: a.id },
  { ...c, source: a.id },
  { ...d, source: c.id },
];

interface Told {
  readonly began: string[];
  readonly results: string[];
  readonly released: string[];
  readonly retried: string[];
}

async function pool(
  options: Partial<PoolOptions>,
  attempt: (run: SweepRun, n: number) => Attempt | Promise<Attempt> = (run) => finished(run),
): Promise<Told & Awaited<ReturnType<typeof runPool>>> {
  const told: Told = { began: [], results: [], released: [], retried: [] };
  const tries = new Map<string, number>();
  const end = await runPool({
    runs: CHAIN,
    done: new Map(),
    weightsOf: () => undefined,
    parallel: 2,
    retries: 2,
    attempt: async (run) => {
      told.began.push(run.id);
      const n = (tries.get(run.id) ?? 0) + 1;
      tries.set(run.id, n);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return attempt(run, n);
    },
    onResult: (run) => told.results.push(run.id),
    onReleased: (run) => told.released.push(run.id),
    onRetry: (run) => told.retried.push(run.id),
    ...options,
  });
  return { ...told, ...end };
}

const finished = (run: SweepRun, hash?: string): Attempt => ({
  kind: 'finished',
  line: resultFor(run, hash),
});
const failed = (final = false): Attempt => ({ kind: 'failed', message: 'no luck', final });

describe('runPool', () => {
  it('trains a source before what starts from it, and releases it after the last of these', async () => {
    const { began, results, released, failed: lost, interrupted } = await pool({});
    expect(began[0]).toBe(a.id);
    expect(began.indexOf(d.id)).toBeGreaterThan(began.indexOf(c.id));
    // the longer chain first
    expect(began.indexOf(c.id)).toBeLessThan(began.indexOf(b.id));
    expect([...results].sort()).toEqual(CHAIN.map(({ id }) => id).sort());
    expect(new Set(released).size).toBe(4);
    expect(released.lastIndexOf(a.id)).toBeGreaterThan(0);
    expect(lost).toEqual([]);
    expect(interrupted).toBe(false);
  });

  it('keeps as many at work as it may', async () => {
    let atWork = 0;
    let most = 0;
    await pool({ runs: tinyRuns(), parallel: 3 }, async (run) => {
      most = Math.max(most, ++atWork);
      await new Promise((resolve) => setTimeout(resolve, 5));
      atWork--;
      return finished(run);
    });
    expect(most).toBe(3);
  });

  it('tries a failure again, gives up after so many times, and fails what starts from it', async () => {
    const {
      began,
      results,
      retried,
      failed: lost,
    } = await pool({}, (run, n) =>
      run.id === c.id || (run.id === b.id && n === 1) ? failed() : finished(run),
    );
    expect(began.filter((id) => id === c.id)).toHaveLength(3);
    expect(retried.filter((id) => id === b.id)).toHaveLength(1);
    expect([...results].sort()).toEqual([a.id, b.id].sort());
    expect(lost).toEqual([
      { run: c.id, reason: 'no luck' },
      { run: d.id, reason: `the run that it starts from failed: ${c.id}` },
    ]);
  });

  it('does not try bad input again', async () => {
    const { began } = await pool({ runs: [a] }, () => failed(true));
    expect(began).toEqual([a.id]);
  });

  it('leaves what has a result alone', async () => {
    const { began, results } = await pool({ done: new Map(CHAIN.map((run) => [run.id, resultFor(run)])) });
    expect([began, results]).toEqual([[], []]);
  });

  it('trains a source again when its checkpoint is gone, without a second result', async () => {
    const {
      began,
      results,
      failed: lost,
    } = await pool({ done: new Map([[a.id, resultFor(a)]]), runs: CHAIN.slice(0, 2) });
    expect(began).toEqual([a.id, b.id]);
    expect(results).toEqual([b.id]);
    expect(lost).toEqual([]);
  });

  it('takes the checkpoint of a source that is there', async () => {
    const { began } = await pool({
      done: new Map([[a.id, resultFor(a)]]),
      runs: CHAIN.slice(0, 2),
      weightsOf: () => resultFor(a).weightsSha256,
    });
    expect(began).toEqual([b.id]);
  });

  it('fails when a source that is trained again ends with other weights', async () => {
    const { failed: lost, results } = await pool(
      { done: new Map([[a.id, resultFor(a)]]), runs: CHAIN.slice(0, 2) },
      (run) => finished(run, 'b'),
    );
    expect(results).toEqual([]);
    expect(lost[0].reason).toContain('ended with weights bbbbbbbbbbbb, but its result names aaaaaaaaaaaa');
    expect(lost[1].reason).toContain('the run that it starts from failed');
  });

  it('stops at the signal and starts nothing more', async () => {
    const stop = new AbortController();
    let tries = 0;
    const { began, interrupted, results } = await pool(
      { signal: stop.signal, runs: tinyRuns(), parallel: 1 },
      (run) => {
        if (++tries < 2) return finished(run);
        stop.abort();
        return { kind: 'interrupted' };
      },
    );
    expect(began).toHaveLength(2);
    expect(results).toHaveLength(1);
    expect(interrupted).toBe(true);
  });

  it('ends when a result cannot be recorded', async () => {
    const full = pool({
      onResult: () => {
        throw new Error('disk full');
      },
    });
    await expect(full).rejects.toThrow('disk full');
  });
});
