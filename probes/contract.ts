/**
 * What a probe module is. `measure` looks at one checkpoint and is cached; `statistics` say which numbers it found, and from
 * them come findings, comparisons, pictures, series and columns without another line. `combine`, where a module has one, sees
 * all measurements together and is pure, so that adding a seventh checkpoint to six measures one.
 */
import type { RunConfig } from '../src/config/run-config.js';
import type { Engine, Model } from '../src/engine/engine.js';
import type { Evidence } from '../src/evidence/evidence.js';
import type { Finding } from '../src/evidence/finding.js';
import type { Observation, Statistic, StatisticInfo } from '../src/evidence/statistic.js';
import type { Subject } from '../src/evidence/subject.js';
import type { Json } from '../src/io/json.js';
import type { ChartSpec } from '../src/report/schema.js';
import type { MetricRow } from '../src/train/metrics.js';
import type { Rng } from '../src/tensor/rng.js';

/** One declared option: the default, and the reason for it. */
export interface ProbeOption<T extends Json = Json> {
  readonly default: T;
  readonly reason: string;
  /** instead of the default when many steps of a run are measured (`--series`): cheaper, and less fine */
  readonly series?: T;
  /** smallest and largest whole number; absent: any value of the default's type */
  readonly range?: readonly [number, number];
}

/** A loaded checkpoint as a probe sees it. `parameters` must not be changed: the caller verifies that they were not. */
export interface ProbeSubject {
  readonly subject: Subject;
  readonly config: RunConfig;
  /** [arenaSize] float32 in parameterTable layout of the run's GptConfig */
  readonly parameters: Float32Array;
  /** the same run's untrained parameters (step 0), same layout */
  readonly untrainedParameters: Float32Array;
}

export interface MeasureContext {
  readonly engine: Engine;
  /** an inference model with the subject's parameters; opened once, shared by one measure call */
  readonly model: Model;
  /** stream `probe:<name>`, substreams by index */
  rng(index?: number): Rng;
  /** done and total in any unit; call it at least once a second in long work, as often as you like: ten times a second it is passed on */
  progress: (done: number, total: number) => void;
}

/** By name: checked against the declared options before a module sees them. */
export type Options = Readonly<Record<string, Json>>;

export interface Measured<Measurement> {
  readonly subject: Subject;
  readonly config: RunConfig;
  readonly measurement: Measurement;
}

/** What `combine` sees. */
export interface CombineInput<Measurement, Chosen = Options> {
  /** every measurement, by condition label, seed, run and step */
  readonly measured: readonly Measured<Measurement>[];
  /** the last checkpoint of every run, in the same order: the replicates of a condition */
  readonly last: readonly Measured<Measurement>[];
  readonly options: Chosen;
  /** conditions, comparisons, and the module's own observations so far */
  readonly evidence: Evidence;
}

/** What is known only from several checkpoints together. */
export interface Combined {
  /** numbers of single runs that need the others, such as the likeness to a run of equal seed */
  readonly observations?: readonly Observation[];
  /** numbers of conditions that are no mean over seeds, such as how far seeds agree */
  readonly findings?: readonly Finding[];
  /** instead of the pictures that the statistics give by themselves; the most telling first */
  readonly pictures?: readonly ChartSpec[];
}

/**
 * @typeParam Measurement - plain JSON: numbers, strings, arrays {shape, data}; non-finite numbers as strings
 * @typeParam Chosen - the options as `measure` sees them, by name; what is declared has these types
 */
export interface Probe<Measurement = Json, Chosen = Options> {
  /** kebab-case, also the key in report.json */
  readonly name: string;
  readonly title: string;
  /** one sentence that a newcomer understands */
  readonly question: string;
  /** raised when a number changes meaning; part of the cache key; default 1 */
  readonly version?: number;
  /** default: none */
  readonly options?: { readonly [Name in keyof Chosen]: ProbeOption<Chosen[Name] & Json> };
  /** short paragraphs for the report; plain text; default: what the statistics say of themselves */
  readonly text?: {
    readonly shows: string;
    readonly doesNotShow: string;
    readonly method: string;
  };
  /** true, or why not: a sentence; default: applies to every checkpoint */
  isCompatible?(config: RunConfig): true | string;
  measure(
    subject: ProbeSubject,
    options: Chosen,
    context: MeasureContext,
  ): Promise<Measurement> | Measurement;
  /** the most telling first */
  readonly statistics: readonly Statistic<Measurement>[];
  /** what the observations of `combine` are */
  readonly further?: readonly StatisticInfo[];
  combine?(input: CombineInput<Measurement, Chosen>): Combined;
}

/** A run's log up to a checkpoint, for modules that look at training and not at weights. */
export interface TrainedSubject {
  readonly subject: Subject;
  readonly config: RunConfig;
  /** rows of metrics.jsonl, by step */
  readonly rows: readonly MetricRow[];
}

/** A module that reads the log of training: quick, so that it is part of every report and nothing of it is cached. */
export interface TrainingProbe<Measurement = Json> extends Pick<
  Probe<Measurement>,
  'name' | 'title' | 'question' | 'version' | 'text' | 'statistics' | 'further' | 'combine'
> {
  readonly reads: 'training';
  measure(subject: TrainedSubject): Measurement;
}
