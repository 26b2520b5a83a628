/**
 * P1: `kill -9` of `sumlens train` at random times, a quarter of them inside a save. After each, every step that was
 * published loads, the work since the last save is at most that of 30 s, and the same command goes on; at the end the run
 * has the bytes of one that was never killed.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openRun } from '../../src/checkpoint/store.js';
import { Rng } from '../../src/tensor/rng.js';
import {
  endSessions,
  isSaving,
  lastSavedAt,
  mustBeSameBytes,
  published,
  startSession,
  stepOf,
  until,
  wait,
  type Session,
} from './cli-run.js';
import { inFolder, must, Tally, type Outcome, type Trial } from './trial.js';

const STEPS = 30_000;
const FLAGS =
  `train --tasks MAX+SUM --modulus 6 --d-model 8 --layers 1 --n-ctx 16 --steps ${STEPS} --batch 16 ` +
  '--evaluate-every 5000 --warmup 20 --save-every 0.1 --quiet';
const MOST_LOST_MS = 30_000;
const MOST_START_MS = 300_000;
/** a line is added when a session begins to train */
const begun = (out: string): string => join(out, 'sessions.jsonl');
const MOMENTS = ['in a save', 'at any time from the start', 'while training', 'while training'] as const;

export function tryKills(trial: Trial): Promise<Outcome> {
  return inFolder(async (folder) => {
    const rng = new Rng(trial.seed, 'kills');
    const tally = new Tally(trial);
    const start = (out: string): Session => startSession([...FLAGS.split(' '), '--out', out], folder);
    let inSave = 0;
    let mostLostMs = 0;
    let runs = 0;
    try {
      const whole = join(folder, 'whole');
      const end = await start(whole).done;
      must(end.code === 0, `the undisturbed run: ${end.stderr}`);
      let out = join(folder, `run-${runs++}`);
      for (let i = 0; i < trial.count; i++) {
        // in the last fifth a kill would often come too late: the run may end, and the next one begins
        if (stepOf(out) > 0.8 * STEPS) {
          await mustEnd(start(out), out, whole);
          out = join(folder, `run-${runs++}`);
        }
        const moment = MOMENTS[i % MOMENTS.length];
        await tally.run(`kill ${i} ${moment}`, async () => {
          const before = published(out, 'steps');
          const session = start(out);
          const { met, trainedFrom } = await killAt(moment, session, out, rng);
          if (met === 'in a save') inSave++;
          const killedAt = Date.now();
          await session.done;
          if (!existsSync(join(out, 'config.json'))) return;
          const gone = before.filter((name) => !published(out, 'steps').includes(name));
          must(gone.length === 0, `steps ${gone.join(', ')} are gone`);
          mustLoad(out);
          if (moment === 'at any time from the start') return;
          // what was not trained yet cannot be lost: a session takes its time to start
          const lostMs = killedAt - Math.max(lastSavedAt(out), trainedFrom);
          mostLostMs = Math.max(mostLostMs, lostMs);
          must(lostMs <= MOST_LOST_MS, `${(lostMs / 1000).toFixed(1)} s of work are lost`);
        });
      }
      await tally.run('the end of the last run', () => mustEnd(start(out), out, whole));
    } finally {
      endSessions();
    }
    const seconds = (mostLostMs / 1000).toFixed(1);
    return tally.outcome(`${inSave} inside a save, at most ${seconds} s lost, ${runs} runs with equal bytes`);
  });
}

/** @returns the moment that was met (a run may end before the one that was wanted), and when training began, in ms since 1970 */
async function killAt(
  moment: (typeof MOMENTS)[number],
  session: Session,
  out: string,
  rng: Rng,
): Promise<{ readonly met: string; readonly trainedFrom: number }> {
  let trainedFrom = 0;
  if (moment === 'at any time from the start') await wait(rng.uniform() * 2500);
  else {
    const from = stepOf(out);
    const { size = 0 } = existsSync(begun(out)) ? statSync(begun(out)) : {};
    const hasBegun = (): boolean => existsSync(begun(out)) && statSync(begun(out)).size > size;
    await until(() => session.isOver() || hasBegun(), 'the session to begin', MOST_START_MS);
    trainedFrom = Date.now();
    await until(
      () => session.isOver() || stepOf(out) !== from,
      'the first row of the session',
      MOST_START_MS,
    );
    await wait(rng.uniform() * 400);
    if (moment === 'in a save') await until(() => session.isOver() || isSaving(out), 'a save');
  }
  session.child.kill('SIGKILL');
  return { met: session.isOver() ? 'too late' : moment, trainedFrom };
}

function mustLoad(out: string): void {
  const store = openRun(out);
  for (const step of store.steps()) store.loadStep(step);
  const points = store.resumeSteps();
  const resume = store.latestResume();
  // the training process may outlive its parent for a moment, and publish once more
  must((resume?.step ?? 0) >= (points.at(-1) ?? 0), 'the newest resume point does not load');
}

async function mustEnd(session: Session, out: string, whole: string): Promise<void> {
  const { code, stderr } = await session.done;
  must(code === 0, `the next start ends with ${code}: ${stderr}`);
  mustBeSameBytes(out, whole);
}
