/** src/io/files.ts with a file system that crashes or refuses at any operation. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  FileError,
  publishDirectory,
  recoverReplaced,
  removeTree,
  withFileSystem,
  writeFileDurably,
} from '../../src/io/files.js';
import { appendLines, repairTail } from '../../src/io/log-files.js';
import { Crash, FaultyFileSystem, walk, type Fault } from './faulty-file-system.js';
import { temporaryFolder } from './temporary.js';

const OLD = [
  { name: 'model', bytes: 'old weights' },
  { name: 'manifest.json', bytes: '{"old":1}' },
];
const NEW = [
  { name: 'model', bytes: 'the new weights, which are longer' },
  { name: 'optimizer', bytes: new Uint8Array([1, 2, 3]) },
  { name: 'manifest.json', bytes: '{"new":1}' },
];

/** Content of a directory as text, or `absent`. */
function state(directory: string): string {
  if (!fs.existsSync(directory)) return 'absent';
  return walk(directory)
    .map((path) => `${path.slice(directory.length + 1)}=${fs.readFileSync(path, 'latin1')}`)
    .sort()
    .join(';');
}

const expectedState = (entries: readonly { name: string; bytes: string | Uint8Array }[]): string =>
  entries
    .map(({ name, bytes }) => `${name}=${Buffer.from(bytes).toString('latin1')}`)
    .sort()
    .join(';');

/** Performs `operation` with a fault at each of its operations in turn, in a fresh folder each time. */
function atEveryOperation(
  faultsAt: (at: number) => readonly Fault[],
  prepare: (folder: string) => void,
  operation: (folder: string) => void,
  check: (folder: string, outcome: { fault: Fault; error: unknown }) => void,
): number {
  const clean = temporaryFolder();
  prepare(clean);
  const counting = new FaultyFileSystem({ kind: 'none' });
  withFileSystem(counting, () => operation(clean));
  const count = counting.operations;
  for (let at = 0; at < count; at++) {
    for (const fault of faultsAt(at)) {
      const folder = temporaryFolder();
      prepare(folder);
      const faulty = new FaultyFileSystem(fault);
      let error: unknown;
      try {
        withFileSystem(faulty, () => operation(folder));
      } catch (thrown) {
        error = thrown;
      }
      faulty.settle(folder);
      check(folder, { fault, error });
    }
  }
  return count;
}

const crashes = (at: number): Fault[] =>
  (['before', 'after', 'torn'] as const).map((when) => ({ kind: 'crash', at, when }));
const CODES = ['ENOSPC', 'EIO', 'EROFS', 'EACCES', 'EMFILE'];
const errors = (at: number): Fault[] => [
  { kind: 'errors-from', at, code: 'ENOSPC' },
  { kind: 'error', at, code: CODES[at % CODES.length] },
];

describe('publishDirectory', () => {
  const target = (folder: string): string => join(folder, 'steps', '000064');

  it('leaves nothing or the whole directory after a crash at any operation, and works afterwards', () => {
    const count = atEveryOperation(
      crashes,
      () => undefined,
      (folder) => publishDirectory(target(folder), NEW),
      (folder, { fault, error }) => {
        expect(error, JSON.stringify(fault)).toBeInstanceOf(Crash);
        expect(['absent', expectedState(NEW)]).toContain(state(target(folder)));
        if (state(target(folder)) === 'absent') publishDirectory(target(folder), NEW);
        expect(state(target(folder))).toBe(expectedState(NEW));
        expect(() => publishDirectory(target(folder), NEW)).toThrow(/it exists already/);
        publishDirectory(join(folder, 'steps', '000256'), NEW);
        expect(fs.readdirSync(join(folder, 'steps'))).toEqual(['000064', '000256']);
      },
    );
    expect(count).toBeGreaterThan(10);
  });

  it('keeps the old directory or has the new one after a crash in a replacement', () => {
    atEveryOperation(
      crashes,
      (folder) => publishDirectory(target(folder), OLD),
      (folder) => publishDirectory(target(folder), NEW, { replace: true }),
      (folder, { fault, error }) => {
        expect(error, JSON.stringify(fault)).toBeInstanceOf(Crash);
        recoverReplaced(target(folder));
        expect([expectedState(OLD), expectedState(NEW)]).toContain(state(target(folder)));
        publishDirectory(target(folder), NEW, { replace: true });
        expect(state(target(folder))).toBe(expectedState(NEW));
        expect(fs.readdirSync(join(folder, 'steps'))).toEqual(['000064']);
      },
    );
  });

  it('says what failed, keeps the old directory and works again once the fault is gone', () => {
    atEveryOperation(
      errors,
      (folder) => publishDirectory(target(folder), OLD),
      (folder) => publishDirectory(target(folder), NEW, { replace: true }),
      (folder, { fault, error }) => {
        // a fault after the rename leaves the new directory, which is then complete
        const allowed = [expectedState(OLD), expectedState(NEW)];
        if (error !== undefined && fault.kind !== 'none' && 'code' in fault) {
          expect(error).toBeInstanceOf(FileError);
          expect((error as FileError).message).toContain(`(${fault.code})`);
          expect((error as FileError).message).not.toContain('\n');
        } else expect(state(target(folder))).toBe(expectedState(NEW));
        recoverReplaced(target(folder));
        expect(allowed).toContain(state(target(folder)));
        publishDirectory(target(folder), NEW, { replace: true });
        expect(state(target(folder))).toBe(expectedState(NEW));
        expect(fs.readdirSync(join(folder, 'steps'))).toEqual(['000064']);
      },
    );
  });

  it('writes everything when the system takes a few bytes at a time', () => {
    const folder = temporaryFolder();
    withFileSystem(new FaultyFileSystem({ kind: 'short', bytes: 3 }), () => {
      publishDirectory(target(folder), NEW);
    });
    expect(state(target(folder))).toBe(expectedState(NEW));
  });

  it('refuses when the system takes nothing', () => {
    const folder = temporaryFolder();
    const publish = (): void =>
      withFileSystem(new FaultyFileSystem({ kind: 'short', bytes: 0 }), () =>
        publishDirectory(target(folder), NEW),
      );
    expect(publish).toThrow(/the system took 0 of 33 bytes\. Check the free space\./);
    expect(state(target(folder))).toBe('absent');
  });

  it('refuses names that leave the directory', () => {
    const folder = temporaryFolder();
    for (const name of ['..', 'a/b', '', '.', 'a\0']) {
      expect(() => publishDirectory(target(folder), [{ name, bytes: '' }])).toThrow(/plain file name/);
    }
    expect(fs.readdirSync(join(folder, 'steps'))).toEqual([]);
  });
});

describe('writeFileDurably', () => {
  it('leaves the old or the new content after a crash at any operation', () => {
    atEveryOperation(
      crashes,
      (folder) => writeFileDurably(join(folder, 'end.json'), 'old content'),
      (folder) => writeFileDurably(join(folder, 'end.json'), 'new'),
      (folder, { fault }) => {
        const content = fs.readFileSync(join(folder, 'end.json'), 'utf8');
        expect(['old content', 'new'], JSON.stringify(fault)).toContain(content);
      },
    );
  });
});

describe('removeTree', () => {
  it('leaves the whole directory or none of it after a crash at any operation', () => {
    atEveryOperation(
      crashes,
      (folder) => publishDirectory(join(folder, 'a'), NEW),
      (folder) => removeTree(join(folder, 'a')),
      (folder) => {
        expect(['absent', expectedState(NEW)]).toContain(state(join(folder, 'a')));
      },
    );
  });
});

describe('appendLines', () => {
  const log = (folder: string): string => join(folder, 'metrics.jsonl');

  it('never damages an earlier line, whatever happens, once the tail is repaired', () => {
    atEveryOperation(
      (at) => [...crashes(at), ...errors(at)],
      (folder) => fs.writeFileSync(log(folder), '{"step":1}\n{"step":2}\n'),
      (folder) => appendLines(log(folder), ['{"step":3}'], { sync: true }),
      (folder) => {
        repairTail(log(folder));
        appendLines(log(folder), ['{"step":4}']);
        const text = fs.readFileSync(log(folder), 'utf8');
        expect(text).toMatch(/^\{"step":1\}\n\{"step":2\}\n(\{"step":3\}\n)?\{"step":4\}\n$/);
      },
    );
  });

  it('takes a half-written line back when the disk is full', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(log(folder), '{"step":1}\n');
    // operations: open, write (3 bytes), write fails
    const faulty = new FaultyFileSystem({ kind: 'short', bytes: 3 });
    let writes = 0;
    const write = faulty.writeSync.bind(faulty);
    faulty.writeSync = (fd, data, offset, length) => {
      if (++writes === 2) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      return write(fd, data, offset, length);
    };
    expect(() => withFileSystem(faulty, () => appendLines(log(folder), ['{"step":2}']))).toThrow(
      /Cannot append to .*: the disk is full\. Free some space and start again \(ENOSPC\)\./,
    );
    expect(fs.readFileSync(log(folder), 'utf8')).toBe('{"step":1}\n');
  });
});
