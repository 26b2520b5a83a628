/**
 * A plan in shards, each trained by itself: what starts from a run is in its shard, shards cost about the same, and each has a
 * file of results of its own, so that no two processes write one file. `collectShards` brings them into results.jsonl.
 */
import { join } from 'node:path';
import { UserError } from '../../../errors.js';
import { takeLock, releaseLock } from '../../../io/lock.js';
import { exists, listDirectory } from '../../../io/files.js';
import { groupBy } from '../../../evidence/group-by.js';
import { costOf } from '../../train-runs.js';
import type { SweepRun } from '../plan/expand.js';
import { type ResultLine, sameResult } from './result-line.js';
import { appendResult, readResults, repairResults, RESULTS_FILE } from './results-file.js';

/** Held by the process that writes results. */
export const LOCK_FILE = 'sweep.lock';
/** Folder of the results of shards. */
export const SHARDS = 'shards';

/** Number `index` of `of` shards, from 0. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** The runs of a shard, in their order; the same on every machine. */
export function runsOfShard(runs: readonly SweepRun[], { index, of }: Shard): SweepRun[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  const rootOf = (run: SweepRun): string => {
    const source = run.source === undefined ? undefined : byId.get(run.source);
    return source === undefined ? run.id : rootOf(source);
  };
  const chains = [...groupBy(runs, rootOf)].map(([root, own]) => ({
    root,
    own,
    cost: own.reduce((sum, { config }) => sum + costOf(config), 0),
  }));
  chains.sort((a, b) => b.cost - a.cost || (a.root < b.root ? -1 : 1));
  // the most expensive first, each to the shard that has least so far
  const loads = new Float64Array(of);
  const mine = new Set<string>();
  for (const { own, cost } of chains) {
    const least = loads.indexOf(Math.min(...loads));
    loads[least] += cost;
    if (least === index) for (const { id } of own) mine.add(id);
  }
  return runs.filter(({ id }) => mine.has(id));
}

/** @param folder - of the results of the sweep */
export function shardFile(folder: string, { index, of }: Shard): string {
  return join(folder, SHARDS, `${index}-of-${of}.jsonl`);
}

/**
 * Results of a sweep and of its shards, of however many there were.
 * @throws UserError when a line is none of ours, or two files say different things of a run
 */
export function readAllResults(folder: string): Map<string, ResultLine> {
  const all = readResults(join(folder, RESULTS_FILE));
  for (const file of shardFiles(folder)) {
    for (const [id, line] of readResults(file)) {
      const before = all.get(id);
      if (before !== undefined && !sameResult(before, line)) {
        throw new UserError(
          `${file}: ${id} ended with other weights than in another file of results. Find out which is right, and take the other line out.`,
        );
      }
      if (before === undefined) all.set(id, line);
    }
  }
  return all;
}

function shardFiles(folder: string): string[] {
  const shards = join(folder, SHARDS);
  if (!exists(shards)) return [];
  return listDirectory(shards)
    .filter((name) => /^\d+-of-\d+\.jsonl$/.test(name))
    .map((name) => join(shards, name));
}

/**
 * Appends what shards have and results.jsonl lacks, each line once and in the order of ids; shards may go on meanwhile.
 * @returns lines appended
 * @throws UserError as readAllResults, LockedError when another process writes results.jsonl
 */
export function collectShards(folder: string): number {
  if (shardFiles(folder).length === 0) return 0;
  const lock = takeLock(join(folder, LOCK_FILE), 'collecting shards', { waitMs: 2000 });
  try {
    return collectLocked(folder);
  } finally {
    releaseLock(lock);
  }
}

/** The same for whoever holds the lock. */
export function collectLocked(folder: string): number {
  if (shardFiles(folder).length === 0) return 0;
  const path = join(folder, RESULTS_FILE);
  if (exists(path)) repairResults(path);
  const present = readResults(path);
  const lacking = [...readAllResults(folder)].filter(([id]) => !present.has(id));
  for (const [, line] of lacking.sort(([a], [b]) => (a < b ? -1 : 1))) appendResult(path, line);
  return lacking.length;
}
