/**
 * The fuzzers themselves: a few cases each in every run of the tests (`npm run fuzz` does more), and faults planted on
 * purpose, each of which must be found.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import type { KernelFunctions } from '../../src/engine/kernels/module.js';
import { widestSet } from '../../src/engine/native/engine.js';
import { loadAddon } from '../../src/engine/native/load.js';
import type { Addon } from '../../src/engine/native/memory.js';
import { packageRoot } from '../../src/io/package-root.js';
import { buildGuarded, runFuzzer, sanitizerLibrary } from '../../src/setup/fuzz.mjs';
import { missingEngine } from '../engine/engines.js';
import { describeNeeding } from '../helpers/needs.js';
import { engineCase } from './engine-case.js';
import { fuzzEngine, openPools } from './engine.js';
import { graceful } from './hostile-input.js';
import { parserProperties } from './parsers.js';

const ROOT = packageRoot();

function program(...args: readonly string[]): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'src/setup/fuzz.mjs'), ...args],
    {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 280_000,
    },
  );
  return { code: status, output: stdout + stderr };
}

function loaded(): Addon {
  const found = loadAddon();
  if (found.kind === 'unavailable') throw new Error(found.reason);
  return found.addon;
}

/** The addon with one function in place of its own, in every set. */
function planted<K extends keyof KernelFunctions>(
  addon: Addon,
  name: K,
  replace: (own: KernelFunctions[K]) => KernelFunctions[K],
): Addon {
  const sets = addon.sets.map((set) => ({
    ...set,
    functions: { ...set.functions, [name]: replace(set.functions[name]) },
  }));
  return { ...addon, sets };
}

describeNeeding(missingEngine('native'), 'the fuzzer of the engine', () => {
  it('finds nothing in some cases', () => {
    const addon = loaded();
    const pools = openPools(addon);
    for (let seed = 1; seed <= 20; seed++) {
      expect(fuzzEngine(addon, pools, engineCase(seed)), `seed ${seed}`).toEqual([]);
    }
    for (const pool of pools.values()) if (pool !== 0) addon.pool_destroy(pool);
  }, 180_000);

  it('makes every kind of model', () => {
    const configs = Array.from({ length: 200 }, (_, seed) => engineCase(seed).config);
    for (const field of ['bias', 'qkvBias', 'tied', 'unembeddingBias', 'shareBlocks'] as const) {
      expect(new Set(configs.map((config) => config[field])).size, field).toBe(2);
    }
    expect(new Set(configs.map(({ activation }) => activation)).size).toBe(2);
    expect(Math.max(...configs.map(({ nLayers }) => nLayers))).toBe(32);
    expect(Math.min(...configs.map(({ dModel }) => dModel))).toBe(1);
    expect(Math.max(...configs.map(({ nCtx }) => nCtx))).toBeGreaterThan(128);
  });

  /** What one case says of an addon with a fault, with one thread. */
  const found = (addon: Addon): string => {
    const pools = new Map([1, 2, 3, 7].map((threads) => [threads, 0]));
    return fuzzEngine(addon, pools, engineCase(3)).join('\n');
  };
  // copies bytes from anywhere to anywhere: what a stray write of a kernel would do
  const word = (addon: Addon, to: number, from: number): void => addon.packRows(to, from, 1, 4, 4);

  it('would find a write past the end of an arena', () => {
    const addon = loaded();
    const fault = planted(addon, 'forward_batch', (own) => (...n) => {
      const sum = own(...n);
      const bytes = widestSet(addon).functions.forward_work_bytes(n[1], n[7], n[8], n[9], 1);
      word(addon, n[3] + Math.ceil(bytes / 64) * 64, n[2]);
      return sum;
    });
    expect(found(fault)).toMatch(/piece \d+ of the work arena: 0 bytes past its end hold 0x/);
  });

  it('would find a result that depends on what the memory held', () => {
    const addon = loaded();
    const dirty = planted(addon, 'forward_batch', (own) => (...n) => {
      // the first word of the work area as it was found, into the first loss
      const kept = new Float32Array(1);
      const at = addon.addressOf(kept.buffer);
      word(addon, at, n[3]);
      const sum = own(...n);
      word(addon, n[11], at);
      return sum;
    });
    expect(found(dirty)).toMatch(/losses 0 has other bytes/);
  });

  it('would find a batch that a kernel changed', () => {
    const addon = loaded();
    const fault = planted(addon, 'forward_batch', (own) => (...n) => {
      const sum = own(...n);
      word(addon, n[4], n[2]);
      return sum;
    });
    expect(found(fault)).toContain('forward_batch changed its batch');
  });
});

const noSanitizer =
  sanitizerLibrary() === undefined ? 'gcc and its library libasan are needed, on linux-x64.' : undefined;
describeNeeding(noSanitizer, 'the fuzzer on the guarded build', () => {
  beforeAll(async () => {
    const { status, reason } = await buildGuarded();
    expect(status, reason).not.toBe('unavailable');
    // compiling takes a minute alone, and other tests may want both processors
  }, 1_800_000);

  it('would find a write behind a piece inside a kernel, and prints what repeats it', () => {
    const { code, output } = program('--only', 'guarded-planted', '--seed', '7', '--cases', '2');
    expect(code).toBe(1);
    expect(output).toContain('use-after-poison');
    expect(output).toContain('npm run fuzz -- --only guarded-planted --seed 7 --cases 1');
  }, 300_000);

  it('finds nothing in some cases', () => {
    const { code, output } = program('--only', 'guarded', '--seed', '7', '--cases', '5');
    expect(output).toBe('guarded: 5 cases from seed 7, nothing found\nfuzz: nothing found\n');
    expect(code).toBe(0);
  }, 300_000);
});

describe('the fuzzer of the parsers', () => {
  it.each([...parserProperties()])('%s', (_, property) => {
    fc.assert(property, { seed: 1, numRuns: 100 });
  });

  it('would find an error that is not the user’s, and a message of two lines', () => {
    const nothing: unknown = undefined;
    expect(() => graceful(() => (nothing as string).length)).toThrow(TypeError);
    const twoLines = (): never => {
      throw new UserError('a\nb');
    };
    expect(() => graceful(twoLines)).toThrow('not one line');
    expect(graceful(() => 1)).toEqual({ value: 1 });
  });
});

describe('npm run fuzz', () => {
  it('repeats what it is told to', () => {
    const { code, output } = program('--only', 'parsers:json', '--seed', '5', '--cases', '1');
    expect(output).toBe('parsers:json: 200 cases from seed 5, nothing found\nfuzz: nothing found\n');
    expect(code).toBe(0);
  });

  it('fails where fewer cases were tried than it was told to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sumlens-fuzz-'));
    const slow = join(folder, 'slow.mjs');
    writeFileSync(slow, "console.log('case 5 json');\nconsole.log('done 200 1');\n");
    const run = (cases: number): ReturnType<typeof runFuzzer> =>
      runFuzzer({ program: slow, fuzzer: 'parsers', seed: 5, cases });
    expect(await run(1)).toEqual({ cases: 200 });
    expect((await run(2)).problem?.lines).toEqual(['1 of 2 cases were tried in 60 minutes']);
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['--only', 'nothing'],
    ['--seed', '-1'],
    ['--minutes', 'x'],
  ])('refuses %s %s in one line', (flag, value) => {
    const { code, output } = program(`${flag}=${value}`);
    expect(code).toBe(2);
    expect(output.trim().split('\n')).toHaveLength(1);
  });
});
