/**
 * Promises of docs/reliability.md that no other test tries, a few trials each with a fixed seed; `npm run test:faults` tries
 * all at their full figures. Kills: test/e2e/train-kill.test.ts. Flips and tails: test/checkpoint/store.test.ts. Mutations:
 * test/checkpoint/format.test.ts. Sweeps: test/e2e/sweep-queue.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { badConfigurations, tryBadConfigurations } from './bad-configurations.js';
import { endSessions } from './cli-run.js';
import { PROMISES } from './promises.js';
import { tryResumes } from './resumes.js';
import { tryCrashes, tryErrors, tryUnsyncedDirectories } from './session-faults.js';
import { trySignals } from './signals.js';
import { Tally, type Outcome } from './trial.js';

function expectHeld({ tried, held, broken }: Outcome): void {
  expect({ held, broken }).toEqual({ held: tried, broken: [] });
  expect(tried).toBeGreaterThan(0);
}

describe('promises, a few trials each', () => {
  it('a session of a run survives a crash at its file operations (P2)', () => {
    expectHeld(tryCrashes({ seed: 1, count: 40 }));
  });

  it('a session of a run survives errors at its file operations (P10)', () => {
    expectHeld(tryErrors({ seed: 1, count: 40 }));
  });

  it('a session works where directories cannot be synced, and loses nothing when it is killed there', () => {
    expectHeld(tryUnsyncedDirectories({ seed: 1, count: 15 }));
  });

  it('cut runs end in the same bytes (P3)', async () => {
    expectHeld(await tryResumes({ seed: 1, count: 2 }));
    endSessions();
  }, 300_000);

  it('one signal publishes, another one ends at once (P17)', async () => {
    expectHeld(await trySignals({ seed: 1, count: 1 }));
    endSessions();
  }, 300_000);

  it('bad command lines get one line (P18)', async () => {
    expect(badConfigurations().length).toBeGreaterThanOrEqual(200);
    expectHeld(await tryBadConfigurations({ seed: 1, count: 6 }));
  }, 300_000);
});

describe('the program that tries them', () => {
  it('knows every promise from P1 to P18 once, each with a figure or a suite', () => {
    expect(PROMISES.map(({ id }) => id)).toEqual(Array.from({ length: 18 }, (_, i) => `P${i + 1}`));
    for (const { parts } of PROMISES) expect(parts.length).toBeGreaterThan(0);
  });

  it('counts a trial that throws as not held, names it, and goes on', async () => {
    const tally = new Tally({ seed: 1, count: 3 });
    tally.runSync('a', () => undefined);
    tally.runSync('b', () => {
      throw new Error('two\nlines');
    });
    await tally.run('c', () => Promise.reject(new Error('late')));
    expect(tally.outcome()).toEqual({ tried: 3, held: 1, broken: ['b: two lines', 'c: late'] });
  });
});
