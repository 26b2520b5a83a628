/**
 * Comparisons of checkpoints on disk: what was measured is read, nothing is measured here. Work is done a run at a time, so
 * that other requests are answered in between, and what was read of a run is kept for as long as its files do not change.
 */
import { realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Probe } from '../../../probes/contract.js';
import { PROBES } from '../../../probes/index.js';
import { digitRows } from '../../../probes/embedding-pca/measure.js';
import { openRun } from '../../checkpoint/store.js';
import { errorMessage, printable, RunError, UserError } from '../../errors.js';
import { LEARNED_ACCURACY } from '../../evidence/claims-file.js';
import { type Difference, differencesOf, summariesOf } from '../../evidence/summaries.js';
import { type TrainingLogs, trainingOf } from '../../workflows/reports/build-report.js';
import { comparabilityNotes } from '../../workflows/probing/comparable.js';
import { measuredEvidence } from '../../workflows/probing/measured-evidence.js';
import type { MeasurementPlan } from '../../workflows/probing/probe-checkpoints.js';
import { distinctRefs } from '../../workflows/probing/probe-job.js';
import type { CheckpointRef } from '../../workflows/probing/probe-plan.js';
import { findSubjects, type FoundSubjects } from '../../workflows/probing/subjects.js';
import type {
  ComparedRun,
  Comparison,
  MeasuredModule,
  MeasureRequest,
  Planes,
  RunPoint,
  StatisticRow,
} from '../contract/compare.js';
import type { CompareRequest } from '../contract/jobs.js';
import type { RunSummary } from '../contract.js';
import { type Folder, pathOf } from '../disk/folders.js';
import { firstUnplain } from '../disk/contained.js';
import { type Chosen, chosenOf } from './chosen.js';
import { planeOfRun, type RunPlane, type StepRows, turnedTogether } from './planes.js';
import {
  checkpointRows,
  conditionRows,
  differenceRows,
  pairMaps,
  pairsOf,
  placesIn,
  readoutsOf,
  settingRows,
  statisticRows,
} from './view.js';

/** The runs that may be compared. */
export interface RunSource {
  runs(): Promise<readonly RunSummary[]>;
  /** @param id - of the list */
  folder(id: string): Folder | undefined;
}

export interface CompareFolders {
  readonly checkpointsDir: string;
  readonly reportsDir: string;
}

/** Parts of addresses whose checkpoints are kept in memory: a few kilobytes each. */
const MOST_KEPT = 256;
const MOST_VIEWS = 8;
const MOST_OTHERS = 24;

interface Kept<T> {
  readonly stamp: string;
  readonly value: T;
}

export class CompareIndex {
  private readonly found = new Map<string, Kept<FoundSubjects>>();
  private readonly logs = new Map<string, Kept<TrainingLogs>>();
  private readonly planes = new Map<string, Kept<RunPlane | string>>();
  private readonly views = new Map<string, Kept<Comparison>>();

  /** @param probes - the modules of a comparison; those of `sumlens compare` unless a test says otherwise */
  constructor(
    private readonly source: RunSource,
    private readonly folders: CompareFolders,
    private readonly probes: readonly Probe[] = PROBES,
  ) {}

  /** @param of - as in the address of the page. @throws UserError for what means nothing */
  async compare(of: string, series: boolean): Promise<Comparison> {
    const chosen = await this.chosen(of);
    const found = await this.find(chosen);
    const { refs, copies } = distinctRefs(found.flatMap(({ refs: own }) => own));
    const leftOut = [
      ...found.flatMap(({ damaged, passedOver }) => [...damaged, ...passedOver]),
      ...copies,
    ].map(({ subject, reason }) => ({ checkpoint: subject, reason: printable(reason, 400) }));
    if (refs.length === 0) throw new RunError(leftOut[0]?.reason ?? 'There is no checkpoint to compare.');
    const logs = await this.training(refs);
    const request = {
      refs,
      probes: this.probes.map((probe) => ({ probe })),
      engine: 'auto' as const,
      cacheDir: join(this.folders.reportsDir, '.cache'),
      series,
    };
    const { evidence, plan } = await measuredEvidence(request, logs.logs);
    const others = await this.othersOf(refs, chosen);
    const stamp = JSON.stringify([
      refs.map(({ subject }) => [subject.id, subject.weightsSha256]),
      logs.training.map(({ points }) => points.length),
      plan.cached,
      leftOut,
      others,
    ]);
    const key = JSON.stringify([chosen.map(({ text }) => text), series]);
    const known = this.views.get(key);
    if (known?.stamp === stamp) return known.value;
    const places = placesIn(evidence);
    const statistics: StatisticRow[] = [];
    const differences: Difference[] = [];
    for (const [id, info] of evidence.statistics) {
      if (info.detail === true) continue;
      statistics.push(...statisticRows(summariesOf(evidence, id), places));
      differences.push(...differencesOf(evidence, id));
      await nextTurn();
    }
    const maps = [];
    for (const pair of pairsOf(evidence)) {
      maps.push(pairMaps(evidence, pair, places));
      await nextTurn();
    }
    const view: Comparison = {
      of: chosen.map(({ text }) => text),
      series,
      conditions: conditionRows(evidence, places),
      checkpoints: checkpointRows(evidence, places),
      runs: this.runRows(refs, logs, chosen, readoutsOf(evidence), places),
      settings: settingRows(evidence, refs),
      modules: moduleRows(plan, refs),
      missing: plan.tasks.length,
      statistics,
      differences: differenceRows(differences, places),
      maps: maps.filter((pair) => pair.maps.length > 0),
      others,
      notes: comparabilityNotes(refs),
      leftOut,
      learnedAccuracy: LEARNED_ACCURACY,
    };
    keep(this.views, key, { stamp, value: view }, MOST_VIEWS);
    return view;
  }

  /** The numbers of every run at all its checkpoints. */
  async planesOf(of: string): Promise<Planes> {
    const found = await this.find(await this.chosen(of));
    const { refs } = distinctRefs(found.flatMap(({ refs: own }) => own));
    const places = new Map<string, number>();
    [...new Set(refs.map(({ subject }) => subject.label))]
      .sort()
      .forEach((label, place) => places.set(label, place));
    const leftOut: { checkpoint: string; reason: string }[] = [];
    const shown: { readonly ref: CheckpointRef; readonly plane: RunPlane }[] = [];
    for (const ref of lastOfRuns(refs)) {
      const plane = this.planeOf(ref);
      if (typeof plane === 'string') leftOut.push({ checkpoint: ref.subject.run, reason: plane });
      else shown.push({ ref, plane });
      await nextTurn();
    }
    const [first] = shown;
    const n = first?.ref.config.data.modulus ?? 0;
    const alike = shown.filter(({ ref }) => ref.config.data.modulus === n);
    for (const { ref } of shown) {
      const { modulus } = ref.config.data;
      if (modulus !== n)
        leftOut.push({
          checkpoint: ref.subject.run,
          reason: `has ${modulus} numbers, and the first run ${n}`,
        });
    }
    const turned = alike.length === 0 ? [] : turnedTogether(alike.map(({ plane }) => plane));
    const runs = alike.map(({ ref: { subject } }, i) => ({
      run: subject.run,
      seed: subject.seed,
      place: places.get(subject.label) ?? 0,
      label: subject.label,
      ...turned[i],
    }));
    const reach = Math.max(
      0,
      ...runs.flatMap(({ steps }) => steps.flatMap(({ points }) => points.flat().map(Math.abs))),
    );
    return { n, runs, reach, leftOut };
  }

  /** The job that measures what is missing; in whatever order the checkpoints are named, it is the same. */
  async jobOf({ of, series, name }: MeasureRequest): Promise<CompareRequest> {
    const root = realpathSync(this.folders.checkpointsDir);
    const checkpoints = (await this.chosen(of.join(','))).map((chosen) =>
      relative(root, this.textOf(chosen)).split(sep).join('/'),
    );
    return {
      kind: 'compare',
      checkpoints: checkpoints.sort(),
      ...(series === true && { series }),
      ...(name !== undefined && { name }),
    };
  }

  private async chosen(of: string): Promise<Chosen[]> {
    return chosenOf(of, await this.source.runs());
  }

  /** @throws RunError when the folder is gone, or anything in it leads elsewhere: the store follows links, the viewer does not */
  private textOf({ run, steps, text }: Chosen): string {
    const folder = this.source.folder(run.id);
    if (folder === undefined) throw new RunError(`${text}: the folder of this run is gone.`);
    const odd = firstUnplain(pathOf(folder));
    if (odd !== undefined) throw new UserError(`${text}: ${odd} is no plain file, so the run is not read.`);
    return `${pathOf(folder)}@${steps}`;
  }

  private async find(chosen: readonly Chosen[]): Promise<FoundSubjects[]> {
    const all: FoundSubjects[] = [];
    for (const one of chosen) {
      const text = this.textOf(one);
      const stamp = stampOf(text.slice(0, text.lastIndexOf('@')));
      const known = this.found.get(text);
      if (known?.stamp === stamp) {
        all.push(known.value);
        continue;
      }
      const value = findSubjects([text], this.folders.checkpointsDir);
      keep(this.found, text, { stamp, value }, MOST_KEPT);
      all.push(value);
      await nextTurn();
    }
    return all;
  }

  private async training(refs: readonly CheckpointRef[]): Promise<TrainingLogs> {
    const all: TrainingLogs[] = [];
    for (const ref of lastOfRuns(refs)) {
      const dir = dirOf(ref);
      const stamp = `${stampOf(dir)} ${ref.subject.label}`;
      const known = this.logs.get(dir);
      const value = known?.stamp === stamp ? known.value : trainingOf([ref]);
      if (value !== known?.value) {
        keep(this.logs, dir, { stamp, value }, MOST_KEPT);
        await nextTurn();
      }
      all.push(value);
    }
    return {
      training: all.flatMap(({ training }) => training),
      logs: new Map(all.flatMap(({ logs }) => [...logs])),
      imported: all.flatMap(({ imported }) => imported),
      engines: Object.assign({}, ...all.map(({ engines }) => engines)) as TrainingLogs['engines'],
    };
  }

  /** text: why there is none */
  private planeOf(ref: CheckpointRef): RunPlane | string {
    const dir = dirOf(ref);
    const stamp = stampOf(dir);
    const known = this.planes.get(dir);
    if (known?.stamp === stamp) return known.value;
    let value: RunPlane | string;
    try {
      value = planeOfRun(embeddingsOf(ref));
    } catch (error) {
      value = printable(errorMessage(error), 300);
    }
    keep(this.planes, dir, { stamp, value }, MOST_KEPT);
    return value;
  }

  private runRows(
    refs: readonly CheckpointRef[],
    { training }: TrainingLogs,
    chosen: readonly Chosen[],
    readouts: ReadonlyMap<string, ReadonlyMap<string, readonly RunPoint[]>>,
    places: ReadonlyMap<string, number>,
  ): ComparedRun[] {
    const addresses = new Map(chosen.map((one) => [this.folderOf(one), one.run.address]));
    return lastOfRuns(refs).map((ref): ComparedRun => {
      const { run, seed, label } = ref.subject;
      const address = addresses.get(dirOf(ref));
      const points = training.find((record) => record.run === run)?.points ?? [];
      const operations = [...new Set(points.flatMap(({ accuracy }) => Object.keys(accuracy ?? {})))];
      return {
        run,
        ...(address === undefined ? {} : { address }),
        seed,
        place: places.get(label) ?? 0,
        label,
        steps: stepsOf(ref),
        chosen: refs.filter(({ subject }) => subject.run === run).map(({ subject }) => subject.step),
        loss: points.flatMap(({ step, trainLossNats }): RunPoint[] =>
          typeof trainLossNats === 'number' ? [[step, trainLossNats]] : [],
        ),
        accuracy: operations.map((operation) => ({
          operation,
          points: points.flatMap(({ step, accuracy }): RunPoint[] =>
            accuracy?.[operation] === undefined ? [] : [[step, accuracy[operation]]],
          ),
        })),
        readout: [...(readouts.get(run) ?? [])].map(([name, own]) => ({ name, points: own })),
      };
    });
  }

  private folderOf({ run }: Chosen): string {
    const folder = this.source.folder(run.id);
    return folder === undefined ? '' : pathOf(folder);
  }

  private async othersOf(
    refs: readonly CheckpointRef[],
    chosen: readonly Chosen[],
  ): Promise<Comparison['others']> {
    const conditions = new Set(refs.map(({ subject }) => subject.condition));
    const given = new Set(chosen.map(({ run }) => run.id));
    return (await this.source.runs())
      .filter((run) => run.open && conditions.has(run.condition) && !given.has(run.id) && run.step > 0)
      .slice(0, MOST_OTHERS)
      .map(({ address, id }) => ({ address, label: id }));
  }
}

function moduleRows({ modules, tasks }: MeasurementPlan, refs: readonly CheckpointRef[]): MeasuredModule[] {
  return modules.map(({ probe, outcomes, incompatible }, module) => ({
    module: probe.name,
    title: probe.title,
    measured: refs.filter(({ subject }) => outcomes.has(subject.id)).length,
    missing: tasks.filter((task) => task.module === module).length,
    leftOut: [...incompatible].map(([checkpoint, reason]) => ({ checkpoint, reason })),
  }));
}

/** The last chosen checkpoint of every run. */
function lastOfRuns(refs: readonly CheckpointRef[]): CheckpointRef[] {
  const last = new Map<string, CheckpointRef>();
  for (const ref of refs) {
    const known = last.get(ref.subject.run);
    if (known === undefined || known.subject.step < ref.subject.step) last.set(ref.subject.run, ref);
  }
  return refs.filter((ref) => last.get(ref.subject.run) === ref);
}

function dirOf({ source }: CheckpointRef): string {
  return source.kind === 'run' ? source.dir : source.path;
}

function stepsOf(ref: CheckpointRef): number[] {
  return openRun(dirOf(ref)).steps();
}

/** Number embeddings at every checkpoint that verifies, up to the chosen one. */
function embeddingsOf(ref: CheckpointRef): StepRows[] {
  const store = openRun(dirOf(ref));
  return store.steps().flatMap((step): StepRows[] => {
    try {
      return [{ step, rows: digitRows(ref, store.loadStep(step).parameters) }];
    } catch (error) {
      // a damaged step is named by the check of the runs; the pictures go on without it
      if (step === ref.subject.step) throw error;
      return [];
    }
  });
}

/** Changes when a checkpoint is added, or the log or the end. */
function stampOf(dir: string): string {
  return ['steps', 'metrics.jsonl', 'end.json', 'config.json']
    .map((name) => {
      const status = statSync(join(dir, name), { throwIfNoEntry: false });
      return status === undefined ? '' : `${status.ino}:${status.size}:${status.mtimeMs}:${status.ctimeMs}`;
    })
    .join(' ');
}

/** The oldest goes when there are too many. */
function keep<T>(into: Map<string, T>, key: string, value: T, most: number): void {
  into.delete(key);
  into.set(key, value);
  if (into.size <= most) return;
  const [oldest] = into.keys();
  into.delete(oldest);
}
