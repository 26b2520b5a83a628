/**
 * P17: SIGINT or SIGTERM once: the update at work is finished and published, exit code 130 or 143, a durable checkpoint
 * within 10 s; twice, a second apart: the end at once. In turn with updates of a millisecond and of many, so that the
 * signal comes while native code computes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRun } from '../../src/checkpoint/store.js';
import { Rng } from '../../src/tensor/rng.js';
import { endSessions, startSession, stepOf, until, wait } from './cli-run.js';
import { slowdown } from './slowdown.js';
import { inFolder, must, Tally, type Outcome, type Trial } from './trial.js';

const MOST_MS = 10_000;
const SHORT_UPDATES =
  'train --tasks MAX+SUM --modulus 6 --d-model 8 --layers 1 --n-ctx 16 --steps 1000000 --batch 16 ' +
  '--evaluate-every 1000000 --quiet';
/** about a quarter of a second an update on one idle core */
const LONG_UPDATES =
  'train --tasks SUM --d-model 128 --layers 4 --heads 4 --n-ctx 64 --steps 100000 --batch 1024 ' +
  '--evaluate-every 100000 --quiet';
/** some seconds an update: a second signal must not wait for it */
const ENDLESS_UPDATE =
  'train --tasks SUM --d-model 256 --layers 6 --heads 4 --n-ctx 64 --steps 100000 --batch 1024 ' +
  '--evaluate-every 100000 --quiet';
const MOST_START_MS = 300_000;

export function trySignals(trial: Trial): Promise<Outcome> {
  return inFolder(async (folder) => {
    const rng = new Rng(trial.seed, 'signals');
    const tally = new Tally(trial);
    let slowestMs = 0;
    let slowestSecondMs = 0;
    let slowest = 1;
    try {
      for (let i = 0; i < trial.count; i++) {
        const signal = i % 2 === 0 ? 'SIGINT' : 'SIGTERM';
        const out = join(folder, `run-${i}`);
        const isTwice = i % 4 === 3;
        const flags = isTwice ? ENDLESS_UPDATE : i % 4 === 1 ? LONG_UPDATES : SHORT_UPDATES;
        await tally.run(`${signal} ${isTwice ? 'twice' : 'once'}, trial ${i}`, async () => {
          const session = startSession([...flags.split(' '), '--out', out], folder);
          // sessions.jsonl is written when training begins
          const begun = join(out, 'sessions.jsonl');
          await until(() => session.isOver() || existsSync(begun), 'the session to begin', MOST_START_MS);
          if (flags === SHORT_UPDATES)
            await until(() => session.isOver() || stepOf(out) > 0, 'the first row', MOST_START_MS);
          await wait(500 + rng.uniform() * 500);
          must(
            !session.isOver(),
            `it has ended: ${(await Promise.race([session.done, wait(0)]))?.stderr ?? ''}`,
          );
          // the figures are those of a machine that has a core for it
          const slower = slowdown();
          slowest = Math.max(slowest, slower);
          const began = performance.now();
          session.child.kill(signal);
          if (isTwice) {
            await wait(1200);
            must(!session.isOver(), 'the update was too short for a second signal');
            const secondAt = performance.now();
            session.child.kill(signal);
            const { code } = await session.done;
            slowestSecondMs = Math.max(slowestSecondMs, performance.now() - secondAt);
            must(code === (signal === 'SIGINT' ? 130 : 143), `exit code ${code}`);
            must(slowestSecondMs < 2000 * slower, `the second signal took ${slowestSecondMs.toFixed(0)} ms`);
            openRun(out);
            return;
          }
          const { code, stderr } = await session.done;
          const ms = performance.now() - began;
          slowestMs = Math.max(slowestMs, ms);
          must(code === (signal === 'SIGINT' ? 130 : 143), `exit code ${code}: ${stderr}`);
          must(
            ms <= MOST_MS * slower,
            `${(ms / 1000).toFixed(1)} s, expected at most ${MOST_MS / 1000} where nothing else runs (here ${slower.toFixed(1)} times slower)`,
          );
          const end = JSON.parse(readFileSync(join(out, 'end.json'), 'utf8')) as {
            reason: string;
            step: number;
          };
          must(end.reason === 'interrupted', `the run ends as ${end.reason}`);
          const resume = openRun(out).latestResume();
          must(resume?.step === end.step, `resumes at ${resume?.step ?? 'nothing'}, expected ${end.step}`);
        });
      }
    } finally {
      endSessions();
    }
    const [once, twice] = [slowestMs, slowestSecondMs].map((ms) => (ms / 1000).toFixed(1));
    return tally.outcome(
      `once at most ${once} s, twice at most ${twice} s, a machine up to ${slowest.toFixed(1)} times slower than idle`,
    );
  });
}
