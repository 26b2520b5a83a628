/** What can be known of another process: pids of other PID namespaces and hidden ones are not taken for ended. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { fateOf, ownIdentity, ownOrigin } from '../../src/io/process-identity.js';
import { temporaryFolder } from './temporary.js';

const HERE = ['-Urpf', '--mount-proc'];
const namespaces = spawnSync('unshare', [...HERE, 'true']).status === 0;

describe('fateOf', () => {
  it('knows this process, an ended one and a recycled pid', () => {
    const own = ownIdentity();
    expect(fateOf(own)).toBe('alive');
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    expect(fateOf({ ...own, pid, started: undefined })).toBe('ended');
    expect(fateOf({ ...own, pid: process.ppid })).toBe('ended');
    expect(fateOf({ ...own, pid: process.ppid, started: undefined })).toBe('alive');
  });

  it('knows nothing of other hosts and of other PID namespaces', () => {
    const own = ownIdentity();
    expect(fateOf({ ...own, host: 'elsewhere' })).toBe('unknown');
    expect(fateOf({ ...own, namespace: 'pid:[1]' })).toBe(own.namespace === undefined ? 'alive' : 'unknown');
    // a claim of an older version names none
    expect(fateOf({ host: own.host, pid: own.pid, started: own.started })).toBe('alive');
  });

  it.runIf(namespaces)(
    'takes a process that another namespace cannot see for unknown, not for ended',
    async () => {
      const script = join(temporaryFolder(), 'fate.mjs');
      await build({
        stdin: {
          contents: `import { fateOf, ownOrigin } from './process-identity.ts';
          console.log(JSON.stringify([fateOf(JSON.parse(process.argv[2])), ownOrigin()]));`,
          resolveDir: join(import.meta.dirname, '..', '..', 'src', 'io'),
        },
        outfile: script,
        bundle: true,
        platform: 'node',
        format: 'esm',
        logLevel: 'error',
      });
      const identity = JSON.stringify(ownIdentity());
      const { stdout } = spawnSync('unshare', [...HERE, process.execPath, script, identity], {
        encoding: 'utf8',
      });
      const [fate, origin] = JSON.parse(stdout) as [string, string];
      expect(fate).toBe('unknown');
      expect(origin).not.toBe(ownOrigin());
    },
  );
});
