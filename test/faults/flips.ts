/**
 * P11: one bit flipped in a file of a run (weights, moments, state, either manifest, configuration, header of a weights
 * file among them). It must be found on load, the step or point before taken instead, and a sentence must say so.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createOrOpenRun, openRun } from '../../src/checkpoint/store.js';
import { Rng } from '../../src/tensor/rng.js';
import { inFolder, must, Tally, type Outcome, type Trial } from './trial.js';
import { SMALL_RUN, stateAt, weightsAt } from './small-run.js';

const STEP_FILES = ['model.safetensors', 'manifest.json'];
const RESUME_FILES = ['model.safetensors', 'optimizer.safetensors', 'state.json', 'manifest.json'];

export function tryFlips(trial: Trial): Promise<Outcome> {
  return inFolder((folder) => {
    const tally = new Tally(trial);
    const store = createOrOpenRun(folder, SMALL_RUN);
    for (const step of [0, 64]) store.publishStep(step, weightsAt(step));
    for (const step of [100, 120]) store.publishResume(step, stateAt(step), { spent: step });
    const rng = new Rng(trial.seed, 'flips');
    const places = [
      ...STEP_FILES.map((file) => join('steps', '000064', file)),
      ...RESUME_FILES.map((file) => join('resume', '000120', file)),
      'config.json',
    ];
    for (let i = 0; i < trial.count; i++) {
      const place = places[i % places.length];
      const path = join(store.dir, place);
      const good = fs.readFileSync(path);
      const bit = rng.below(8 * good.length);
      const bad = Buffer.from(good);
      bad[bit >> 3] ^= 1 << (bit & 7);
      fs.writeFileSync(path, bad);
      tally.runSync(`bit ${bit} of ${place}`, () => mustBeFound(store.dir, place));
      fs.writeFileSync(path, good);
    }
    must(store.verify().length === 0, 'the run is not whole after the last flip was taken back');
    return tally.outcome();
  });
}

function mustBeFound(dir: string, place: string): void {
  if (place === 'config.json') {
    let message = '';
    try {
      openRun(dir);
    } catch (error) {
      message = error instanceof Error ? error.message : '';
    }
    must(message.includes('config.json'), `found "${message}", expected an error that names config.json`);
    return;
  }
  const store = openRun(dir);
  if (place.startsWith('resume')) {
    const point = store.latestResume();
    must(point?.step === 100, `resumes at ${point?.step ?? 'nothing'}, expected 100`);
    must(point.notes.length === 1, 'nothing says that a newer point was passed over');
  } else {
    const { step, passedOver } = store.loadStep('last');
    must(step === 0, `loads step ${step}, expected 0`);
    must(passedOver.length === 1 && store.notes.length === 1, 'nothing says that step 64 was passed over');
  }
}
