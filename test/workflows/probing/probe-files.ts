/** Probe modules as a user writes them, each with one fault, and tiny runs to try them on. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { train } from '../../../src/train/train.js';

/** What each faulty module does in the method named; every other method is harmless. */
export const FAULTS = {
  sound: '',
  throws: `measure() { throw new Error('the measurement broke'); },`,
  'throws-on-one': `measure({ subject }) { if (subject.seed === 2) throw new Error('not seed two'); return { value: 1 }; },`,
  silent: `measure({ subject }) { if (subject.seed === 2) for (;;); return { value: subject.seed }; },`,
  dies: `measure({ subject }) { if (subject.seed === 2) process.exit(3); return { value: subject.seed }; },`,
  'tells-shares': `measure(_, __, { progress }) { progress(1, 4); for (let t = performance.now(); performance.now() < t + 150;); progress(3, 4); progress(1, 0); return { value: 1 }; },`,
  'not-a-number': `measure() { return { value: 0 / 0 }; },`,
  mutates: `measure({ parameters }) { parameters[0] += 1; return { value: 1 }; },`,
  'combine-throws': `combine() { throw new Error('the combination broke'); },`,
  'combine-silent': `combine() { for (;;); },`,
  'statistic-throws': `of() { throw new Error('no number of it'); },`,
  'findings-incomplete': `combine() { return { findings: [{ id: 'x' }] }; },`,
  'observations-incomplete': `combine() { return { observations: [{ subject: 'x' }] }; },`,
  'incompatible-silent': `isCompatible() { for (;;); },`,
  'says-false': `isCompatible() { return false; },`,
  'says-one': `isCompatible() { return 1; },`,
  'says-nothing': `isCompatible() {},`,
  'incompatible-throws': `isCompatible() { throw new Error('cannot tell'); },`,
} as const;
export type Fault = keyof typeof FAULTS;

/** Writes `<folder>/<fault>.mjs`, a module that gives one number a checkpoint and counts them. @returns its path */
export function writeProbe(folder: string, fault: Fault, version = 1): string {
  const path = join(folder, `${fault}.mjs`);
  const methods: Record<string, string> = {
    isCompatible: 'isCompatible() { return true; },',
    measure: 'measure({ parameters, subject }) { return { value: parameters[0], seed: subject.seed }; },',
    of: 'of({ value }) { return [{ value }]; },',
    combine:
      "combine({ measured: { length } }) { return { findings: [{ id: 'count', statement: length + ' measured', statistic: 'count', unit: '1', estimate: length, n: { seeds: length, examples: 0 } }] }; },",
  };
  const own = FAULTS[fault];
  const name = /^(\w+)\(/.exec(own)?.[1];
  if (name !== undefined) methods[name] = own;
  const { of, ...probe } = methods;
  writeFileSync(
    path,
    `export const probe = {
  name: '${fault}', title: 'A title', question: 'A question?', version: ${version}, options: {},
  text: { shows: 'a', doesNotShow: 'b', method: 'c' },
  statistics: [
    { id: 'value', title: 'The first weight', formula: 'w[0]', unit: '1', sentence: 'the first weight', ${of} },
  ],
  ${Object.values(probe).join('\n  ')}
};
`,
  );
  return path;
}

/** A run of ten updates and a thousand weights. @returns its name */
export async function tinyRun(
  root: string,
  tasks: readonly ('MAX' | 'SUM' | 'MED')[],
  seed: number,
  more: {
    readonly modulus?: number;
    readonly regime?: 'full' | 'pairs';
    readonly dModel?: number;
    readonly nCtx?: number;
    readonly steps?: number;
    readonly evaluateEvery?: number;
  } = {},
): Promise<string> {
  const { run } = await train(
    {
      data: { tasks, modulus: more.modulus ?? 10, regime: more.regime ?? 'full' },
      model: { dModel: more.dModel ?? 4, nLayers: 1, nCtx: more.nCtx ?? 32 },
      optimizer: { warmupSteps: 2 },
      training: { steps: more.steps ?? 10, batchSize: 4, evaluateEvery: more.evaluateEvery ?? 5 },
      seed,
    },
    { root },
  );
  return run;
}

/** Names of the measurements in the cache of a reports folder, sorted. */
export function cacheEntries(reports: string): string[] {
  const cache = join(reports, '.cache');
  try {
    return readdirSync(cache)
      .flatMap((module) => readdirSync(join(cache, module)).map((file) => `${module}/${file}`))
      .sort();
  } catch {
    return [];
  }
}
