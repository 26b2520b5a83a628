/** P4: whole runs give the same bytes with 1, 2, 4 and 8 threads, and when they are trained twice. */
import { join } from 'node:path';
import { resolveRunConfig } from '../../src/config/parse.js';
import { trainRun } from '../../src/train/train-run.js';
import { mustBeSameBytes } from './cli-run.js';
import { inFolder, Tally, type Outcome, type Trial } from './trial.js';

const CONFIGS = [
  { data: { tasks: ['SUM'], modulus: 6 }, model: { dModel: 16, nCtx: 16 } },
  { data: { tasks: ['MAX', 'SUM'], depth: 2 }, model: { dModel: 24, nHeads: 3, nCtx: 64, tied: false } },
  { data: { tasks: ['MED'] }, model: { dModel: 40, nLayers: 3, shareBlocks: true, nCtx: 16, bias: false } },
] as const;
const THREADS = [1, 1, 2, 4, 8];

export function tryThreads(trial: Trial): Promise<Outcome> {
  return inFolder(async (folder) => {
    const tally = new Tally(trial);
    for (const [which, fields] of CONFIGS.slice(0, trial.count).entries()) {
      const config = resolveRunConfig({
        data: { ...fields.data, tasks: [...fields.data.tasks] },
        model: fields.model,
        training: { steps: 300, batchSize: 64, evaluateEvery: 150 },
      });
      const dirs: string[] = [];
      for (const [i, threads] of THREADS.entries()) {
        const { dir } = await trainRun(config, {
          root: join(folder, `${which}-${i}`),
          engine: 'native',
          threads,
        });
        dirs.push(dir);
      }
      await tally.run(`run ${which}`, () => {
        for (const dir of dirs.slice(1)) mustBeSameBytes(dir, dirs[0]);
      });
    }
    return tally.outcome(`threads ${THREADS.join(', ')}`);
  });
}
