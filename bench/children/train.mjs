/** One training run in a process of its own: `node train.mjs <bundle> <d_model> <seed>`, asked by JSON lines on stdin. */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { depthTwo, OPTIONS } from '../lib/workload.mjs';

const [bundle, dModel, seed] = process.argv.slice(2);
const project = await import(pathToFileURL(bundle).href);
const config = depthTwo(project, Number(dModel));
const { engine } = await project.openEngine('native', { threads: 1 });
const model = engine.createModel(project.gptConfigOf(config), { seed: Number(seed) }, 'train');
const generator = project.createGenerator(config.data, Number(seed));
let step = 0;

/** As the trainer does it: a new batch for every step. */
function train(ms) {
  const from = step;
  const begin = performance.now();
  while (performance.now() - begin < ms) {
    model.trainStep(generator.batch(step, config.training.batchSize), OPTIONS);
    step++;
  }
  return { steps: step - from, wallMs: performance.now() - begin };
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { ms } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(train(ms))}\n`);
});
