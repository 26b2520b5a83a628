/**
 * P3: a run that is stopped or killed at a random step and goes on in a fresh process ends in the bytes of an undisturbed
 * one: weights of every step, moments, random numbers (what is drawn shows in the weights) and metrics. Eight configurations
 * in turn.
 */
import { join } from 'node:path';
import { Rng } from '../../src/tensor/rng.js';
import { endSessions, mustBeSameBytes, startSession, stepOf, until } from './cli-run.js';
import { inFolder, must, Tally, type Outcome, type Trial } from './trial.js';

const STEPS = 2000;
const SMALL =
  `train --modulus 6 --d-model 8 --layers 1 --batch 16 --evaluate-every 500 --warmup 20 ` +
  '--save-every 0.2 --quiet';
const CONFIGURATIONS = [
  `--tasks MAX+SUM --n-ctx 16 --steps ${STEPS}`,
  `--tasks SUM --n-ctx 16 --steps ${STEPS} --regime pairs --no-bias`,
  `--tasks MED --n-ctx 16 --steps ${STEPS} --activation relu --untied --threads 2`,
  `--tasks SUM --n-ctx 64 --depth 2 --steps 800`,
  `--tasks MAX+SUM --n-ctx 16 --steps ${STEPS} --heads 2 --share-blocks --layers 2 --seed 7`,
  `--tasks SUM --n-ctx 16 --steps ${STEPS} --fixed-size 50 --weight-decay 0.1`,
  `--phases MAX:1000,SUM:1000 --n-ctx 16 --phase-optimizer reset --phase-schedule re-warmed`,
  `--tasks SUM --n-ctx 16 --steps 800 --engine wasm`,
];

export function tryResumes(trial: Trial): Promise<Outcome> {
  return inFolder(async (folder) => {
    const rng = new Rng(trial.seed, 'resumes');
    const tally = new Tally(trial);
    const start = (which: number, out: string): ReturnType<typeof startSession> =>
      startSession([...SMALL.split(' '), ...CONFIGURATIONS[which].split(' '), '--out', out], folder);
    const used = Math.min(trial.count, CONFIGURATIONS.length);
    let met = 0;
    try {
      for (let which = 0; which < used; which++) {
        const { code, stderr } = await start(which, join(folder, `whole-${which}`)).done;
        must(code === 0, `${CONFIGURATIONS[which]}: ${stderr}`);
      }
      for (let i = 0; i < trial.count; i++) {
        const which = i % used;
        const out = join(folder, `run-${i}`);
        const isKill = rng.below(2) === 0;
        await tally.run(`${isKill ? 'kill' : 'stop'} ${i}, ${CONFIGURATIONS[which]}`, async () => {
          const last = CONFIGURATIONS[which].includes('800') ? 800 : STEPS;
          const target = rng.below(Math.floor(0.8 * last));
          const session = start(which, out);
          await until(() => session.isOver() || stepOf(out) >= target, `step ${target}`, 300_000);
          session.child.kill(isKill ? 'SIGKILL' : 'SIGINT');
          const cut = await session.done;
          if (cut.code !== 0) met++;
          const { code, stderr } = await start(which, out).done;
          must(code === 0, `goes on and ends with ${code}: ${stderr}`);
          mustBeSameBytes(out, join(folder, `whole-${which}`));
        });
      }
    } finally {
      endSessions();
    }
    return tally.outcome(`${met} cut before their end, ${used} configurations`);
  });
}
