/**
 * The one schema of report.json: types here, the runtime check in parse-report.ts. No clock, host or path may appear in
 * a report; the page is a pure function of it.
 */
import type { Verdict } from '../analysis/verdict.js';
import type { Json } from '../io/json.js';

export type { Json } from '../io/json.js';

/** A numeric array in JSON: row-major, 9 significant digits, non-finite numbers as "NaN", "Infinity", "-Infinity". */
export interface JsonArray {
  readonly [key: string]: Json;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

/** One checkpoint under study. Seeds are replicates within a condition, steps a series within a run. */
export interface Subject {
  readonly [key: string]: Json | undefined;
  /** `<run>@<step>` */
  readonly id: string;
  readonly run: string;
  readonly step: number;
  readonly seed: number;
  /** hash of the configuration without seeds */
  readonly condition: string;
  /** `MAX+MED+SUM, full, d=16`: what differs between the conditions compared */
  readonly label: string;
  /** trainable numbers, tied weights once */
  readonly parameters: number;
  readonly weightsSha256: string;
  /** this is the last checkpoint of its run */
  readonly final: boolean;
  /** final evaluation: accuracy on result tokens by operation, greedy; null: not evaluated */
  readonly accuracy: { readonly [operation: string]: number } | null;
  /**
   * The smaller of the accuracies at the last two evaluations at or before this step, trained prompts: what "learned"
   * is decided by; where expressions nest, accuracy inside them is one of those, and an operation of which it is not known
   * is left out. Absent: fewer than two evaluations.
   */
  readonly learned?: { readonly [operation: string]: number };
}

export interface Interval {
  readonly [key: string]: Json;
  readonly low: number | string;
  readonly high: number | string;
  /** confidence level in (0, 1) */
  readonly level: number;
  /** `Welch t over seeds`, `Wilson`, ... */
  readonly method: string;
}

/** One number with what is claimed of it. Numbers may be the strings of non-finite values. */
export interface Finding {
  readonly id: string;
  /** C1..C6, with a part such as `C3a`; absent: exploratory */
  readonly claim?: string;
  readonly statement: string;
  readonly statistic: string;
  /** `nats`, `accuracy`, `1` (dimensionless), ... */
  readonly unit: string;
  /** absent when it could not be computed; `reason` then says why */
  readonly estimate?: number | string;
  readonly interval?: Interval;
  readonly n: { readonly seeds: number; readonly examples: number };
  readonly p?: number;
  readonly pMethod?: string;
  /** Benjamini-Hochberg within the module, exploratory findings only */
  readonly pAdjusted?: number;
  /** only from analysis/verdict.ts, only with a claim */
  readonly verdict?: Verdict;
  readonly reason?: string;
}

/** A Vega-Lite chart built from a typed result. */
export interface ChartSpec {
  /** unique in its module, kebab-case; fixed, so that equal input gives equal bytes */
  readonly id: string;
  readonly title: string;
  /** number of samples, control drawn */
  readonly subtitle: string;
  /** what a reader who cannot see the chart should know: the numbers, in sentences */
  readonly summary: string;
  /** the chart belongs on the first screen */
  readonly headline?: boolean;
  /** Vega-Lite v6 specification without $schema, config, width of the page or theme; data inline */
  readonly spec: { readonly [key: string]: Json };
  readonly table: {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly (string | number)[])[];
  };
}

export const MODULE_STATUSES = ['ok', 'failed', 'incompatible'] as const;

export interface ModuleReport {
  readonly version: number;
  readonly title: string;
  readonly question: string;
  readonly text: { readonly shows: string; readonly doesNotShow: string; readonly method: string };
  readonly options: { readonly [key: string]: Json };
  readonly status: (typeof MODULE_STATUSES)[number];
  readonly reason?: string;
  /** subjects that this module left out, with the reason */
  readonly leftOut: readonly { readonly subject: string; readonly reason: string }[];
  readonly result?: Json;
  readonly findings: readonly Finding[];
  readonly charts: readonly ChartSpec[];
}

/** Learning curves and final accuracies of one run, downsampled. */
export interface TrainingRecord {
  readonly run: string;
  readonly condition: string;
  readonly label: string;
  readonly seed: number;
  readonly parameters: number;
  readonly end: 'solved' | 'budget' | 'diverged' | 'interrupted' | 'running';
  /** at most 200 points a curve */
  readonly points: readonly {
    readonly step: number;
    readonly trainLossNats?: number | string;
    /** accuracy on result tokens, by operation */
    readonly accuracy?: { readonly [operation: string]: number };
    readonly lossByRole?: { readonly [role: string]: number | string };
    /** SUM result right modulo each divisor of n */
    readonly divisorAccuracy?: { readonly [divisor: string]: number };
  }[];
  /** last evaluation by operation, arity and hold-out, with intervals */
  readonly final: readonly {
    readonly operation: string;
    readonly arity: number;
    readonly held: boolean;
    readonly correct: number;
    readonly total: number;
    readonly accuracy: number;
    readonly low: number;
    readonly high: number;
    readonly chance: number;
    readonly enumerated: boolean;
  }[];
}

export interface Report {
  readonly schemaVersion: 1;
  readonly title: string;
  readonly subjects: readonly Subject[];
  readonly training: readonly TrainingRecord[];
  readonly modules: { readonly [name: string]: ModuleReport };
  readonly provenance: {
    /** package version */
    readonly version: string;
    readonly claimsSha256: string;
    readonly configs: { readonly [run: string]: Json };
    readonly engines: { readonly [run: string]: readonly string[] };
    /** mutual information of one operand with the result, by regime and operation, nats */
    readonly dataNotes: readonly string[];
  };
}
