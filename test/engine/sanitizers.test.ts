/**
 * The C sources under the address, undefined-behaviour, leak and thread sanitizers of the compiler that is there: every
 * driver in Node, and the threaded ones in a program of their own. Faults planted on purpose show that each would be found.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeModel } from '../../src/engine/kernels/description.js';
import { widestSet } from '../../src/engine/native/engine.js';
import { loadAddon } from '../../src/engine/native/load.js';
import { packageRoot } from '../../src/io/package-root.js';
import { parameterTable } from '../../src/model/parameters.js';
import { buildNative, sanitizerFlags } from '../../src/setup/build-native.mjs';
import { compile, compilerVersion, kernelFlagsOf, readTargets } from '../../src/setup/kernel-sources.mjs';
import { randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeNeeding } from '../helpers/needs.js';
import { isRequired } from './engines.js';

const ROOT = packageRoot();
const COMPILER = 'gcc';

/** Path of a sanitizer's library, or undefined where the compiler has none. */
function library(name: string): string | undefined {
  if (compilerVersion(COMPILER) === undefined) return undefined;
  const path = execFileSync(COMPILER, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  return path === name ? undefined : path;
}
const asan = library('libasan.so');
const available = process.platform === 'linux' && process.arch === 'x64' && asan !== undefined;
const reason = available ? undefined : 'gcc and its sanitizer libraries are needed, on linux-x64.';
if (!available && isRequired('native')) {
  throw new Error(
    'REQUIRE_ENGINES names native: expected gcc with its sanitizer libraries (libasan, libtsan).',
  );
}

let folder: string;
beforeAll(() => {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  folder = mkdtempSync(join(ROOT, 'build', 'sanitizers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Compiler flags of the widest set of kernels that this processor has. */
function widestFlags(): readonly string[] {
  const loaded = loadAddon();
  if (loaded.kind === 'unavailable') throw new Error(loaded.reason);
  return kernelFlagsOf(readTargets(ROOT), widestSet(loaded.addon).name);
}

const ASAN_OPTIONS = 'detect_leaks=0:abort_on_error=0:exitcode=99:detect_stack_use_after_return=0';

describeNeeding(reason, 'the addon under the address and undefined-behaviour sanitizers', () => {
  const node = (script: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [script], {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 300_000,
      env: { ...process.env, LD_PRELOAD: asan, ASAN_OPTIONS, UBSAN_OPTIONS: 'print_stacktrace=1' },
    });

  beforeAll(async () => {
    const { status, reason } = await buildNative({
      root: ROOT,
      compiler: COMPILER,
      sanitize: ['address', 'undefined'],
    });
    expect(status, reason).not.toBe('unavailable');
    // compiling takes 40 s alone, and other tests may want both processors
  }, 300_000);

  it('runs every driver over every variant of the model without a report', async () => {
    const outfile = join(folder, 'exercise.mjs');
    await build({
      entryPoints: [join(ROOT, 'test/engine/sanitizers/exercise.ts')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile,
      logLevel: 'error',
    });
    const { stdout, stderr, status } = node(outfile);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(Number(/^calls: (\d+)$/m.exec(String(stdout))?.[1])).toBeGreaterThan(600);
  }, 300_000);

  it('would find a read past the end of memory that Node gave', () => {
    const script = join(folder, 'planted.mjs');
    writeFileSync(
      script,
      `import { createRequire } from 'node:module';
       const addon = createRequire(import.meta.url)(${JSON.stringify(join(ROOT, 'build/kernels-sanitized.node'))});
       const buffer = new ArrayBuffer(4096);
       // the description claims an arena, and a batch, that lie past the end
       addon.sets.find((set) => set.supported).functions.train_work_bytes(addon.addressOf(buffer) + 4096, 1, 1, 1, 1);`,
    );
    const { stderr, status } = node(script);
    expect(status).toBe(99);
    expect(stderr).toContain('heap-buffer-overflow');
  });
});

describeNeeding(reason, 'the drivers with threads, without Node', () => {
  const targets = readTargets(ROOT);
  const sources = [...targets.kernels, 'src/engine/native/pool.c', 'test/engine/sanitizers/threads.c'];

  const buildProgram = (name: string, sanitize: readonly string[], extra: readonly string[] = []): string => {
    const program = join(folder, name);
    const flags = widestFlags().map((flag) => (flag === '-O3' ? '-O1' : flag));
    const args = [
      ...flags,
      ...sanitizerFlags(sanitize),
      ...extra,
      '-DKERNEL_HASH=0',
      '-pthread',
      '-o',
      program,
    ];
    const problem = compile(COMPILER, [...args, ...sources.map((source) => join(ROOT, source))], folder);
    expect(problem).toBeUndefined();
    return program;
  };
  const run = (program: string, cases: readonly string[]): ReturnType<typeof spawnSync> =>
    spawnSync(program, cases, {
      encoding: 'utf8',
      timeout: 200_000,
      env: { ASAN_OPTIONS: 'detect_leaks=1:exitcode=99', TSAN_OPTIONS: 'exitcode=66:halt_on_error=1' },
    });

  /** Several chunks a thread, so that threads meet. */
  const writeCases = (): string[] =>
    [VARIANTS[0], VARIANTS[3], VARIANTS[5], VARIANTS[16]].map((config, index) => {
      const lengths = randomLengths(config, index, 120);
      const batch = randomBatch(config, index, lengths, 0.4);
      const parameters = randomParameters(config, index);
      const description = describeModel(config, parameterTable(config));
      const nTargets = batch.targets.filter((target) => target >= 0).length;
      const counts = Int32Array.of(
        description.length,
        parameters.length,
        batch.tokens.length,
        lengths.length,
        Math.max(...lengths),
        nTargets,
      );
      const parts = [counts, description, batch.offsets, batch.tokens, batch.targets, parameters];
      const path = join(folder, `case-${index}`);
      writeFileSync(
        path,
        Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))),
      );
      return path;
    });

  it('has no data race with 2 to 4 threads, and the same losses', () => {
    const { stdout, stderr, status } = run(buildProgram('races', ['thread']), writeCases());
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(String(stdout).trim().split('\n')).toHaveLength(4);
  }, 240_000);

  it('reads and writes nothing outside its memory, and leaks none', () => {
    const { stderr, status } = run(buildProgram('leaks', ['address', 'undefined']), writeCases());
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 240_000);

  it('would find a pool that is never destroyed', () => {
    const { stderr, status } = run(buildProgram('planted', ['address'], ['-DPLANT_LEAK']), []);
    expect(status).toBe(99);
    expect(stderr).toContain('LeakSanitizer: detected memory leaks');
    expect(stderr).toContain('pool_create');
  }, 300_000);
});
