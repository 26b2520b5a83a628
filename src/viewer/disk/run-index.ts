/**
 * The runs on disk as the viewer lists them: one line a folder, read only as far as it has grown since the last look.
 * Folders are shown, not verified: hashes of weights are the store's affair. Nothing outside the given roots is read.
 */
import { statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CONFIG_FILE,
  END_FILE,
  LOCK_FILE,
  METRICS_FILE,
  readConfig,
  readEnd,
} from '../../checkpoint/run-files.js';
import { conditionId, distinguishingLabels, gptConfigOf } from '../../config/names.js';
import { lastTasks } from '../../config/phases.js';
import type { RunConfig } from '../../config/run-config.js';
import { errorMessage, printable } from '../../errors.js';
import { lockHolder } from '../../io/lock.js';
import { parameterTable } from '../../model/parameters.js';
import { placesOf } from '../../palette.js';
import { addressOf } from './address.js';
import { isPlainFile } from './contained.js';
import { hasLearned, isNested, ofWhatIsTrained, operationAccuracy } from '../../train/learned.js';
import type { EvalRow } from '../../train/metrics.js';
import { type ConditionSettings, type CurvePoint, SPARKLINE_POINTS, type RunSummary } from '../contract.js';
import { settingsOf } from './run-detail.js';
import { decimate } from './decimate.js';
import { type Folder, foldersBelow, isRealFolder, pathOf } from './folders.js';
import { NOTES_FILE, readNotes } from './notes.js';
import { type CachedRun, isSettled, type RunCache } from './run-cache.js';
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

/** Reading metrics may delay a list so long; what is left is read for the next one. */
const READING_MS = 1500;
const LATER_READING_MS = 15_000;
/** Runs read anew before the cache is written again. */
const WORTH_CACHING = 200;

interface Known {
  readonly folder: Folder;
  /** of config.json */
  readonly configStamp: string;
  /** text: why it is refused; undefined: not read yet, the summary being from the cache */
  config: RunConfig | string | undefined;
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
  private conditionList: readonly ConditionSettings[] = [];
  private madeAt = -Infinity;
  private tookMs = 0;
  private making: Promise<readonly RunSummary[]> | undefined;

  private readonly readAnew = new Set<string>();
  /** metrics of some runs wait to be read */
  private isReading = false;
  private isCacheRead = false;
  private readUntil = Infinity;

  /**
   * @param roots - folders that hold run folders; the first one wins where a name is in two
   * @param cache - of summaries, between two starts; default: none
   * @param readingMs - reading metrics may delay a list so long
   */
  constructor(
    private readonly roots: readonly string[],
    private readonly cache?: RunCache,
    private readonly readingMs = READING_MS,
  ) {}

  async runs(): Promise<readonly RunSummary[]> {
    const freshMs = this.isReading ? FRESH_MS : Math.max(FRESH_MS, REST * this.tookMs);
    if (this.list !== undefined && performance.now() - this.madeAt < freshMs) return this.list;
    this.making ??= this.make().finally(() => (this.making = undefined));
    return this.list !== undefined && this.list.length >= MANY_RUNS ? this.list : this.making;
  }

  /** After a change of our own: the next list shows it. */
  async lookAgain(): Promise<void> {
    await this.making;
    this.madeAt = -Infinity;
    this.making ??= this.make().finally(() => (this.making = undefined));
    await this.making;
  }

  /** Of the runs that `runs` gave last. */
  conditions(): readonly ConditionSettings[] {
    return this.conditionList;
  }

  /** @param id - of the list */
  folder(id: string): Folder | undefined {
    return this.known.get(id)?.folder;
  }

  config(id: string): RunConfig | undefined {
    const known = this.known.get(id);
    const config = known === undefined ? undefined : configOf(known);
    return typeof config === 'string' ? undefined : config;
  }

  private async make(): Promise<readonly RunSummary[]> {
    const next = new Map<string, Known>();
    const summaries: RunSummary[] = [];
    const began = performance.now();
    this.isReading = false;
    // nobody waits for a later list of many
    const isAwaited = (this.list?.length ?? 0) < MANY_RUNS;
    this.readUntil = began + (isAwaited ? this.readingMs : LATER_READING_MS);
    let ownRoot: string | undefined;
    for (const given of this.roots) {
      const root = await realpath(given).catch(() => given);
      ownRoot ??= root;
      this.readCache(root);
      const others = this.roots.filter((other) => other !== given);
      const { folders, refused } = foldersBelow(root, (name) => others.includes(join(given, name)));
      for (const { id, reason } of refused) {
        if (!next.has(id)) summaries.push(unreadable(id, reason));
      }
      for (let i = 0; i < folders.length; i += AT_ONCE) {
        await new Promise((resolve) => setImmediate(resolve));
        for (const folder of folders.slice(i, i + AT_ONCE)) {
          if (next.has(folder.id)) continue;
          const known = await this.look(folder);
          if (known === undefined) continue;
          next.set(folder.id, known);
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
      const { runs, conditions } = labelled(summaries, next, (root) => root !== ownRoot);
      this.list = runs.sort((a, b) => (a.id < b.id ? -1 : 1));
      this.conditionList = conditions;
    }
    this.madeAt = performance.now();
    this.tookMs = this.madeAt - began;
    this.writeCache();
    return this.list;
  }

  /** Before the first look: what a cache says of folders is taken where their files have not changed since. */
  private readCache(root: string): void {
    if (this.cache === undefined || this.isCacheRead) return;
    this.isCacheRead = true;
    for (const { id, parts, configStamp, stamp, summary } of this.cache.read(root)) {
      const folder = { root, id, parts };
      this.known.set(id, { folder, configStamp, stamp, summary, config: undefined, progress: undefined });
    }
  }

  private writeCache(): void {
    if (this.cache === undefined || this.isReading || this.readAnew.size < WORTH_CACHING) return;
    this.readAnew.clear();
    const now = Date.now();
    const root = [...this.known.values()][0]?.folder.root;
    if (root === undefined) return;
    const entries = [...this.known.values()]
      .filter(({ folder, summary, configStamp, stamp }) => {
        const isOwn = folder.root === root && summary.open && summary.status !== 'running';
        return isOwn && configStamp !== '' && isSettled(`${configStamp} ${stamp}`, now);
      })
      .map(({ folder: { id, parts }, configStamp, stamp, summary }): CachedRun => ({
        ...{ id, parts, configStamp, stamp, summary },
      }));
    this.cache.write(root, entries);
  }

  /** undefined: the folder went away */
  private async look(folder: Folder): Promise<Known | undefined> {
    const dir = pathOf(folder);
    const [configStamp, metrics, end, lock] = [CONFIG_FILE, METRICS_FILE, END_FILE, LOCK_FILE].map((file) =>
      stampOf(join(dir, file)),
    );
    let known = this.known.get(folder.id);
    const isKnown = known !== undefined && pathOf(known.folder) === dir && known.configStamp === configStamp;
    if (known === undefined || !isKnown) {
      const config = readConfigOf(dir);
      const summary =
        typeof config === 'string' ? unreadable(folder.id, config) : emptySummary(folder.id, config);
      known = { folder, configStamp, config, stamp: '', summary, progress: undefined };
      if (configStamp === '' && stampOf(dir) === '') return undefined;
    }
    const running = lock !== '' && isHeld(dir);
    const notes = stampOf(join(dir, NOTES_FILE));
    const stamp = `${metrics} ${end} ${running}${notes === '' ? '' : ` ${notes}`}`;
    if (known.stamp === stamp) return known;
    const config = configOf(known);
    if (typeof config === 'string') return known;
    if (known.stamp === '' && performance.now() > this.readUntil) {
      this.isReading = true;
      const state = running ? { status: 'running' as const } : endOf(dir);
      known.summary = { ...known.summary, ...state, reading: true };
      return known;
    }
    known.summary = await this.summarise(known, config, running);
    known.stamp = stamp;
    this.readAnew.add(folder.id);
    // the curves of a run that has ended are not needed in memory again
    if (!running) known.progress = undefined;
    return known;
  }

  private async summarise(known: Known, config: RunConfig, running: boolean): Promise<RunSummary> {
    const { root, parts: ownParts } = known.folder;
    const { reason: _reason, reading: _reading, tags: _tags, note: _note, ...base } = known.summary;
    known.progress ??= { offset: 0, collector: listCollector() };
    let { progress } = known;
    for (;;) {
      const parts = [...ownParts, METRICS_FILE];
      const whole = progress.offset === 0 ? readWhole(join(root, ...parts)) : undefined;
      const tail = whole ?? (await readTail(root, parts, progress.offset));
      if (tail.kind === 'absent') break;
      if (tail.kind === 'reset') {
        progress = { offset: 0, collector: listCollector() };
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
    const state = running ? { status: 'running' as const } : endOf(pathOf(known.folder));
    const shown = config.data.tasks.includes('SUM') ? 'SUM' : config.data.tasks[0];
    const accuracies = config.data.tasks
      .map((task) => [task, collector.points('accuracy', task).at(-1)?.[1]] as const)
      .filter((pair): pair is readonly [(typeof pair)[0], number] => typeof pair[1] === 'number');
    return {
      ...base,
      ...state,
      ...readNotes(pathOf(known.folder)),
      ...(state.status === 'diverged' && diverged !== undefined && { reason: diverged }),
      step: collector.lastStep,
      loss: collector.points('loss', 'training loss').at(-1)?.[1] ?? null,
      accuracy: accuracies.length === 0 ? null : Object.fromEntries(accuracies),
      learned: learnedBy(config, collector.lastEvaluations()),
      sparkline: decimate(collector.points('accuracy', shown), SPARKLINE_POINTS).map(rounded),
    };
  }
}

/** A list shows losses and accuracies only. */
const listCollector = (): CurveCollector => new CurveCollector(SPARKLINE_POINTS, () => false);

const rounded = ([step, value]: CurvePoint): CurvePoint => [
  step,
  value === null ? null : Math.round(value * 1e4) / 1e4,
];

/** Whether every operation that the last phase trains is learned; null: there is no evaluation, or it does not tell. */
function learnedBy(config: RunConfig, rows: readonly EvalRow[]): boolean | null {
  const tasks = lastTasks(config);
  const isAsked = (task: string): boolean => rows.some((row) => operationAccuracy(row, task) !== undefined);
  if (!tasks.every(isAsked)) return null;
  const trained = ofWhatIsTrained(rows, config);
  const learned = tasks.map((task) => hasLearned(trained, task, { nested: isNested(config.data) }));
  if (learned.includes(false)) return false;
  return learned.includes(null) ? null : true;
}

/** Trainable numbers by condition: the same for all its seeds. */
const parametersOf = new Map<string, number>();

function parameterCount(condition: string, config: RunConfig): number {
  const known = parametersOf.get(condition) ?? parameterTable(gptConfigOf(config)).nParameters;
  parametersOf.set(condition, known);
  return known;
}

/** Changes when the file does; empty when there is none. */
function stampOf(path: string): string {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    // the time of the last change of the inode too: it shows an edit whose author put the other one back
    return status === undefined ? '' : `${status.ino}:${status.size}:${status.mtimeMs}:${status.ctimeMs}`;
  } catch {
    return '';
  }
}

/** Read when it is asked for: of a run that is listed from the cache that may be never. */
function configOf(known: Known): RunConfig | string {
  known.config ??= readConfigOf(pathOf(known.folder));
  return known.config;
}

const TRAIN_ROW = '"kind":"train"';

/** A list shows the last loss only: of train rows in a row, all but the last need not be read. */
function withoutInnerTrainRows(lines: readonly string[]): string[] {
  return lines.filter((line, i) => !(line.includes(TRAIN_ROW) && lines[i + 1]?.includes(TRAIN_ROW)));
}

/** The store's checks of config.json on a file that is known to be plain; text: why it is refused. */
function readConfigOf(dir: string): RunConfig | string {
  // it was found as a folder, and may have become a link since
  if (!isRealFolder(dir) || !isPlainFile(join(dir, CONFIG_FILE)))
    return `${CONFIG_FILE} is missing or is no plain file`;
  try {
    return readConfig(dir);
  } catch (error) {
    return withoutFolder(error, dir);
  }
}

/** The message without the folder: the list says already which run it is. */
function withoutFolder(error: unknown, dir: string): string {
  return printable(errorMessage(error).replaceAll(`${dir}/`, ''), 300);
}

function isHeld(dir: string): boolean {
  const path = join(dir, LOCK_FILE);
  try {
    return isPlainFile(path) && lockHolder(path) !== undefined;
  } catch {
    return false;
  }
}

/** How a run that nobody holds has ended. */
function endOf(dir: string): Pick<RunSummary, 'status' | 'reason'> {
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

function emptySummary(id: string, config: RunConfig): RunSummary {
  const condition = conditionId(config);
  return {
    id,
    open: true,
    address: addressOf(id),
    status: 'stopped',
    condition,
    label: '',
    place: 0,
    tasks: config.data.tasks,
    seed: config.seed,
    parameters: parameterCount(condition, config),
    step: 0,
    steps: config.training.steps,
    loss: null,
    accuracy: null,
    learned: null,
    sparkline: [],
    chance: 1 / config.data.modulus,
  };
}

function unreadable(id: string, reason: string): RunSummary {
  return {
    id,
    open: false,
    address: addressOf(id),
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
    learned: null,
    sparkline: [],
    chance: null,
  };
}

/** Conditions in words, with the fields in which namesakes differ, and where a run comes from. */
function labelled(
  summaries: readonly RunSummary[],
  known: ReadonlyMap<string, Known>,
  isShipped: (root: string) => boolean,
): { readonly runs: RunSummary[]; readonly conditions: ConditionSettings[] } {
  const configs = new Map<string, RunConfig>();
  for (const { id, condition } of summaries) {
    const run = known.get(id);
    if (condition === '' || configs.has(condition) || run === undefined) continue;
    const config = configOf(run);
    if (typeof config !== 'string') configs.set(condition, config);
  }
  const labels = distinguishingLabels([...configs.values()]);
  const byCondition = new Map([...configs.keys()].map((condition, i) => [condition, labels[i]]));
  const places = placesOf(labels);
  const runs = summaries.map((run): RunSummary => {
    const label = byCondition.get(run.condition) ?? '';
    const folder = known.get(run.id)?.folder;
    const target = folder?.parts.join('/');
    return {
      ...run,
      label,
      place: places.get(label) ?? 0,
      ...(target !== undefined && target !== run.id && { linkOf: target }),
      ...(folder !== undefined && isShipped(folder.root) && { shipped: true as const }),
    };
  });
  const conditions = [...configs].map(([condition, config]) => ({ condition, settings: settingsOf(config) }));
  return { runs, conditions };
}
