import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { LockedError, assertLocked, takeLock, lockHolder, releaseLock } from '../../src/io/lock.js';
import { FaultyFileSystem } from './faulty-file-system.js';
import { temporaryBeside, withFileSystem } from '../../src/io/files.js';
import { ownIdentity } from '../../src/io/process-identity.js';
import { temporaryFolder } from './temporary.js';

const lockIn = (folder: string): string => join(folder, 'lock');

describe('takeLock', () => {
  it('refuses a second lock, names the holder and says what to do', () => {
    const path = lockIn(temporaryFolder());
    const lock = takeLock(path, 'training sum-full');
    expect(() => takeLock(path, 'second')).toThrow(LockedError);
    expect(() => takeLock(path, 'second')).toThrow(
      new RegExp(`is held by process ${process.pid} on .* \\(training sum-full\\)\\. Wait until it ends`),
    );
    releaseLock(lock);
    expect(fs.existsSync(path)).toBe(false);
    releaseLock(takeLock(path, 'third'));
  });

  it('takes over the lock of a process that ended, of a recycled pid, and files that are no lock', () => {
    const ended = spawnSync(process.execPath, ['-e', '0']).pid;
    const host = hostname();
    const contents = [
      JSON.stringify({ host, pid: ended, text: 'x' }),
      JSON.stringify({ host, pid: process.ppid, started: 'another-boot:1', text: 'x' }),
      '',
      '{"host":',
      'null',
      JSON.stringify({ host, pid: -1, text: 'x' }),
    ];
    for (const content of contents) {
      const folder = temporaryFolder();
      fs.writeFileSync(lockIn(folder), content);
      const lock = takeLock(lockIn(folder), 'new');
      assertLocked(lock);
      releaseLock(lock);
      expect(fs.readdirSync(folder)).toEqual([]);
    }
  });

  it('respects a live process, and those of another host or PID namespace while they touch their file', () => {
    const ended = spawnSync(process.execPath, ['-e', '0']).pid;
    const holders = [
      { host: hostname(), pid: process.ppid, text: 'x' },
      { host: 'elsewhere', pid: 1, text: 'x' },
      // another container on this host: its pid is not among ours, and it is at work
      { ...ownIdentity(), pid: ended, namespace: 'pid:[1]', text: 'x' },
    ];
    holders.forEach((holder, i) => {
      const path = lockIn(temporaryFolder());
      fs.writeFileSync(path, JSON.stringify(holder));
      expect(() => takeLock(path, 'new', { waitMs: 60 })).toThrow(LockedError);
      expect(lockHolder(path)?.pid).toBe(holder.pid);
      const long = new Date(Date.now() - 3_700_000);
      fs.utimesSync(path, long, long);
      expect(lockHolder(path)?.pid).toBe(i === 0 ? holder.pid : undefined);
    });
  });

  it('brings the time of its file up to date while it is at work', () => {
    const path = lockIn(temporaryFolder());
    const lock = takeLock(path, 'first');
    const long = new Date(Date.now() - 3_700_000);
    fs.utimesSync(path, long, long);
    assertLocked(lock);
    expect(Date.now() - fs.statSync(path).mtimeMs).toBeLessThan(60_000);
  });

  it('notices that the lock was lost', () => {
    const path = lockIn(temporaryFolder());
    const lock = takeLock(path, 'first');
    fs.writeFileSync(path, 'someone else');
    expect(() => assertLocked(lock)).toThrow(/another one took over/);
    releaseLock(lock);
    expect(fs.readFileSync(path, 'utf8')).toBe('someone else');
  });

  it('is free again when it was given up in the hands of somebody who took it for stale', () => {
    const path = lockIn(temporaryFolder());
    const lock = takeLock(path, 'first');
    const elsewhere = join(temporaryFolder(), 'aside');
    fs.renameSync(path, elsewhere);
    releaseLock(lock);
    fs.renameSync(elsewhere, path);
    expect(takeLock(path, 'second').content).toContain('second');
  });

  it('waits until such a one gives it back, and then gives it up', async () => {
    const path = lockIn(temporaryFolder());
    const lock = takeLock(path, 'first');
    const aside = temporaryBeside(path);
    fs.renameSync(path, aside);
    const back = `setTimeout(() => require('fs').renameSync(process.argv[1], process.argv[2]), 300)`;
    const child = spawn(process.execPath, ['-e', back, aside, path], { stdio: 'inherit' });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    releaseLock(lock);
    expect(await ended).toBe(0);
    expect(fs.existsSync(path)).toBe(false);
  });

  it('works without hard links', () => {
    const path = lockIn(temporaryFolder());
    const fileSystem = new FaultyFileSystem({ kind: 'none' });
    fileSystem.linkSync = () => {
      throw Object.assign(new Error('no links'), { code: 'EPERM' });
    };
    withFileSystem(fileSystem, () => {
      const lock = takeLock(path, 'first');
      expect(() => takeLock(path, 'second')).toThrow(LockedError);
      releaseLock(lock);
    });
  });

  it('lets four processes count to 120 without losing one', async () => {
    const folder = temporaryFolder();
    const script = join(folder, 'loop.mjs');
    await build({
      entryPoints: [join(import.meta.dirname, 'fixtures-lock-loop.ts')],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
    const counter = join(folder, 'counter');
    fs.writeFileSync(counter, '0');
    fs.writeFileSync(lockIn(folder), JSON.stringify({ host: hostname(), pid: 4194304, text: 'long gone' }));
    const codes = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise((resolve) => {
            spawn(process.execPath, [script, lockIn(folder), counter, '30'], { stdio: 'inherit' }).on(
              'exit',
              resolve,
            );
          }),
      ),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(fs.readFileSync(counter, 'utf8')).toBe('120');
  });
});
