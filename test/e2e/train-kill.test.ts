/** The built program, killed and interrupted at random moments, against an undisturbed run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { Rng } from '../../src/tensor/rng.js';

const MAIN = join(packageRoot(), 'dist/src/cli/main.js');
const STEPS = 12_000;
const FLAGS =
  `train --tasks MAX+SUM --modulus 6 --d-model 8 --layers 1 --n-ctx 16 --steps ${STEPS} --batch 16 ` +
  '--evaluate-every 1500 --warmup 20 --save-every 0.1';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-kill-'));
const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Session {
  readonly child: ChildProcess;
  readonly done: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

function start(out: string, ...more: string[]): Session {
  const child = spawn(process.execPath, [MAIN, ...FLAGS.split(' '), '--out', out, ...more], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const done = new Promise<Awaited<Session['done']>>((resolve) => {
    child.on('close', (code, signal) => {
      started.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { child, done };
}

/** Last step in the metrics, 0 before the first. */
function stepOf(out: string): number {
  const file = join(out, 'metrics.jsonl');
  if (!existsSync(file)) return 0;
  const step = /"step":(\d+)[^\n]*\n$/.exec(readFileSync(file, 'utf8'))?.[1];
  return Number(step ?? 0);
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const began = performance.now();
  while (!condition()) {
    if (performance.now() - began > 30_000) throw new Error(`waited 30 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

/** Everything that "the same bytes" is about: path to content. */
function scientificBytes(out: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const add = (path: string): void => {
    files.set(path, readFileSync(join(out, path)));
  };
  add('config.json');
  add('metrics.jsonl');
  for (const step of readdirSync(join(out, 'steps'))) {
    for (const file of readdirSync(join(out, 'steps', step))) add(`steps/${step}/${file}`);
  }
  const last = readdirSync(join(out, 'resume')).sort().at(-1) ?? '';
  add(`resume/${last}/model.safetensors`);
  add(`resume/${last}/optimizer.safetensors`);
  return files;
}

function expectSameBytes(actual: string, expected: string): void {
  const [a, b] = [scientificBytes(actual), scientificBytes(expected)];
  expect([...a.keys()]).toEqual([...b.keys()]);
  for (const [path, bytes] of b) expect(a.get(path)?.equals(bytes), path).toBe(true);
}

const whole = join(folder, 'whole');

describe('sumlens train', () => {
  beforeAll(async () => {
    expect(existsSync(MAIN), `${MAIN}: build first (npm run build)`).toBe(true);
    const end = await start(whole, '--threads', '2', '--quiet').done;
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(stepOf(whole)).toBe(STEPS);
  });

  it('ends in the same bytes after five kills at random steps as undisturbed with two threads', async () => {
    const seed = Date.now();
    process.stdout.write(`seed of the kills: ${seed}\n`);
    const rng = new Rng(seed, 'kills');
    const out = join(folder, 'killed');
    const targets = Array.from({ length: 5 }, () => rng.below(STEPS - 4000)).sort((a, b) => a - b);
    for (const target of targets) {
      const session = start(out);
      let over = false;
      void session.done.then(() => (over = true));
      await until(() => over || stepOf(out) >= target, `step ${target}`);
      session.child.kill('SIGKILL');
      expect((await session.done).signal, `killed near step ${target}, seed ${seed}`).toBe('SIGKILL');
    }
    const end = await start(out, '--json').done;
    expect(end).toMatchObject({ code: 0 });
    expect(JSON.parse(end.stdout)).toMatchObject({ reason: 'budget', step: STEPS, already: false });
    expectSameBytes(out, whole);
  });

  it('publishes a resume checkpoint at Ctrl-C, exits 130, and goes on to the same bytes', async () => {
    const out = join(folder, 'interrupted');
    const session = start(out, '--json');
    await until(() => stepOf(out) >= 300, 'step 300');
    session.child.kill('SIGINT');
    const end = await session.done;
    expect(end.code).toBe(130);
    expect(JSON.parse(end.stdout)).toMatchObject({ reason: 'interrupted' });
    expect(end.stderr).toMatch(/goes on where it stopped/);
    const { reason, step } = JSON.parse(readFileSync(join(out, 'end.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(reason).toBe('interrupted');
    expect(readdirSync(join(out, 'resume'))).toContain(String(step).padStart(6, '0'));
    expect(stepOf(out)).toBeLessThan(STEPS);

    expect((await start(out).done).code).toBe(0);
    expectSameBytes(out, whole);
  });

  it('exits 143 at SIGTERM', async () => {
    const out = join(folder, 'terminated');
    const session = start(out);
    await until(() => stepOf(out) >= 50, 'step 50');
    session.child.kill('SIGTERM');
    expect((await session.done).code).toBe(143);
    expect(readdirSync(join(out, 'resume')).length).toBeGreaterThan(0);
  });

  it('prints one JSON document and trains nothing when the run is finished', async () => {
    const before = scientificBytes(whole);
    const end = await start(whole, '--json').done;
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(end.stdout)).toMatchObject({ reason: 'budget', already: true });
    expect(scientificBytes(whole)).toEqual(before);
  });

  it('says which fields differ when a folder holds another run, and leaves it alone', async () => {
    const before = scientificBytes(whole);
    const end = await start(whole, '--lr', '1e-4').done;
    expect(end.code).toBe(2);
    expect(end.stderr).toMatch(/^sumlens: .*optimizer\.learningRate .*--out.*\n$/);
    expect(scientificBytes(whole)).toEqual(before);
  });

  it('refuses bad input in one line, with exit code 2, and makes no folder', async () => {
    for (const [flags, message] of [
      [['--tasks', 'SUMM'], /^sumlens: --tasks: found "SUMM".* Did you mean SUM\?\n$/],
      [['--modulus', '1'], /^sumlens: --modulus: found 1, expected a whole number from 2 to 64\.\n$/],
      [['--heads', '3'], /^sumlens: .*--heads.* found 3, expected a divisor of --d-model 8\..*\n$/],
      [
        ['--engine', 'cuda'],
        /^sumlens: --engine: found "cuda", expected one of auto, native, wasm, tfjs, .*\.\n$/,
      ],
      [['--save-every', '0'], /^sumlens: --save-every: found 0, expected a number of seconds above 0\.\n$/],
    ] as const) {
      const out = join(folder, 'bad');
      const end = await start(out, ...flags).done;
      expect(end.code).toBe(2);
      expect(end.stderr).toMatch(message);
      expect(existsSync(out)).toBe(false);
    }
  });
});
