/**
 * The one schema of report.json: types here, the runtime check in parse-report.ts. No clock, host or path may appear in
 * a report; the page is a pure function of it.
 */
import type { ClaimResult } from '../evidence/claims.js';
import type { PlanVerdicts } from '../evidence/plan-verdicts.js';
import type { Finding } from '../evidence/finding.js';
import type { Observation, StatisticInfo } from '../evidence/statistic.js';
import type { Subject } from '../evidence/subject.js';
import type { Json } from '../io/json.js';

export type { Finding, Interval } from '../evidence/finding.js';
export type { Subject } from '../evidence/subject.js';
export type { Json } from '../io/json.js';

/** A numeric array in JSON: row-major, 9 significant digits, non-finite numbers as "NaN", "Infinity", "-Infinity". */
export interface JsonArray {
  readonly [key: string]: Json;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
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
  /** absent: what its statistics say of themselves */
  readonly text?: { readonly shows: string; readonly doesNotShow: string; readonly method: string };
  readonly options: { readonly [key: string]: Json };
  readonly status: (typeof MODULE_STATUSES)[number];
  readonly reason?: string;
  /** subjects that this module left out, with the reason */
  readonly leftOut: readonly { readonly subject: string; readonly reason: string }[];
  /** what its numbers are; the numbers themselves are among the observations of the report */
  readonly statistics: readonly StatisticInfo[];
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

export const REPORT_KINDS = ['claims', 'comparison'] as const;

export interface Report {
  readonly schemaVersion: 2;
  /** `claims`: the paper's claims first; `comparison`: the reader's own conditions first */
  readonly kind: (typeof REPORT_KINDS)[number];
  readonly title: string;
  /** what its author wrote for readers; plain text, paragraphs by line */
  readonly notes?: string;
  readonly subjects: readonly Subject[];
  /** every number of every checkpoint */
  readonly observations: readonly Observation[];
  /** decided from subjects and observations alone */
  readonly claims: readonly ClaimResult[];
  /** what another plan of runs came to, which is none of these; `href` is its page, seen from this one */
  readonly beside?: PlanVerdicts & { readonly href: string };
  readonly training: readonly TrainingRecord[];
  readonly modules: { readonly [name: string]: ModuleReport };
  readonly provenance: {
    /** package version */
    readonly version: string;
    /** the command line that makes the report; no folders in it */
    readonly command?: string;
    readonly claimsSha256: string;
    readonly configs: { readonly [run: string]: Json };
    readonly engines: { readonly [run: string]: readonly string[] };
    /** mutual information of one operand with the result, by regime and operation, nats */
    readonly dataNotes: readonly string[];
  };
}
