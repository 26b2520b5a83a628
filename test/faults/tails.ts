/**
 * P12: whatever a crash left behind the last row of a log, also with a newline in it or from after the resume point, no
 * good row is lost, none is glued to another, and rows past the point are gone.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createOrOpenRun, openRun } from '../../src/checkpoint/store.js';
import { Rng } from '../../src/tensor/rng.js';
import { inFolder, must, Tally, type Outcome, type Trial } from './trial.js';
import { SMALL_RUN, stateAt } from './small-run.js';

/** What a torn append may leave: pieces of rows, whole rows, zeros of a block that was never written. */
const PIECES = [
  '\n',
  '{',
  '}',
  '"step":3',
  '{"step":2}\n',
  '{"kind":"train","step":6,"lossNats":1}\n',
  '{"kind":"train","step":7',
  'null\n',
  '\u0000\u0000',
  '12\n',
  '[]\n',
  'x\n',
  '\n\n',
  '\ufffd',
];
const LOGS = ['metrics.jsonl', 'timing.jsonl', 'sessions.jsonl'] as const;
const KEPT = 5;

export function tryTails(trial: Trial): Promise<Outcome> {
  return inFolder((folder) => {
    const tally = new Tally(trial);
    const rng = new Rng(trial.seed, 'tails');
    const store = createOrOpenRun(folder, SMALL_RUN);
    store.appendSession({ engine: 'native' });
    for (let step = 1; step <= KEPT; step++) {
      store.appendMetrics({ kind: 'train', step, lossNats: 2 });
      store.appendTiming({ step, elapsedMs: step });
    }
    store.publishResume(KEPT, stateAt(KEPT), null);
    const good = LOGS.map((log) => fs.readFileSync(join(store.dir, log)));
    for (let i = 0; i < trial.count; i++) {
      const tails = LOGS.map((log) => {
        const tail = Array.from({ length: 1 + rng.below(6) }, () => PIECES[rng.below(PIECES.length)]).join(
          '',
        );
        // a whole row behind the last session is a session
        return log === 'sessions.jsonl' ? tail.replace(/\{"[^\n]*\}\n/g, '') : tail;
      });
      LOGS.forEach((log, l) =>
        fs.writeFileSync(join(store.dir, log), Buffer.concat([good[l], Buffer.from(tails[l])])),
      );
      tally.runSync(JSON.stringify(tails), () => mustGoOn(store.dir, good));
    }
    return tally.outcome();
  });
}

/** A new session's start: the logs are repaired, and what comes next is appended to whole rows. */
function mustGoOn(dir: string, good: readonly Buffer[]): void {
  const store = openRun(dir);
  const release = store.lock();
  try {
    store.dropMetricsAfter(KEPT, store.latestResume()?.metricsBytes);
    store.appendMetrics({ kind: 'train', step: KEPT + 1, lossNats: 1 });
    store.appendTiming({ step: KEPT + 1, elapsedMs: 9 });
    store.appendSession({ engine: 'wasm' });
    LOGS.forEach((log, l) => {
      const now = fs.readFileSync(join(dir, log));
      must(now.subarray(0, good[l].length).equals(good[l]), `${log}: a good row was lost or changed`);
      const rest = now.subarray(good[l].length).toString();
      must(
        /^\{[^\n]*\}\n$/.test(rest),
        `${log}: found ${JSON.stringify(rest)} after the good rows, expected one row`,
      );
      JSON.parse(rest);
    });
  } finally {
    release();
  }
}
