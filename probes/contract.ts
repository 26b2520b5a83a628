/**
 * What a probe module is. `measure` looks at one checkpoint and is cached; `combine` alone compares checkpoints and is
 * pure, so that adding a seventh checkpoint to six measures one. Charts and findings are pure functions of the result.
 */
import type { RunConfig } from '../src/config/run-config.js';
import type { Engine, Model } from '../src/engine/engine.js';
import type { ChartSpec, Finding, Json, Subject } from '../src/report/schema.js';
import type { Rng } from '../src/tensor/rng.js';

/** One declared option: the default, and the reason for it. */
export interface ProbeOption<T extends Json = Json> {
  readonly default: T;
  readonly reason: string;
  /** instead of the default when many steps of a run are measured (`--series`): cheaper, and less fine */
  readonly series?: T;
}

/** One number a checkpoint, on which conditions can be compared. */
export interface ComparedStatistic {
  /** kebab-case, unique in its module */
  readonly id: string;
  /** what it is, for an axis */
  readonly title: string;
  readonly unit: string;
  /** subject id and value; subjects without one are absent */
  readonly values: readonly { readonly subject: string; readonly value: number }[];
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
  /** done and total in any unit; call it at least once a second in long work */
  progress: (done: number, total: number) => void;
}

export type Options = Readonly<Record<string, Json>>;

export interface Measured<Measurement> {
  readonly subject: Subject;
  readonly config: RunConfig;
  readonly measurement: Measurement;
}

/**
 * @typeParam Measurement - plain JSON: numbers, strings, arrays {shape, data}; non-finite numbers as strings
 * @typeParam Result - plain JSON too; what findings and charts read
 */
export interface Probe<Measurement = Json, Result = Json> {
  /** kebab-case, also the key in report.json */
  readonly name: string;
  readonly title: string;
  /** one sentence that a newcomer understands */
  readonly question: string;
  /** raised when a number changes meaning; part of the cache key */
  readonly version: number;
  readonly cost: 'seconds' | 'minutes';
  readonly options: Readonly<Record<string, ProbeOption>>;
  /** short paragraphs for the report; plain text */
  readonly text: {
    readonly shows: string;
    readonly doesNotShow: string;
    readonly method: string;
  };
  /** true, or why not: a sentence */
  isCompatible(config: RunConfig): true | string;
  measure(
    subject: ProbeSubject,
    options: Options,
    context: MeasureContext,
  ): Promise<Measurement> | Measurement;
  combine(measurements: readonly Measured<Measurement>[], options: Options): Result;
  findings(result: Result): Finding[];
  charts(result: Result): ChartSpec[];
  /** what `compare` takes differences of between conditions, over seeds; the most telling first */
  compared?(result: Result): ComparedStatistic[];
}
