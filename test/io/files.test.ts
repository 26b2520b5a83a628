import * as fs from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  exists,
  listDirectory,
  publishDirectory,
  readBytes,
  readText,
  removeStaleTemporaries,
  repairTail,
  truncateLinesAfter,
  appendLines,
} from '../../src/io/files.js';
import { packageRoot } from '../../src/io/package-root.js';
import { sha256Hex } from '../../src/io/sha256.js';
import { Rng } from '../../src/tensor/rng.js';
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

describe('removeStaleTemporaries', () => {
  it('removes what an ended process left and spares a live one', () => {
    const folder = temporaryFolder();
    const ended = spawnSync(process.execPath, ['-e', '0']).pid;
    fs.mkdirSync(join(folder, `.tmp-000064-${ended}-0`));
    fs.writeFileSync(join(folder, `.tmp-000064-${ended}-0`, 'model'), 'half');
    fs.mkdirSync(join(folder, `.tmp-000064-${process.ppid}-0`));
    fs.mkdirSync(join(folder, '.tmp-mine'));
    publishDirectory(join(folder, '000064'), []);
    expect(listDirectory(folder)).toEqual([`.tmp-000064-${process.ppid}-0`, '.tmp-mine', '000064']);
    expect(removeStaleTemporaries(folder)).toBe(0);
  });
});

describe('packageRoot', () => {
  it('finds the package from src/ and from dist/src/', () => {
    const root = packageRoot();
    expect(fs.existsSync(join(root, 'src', 'io', 'files.ts'))).toBe(true);
    expect(packageRoot(join(root, 'dist', 'src', 'io', 'package-root.js'))).toBe(root);
    expect(() => packageRoot(join(temporaryFolder(), 'x.js'))).toThrow(
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
