/**
 * The fuzzers as a program, bundled and started by src/setup/fuzz.mjs in a process of its own, so that a crash can be told:
 * `node main.mjs <fuzzer> <first seed> <cases or empty> <milliseconds>`. Prints `case <seed>` before each case and, at the
 * first one with a problem, `problem <line>`; the last line is `done <inputs> <cases>` (the parsers try many inputs a case).
 */
import { loadAddon } from '../../src/engine/native/load.js';
import { engineCase } from './engine-case.js';
import { fuzzEngine, openPools } from './engine.js';
import { fuzzParsers } from './parsers.js';

const [fuzzer, seedText, casesText, limitText] = process.argv.slice(2);
const firstSeed = Number(seedText);
const cases = casesText === '' ? Infinity : Number(casesText);
const end = performance.now() + Number(limitText);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function fuzzKernels(file: string): void {
  const loaded = loadAddon({ file });
  if (loaded.kind === 'unavailable') throw new Error(loaded.reason);
  const pools = openPools(loaded.addon);
  let done = 0;
  for (; done < cases && performance.now() < end; done++) {
    const seed = firstSeed + done;
    say(`case ${seed}`);
    const problems = fuzzEngine(loaded.addon, pools, engineCase(seed));
    for (const problem of problems) say(`problem ${problem}`);
    if (problems.length > 0) break;
  }
  for (const pool of pools.values()) if (pool !== 0) loaded.addon.pool_destroy(pool);
  say(`done ${done} ${done}`);
}

if (fuzzer === 'engine') fuzzKernels('kernels.node');
else if (fuzzer.startsWith('guarded')) fuzzKernels('kernels-guarded.node');
else {
  const only = fuzzer.replace(/^parsers:?/, '');
  const { inputs, rounds } = fuzzParsers({ only, seed: firstSeed, cases, end, say });
  say(`done ${inputs} ${rounds}`);
}
