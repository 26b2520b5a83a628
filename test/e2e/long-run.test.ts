/**
 * [slow] A run far beyond convergence: SUM at depth 1, d=32, learning rate 2e-3, 40,000 steps, where a prototype of the
 * engine went to NaN. It must end with finite numbers, or say which quantity was not finite and at which step.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CLI, withFolder } from '../helpers/cli.js';

const FLAGS =
  'train --tasks SUM --regime pairs --depth 1 --d-model 32 --lr 2e-3 --steps 40000 --evaluate-every 4000 --seed 1';

it('[slow] 40,000 steps, most of them after convergence, end finite or with the named cause', async () => {
  await withFolder(async (folder) => {
    const out = join(folder, 'run');
    const child = spawn(process.execPath, [CLI, ...FLAGS.split(' '), '--out', out, '--quiet'], {
      cwd: folder,
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));

    const end = JSON.parse(readFileSync(join(out, 'end.json'), 'utf8')) as { reason: string; step: number };
    const rows = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { kind: string; quantity?: string; lossNats?: unknown; gradNorm?: unknown },
      );
    if (end.reason === 'diverged') {
      // no failure, as long as the cause is named
      const { kind, quantity } = rows[rows.length - 1];
      expect(kind).toBe('diverged');
      expect(quantity).toMatch(/^(loss|gradient norm|parameter |first moment |second moment )/);
      return;
    }
    expect({ code, ...end }, stderr).toMatchObject({ code: 0, reason: 'budget', step: 40_000 });
    const train = rows.filter((row) => row.kind === 'train');
    expect(train.length).toBeGreaterThan(100);
    // what is not finite is written as a string
    for (const { lossNats, gradNorm } of train) {
      expect(typeof lossNats).toBe('number');
      expect(typeof gradNorm).toBe('number');
    }
    // it had converged, so that the steps after that were the ones in question
    expect(Number(train.at(-1)?.lossNats)).toBeLessThan(0.01);
  });
}, 900_000);
