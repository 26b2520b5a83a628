/**
 * `npm run fuzz`: random models through every driver of the native engine, the same with guards under the address
 * sanitizer, and made-up input through every parser, each for `--minutes` or, with `--fixed`, for the same cases on every
 * machine. A case is a function of its seed; the first that fails ends its fuzzer and is printed with the command that
 * repeats it. node: imports only.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { buildNative } from './build-native.mjs';
import { bundleForNode, onPath, ROOT } from './common.mjs';

export const FUZZERS = ['engine', 'guarded', 'parsers'];

/**
 * Cases of `--fixed`: about a minute of one core each, two for the parsers, where a case is a round of 200 inputs for
 * every parser.
 */
export const FIXED_CASES = { engine: 250, guarded: 125, parsers: 63 };

/** A fuzzer that was told how many cases to try has so much time for them; far more than any machine needs. */
const MOST_MINUTES = 60;

/** The same with a fault in every piece, to see that it is found. */
const PLANTED = 'guarded-planted';

/** Compiles what `guarded` runs on, unless it is current: 64 poisoned bytes behind every piece of the work area. */
export function buildGuarded() {
  return buildNative({
    root: ROOT,
    compiler: 'gcc',
    sanitize: ['address', 'undefined'],
    name: 'kernels-guarded.node',
    under: { header: 'test/fuzz/guarded.h', flags: ['--param', 'asan-instrument-reads=0'] },
  });
}

/** Path of the address sanitizer's library, or undefined where gcc has none. */
export function sanitizerLibrary() {
  if (process.platform !== 'linux' || process.arch !== 'x64' || onPath('gcc') === undefined) return undefined;
  const name = 'libasan.so';
  const path = execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  return path === name ? undefined : path;
}

/** Bundles the program of the fuzzers. @returns its path */
export async function bundleFuzzers() {
  return bundleForNode('test/fuzz/main.ts', join(ROOT, 'build', 'fuzz', 'main.mjs'));
}

/**
 * Runs one fuzzer in a process of its own.
 * @param {{ program: string, fuzzer: string, seed: number, cases?: number, minutes?: number, sanitizer?: string }} options
 * @returns {Promise<{ cases: number, problem?: { seed: string, lines: string[] } }>}
 */
export async function runFuzzer({ program, fuzzer, seed, cases, minutes = 1, sanitizer }) {
  const env =
    sanitizer === undefined
      ? process.env
      : {
          ...process.env,
          LD_PRELOAD: sanitizer,
          ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0:exitcode=99:detect_stack_use_after_return=0',
          UBSAN_OPTIONS: 'print_stacktrace=1',
          ...(fuzzer === PLANTED ? { SUMLENS_PLANT_OVERFLOW: '1' } : {}),
        };
  const limit = (cases === undefined ? minutes : MOST_MINUTES) * 60_000;
  const child = spawn(process.execPath, [program, fuzzer, `${seed}`, `${cases ?? ''}`, `${limit}`], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let last = `${seed}`;
  let done;
  let rounds;
  const lines = [];
  const errors = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [word, ...rest] = line.split(' ');
    if (word === 'case') last = rest.join(' ');
    else if (word === 'problem') lines.push(rest.join(' '));
    else if (word === 'done') [done, rounds] = rest.map(Number);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (errors.length < 60) errors.push(line);
  });
  // a case that never ends is ended from here
  const stuck = setTimeout(() => child.kill('SIGKILL'), limit + 600_000);
  const [code, signal] = await new Promise((resolve) => {
    child.on('close', (...ended) => resolve(ended));
  });
  clearTimeout(stuck);
  if (code !== 0 || done === undefined) lines.push(`the process ended with ${signal ?? code}`, ...errors);
  else if (lines.length === 0 && cases !== undefined && rounds !== cases) {
    lines.push(`${rounds} of ${cases} cases were tried in ${MOST_MINUTES} minutes`);
  }
  return { cases: done ?? 0, ...(lines.length === 0 ? {} : { problem: { seed: last, lines } }) };
}

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string' },
      only: { type: 'string' },
      cases: { type: 'string' },
      fixed: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(
      'npm run fuzz -- [--minutes 1] [--seed <whole number>] [--only engine|guarded|parsers] [--cases <number>] [--fixed]\n' +
        'Each fuzzer runs for so many minutes, or so many cases; with --fixed for the number of cases that continuous\n' +
        'integration tries. Without --seed a new one is drawn and printed.',
    );
    return;
  }
  const number = (name, text, test, expected) => {
    if (!test(Number(text)) || text.trim() === '') {
      console.error(`--${name}: found ${text}, expected ${expected}.`);
      process.exit(2);
    }
    return Number(text);
  };
  const isWhole = (value) => Number.isSafeInteger(value) && value >= 0;
  const minutes = number('minutes', values.minutes, (value) => value > 0 && value <= 1e4, 'minutes above 0');
  const seed =
    values.seed === undefined
      ? randomInt(2 ** 31)
      : number('seed', values.seed, isWhole, 'a whole number, 0 or more');
  const cases =
    values.cases === undefined
      ? undefined
      : number('cases', values.cases, (value) => isWhole(value) && value > 0, 'a whole number above 0');
  if (values.only !== undefined && ![...FUZZERS, PLANTED].includes(values.only.split(':')[0])) {
    console.error(`--only: found ${values.only}, expected ${FUZZERS.join(', ')}.`);
    process.exit(2);
  }
  const program = await bundleFuzzers();
  let failed = 0;
  for (const fuzzer of values.only === undefined ? FUZZERS : [values.only]) {
    let sanitizer;
    if (fuzzer !== 'parsers' && !fuzzer.startsWith('parsers:')) {
      const built = await buildNative({ root: ROOT });
      if (built.status === 'unavailable') {
        console.log(`${fuzzer}: not run: ${built.reason}`);
        continue;
      }
    }
    if (fuzzer === 'guarded' || fuzzer === PLANTED) {
      sanitizer = sanitizerLibrary();
      const built = sanitizer === undefined ? undefined : await buildGuarded();
      if (built === undefined || built.status === 'unavailable') {
        console.log(`${fuzzer}: not run: ${built?.reason ?? 'gcc and its library libasan are needed.'}`);
        continue;
      }
    }
    const fixed = values.fixed ? FIXED_CASES[fuzzer.split(':')[0]] : undefined;
    const found = await runFuzzer({ program, fuzzer, seed, cases: cases ?? fixed, minutes, sanitizer });
    console.log(`${fuzzer}: ${found.cases} cases from seed ${seed}${found.problem ? '' : ', nothing found'}`);
    if (found.problem === undefined) continue;
    failed++;
    for (const line of found.problem.lines) console.log(`${fuzzer}: ${line}`);
    const [caseSeed, property] = found.problem.seed.split(' ');
    const only = property === undefined ? fuzzer : `parsers:${property}`;
    console.log(
      `${fuzzer}: seed ${caseSeed}; to repeat: npm run fuzz -- --only ${only} --seed ${caseSeed} --cases 1`,
    );
  }
  console.log(failed === 0 ? 'fuzz: nothing found' : `fuzz: ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
