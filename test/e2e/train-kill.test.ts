/** The built program, killed and interrupted at random moments, against an undisturbed run. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  endSessions,
  mustBeSameBytes,
  scientificBytes,
  startSession,
  stepOf,
  until,
  type Session,
} from '../faults/cli-run.js';
import { tryKills } from '../faults/kills.js';
import { CLI } from '../helpers/cli.js';

const STEPS = 12_000;
const FLAGS =
  `train --tasks MAX+SUM --modulus 6 --d-model 8 --layers 1 --n-ctx 16 --steps ${STEPS} --batch 16 ` +
  '--evaluate-every 1500 --warmup 20 --save-every 0.1';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-kill-'));
afterAll(() => {
  endSessions();
  rmSync(folder, { recursive: true, force: true });
});

const start = (out: string, ...more: string[]): Session =>
  startSession([...FLAGS.split(' '), '--out', out, ...more], folder);

const whole = join(folder, 'whole');

describe('sumlens train', () => {
  beforeAll(async () => {
    expect(existsSync(CLI), `${CLI}: build first (npm run build)`).toBe(true);
    const end = await start(whole, '--threads', '2', '--quiet').done;
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(stepOf(whole)).toBe(STEPS);
  });

  it('ends in the same bytes after five kills at random times, one inside a save', async () => {
    const { tried, held, broken } = await tryKills({ seed: 1, count: 5 });
    expect({ held, broken }).toEqual({ held: tried, broken: [] });
  }, 300_000);

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
    mustBeSameBytes(out, whole);
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
