/** Work that the viewer starts: what may be asked for, and how it is shown. Browser-safe. */
import type { PlanCost } from '../../workflows/sweep/plan/cost.js';

export const JOB_KINDS = ['train', 'preset', 'probe', 'compare', 'sweep'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/**
 * queued: waits for a core; stopping: was asked to stop; stopped: what it ran in ended without a word (the machine went
 * down): it can be started again and goes on.
 */
export const JOB_STATES = [
  'queued',
  'running',
  'stopping',
  'done',
  'failed',
  'cancelled',
  'stopped',
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A value of the form: text as the flag takes it, or the value itself. */
export type FieldValue = string | number | boolean;

/** One run: the fields of a preset, then those given. */
export interface TrainRequest {
  readonly kind: 'train';
  readonly preset?: string | undefined;
  /** by path, `model.dModel`; those that are not given have their defaults */
  readonly fields?: Readonly<Record<string, FieldValue>> | undefined;
}

/** All runs of a preset, its modules and its report. */
export interface PresetRequest {
  readonly kind: 'preset';
  readonly preset: string;
  /** updates of every run, instead of those of the preset */
  readonly steps?: number | undefined;
}

/** A module, or all, over checkpoints. */
export interface ProbeRequest {
  readonly kind: 'probe';
  /** `all`, or the name of one */
  readonly module: string;
  /** as on the command line: `<run>`, `<run>@all`, `<run>@final`, `<run>@<step>,<step>` */
  readonly checkpoints: readonly string[];
  /** folder of the report */
  readonly name?: string | undefined;
  /** cheaper options, for many steps */
  readonly series?: boolean | undefined;
}

/** Every module over checkpoints: what is not known yet is measured, for the page of comparison. */
export interface CompareRequest {
  readonly kind: 'compare';
  /** as of a module */
  readonly checkpoints: readonly string[];
  readonly series?: boolean | undefined;
  /** folder of a report with verdicts; absent: none is written */
  readonly name?: string | undefined;
}

/** The runs of a plan: one of the package by its name, or one of one's own by its text. */
export interface SweepRequest {
  readonly kind: 'sweep';
  readonly plan?: string | undefined;
  /** as of the file that `sumlens sweep` takes: YAML, or JSON */
  readonly text?: string | undefined;
  readonly size?: string | undefined;
  /** minutes */
  readonly stopAfter?: number | undefined;
}

/** Letters of a plan of one's own, and runs that it may have: more are started in a terminal. */
export const MOST_PLAN_LETTERS = 48 << 10;
export const MOST_PLAN_RUNS = 5000;

/** What a plan would do, after five seconds of timing this machine. */
export interface DryRunResult extends PlanCost {
  readonly plan: string;
  readonly description: string;
  /** runs at a time, by which it lasts as long as it lasts */
  readonly jobs: number;
}

export type JobRequest = TrainRequest | PresetRequest | ProbeRequest | CompareRequest | SweepRequest;

/** What a request comes to, before anything is started. */
export interface JobCheck {
  /** what it is, in a few words */
  readonly title: string;
  /** what does the same in a terminal */
  readonly command: string;
  /** runs that it trains or reads */
  readonly runs: readonly string[];
  /** what the user may want to know first: a run that is there already */
  readonly notes: readonly string[];
}

export interface JobProgress {
  /** of the work, in [0, 1] */
  readonly share: number;
  readonly text: string;
  /** time left */
  readonly etaMs: number | null;
}

export interface JobSummary extends JobCheck {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  /** ISO 8601, UTC */
  readonly added: string;
  readonly begun: string | null;
  readonly ended: string | null;
  readonly progress: JobProgress | null;
  /** cores that it works on; of a queued one those it would like */
  readonly cores: number;
  /** why it failed: the sentence of the command line */
  readonly reason: string | null;
  /** name of the report that it has written or adds to */
  readonly report: string | null;
}

/** The list, and the payload of the server-sent event `jobs`. */
export interface JobList {
  /** jobs that may run at once, by cores */
  readonly cores: number;
  /** latest first */
  readonly jobs: readonly JobSummary[];
}

/** Payload of the server-sent event `log`: what was added to what the job printed. */
export interface JobLog {
  /** the log begins anew: forget what was shown */
  readonly fresh: boolean;
  readonly text: string;
}

/** One row of the table of settings, for the form. */
export interface FormField {
  readonly path: string;
  /** without its dashes */
  readonly flag: string;
  readonly help: string;
  readonly reason: string;
  readonly kind: 'whole' | 'number' | 'boolean' | 'choice' | 'names' | 'range' | 'other';
  /** what is allowed, in words */
  readonly allowed: string;
  /** of a choice, and of operations */
  readonly of: readonly string[];
  /** of a number */
  readonly low: number | null;
  readonly high: number | null;
  /** text of the default; empty: absent, or it follows from other fields */
  readonly value: string;
  /** the default in words */
  readonly byDefault: string;
}

export interface FormPreset {
  readonly name: string;
  readonly description: string;
  readonly runs: number;
  /** what its runs have in common, by path, as text */
  readonly fields: Readonly<Record<string, string>>;
}

/** What can be asked for. */
export interface JobForm {
  readonly cores: number;
  readonly fields: readonly FormField[];
  readonly presets: readonly FormPreset[];
  readonly modules: readonly { readonly name: string; readonly title: string; readonly question: string }[];
  readonly plans: readonly {
    readonly name: string;
    readonly description: string;
    readonly sizes: readonly string[];
  }[];
  /** sizes that a plan may have */
  readonly planSizes: readonly string[];
}
