/**
 * A sweep over workers: workers killed and the server restarted all the while, a dead server, a wrong password. The number of
 * runs is SWEEP_CHAOS_RUNS, 24 by default.
 */
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readResults } from '../../src/workflows/sweep/results/results-file.js';
import { wait } from '../faults/cli-run.js';
import { trySweepChaos } from '../faults/sweep-chaos.js';
import { runCli, startCli, withFolder } from '../helpers/cli.js';
import { NO_POSTGRES, startPostgres } from '../helpers/postgres.js';
import { NO_REDIS, startRedis } from '../helpers/redis.js';
import { TINY_PLAN } from '../workflows/sweep/tiny.js';

const RUNS = Number(process.env['SWEEP_CHAOS_RUNS'] ?? 24);

const SERVERS = [
  { server: 'redis', isMissing: NO_REDIS, startServer: startRedis },
  { server: 'postgresql', isMissing: NO_POSTGRES, startServer: startPostgres },
] as const;

for (const { server, isMissing, startServer } of SERVERS) {
  describe.skipIf(isMissing)(`a sweep with --queue on ${server} (needs that server of Debian)`, () => {
    it('trains every run once, with the bytes of a serial run, while workers are killed and the server restarted', async () => {
      const found = await trySweepChaos({ seed: 1, count: RUNS, workers: 4, restarts: 3, startServer });
      expect(found).toMatchObject({ tried: RUNS, held: RUNS, broken: [] });
    }, 900_000);

    it('says in one line that the server is not there, or refuses the password, and that a URL is none', async () => {
      await withFolder(async (folder) => {
        writeFileSync(join(folder, 'plan.yaml'), TINY_PLAN);
        const queue = await startServer();
        const wrong = queue.url.replace('secret', 'guess');
        const refused = runCli(['worker', '--queue', wrong], folder);
        expect(refused.code).toBe(1);
        expect(refused.stderr).toMatch(
          new RegExp(
            `^sumlens: --queue: \\w+://127\\.0\\.0\\.1:\\d+\\S* cannot be used: .*${queue.refusal}.*\\n$`,
          ),
        );
        expect(refused.stderr).not.toContain('guess');
        await queue.stop();
        const dead = runCli(['sweep', 'plan.yaml', '--queue', queue.url], folder);
        expect(dead.code).toBe(1);
        expect(dead.stderr).toMatch(
          /^sumlens: --queue: \w+:\/\/127\.0\.0\.1:\d+\S* cannot be used: .*ECONNREFUSED.*\n$/,
        );
        expect(dead.stderr).not.toContain('secret');
        expect(runCli(['worker', '--queue', 'http://x'], folder)).toMatchObject({ code: 2 });
        expect(existsSync(join(folder, 'reports'))).toBe(false);
      });
    }, 120_000);

    it('gives a run back when its worker is stopped, and ends when there is nothing to do', async () => {
      await withFolder(async (folder) => {
        const place = join(folder, 'a');
        mkdirSync(place);
        const long = TINY_PLAN.replace('[4, 6, 8]', '[4]')
          .replace('1..2', '[1]')
          .replace('steps: 60', 'steps: 6000');
        writeFileSync(join(place, 'plan.yaml'), long.replace('evaluateEvery: 20', 'evaluateEvery: 1000'));
        const queue = await startServer();
        try {
          const sweep = startCli(
            ['sweep', 'plan.yaml', '--queue', queue.url, '--quiet', '--retries', '0'],
            place,
          );
          const first = startCli(['worker', '--queue', queue.url, '--jobs', '2', '--quiet'], place);
          const lock = (): boolean =>
            existsSync(join(place, 'checkpoints')) &&
            readdirSync(join(place, 'checkpoints')).some((run) =>
              existsSync(join(place, 'checkpoints', run, 'lock')),
            );
          while (!lock()) await wait(20);
          first.kill('SIGTERM');
          expect(await once(first, 'exit')).toEqual([143, null]);
          const second = startCli(['worker', '--queue', queue.url, '--idle', '3', '--quiet'], place);
          expect(await once(sweep, 'exit')).toEqual([0, null]);
          expect(await once(second, 'exit')).toEqual([0, null]);
          expect(readResults(join(place, 'reports', 'tiny', 'results.jsonl')).size).toBe(2);
        } finally {
          await queue.stop();
        }
      });
    }, 180_000);
  });
}
