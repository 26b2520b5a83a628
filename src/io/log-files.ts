/** Logs: files that grow by whole lines and lose, at most, what a crash tore. Goes through the FileSystem of files.ts. */
import { attempt, exists, fileSystem, readBytes, toBytes, withOpen, writeFully } from './files.js';

/**
 * Appends lines with one write; each line must not contain a newline, which is added. A failed append leaves the file
 * as it was.
 * @param options.sync - wait until they are durable
 */
export function appendLines(path: string, lines: readonly string[], options: { sync?: boolean } = {}): void {
  if (lines.length === 0) return;
  if (lines.some((line) => line.includes('\n')))
    throw new RangeError('appendLines: a line contains a newline.');
  const data = toBytes(`${lines.join('\n')}\n`);
  attempt('append to', path, () => {
    const before = exists(path) ? fileSystem().statSync(path).size : 0;
    withOpen(path, 'a', (fd) => {
      try {
        writeFully(fd, data, path);
        if (options.sync === true) fileSystem().fsyncSync(fd);
      } catch (error) {
        try {
          fileSystem().ftruncateSync(fd, before);
        } catch {
          // repairTail drops the torn line at the next start
        }
        throw error;
      }
    });
  });
}

/** Waits until what was appended is durable; nothing for a missing file. */
export function syncFile(path: string): void {
  if (!exists(path)) return;
  attempt('sync', path, () => withOpen(path, 'r+', (fd) => fileSystem().fsyncSync(fd)));
}

const NEWLINE = 10;

/**
 * Length of a log without its torn tail: an unterminated last line, and last lines that are none.
 * @param isLine - of the text of a line; what a crash left may hold a newline
 */
export function wholeLines(bytes: Uint8Array, isLine: (line: string) => boolean): number {
  const decoder = new TextDecoder();
  let keep = bytes.lastIndexOf(NEWLINE) + 1;
  while (keep > 0) {
    const start = keep === 1 ? 0 : bytes.lastIndexOf(NEWLINE, keep - 2) + 1;
    if (isLine(decoder.decode(bytes.subarray(start, keep - 1)))) break;
    keep = start;
  }
  return keep;
}

/**
 * Cuts an unterminated last line off, the mark of a torn append.
 * @param isLine - last lines for which it is false are cut off too: what a crash left may hold a newline
 * @returns bytes dropped; 0 for a missing file
 */
export function repairTail(path: string, isLine: (line: string) => boolean = () => true): number {
  if (!exists(path)) return 0;
  const bytes = readBytes(path);
  const keep = wholeLines(bytes, isLine);
  if (keep < bytes.length) truncateFile(path, keep);
  return bytes.length - keep;
}

/**
 * Keeps the leading lines for which `keep` is true and drops the first other line with all after it (an unterminated
 * one too). @returns lines dropped; 0 for a missing file
 */
export function truncateLinesAfter(path: string, keep: (line: string) => boolean): number {
  if (!exists(path)) return 0;
  const bytes = readBytes(path);
  const decoder = new TextDecoder();
  let dropped = 0;
  let end = 0;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const next = newline === -1 ? bytes.length : newline + 1;
    if (dropped > 0 || newline === -1 || !keep(decoder.decode(bytes.subarray(start, newline)))) dropped++;
    else end = next;
    start = next;
  }
  if (end < bytes.length) truncateFile(path, end);
  return dropped;
}

/** Shortens a file, durably. @param length - in bytes, at most what it has */
export function truncateFile(path: string, length: number): void {
  attempt('shorten', path, () => {
    withOpen(path, 'r+', (fd) => {
      fileSystem().ftruncateSync(fd, length);
      fileSystem().fsyncSync(fd);
    });
  });
}
