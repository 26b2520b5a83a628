/** The promises of docs/reliability.md: the figure at which each is tried, how, and what must be there to try it. */
import { readFileSync } from 'node:fs';
import { NO_REDIS } from '../helpers/redis.js';
import { missingBrowser, missingProgram } from '../helpers/missing.js';
import { tryBadConfigurations } from './bad-configurations.js';
import { tryFlips } from './flips.js';
import { tryKills } from './kills.js';
import { tryManyRuns } from './many-runs.js';
import { tryMutations } from './mutations.js';
import { tryTests } from './of-vitest.js';
import { tryResumes } from './resumes.js';
import { tryCrashes, tryErrors, tryUnsyncedDirectories } from './session-faults.js';
import { trySignals } from './signals.js';
import { trySweepChaos } from './sweep-chaos.js';
import { tryTails } from './tails.js';
import { tryThreads } from './threads.js';
import type { Driver } from './trial.js';

export interface Part {
  readonly what: string;
  /** trials in full; absent: as many as there are */
  readonly full?: number;
  /** trials of the short selection; 0: `npm test` tries it at its full figure anyway, and --short leaves it out */
  readonly short: number;
  readonly driver: Driver;
  /** why it cannot be tried here */
  readonly missing?: string | undefined;
}

export interface PromiseRow {
  readonly id: string;
  readonly promise: string;
  readonly parts: readonly Part[];
}

const ALL = Number.MAX_SAFE_INTEGER;

/** Tests of `npm test` that try a promise in full. */
const tests = (
  what: string,
  files: readonly string[],
  named?: string,
  environment?: Record<string, string>,
): Part => ({
  what,
  short: 0,
  driver: (trial) =>
    tryTests(
      { files, ...(named !== undefined && { named }), ...(environment !== undefined && { environment }) },
      trial,
    ),
});

const noProc = ((): string | undefined => {
  try {
    readFileSync('/proc/self/stat');
    return undefined;
  } catch {
    return 'there is no /proc (Linux)';
  }
})();

export const PROMISES: readonly PromiseRow[] = [
  {
    id: 'P1',
    promise: 'kill -9 at any time loses no checkpoint and at most 30 s of work',
    parts: [{ what: 'kills', full: 200, short: 5, driver: tryKills }],
  },
  {
    id: 'P2',
    promise: 'a crash at any file operation leaves the old state or the new one',
    parts: [
      { what: 'crashes in a session', full: ALL, short: 60, driver: tryCrashes },
      { what: 'directories that cannot be synced', full: ALL, short: 20, driver: tryUnsyncedDirectories },
      tests('publishing and removing', ['test/io/publish-faults.test.ts', 'test/io/files.test.ts']),
    ],
  },
  {
    id: 'P3',
    promise: 'a resumed run has the bytes of an undisturbed one',
    parts: [{ what: 'cuts and resumes', full: 100, short: 3, driver: tryResumes }],
  },
  {
    id: 'P4',
    promise: 'the same bytes for any number of threads, twice, from gcc and clang, in Node and Chromium',
    parts: [
      { what: 'whole runs', full: 3, short: 1, driver: tryThreads },
      tests('engines', [
        'test/engine/determinism.test.ts',
        'test/engine/browser.test.ts',
        'test/engine/native.test.ts',
      ]),
    ],
  },
  {
    id: 'P5',
    promise: 'gradients of every kernel and of the model agree with finite differences',
    parts: [tests('kernels and model', ['test/engine/gradients.test.ts', 'test/engine/kernels/'])],
  },
  {
    id: 'P6',
    promise: 'parity with PyTorch',
    parts: [tests('fixtures', ['test/engine/pytorch.test.ts', 'test/engine/kernels/layers.test.ts'])],
  },
  {
    id: 'P7',
    promise: 'native, WebAssembly and TensorFlow.js agree',
    parts: [
      tests('engines', [
        'test/engine/conformance.test.ts',
        'test/engine/conformance-curves.test.ts',
        'test/engine/tfjs.test.ts',
        'test/engine/layers.test.ts',
      ]),
    ],
  },
  {
    id: 'P8',
    promise: 'divergence is found before the update',
    parts: [tests('planted NaN and Inf', ['test/engine/divergence.test.ts', 'test/train/trainer.test.ts'])],
  },
  {
    id: 'P9',
    promise: 'a malformed safetensors file is refused in one line',
    parts: [
      { what: 'mutations', full: 100_000, short: 10_000, driver: tryMutations },
      tests('made by hand', ['test/checkpoint/format.test.ts'], 'refuses'),
    ],
  },
  {
    id: 'P10',
    promise: 'a full, read-only or failing disk: one line, nothing torn, and work goes on',
    parts: [{ what: 'errors in a session', full: ALL, short: 60, driver: tryErrors }],
  },
  {
    id: 'P11',
    promise: 'a flipped bit is found, the checkpoint before is taken, and a line says so',
    parts: [{ what: 'flips', full: 1000, short: 300, driver: tryFlips }],
  },
  {
    id: 'P12',
    promise: 'a torn log loses no good line',
    parts: [{ what: 'torn tails', full: 500, short: 60, driver: tryTails }],
  },
  {
    id: 'P13',
    promise: 'the viewer refuses attacks and reads nothing outside its folders',
    parts: [tests('requests', ['test/viewer/http/attack.test.ts'])],
  },
  {
    id: 'P14',
    promise: 'hostile text in reports and pages stays text',
    parts: [
      {
        ...tests('in a browser', ['test/report/browser.test.ts', 'test/viewer/browser.test.ts'], undefined, {
          EVERY_HOSTILE_STRING: '1',
        }),
        missing: missingBrowser(),
      },
    ],
  },
  {
    id: 'P15',
    promise: '10,000 runs, 100 damaged: a list in 5 CPU s, then in 200 ms, in 300 MB',
    parts: [{ what: 'starts and lists', full: 10_000, short: 500, driver: tryManyRuns, missing: noProc }],
  },
  {
    id: 'P16',
    promise: 'a sweep survives killed workers and a queue server that forgets',
    parts: [
      {
        what: 'runs',
        full: 300,
        short: 0,
        driver: (trial) => trySweepChaos({ ...trial, workers: 8, restarts: 5 }),
        missing: NO_REDIS ? missingProgram('redis-server') : undefined,
      },
    ],
  },
  {
    id: 'P17',
    promise: 'one signal publishes within 10 s, two end at once',
    parts: [{ what: 'signals', full: 40, short: 4, driver: trySignals }],
  },
  {
    id: 'P18',
    promise: 'a bad configuration or data file: one line, exit code 2, nothing left',
    parts: [{ what: 'command lines', full: 240, short: 12, driver: tryBadConfigurations }],
  },
];
