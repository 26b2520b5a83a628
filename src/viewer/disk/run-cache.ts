/**
 * Summaries of many runs between two starts of the viewer, in one file. It saves reading and decides nothing: an entry
 * counts only while the files that it was made of have the inode, size and times of then, a file that is damaged, of
 * another version or of another folder is ignored and written again, and nothing but the list of runs reads it.
 */
import { makeDirectory, readText, writeFileDurably } from '../../io/files.js';
import { packageVersion } from '../../io/package-root.js';
import { sha256Hex } from '../../io/sha256.js';
import { dirname } from 'node:path';
import { RUN_STATUSES, type RunSummary } from '../contract.js';
import { isPlainName } from './contained.js';
import { isRecord } from './metrics.js';
import { addressOf } from './address.js';

/** Changes when summaries are made otherwise. */
const FORMAT = 'sumlens viewer runs 3';
const MOST_BYTES = 128 << 20;
/** A file changed this short before it was looked at may change again within one tick of its clock. */
const SETTLED_MS = 2000;

export interface CachedRun {
  readonly id: string;
  readonly parts: readonly string[];
  readonly configStamp: string;
  readonly stamp: string;
  readonly summary: RunSummary;
}

export interface RunCache {
  /** What it says of a folder; empty when there is nothing to trust. */
  read(root: string): readonly CachedRun[];
  write(root: string, runs: readonly CachedRun[]): void;
}

/** True when no file of the stamps (`inode:size:mtime:ctime`, blanks between) changed a moment ago. */
export function isSettled(stamps: string, nowMs: number): boolean {
  return stamps.split(' ').every((stamp) => {
    const [, , mtimeMs, ctimeMs] = stamp.split(':').map(Number);
    return !(Math.max(mtimeMs ?? 0, ctimeMs ?? 0) > nowMs - SETTLED_MS);
  });
}

/** @param path - of the file; its folder is made when there is something to keep */
export function runCache(path: string): RunCache {
  const headOf = (root: string, body: string): string =>
    JSON.stringify({ format: FORMAT, version: packageVersion(), root, sha256: sha256Hex(body) });
  return {
    read(root) {
      try {
        const text = readText(path, MOST_BYTES);
        const end = text.indexOf('\n');
        const body = text.slice(end + 1);
        if (text.slice(0, end) !== headOf(root, body)) return [];
        const entries: unknown = JSON.parse(body);
        return Array.isArray(entries) ? entries.filter(isCachedRun) : [];
      } catch {
        // none, or not ours to read
        return [];
      }
    },
    write(root, runs) {
      try {
        const body = JSON.stringify(runs);
        makeDirectory(dirname(path));
        writeFileDurably(path, `${headOf(root, body)}\n${body}`);
      } catch {
        // a full or read-only disk: the next start reads the runs themselves
      }
    },
  };
}

function isCachedRun(value: unknown): value is CachedRun {
  if (!isRecord(value)) return false;
  const { id, parts, configStamp, stamp, summary } = value;
  return (
    typeof id === 'string' &&
    Array.isArray(parts) &&
    parts.every((part) => typeof part === 'string' && isPlainName(part)) &&
    typeof configStamp === 'string' &&
    typeof stamp === 'string' &&
    isSummary(summary, id)
  );
}

const isNumberOrNull = (value: unknown): boolean => value === null || typeof value === 'number';
const isText = (value: unknown): boolean => typeof value === 'string';

function isSummary(value: unknown, id: string): value is RunSummary {
  if (!isRecord(value)) return false;
  const { tasks, accuracy, learned, sparkline, status, reason } = value;
  return (
    value['id'] === id &&
    value['address'] === addressOf(id) &&
    value['open'] === true &&
    RUN_STATUSES.some((known) => known === status) &&
    (reason === undefined || isText(reason)) &&
    isText(value['condition']) &&
    isText(value['label']) &&
    Array.isArray(tasks) &&
    tasks.every(isText) &&
    ['seed', 'parameters', 'steps', 'loss', 'chance'].every((field) => isNumberOrNull(value[field])) &&
    typeof value['step'] === 'number' &&
    (accuracy === null || (isRecord(accuracy) && Object.values(accuracy).every(isNumberOrNull))) &&
    (learned === null || typeof learned === 'boolean') &&
    Array.isArray(sparkline) &&
    sparkline.every((point) => Array.isArray(point) && point.length === 2 && point.every(isNumberOrNull))
  );
}
