/**
 * How much resident memory a training run adds to a process that is warm: `node memory.mjs <bundle> <d_model>`. A tiny
 * model is trained first, so that code and the collector's spaces are there before anything is counted.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { OwnRun, realWorkload } from '../lib/workload.mjs';

const [bundle, dModel] = process.argv.slice(2);
const STEPS = 40;

/** Bytes of a line of /proc/self/status. */
function status(field) {
  const line = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line[1]) * 1024;
}

async function measure() {
  const project = await import(pathToFileURL(bundle).href);
  const { engine } = await project.openEngine('native', { threads: 1 });
  const tiny = new OwnRun(engine, realWorkload(project, 8));
  tiny.steps(20 * STEPS);
  tiny.dispose();

  // from here VmHWM is the peak of what follows
  writeFileSync('/proc/self/clear_refs', '5');
  const before = status('VmRSS');
  const workload = realWorkload(project, Number(dModel));
  const run = new OwnRun(engine, workload);
  run.steps(STEPS);
  const grownBytes = status('VmHWM') - before;
  const dataBytes = workload.batches.reduce(
    (sum, batch) => sum + Object.values(batch).reduce((bytes, array) => bytes + array.byteLength, 0),
    0,
  );
  return { grownBytes, dataBytes, ...run.model.memory() };
}

createInterface({ input: process.stdin }).once('line', () => {
  measure().then(
    (found) => process.stdout.write(`${JSON.stringify(found)}\n`),
    (error) => process.stdout.write(`${JSON.stringify({ error: error.message })}\n`),
  );
});
