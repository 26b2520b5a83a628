/** Reads a growing JSON-lines file from a byte offset: complete lines only, one mebibyte at a time. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { openContained } from './contained.js';
import type { MetricsTail } from '../deps.js';

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

/** Complete lines after `offset`, which must be the start of a line (0, or one after a newline). */
export async function readTail(root: string, parts: readonly string[], offset: number): Promise<MetricsTail> {
  const file = await openContained(root, ...parts);
  if (file === undefined) return { kind: 'absent' };
  try {
    if (offset > file.size) return { kind: 'reset' };
    const from = Math.max(0, offset - 1);
    const buffer = Buffer.alloc(Math.min(file.size - from, CHUNK_BYTES));
    const { bytesRead } = await file.handle.read(buffer, 0, buffer.length, from);
    if (offset > 0 && buffer[0] !== NEWLINE) return { kind: 'reset' };
    const start = offset - from;
    let end = bytesRead === 0 ? -1 : buffer.lastIndexOf(NEWLINE, bytesRead - 1);
    if (end < start) {
      // no newline in a whole chunk: this is no metrics line, step over it
      if (bytesRead < CHUNK_BYTES) return { kind: 'lines', lines: [], next: offset, more: false };
      end = await nextNewline(file.handle, from + bytesRead, file.size);
      if (end === -1) return { kind: 'lines', lines: [], next: offset, more: false };
      return {
        kind: 'lines',
        lines: ['(a line that is too long)'],
        next: end + 1,
        more: end + 1 < file.size,
      };
    }
    const next = from + end + 1;
    const lines = buffer.toString('utf8', start, end).split('\n');
    return { kind: 'lines', lines, next, more: bytesRead === CHUNK_BYTES && next < file.size };
  } catch {
    return { kind: 'absent' };
  } finally {
    await file.handle.close();
  }
}

/** Longest file read at once. */
const WHOLE_BYTES = 4 << 20;

/**
 * All complete lines of a file that is small, in one go: for lists of many runs. Links and what is no plain file are not
 * read. @returns undefined where readTail has to look
 */
export function readWhole(path: string): MetricsTail | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const status = fstatSync(fd);
    if (!status.isFile() || status.size > WHOLE_BYTES) return undefined;
    const bytes = readFileSync(fd);
    const next = bytes.lastIndexOf(NEWLINE) + 1;
    const lines = next === 0 ? [] : bytes.toString('utf8', 0, next - 1).split('\n');
    return { kind: 'lines', lines, next, more: false };
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Byte offset of the first newline at or after `from`; -1: none */
async function nextNewline(
  handle: { read(b: Buffer, o: number, l: number, p: number): Promise<{ bytesRead: number }> },
  from: number,
  size: number,
): Promise<number> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let at = from; at < size;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return -1;
    const found = buffer.indexOf(NEWLINE);
    if (found !== -1 && found < bytesRead) return at + found;
    at += bytesRead;
  }
  return -1;
}
