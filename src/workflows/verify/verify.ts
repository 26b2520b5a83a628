/**
 * Walks a tree (a run, a folder of runs, folders in folders, published checkpoints, reports with their cache) and checks all
 * that can be checked. Changes nothing. Links to directories are named and not followed.
 */
import { basename, join, resolve } from 'node:path';
import { checkLeftovers, finding, type Finding } from '../../checkpoint/store.js';
import { UserError, printable } from '../../errors.js';
import { exists, isDirectory, listDirectory } from '../../io/files.js';
import { leadsInto, linkTarget, realPath } from '../../io/tree.js';
import { readCached } from '../probing/measure-checkpoints.js';
import { type PublishedStep, publishedStep, verifyPublished } from './published.js';
import { verifyRunDirectory } from './run.js';
import type { StepPrint } from './step-print.js';

/** One row of the table of steps. */
export interface StepRow {
  /** name of the run, or folder of published checkpoints */
  readonly of: string;
  readonly step: number;
  /** of model.safetensors in a run; of the numbers, or else the files, of a published step */
  readonly sha256: string;
  /** Euclidean distance of all weights from those of the first step; undefined where they could not be read */
  readonly distance: number | undefined;
}

export interface Verification {
  readonly findings: readonly Finding[];
  readonly steps: readonly StepRow[];
  /** directories of runs, damaged ones too */
  readonly runs: readonly string[];
  /** groups of published checkpoints */
  readonly published: number;
  readonly cacheEntries: number;
}

interface Collected {
  readonly findings: Finding[];
  readonly steps: StepRow[];
  readonly runs: string[];
  published: number;
  cacheEntries: number;
}

/** @throws UserError for a path with nothing in it that can be verified */
export function verifyPaths(
  paths: readonly string[],
  onRun: (name: string) => void = () => undefined,
): Verification {
  const all: Collected = { findings: [], steps: [], runs: [], published: 0, cacheEntries: 0 };
  for (const path of paths) {
    const root = resolve(path);
    if (!exists(root))
      throw new UserError(`${printable(path, 300)}: found nothing there, expected a folder.`);
    if (!isDirectory(root)) throw new UserError(`${printable(path, 300)}: found a file, expected a folder.`);
    visit(root, realPath(root), all, onRun);
  }
  if (all.runs.length + all.published + all.cacheEntries === 0) {
    throw new UserError(
      `${printable(paths.join(', '), 300)}: found no run, no published checkpoints and no cache, expected some. Name a run, a folder of runs, a folder with one folder a step (such as step1000/model.safetensors), or a folder of reports.`,
    );
  }
  return all;
}

/** A run, also one that lost its config.json. */
function isRun(dir: string): boolean {
  const names = new Set(listDirectory(dir));
  if (names.has('config.json') && (names.has('sessions.jsonl') || names.has('steps'))) return true;
  const steps = join(dir, 'steps');
  return (
    isDirectory(steps) &&
    listDirectory(steps).some((name) => /^\d{6,15}$/.test(name) && exists(join(steps, name, 'manifest.json')))
  );
}

function visit(dir: string, root: string, all: Collected, onRun: (name: string) => void): void {
  if (isRun(dir)) {
    onRun(basename(dir));
    all.runs.push(dir);
    const { name, findings, prints } = verifyRunDirectory(dir, root);
    all.findings.push(...findings);
    all.steps.push(...prints.map((print) => rowOf(name, print)));
    return;
  }
  checkLeftovers(dir, (found) => all.findings.push(found));
  const groups = new Map<string, PublishedStep[]>();
  for (const name of listDirectory(dir)) {
    const path = join(dir, name);
    if (name === '.cache') checkCache(path, all);
    if (name.startsWith('.')) continue;
    const target = linkTarget(path);
    if (target !== undefined && (isDirectory(path) || !leadsInto(path, root))) {
      const isAstray = !leadsInto(path, root);
      all.findings.push(
        finding('link', path, {
          level: 'note',
          problem: `is a link to ${printable(target, 200)}${isAstray ? ', which is not in this tree' : ''}: it was not followed.`,
          remedy: isAstray
            ? 'Name the folder itself to verify it.'
            : 'Nothing to do: it is verified in its place.',
        }),
      );
      continue;
    }
    const isFolder = isDirectory(path);
    const published = isFolder && isRun(path) ? undefined : publishedStep(path);
    if (published === undefined) {
      if (isFolder) visit(path, root, all, onRun);
      continue;
    }
    const astray = published.files.find((file) => !leadsInto(file, root));
    if (astray === undefined) {
      groups.set(published.group, [...(groups.get(published.group) ?? []), published]);
      continue;
    }
    const problem = `is a link to ${printable(linkTarget(astray) ?? '', 200)}, which is not in this tree: it was not read.`;
    all.findings.push(finding('link', astray, { problem, remedy: 'Name a folder that holds both.' }));
  }
  for (const [group, steps] of groups) {
    onRun(group);
    all.published++;
    const { findings, prints } = verifyPublished(steps);
    all.findings.push(...findings);
    all.steps.push(...prints.map((print) => rowOf(dir, print)));
  }
}

function rowOf(of: string, { step, weights, filesSha256 }: StepPrint): StepRow {
  return { of, step, sha256: weights?.sha256 ?? filesSha256, distance: weights?.distance };
}

/** Measurements that are not what was stored. */
function checkCache(cache: string, all: Collected): void {
  for (const module of listDirectory(cache)) {
    const folder = join(cache, module);
    if (module.startsWith('.') || !isDirectory(folder)) continue;
    checkLeftovers(folder, (found) => all.findings.push(found));
    for (const name of listDirectory(folder)) {
      if (!name.endsWith('.json') || name.startsWith('.')) continue;
      all.cacheEntries++;
      const path = join(folder, name);
      if (readCached(path) !== undefined) continue;
      all.findings.push(
        finding('damaged-cache', path, {
          problem: 'is not what was stored, expected a measurement with its SHA-256.',
          remedy: 'It is measured again when it is needed; "sumlens repair" moves it aside.',
        }),
      );
    }
  }
}
