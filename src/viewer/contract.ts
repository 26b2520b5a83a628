/**
 * What the viewer's server sends and its pages read: plain JSON, one set of types for both sides. No I/O; browser-safe.
 */

/** As the store lists them. stopped: it has no end, and nobody works on it. */
export const RUN_STATUSES = [
  'running',
  'solved',
  'budget',
  'diverged',
  'interrupted',
  'stopped',
  'corrupt',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Most points drawn of one curve: more cost the browser time and show nothing more on a screen. */
export const MAX_POINTS = 500;
/** Points of the small curve in a list. */
export const SPARKLINE_POINTS = 32;
/** Curves kept of one run: a metrics file is not ours to trust. */
export const MAX_CURVES = 64;

/** [step, value]; null where the value was not finite. */
export type CurvePoint = readonly [step: number, value: number | null];

/**
 * loss: nats; role: nats by role of the token; accuracy: result tokens right by operation, over operands that training
 * may draw; held: the same over held-out operands; nested: results right inside nested expressions, free-running;
 * divisor: SUM right modulo a divisor of n.
 */
export const CURVE_GROUPS = ['loss', 'role', 'accuracy', 'held', 'nested', 'divisor'] as const;
export type CurveGroup = (typeof CURVE_GROUPS)[number];

export interface Curve {
  readonly group: CurveGroup;
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

export interface RunSummary {
  /** path of the folder below the one that holds runs: `run`, `exp/run`; may hold anything */
  readonly id: string;
  /** the run has a page */
  readonly open: boolean;
  /** of its page, in place of the id; matches ADDRESS_NAME */
  readonly address: string;
  /** the id is a link, and the run lies here below the same folder */
  readonly linkOf?: string;
  /** it came with the package */
  readonly shipped?: true;
  readonly status: RunStatus;
  /** why it is corrupt, or how it ended */
  readonly reason?: string;
  /** metrics.jsonl has not been read yet: step, loss, accuracy and sparkline come with a later list */
  readonly reading?: true;
  /** hash of the configuration without seeds: what runs are grouped by; empty when it is not known */
  readonly condition: string;
  /** the condition in words */
  readonly label: string;
  /** of the label among those of the folder: its colour */
  readonly place: number;
  readonly tasks: readonly string[];
  readonly seed: number | null;
  readonly parameters: number | null;
  readonly step: number;
  /** budget */
  readonly steps: number | null;
  /** last training loss in nats */
  readonly loss: number | null;
  /** accuracy on result tokens by operation, last evaluation; null: none yet */
  readonly accuracy: Readonly<Record<string, number>> | null;
  /**
   * every operation was right often enough at the last two evaluations, inside nested expressions too; null: not
   * evaluated yet, or the rows do not tell
   */
  readonly learned: boolean | null;
  /** SUM accuracy (or that of the first operation) over steps, to four digits */
  readonly sparkline: readonly CurvePoint[];
  /** uniform guessing, 1 / modulus */
  readonly chance: number | null;
  /** what somebody wrote of it; absent: nothing */
  readonly tags?: readonly string[];
  readonly note?: string;
}

export type SettingValue = string | number | boolean | null | readonly (string | number)[];

/** What the runs of one condition have in common. */
export interface ConditionSettings {
  readonly condition: string;
  /** by path: `model.dModel`, `data.tasks`; without seeds */
  readonly settings: Readonly<Record<string, SettingValue>>;
}

/** Answer of /api/runs. */
export interface RunList {
  readonly runs: readonly RunSummary[];
  readonly conditions: readonly ConditionSettings[];
}

export interface CheckpointRow {
  readonly step: number;
  readonly sizeBytes: number;
  /** first digits of the SHA-256 of the weights */
  readonly sha256: string | null;
}

export interface RunDetail {
  readonly run: RunSummary;
  /** [section, [key, value][]] as text */
  readonly config: readonly (readonly [string, readonly (readonly [string, string])[]])[];
  readonly checkpoints: readonly CheckpointRow[];
  /** accuracy that counts as learned */
  readonly learnedAccuracy: number;
  /** other runs of the same condition, this one included */
  readonly siblings: readonly {
    readonly id: string;
    readonly seed: number | null;
    readonly open: boolean;
    readonly address: string;
  }[];
}

export interface VerdictChip {
  readonly claim: string;
  readonly statement: string;
  readonly verdict: string;
  /** place of the verdict in the list of verdicts; -1: unknown */
  readonly tone: number;
  /** there were runs enough to say anything */
  readonly isDecided: boolean;
}

export interface ReportSummary {
  /** path of the folder below the one that holds reports; may hold anything */
  readonly name: string;
  /** the page can be opened */
  readonly open: boolean;
  /** of its page, in place of the name; matches ADDRESS_NAME */
  readonly address: string;
  /** report.json has not been read yet: what it says of itself comes with a later list */
  readonly reading?: true;
  readonly reason?: string;
  readonly title: string;
  readonly subjects: number;
  readonly conditions: readonly string[];
  readonly modules: readonly string[];
  readonly verdicts: readonly VerdictChip[];
  readonly sizeBytes: number;
  /** name of the report of another plan of runs whose verdicts stand in this one */
  readonly beside?: string;
  /** a saved page of comparison: it has comparison.json in place of report.json */
  readonly comparison?: true;
}

/** Seeds of one arm at one size. */
export interface SweepCell {
  readonly learned: number;
  /** finished */
  readonly runs: number;
  /** null: not known */
  readonly planned: number | null;
}

/** Runs on the same kind of data. */
export interface SweepTable {
  readonly place: string;
  /** parameters, ascending */
  readonly sizes: readonly number[];
  readonly rows: readonly { readonly arm: string; readonly cells: readonly (SweepCell | null)[] }[];
}

export interface FinishedRun {
  readonly text: string;
  /** the operation that the tables are about */
  readonly operation: string;
  readonly learned: boolean;
  readonly reason: string;
  readonly step: number;
  readonly seconds: number;
}

export interface SweepSummary {
  readonly name: string;
  /** a process writes results now */
  readonly running: boolean;
  readonly finished: number;
  /** runs of the plan that was started last; null: not known */
  readonly total: number | null;
  /** of all work, in [0, 1], by an estimate of cost */
  readonly share: number | null;
  /** by the time that finished runs took */
  readonly etaMs: number | null;
}

/** Payload of the server-sent event `sweep`. */
export interface SweepState extends SweepSummary {
  readonly tables: readonly SweepTable[];
  /** the last to finish, latest first */
  readonly latest: readonly FinishedRun[];
  /** lines of results.jsonl that are no results */
  readonly unreadable: number;
}

/** Payload of the server-sent event `curves`. */
export interface CurvesEvent {
  /** the curves begin anew: forget what was drawn */
  readonly fresh: boolean;
  readonly curves: readonly Curve[];
  /** lines of metrics.jsonl that could not be read, since the start of this stream */
  readonly unreadable: number;
}

/** What may stand in an address: the first character is never a dot, nothing needs escaping. */
export const ADDRESS_NAME = /^[A-Za-z0-9_][A-Za-z0-9._+=,@-]{0,159}$/;
