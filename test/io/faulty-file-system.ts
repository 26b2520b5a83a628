/**
 * A file system over a real directory that crashes or fails at the k-th changing operation. After a crash every further
 * operation throws, and `settle` does what a power cut may do: data that was not synced is gone, and renames whose
 * directory was not synced are undone.
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileSystem } from '../../src/io/files.js';

export type Fault =
  /** the process ends before, after or in the middle of the operation */
  | { readonly kind: 'crash'; readonly at: number; readonly when: 'before' | 'after' | 'torn' }
  /** the operation fails with this code, later ones work */
  | { readonly kind: 'error'; readonly at: number; readonly code: string }
  /** from this operation on, all fail: a full disk */
  | { readonly kind: 'errors-from'; readonly at: number; readonly code: string }
  /** every write takes at most so many bytes */
  | { readonly kind: 'short'; readonly bytes: number }
  /** no directory can be synced, as on Windows and some shares; the process may end at one operation as well */
  | {
      readonly kind: 'no-directory-sync';
      readonly code: string;
      readonly crashAt?: number;
    }
  | { readonly kind: 'none' };

export class Crash extends Error {
  override readonly name = 'Crash';
}

interface Undo {
  readonly directories: readonly string[];
  readonly undo: () => void;
}

export class FaultyFileSystem implements FileSystem {
  /** changing operations so far */
  operations = 0;
  readonly names: string[] = [];
  private crashed = false;
  private readonly pathOf = new Map<number, string>();
  /** inode -> length that is durable */
  private readonly durable = new Map<number, number>();
  private unsynced: Undo[] = [];

  constructor(private readonly fault: Fault) {}

  /** What is on the disk after the power came back. */
  settle(root: string): void {
    if (!this.crashed) return;
    for (const entry of this.unsynced.reverse()) entry.undo();
    for (const path of walk(root)) {
      const { ino } = fs.statSync(path);
      const length = this.durable.get(ino);
      if (length !== undefined) fs.truncateSync(path, length);
    }
  }

  private change<T>(name: string, perform: () => T, torn: () => unknown = () => undefined): T {
    this.refuseAfterCrash();
    const index = this.operations++;
    this.names.push(name);
    const { fault } = this;
    if (fault.kind === 'error' && index === fault.at) throw systemError(fault.code, name);
    if (fault.kind === 'errors-from' && index >= fault.at) throw systemError(fault.code, name);
    if (fault.kind === 'no-directory-sync' && index === fault.crashAt) {
      this.crashed = true;
      throw new Crash(`before ${name}`);
    }
    if (fault.kind !== 'crash' || index !== fault.at) return perform();
    this.crashed = true;
    if (fault.when === 'after') perform();
    if (fault.when === 'torn') torn();
    throw new Crash(`${fault.when} ${name}`);
  }

  private refuseAfterCrash(): void {
    if (this.crashed) throw new Crash('the process has ended');
  }

  openSync(path: string, flags: 'r' | 'r+' | 'wx' | 'a'): number {
    const open = (): number => {
      const created = !fs.existsSync(path);
      const fd = fs.openSync(path, flags);
      this.pathOf.set(fd, path);
      if (created) this.durable.set(fs.fstatSync(fd).ino, 0);
      return fd;
    };
    if (flags !== 'r') return this.change(`open ${flags}`, open);
    this.refuseAfterCrash();
    return open();
  }

  writeSync(fd: number, data: Uint8Array, offset: number, length: number): number {
    const write = (n: number): number => {
      const { ino, size } = fs.fstatSync(fd);
      if (!this.durable.has(ino)) this.durable.set(ino, size);
      return fs.writeSync(fd, data, offset, n);
    };
    const most = this.fault.kind === 'short' ? Math.min(length, this.fault.bytes) : length;
    return this.change(
      'write',
      () => write(most),
      () => write(Math.floor(length / 2)),
    );
  }

  fsyncSync(fd: number): void {
    this.change('fsync', () => {
      const path = this.pathOf.get(fd) ?? '';
      const status = fs.fstatSync(fd);
      if (status.isDirectory() && this.fault.kind === 'no-directory-sync')
        throw systemError(this.fault.code, 'fsync of a directory');
      if (status.isDirectory()) {
        this.unsynced = this.unsynced.filter((entry) => !entry.directories.every((d) => d === path));
      } else this.durable.set(status.ino, status.size);
    });
  }

  closeSync(fd: number): void {
    fs.closeSync(fd);
    this.refuseAfterCrash();
  }

  ftruncateSync(fd: number, length: number): void {
    this.change('truncate', () => fs.ftruncateSync(fd, length));
  }

  renameSync(from: string, to: string): void {
    this.change('rename', () => {
      const replaced = fs.existsSync(to) && fs.statSync(to).isFile() ? fs.readFileSync(to) : undefined;
      fs.renameSync(from, to);
      this.unsynced.push({
        directories: [dirname(from), dirname(to)],
        undo: () => {
          if (!fs.existsSync(to)) return;
          fs.renameSync(to, from);
          if (replaced !== undefined) fs.writeFileSync(to, replaced);
        },
      });
    });
  }

  linkSync(existing: string, path: string): void {
    this.change('link', () => fs.linkSync(existing, path));
  }

  mkdirSync(path: string, options: { readonly recursive: boolean }): void {
    this.change('mkdir', () => {
      fs.mkdirSync(path, options);
      this.unsynced.push({
        directories: [dirname(path)],
        undo: () => fs.rmSync(path, { recursive: true, force: true }),
      });
    });
  }

  unlinkSync(path: string): void {
    this.change('unlink', () => fs.unlinkSync(path));
  }

  rmSync(path: string, options: { readonly recursive: boolean; readonly force: boolean }): void {
    this.change(
      'remove',
      () => fs.rmSync(path, options),
      () => {
        const first = walk(path)[0];
        if (first !== undefined) fs.unlinkSync(first);
      },
    );
  }

  readFileSync(path: string): Uint8Array {
    this.refuseAfterCrash();
    return fs.readFileSync(path);
  }

  readdirSync(path: string): string[] {
    this.refuseAfterCrash();
    return fs.readdirSync(path);
  }

  utimesSync(path: string, atime: Date, mtime: Date): void {
    this.refuseAfterCrash();
    fs.utimesSync(path, atime, mtime);
  }

  statSync(path: string): fs.Stats {
    this.refuseAfterCrash();
    return fs.statSync(path);
  }
}

function systemError(code: string, operation: string): Error {
  return Object.assign(new Error(`${code}: planted at ${operation}`), { code });
}

/** All files below a path. */
export function walk(path: string): string[] {
  if (!fs.existsSync(path)) return [];
  if (!fs.statSync(path).isDirectory()) return [path];
  return fs.readdirSync(path).flatMap((name) => walk(join(path, name)));
}
