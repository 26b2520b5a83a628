import * as fs from 'node:fs';
import { join, parse } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  exists,
  listDirectory,
  publishDirectory,
  readBytes,
  readText,
  removeStaleTemporaries,
  makeDirectory,
  temporaryBeside,
  withFileSystem,
  writeFileDurably,
} from '../../src/io/files.js';
import { repairTail, truncateLinesAfter, appendLines } from '../../src/io/log-files.js';
import { ownOrigin } from '../../src/io/process-identity.js';
import { packageRoot } from '../../src/io/package-root.js';
import { sha256Hex } from '../../src/io/sha256.js';
import { Rng } from '../../src/tensor/rng.js';
import { FaultyFileSystem } from './faulty-file-system.js';
import { temporaryFolder } from './temporary.js';

describe('repairTail', () => {
  it('loses no good line and glues none together over 500 torn tails', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'metrics.jsonl');
    const rng = new Rng(1, 'torn');
    for (let trial = 0; trial < 500; trial++) {
      const good = Array.from({ length: rng.below(5) }, (_, i) => `{"step":${i},"text":"é"}`);
      const torn = Buffer.from('{"step":99,"text":"é"}');
      const text = Buffer.concat([
        Buffer.from(good.map((line) => `${line}\n`).join('')),
        torn.subarray(0, rng.below(torn.length + 1)),
      ]);
      fs.writeFileSync(path, text);
      repairTail(path);
      appendLines(path, ['{"next":1}']);
      expect(fs.readFileSync(path, 'utf8')).toBe([...good, '{"next":1}', ''].join('\n'));
    }
  });

  it('does nothing to a whole file, an empty one and a missing one', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a');
    expect(repairTail(path)).toBe(0);
    fs.writeFileSync(path, '');
    expect(repairTail(path)).toBe(0);
    fs.writeFileSync(path, 'x\n');
    expect(repairTail(path)).toBe(0);
    expect(fs.readFileSync(path, 'utf8')).toBe('x\n');
  });
});

describe('truncateLinesAfter', () => {
  it('drops the first refused line and all after it, also a later good one and a torn one', () => {
    const path = join(temporaryFolder(), 'a');
    fs.writeFileSync(path, '1\n2\n3\n2\n9');
    expect(truncateLinesAfter(path, (line) => Number(line) <= 2)).toBe(3);
    expect(fs.readFileSync(path, 'utf8')).toBe('1\n2\n');
    expect(truncateLinesAfter(path, () => false)).toBe(2);
    expect(fs.readFileSync(path, 'utf8')).toBe('');
    expect(truncateLinesAfter(join(path, 'missing'), () => false)).toBe(0);
  });
});

describe('reading', () => {
  it('says in one line what is wrong with a path', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, 'latin1'), Buffer.from([0xe9]));
    spawnSync('mkfifo', [join(folder, 'fifo')]);
    fs.writeFileSync(join(folder, 'large'), 'x'.repeat(11));
    fs.symlinkSync('nowhere', join(folder, 'broken'));
    expect(() => readBytes(join(folder, 'nothing'))).toThrow(
      /Cannot read .*nothing: it does not exist \(ENOENT\)\.$/,
    );
    expect(() => readBytes(folder)).toThrow(/it is a directory, expected a file\.$/);
    expect(() => readText(join(folder, 'latin1'))).toThrow(/it is not UTF-8 text\.$/);
    expect(() => readBytes(join(folder, 'fifo'))).toThrow(/it is not a regular file\.$/);
    expect(() => readBytes(join(folder, 'large'), 10)).toThrow(/it has 11 bytes, expected at most 10\.$/);
    expect(exists(join(folder, 'broken'))).toBe(false);
    expect(listDirectory(join(folder, 'nothing'))).toEqual([]);
  });

  it('shows control characters of a path instead of breaking the line', () => {
    expect(() => readBytes(join(temporaryFolder(), 'a\nb'))).toThrow(/a\\u000ab: it does not exist/);
  });
});

describe('what the system says', () => {
  const failing = (name: string, code: string): Error =>
    Object.assign(new Error(`${code}: planted at ${name}`), { code });

  it.each(['EINVAL', 'EPERM', 'ENOTSUP'])('writes where a directory sync is refused with %s', (code) => {
    const folder = temporaryFolder();
    const disk = new FaultyFileSystem({ kind: 'none' });
    const sync = disk.fsyncSync.bind(disk);
    disk.fsyncSync = (fd) => {
      if (fs.fstatSync(fd).isDirectory()) throw failing('fsync', code);
      sync(fd);
    };
    withFileSystem(disk, () => {
      publishDirectory(join(folder, 'steps', '000064'), [{ name: 'model', bytes: 'weights' }]);
      writeFileDurably(join(folder, 'end.json'), '{}');
    });
    expect(readText(join(folder, 'steps', '000064', 'model'))).toBe('weights');
    expect(readText(join(folder, 'end.json'))).toBe('{}');
  });

  it('does not pass over an input/output error of a directory sync, nor any error of a file', () => {
    for (const [code, isOfDirectory] of [
      ['EIO', true],
      ['EINVAL', false],
    ] as const) {
      const disk = new FaultyFileSystem({ kind: 'none' });
      const sync = disk.fsyncSync.bind(disk);
      disk.fsyncSync = (fd) => {
        if (fs.fstatSync(fd).isDirectory() === isOfDirectory) throw failing('fsync', code);
        sync(fd);
      };
      const path = join(temporaryFolder(), 'end.json');
      expect(() => withFileSystem(disk, () => writeFileDurably(path, '{}'))).toThrow(code);
    }
  });

  it('is the first error, not that of closing after it', () => {
    const disk = new FaultyFileSystem({ kind: 'error', at: 1, code: 'ENOSPC' });
    const close = disk.closeSync.bind(disk);
    disk.closeSync = (fd) => {
      close(fd);
      throw failing('close', 'EIO');
    };
    const path = join(temporaryFolder(), 'end.json');
    expect(() => withFileSystem(disk, () => writeFileDurably(path, '{}'))).toThrow(/disk is full/);
  });

  it('is not turned into "does not exist" for a folder that cannot be made', () => {
    const disk = new FaultyFileSystem({ kind: 'error', at: 0, code: 'EROFS' });
    const path = join(temporaryFolder(), 'a', 'b');
    expect(() => withFileSystem(disk, () => makeDirectory(path))).toThrow(
      /^Cannot create .*\/a: the file system is read-only/,
    );
    const file = join(temporaryFolder(), 'file');
    fs.writeFileSync(file, '');
    expect(() => makeDirectory(join(file, 'runs'))).toThrow(/file is a file, expected a folder/);
  });
});

describe('removeStaleTemporaries', () => {
  it('removes what an ended process left and spares a live one', () => {
    const folder = temporaryFolder();
    const ended = spawnSync(process.execPath, ['-e', '0']).pid;
    const nameOf = (pid: number | undefined, origin = ownOrigin()): string =>
      `.tmp-000064-${origin}-${pid}-0123456789ab`;
    fs.mkdirSync(join(folder, nameOf(ended)));
    fs.writeFileSync(join(folder, nameOf(ended), 'model'), 'half');
    fs.mkdirSync(join(folder, nameOf(process.ppid)));
    // its pid means nothing here: it is another container's
    fs.mkdirSync(join(folder, nameOf(ended, '00000000')));
    fs.mkdirSync(join(folder, '.tmp-mine'));
    publishDirectory(join(folder, '000064'), []);
    const left = [nameOf(process.ppid), nameOf(ended, '00000000'), '.tmp-mine', '000064'].sort();
    expect(listDirectory(folder)).toEqual(left);
    expect(removeStaleTemporaries(folder)).toBe(0);
    // an hour later nobody writes there any more
    const before = new Date(Date.now() - 3_700_000);
    for (const name of [nameOf(ended, '00000000'), '.tmp-mine', nameOf(process.ppid)])
      fs.utimesSync(join(folder, name), before, before);
    expect(removeStaleTemporaries(folder)).toBe(2);
    expect(listDirectory(folder)).toEqual([nameOf(process.ppid), '000064']);
  });

  it('sweeps the folder of a single file too, once', () => {
    const folder = temporaryFolder();
    const ended = spawnSync(process.execPath, ['-e', '0']).pid;
    fs.writeFileSync(join(folder, `.tmp-index.html-${ownOrigin()}-${ended}-0123456789ab`), 'half');
    writeFileDurably(join(folder, 'index.html'), 'whole');
    expect(fs.readdirSync(folder)).toEqual(['index.html']);
  });

  it('never gives two temporaries one name', () => {
    const names = new Set(Array.from({ length: 1000 }, () => temporaryBeside('/x/index.html')));
    expect(names.size).toBe(1000);
    expect(temporaryBeside(`/x/${'n'.repeat(250)}`).length).toBeLessThan(255);
  });
});

describe('packageRoot', () => {
  it('finds the package from src/ and from dist/src/', () => {
    const root = packageRoot();
    expect(fs.existsSync(join(root, 'src', 'io', 'files.ts'))).toBe(true);
    expect(packageRoot(join(root, 'dist', 'src', 'io', 'package-root.js'))).toBe(root);
    expect(() => packageRoot(join(parse(root).root, 'x.js'))).toThrow(
      /No package\.json named "sumlens" above/,
    );
  });
});

describe('sha256Hex', () => {
  it('gives the value published in FIPS 180-2 for "abc"', () => {
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(sha256Hex('abc')).toBe(expected);
    expect(sha256Hex(new Uint8Array([97, 98, 99]))).toBe(expected);
  });
});
