/**
 * The runs on disk as the viewer lists them: one line a folder, read only as far as it has grown since the last look.
 * Folders are shown, not verified: hashes of weights are the store's affair. Nothing outside the given roots is read.
 */
import { lstatSync, statSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CONFIG_FILE,
  END_FILE,
  LOCK_FILE,
  METRICS_FILE,
  readConfig,
  readEnd,
} from '../checkpoint/run-files.js';
import { conditionId, distinguishingLabels, gptConfigOf } from '../config/hash.js';
import type { RunConfig } from '../config/run-config.js';
import { errorMessage, printable } from '../errors.js';
import { claimHolder } from '../io/claim.js';
import { parameterTable } from '../model/parameters.js';
import { placesOf } from '../palette.js';
import { isPlainName, isPlainFile } from './contained.js';
import { ADDRESS_NAME, SPARKLINE_POINTS, type RunSummary } from './contract.js';
import { decimate } from './decimate.js';
import { CurveCollector, isRecord } from './metrics.js';
import { readTail, readWhole } from './tail.js';

/** A list this young is not made again. */
const FRESH_MS = 400;
/** From this many runs on, a request gets the last list at once while the next one is made. */
const MANY_RUNS = 1000;
/** Folders looked at before others get their turn. Calls are synchronous: ten thousand small files cost a third so. */
const AT_ONCE = 16;
/** A list is not made again before so many times the time that making it took. */
const REST = 4;

export interface RunFolder {
  readonly root: string;
  readonly name: string;
}

interface Known {
  readonly folder: RunFolder;
  /** of config.json */
  readonly configStamp: string;
  readonly config: RunConfig | string;
  /** everything else that the summary depends on */
  stamp: string;
  summary: RunSummary;
  /** where reading stopped, while the run may grow */
  progress: { offset: number; collector: CurveCollector; diverged?: string } | undefined;
}

export class RunIndex {
  private known = new Map<string, Known>();
  /** names of links, which are listed and not followed */
  private links: readonly string[] = [];
  /** what `list` was made of */
  private shown = new Map<string, RunSummary>();
  private list: readonly RunSummary[] | undefined;
  private madeAt = -Infinity;
  private tookMs = 0;
  private making: Promise<readonly RunSummary[]> | undefined;

  /** @param roots - folders that hold run folders; the first one wins where a name is in two */
  constructor(private readonly roots: readonly string[]) {}

  async runs(): Promise<readonly RunSummary[]> {
    const freshMs = Math.max(FRESH_MS, REST * this.tookMs);
    if (this.list !== undefined && performance.now() - this.madeAt < freshMs) return this.list;
    this.making ??= this.make().finally(() => (this.making = undefined));
    return this.list !== undefined && this.list.length >= MANY_RUNS ? this.list : this.making;
  }

  folder(id: string): RunFolder | undefined {
    return this.known.get(id)?.folder;
  }

  config(id: string): RunConfig | undefined {
    const config = this.known.get(id)?.config;
    return typeof config === 'string' ? undefined : config;
  }

  private async make(): Promise<readonly RunSummary[]> {
    const next = new Map<string, Known>();
    const summaries: RunSummary[] = [];
    const began = performance.now();
    for (const given of this.roots) {
      const root = await realpath(given).catch(() => given);
      const entries = (await entriesOf(root)).filter(
        ({ name }) => isPlainName(name) && !next.has(name) && !this.roots.includes(join(given, name)),
      );
      for (const entry of entries.filter((candidate) => candidate.isSymbolicLink())) {
        summaries.push(unreadable(entry.name, 'is a link, and links are not followed'));
      }
      const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
      for (let i = 0; i < names.length; i += AT_ONCE) {
        await new Promise((resolve) => setImmediate(resolve));
        for (const name of names.slice(i, i + AT_ONCE)) {
          const known = await this.look({ root, name });
          if (known === undefined) continue;
          next.set(known.folder.name, known);
          summaries.push(known.summary);
        }
      }
    }
    const links = summaries.filter(({ id }) => !next.has(id)).map(({ id }) => id);
    const isSame =
      links.join('\0') === this.links.join('\0') &&
      next.size === this.known.size &&
      [...next].every(([name, { summary }]) => this.shown.get(name) === summary);
    this.links = links;
    this.known = next;
    this.shown = new Map([...next].map(([name, { summary }]) => [name, summary]));
    // the same list stays the same object, so that its text is made once
    if (!isSame || this.list === undefined) {
      this.list = labelled(summaries, next).sort((a, b) => (a.id < b.id ? -1 : 1));
    }
    this.madeAt = performance.now();
    this.tookMs = this.madeAt - began;
    return this.list;
  }

  /** undefined: the folder went away */
  private async look(folder: RunFolder): Promise<Known | undefined> {
    const { root, name } = folder;
    const [configStamp, metrics, end, lock] = [CONFIG_FILE, METRICS_FILE, END_FILE, LOCK_FILE].map((file) =>
      stampOf(join(root, name, file)),
    );
    let known = this.known.get(name);
    if (known?.folder.root !== root || known.configStamp !== configStamp) {
      const config = readConfigOf(folder);
      const summary = typeof config === 'string' ? unreadable(name, config) : emptySummary(name, config);
      known = { folder, configStamp, config, stamp: '', summary, progress: undefined };
      if (configStamp === '' && stampOf(join(root, name)) === '') return undefined;
    }
    const { config } = known;
    if (typeof config === 'string') return known;
    const running = lock !== '' && isHeld(folder);
    const stamp = `${metrics} ${end} ${running}`;
    if (known.stamp !== stamp) {
      known.summary = await this.summarise(known, config, running);
      known.stamp = stamp;
      // the curves of a run that has ended are not needed in memory again
      if (!running) known.progress = undefined;
    }
    return known;
  }

  private async summarise(known: Known, config: RunConfig, running: boolean): Promise<RunSummary> {
    const { root, name } = known.folder;
    known.progress ??= { offset: 0, collector: new CurveCollector(SPARKLINE_POINTS) };
    let { progress } = known;
    for (;;) {
      const parts = [name, METRICS_FILE];
      const whole = progress.offset === 0 ? readWhole(join(root, ...parts)) : undefined;
      const tail = whole ?? (await readTail(root, parts, progress.offset));
      if (tail.kind === 'absent') break;
      if (tail.kind === 'reset') {
        progress = { offset: 0, collector: new CurveCollector(SPARKLINE_POINTS) };
        known.progress = progress;
        continue;
      }
      for (const line of withoutInnerTrainRows(tail.lines)) {
        progress.collector.add(line);
        const diverged = divergence(line);
        if (diverged !== undefined) progress.diverged = diverged;
      }
      progress.offset = tail.next;
      if (!tail.more) break;
    }
    const { collector, diverged } = progress;
    const state = running ? { status: 'running' as const } : endOf(known.folder);
    const shown = config.data.tasks.includes('SUM') ? 'SUM' : config.data.tasks[0];
    const accuracies = config.data.tasks
      .map((task) => [task, collector.points('accuracy', task).at(-1)?.[1]] as const)
      .filter((pair): pair is readonly [(typeof pair)[0], number] => typeof pair[1] === 'number');
    return {
      ...emptySummary(name, config),
      ...state,
      ...(state.status === 'diverged' && diverged !== undefined && { reason: diverged }),
      step: collector.lastStep,
      loss: collector.points('loss', 'training loss').at(-1)?.[1] ?? null,
      accuracy: accuracies.length === 0 ? null : Object.fromEntries(accuracies),
      sparkline: decimate(collector.points('accuracy', shown), SPARKLINE_POINTS),
    };
  }
}

async function entriesOf(root: string) {
  try {
    return await readdir(root, { withFileTypes: true });
  } catch {
    // no folder yet: no run yet
    return [];
  }
}

/** Changes when the file does; empty when there is none. */
function stampOf(path: string): string {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    return status === undefined ? '' : `${status.ino}:${status.size}:${status.mtimeMs}`;
  } catch {
    return '';
  }
}

const TRAIN_ROW = '"kind":"train"';

/** A list shows the last loss only: of train rows in a row, all but the last need not be read. */
function withoutInnerTrainRows(lines: readonly string[]): string[] {
  return lines.filter((line, i) => !(line.includes(TRAIN_ROW) && lines[i + 1]?.includes(TRAIN_ROW)));
}

/** The store's checks of config.json on a file that is known to be plain; text: why it is refused. */
function readConfigOf({ root, name }: RunFolder): RunConfig | string {
  const dir = join(root, name);
  if (!isPlainFolder(dir) || !isPlainFile(join(dir, CONFIG_FILE)))
    return `${CONFIG_FILE} is missing or is no plain file`;
  try {
    return readConfig(dir);
  } catch (error) {
    return withoutFolder(error, dir);
  }
}

/** It was listed as a folder, and may have become a link since. */
function isPlainFolder(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** The message without the folder: the list says already which run it is. */
function withoutFolder(error: unknown, dir: string): string {
  return printable(errorMessage(error).replaceAll(`${dir}/`, ''), 300);
}

function isHeld({ root, name }: RunFolder): boolean {
  const path = join(root, name, LOCK_FILE);
  try {
    return isPlainFile(path) && claimHolder(path) !== undefined;
  } catch {
    return false;
  }
}

/** How a run that nobody holds has ended. */
function endOf({ root, name }: RunFolder): Pick<RunSummary, 'status' | 'reason'> {
  const dir = join(root, name);
  if (!isPlainFile(join(dir, END_FILE))) return { status: 'stopped' };
  try {
    return { status: readEnd(dir)?.reason ?? 'stopped' };
  } catch (error) {
    return { status: 'corrupt', reason: withoutFolder(error, dir) };
  }
}

function divergence(line: string): string | undefined {
  if (!line.includes('"diverged"')) return undefined;
  try {
    const row: unknown = JSON.parse(line);
    if (!isRecord(row) || row['kind'] !== 'diverged') return undefined;
    return printable(
      `At step ${String(row['step'])} ${String(row['quantity'])} was ${String(row['value'])}.`,
      200,
    );
  } catch {
    return undefined;
  }
}

function emptySummary(name: string, config: RunConfig): RunSummary {
  return {
    id: name,
    open: ADDRESS_NAME.test(name),
    status: 'stopped',
    condition: conditionId(config),
    label: '',
    place: 0,
    tasks: config.data.tasks,
    seed: config.seed,
    parameters: parameterTable(gptConfigOf(config)).nParameters,
    step: 0,
    steps: config.training.steps,
    loss: null,
    accuracy: null,
    sparkline: [],
    chance: 1 / config.data.modulus,
  };
}

function unreadable(name: string, reason: string): RunSummary {
  return {
    id: name,
    open: false,
    status: 'corrupt',
    reason,
    condition: '',
    label: '',
    place: 0,
    tasks: [],
    seed: null,
    parameters: null,
    step: 0,
    steps: null,
    loss: null,
    accuracy: null,
    sparkline: [],
    chance: null,
  };
}

/** Conditions in words, with the fields in which namesakes differ. */
function labelled(summaries: readonly RunSummary[], known: ReadonlyMap<string, Known>): RunSummary[] {
  const configs = new Map<string, RunConfig>();
  for (const { id, condition } of summaries) {
    const config = known.get(id)?.config;
    if (condition !== '' && config !== undefined && typeof config !== 'string')
      configs.set(condition, config);
  }
  const labels = distinguishingLabels([...configs.values()]);
  const byCondition = new Map([...configs.keys()].map((condition, i) => [condition, labels[i]]));
  const places = placesOf(labels);
  return summaries.map((run) => {
    const label = byCondition.get(run.condition) ?? '';
    return { ...run, label, place: places.get(label) ?? 0 };
  });
}
