/**
 * Rows of metrics.jsonl: deterministic fields only, so that a resumed run writes the same bytes. Times and rates are in
 * timing.jsonl. Here are the types, the window that train rows average over, and the parser of stored rows.
 */
import { RunError, printable } from '../errors.js';
import { ROLES } from '../listops/language/expression.js';

/** Updates between two train rows. Rows are also written for the first and the last update. */
export const TRAIN_ROW_EVERY = 50;

/** A number, or the name of a non-finite one: JSON has no NaN. */
export type MetricNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** Role names and `prompt`: targets that belong to no reduction (only with --loss all). */
export type RoleLosses = Readonly<Record<string, MetricNumber>>;

export interface TrainRow {
  readonly kind: 'train';
  /** updates done */
  readonly step: number;
  /** mean over the updates since the last row of the batch's mean over targets, nats */
  readonly lossNats: MetricNumber;
  /** mean over the targets of each role since the last row, nats */
  readonly lossByRole: RoleLosses;
  /** of this update, before clipping */
  readonly gradNorm: MetricNumber;
  /** of this update */
  readonly learningRate: number;
}

/** The update `step` was not applied because something was not finite. Always the last row. */
export interface DivergedRow {
  readonly kind: 'diverged';
  readonly step: number;
  readonly quantity: string;
  readonly value: MetricNumber;
}

/** Prompts of one operation at depth 1 with one arity, all held out or all trained. Counts, never rates. */
export interface EvalCell {
  readonly operation: string;
  readonly arity: number;
  /** the operand multiset is held out of training */
  readonly held: boolean;
  /** every input was asked; otherwise a seeded sample */
  readonly enumerated: boolean;
  readonly total: number;
  /** distinct unordered operand multisets among them: the effective number of examples of a hold-out */
  readonly multisets: number;
  /** result token right, greedy */
  readonly correct: number;
  /** whole completion right, greedy and free-running */
  readonly exact: number;
  /** mean cross-entropy of the result token, nats */
  readonly lossNats: MetricNumber;
  /** answers congruent to the result modulo each proper divisor d of n, 1 < d < n; the key is d */
  readonly divisors: Readonly<Record<string, number>>;
}

/** Whole expressions of the training distribution, generated greedily to the end; only when depth > 1. */
export interface NestedEval {
  readonly total: number;
  /** whole chain right */
  readonly exact: number;
  /** tokens right at their own place in the chain */
  readonly roles: Readonly<Record<string, { readonly total: number; readonly correct: number }>>;
  /** result tokens by the reduction they end */
  readonly results: readonly {
    readonly operation: string;
    readonly arity: number;
    readonly total: number;
    readonly correct: number;
  }[];
  /**
   * result tokens of chains of two reductions or more, by operation: what `learned` asks beside single operations. Absent in
   * rows of older versions
   */
  readonly inside?: readonly NestedResults[];
}

export interface NestedResults {
  readonly operation: string;
  readonly total: number;
  readonly correct: number;
}

/** Lines of a data file by outermost operation, held out of training or trained. */
export interface LineScore {
  /** `all`: of every operation */
  readonly operation: string;
  readonly held: boolean;
  /** lines asked */
  readonly total: number;
  /** final result right, greedy and free-running */
  readonly correct: number;
  /** 95 % Wilson interval of correct / total */
  readonly low: MetricNumber;
  readonly high: MetricNumber;
  /** whole completion right */
  readonly exact: number;
  /** mean cross-entropy of the result tokens, nats */
  readonly lossNats: MetricNumber;
  /** lines with the label that is most frequent among the trained lines of the operation */
  readonly chance: number;
  /** mean cross-entropy of the labels when answering with their frequencies among those, one added to every count */
  readonly chanceNats: MetricNumber;
}

export interface EvalRow {
  readonly kind: 'eval';
  readonly step: number;
  readonly cells: readonly EvalCell[];
  readonly nested?: NestedEval;
  /** only when the data are lines of a file */
  readonly lines?: readonly LineScore[];
}

export type MetricRow = TrainRow | EvalRow | DivergedRow;

/** Numbers as metrics.jsonl stores them: nine significant digits, non-finite ones by name. */
export function metricNumber(value: number): MetricNumber {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return Number(value.toPrecision(9));
}

/** Running sums between two train rows. Plain JSON: it goes into the resume checkpoint, numbers exactly. */
export interface WindowState {
  readonly updates: number;
  readonly lossNats: number;
  /** by role index; the last entry collects targets without a role */
  readonly roles: readonly { readonly sumNats: number; readonly count: number }[];
}

/** Averages over the updates since the last train row. */
export class LossWindow {
  private updates = 0;
  private lossNats = 0;
  private readonly sums = new Float64Array(ROLES.length + 1);
  private readonly counts = new Float64Array(ROLES.length + 1);

  constructor(from?: WindowState) {
    if (from === undefined) return;
    this.updates = from.updates;
    this.lossNats = from.lossNats;
    from.roles.forEach((role, i) => {
      this.sums[i] = role.sumNats;
      this.counts[i] = role.count;
    });
  }

  /** @param nTargets - targets in the batch: those that no role accounts for are counted under `prompt` */
  add(
    lossNats: number,
    lossByRole: readonly { readonly sumNats: number; readonly count: number }[],
    nTargets: number,
  ): void {
    this.updates++;
    this.lossNats += lossNats;
    let sumNats = lossNats * nTargets;
    let rest = nTargets;
    for (let role = 0; role < Math.min(ROLES.length, lossByRole.length); role++) {
      this.sums[role] += lossByRole[role].sumNats;
      this.counts[role] += lossByRole[role].count;
      sumNats -= lossByRole[role].sumNats;
      rest -= lossByRole[role].count;
    }
    if (rest > 0) {
      this.sums[ROLES.length] += sumNats;
      this.counts[ROLES.length] += rest;
    }
  }

  get isEmpty(): boolean {
    return this.updates === 0;
  }

  /** The means so far, and starts again. */
  take(): { lossNats: MetricNumber; lossByRole: RoleLosses } {
    const lossByRole: Record<string, MetricNumber> = {};
    [...ROLES, 'prompt'].forEach((role, i) => {
      if (this.counts[i] > 0) lossByRole[role] = metricNumber(this.sums[i] / this.counts[i]);
    });
    const lossNats = metricNumber(this.lossNats / this.updates);
    this.updates = 0;
    this.lossNats = 0;
    this.sums.fill(0);
    this.counts.fill(0);
    return { lossNats, lossByRole };
  }

  state(): WindowState {
    return {
      updates: this.updates,
      lossNats: this.lossNats,
      roles: Array.from(this.sums, (sumNats, i) => ({ sumNats, count: this.counts[i] })),
    };
  }
}

/**
 * Stored rows as typed rows. Rows of a kind that this version does not know are left out.
 * @param where - the file, for messages
 * @throws RunError when a row lacks its kind or step, or the steps are not in their order
 */
export function parseMetricRows(rows: readonly unknown[], where: string): MetricRow[] {
  const parsed: MetricRow[] = [];
  let last = -1;
  /** kinds of rows at step `last` */
  const kinds = new Set<string>();
  rows.forEach((row, index) => {
    if (!isRecord(row) || typeof row.kind !== 'string' || !Number.isSafeInteger(row.step)) {
      throw new RunError(`${where} line ${index + 1}: found no kind and step, expected a metrics row.`);
    }
    const step = Number(row.step);
    if (step > last) kinds.clear();
    if (step < last || kinds.has(row.kind)) {
      const found = `a ${printable(row.kind)} row of step ${step} after ${step < last ? `one of step ${last}` : 'another one'}`;
      throw new RunError(
        `${where} line ${index + 1}: found ${found}, expected steps in their order: two processes wrote it, or it was changed. Train the run again.`,
      );
    }
    last = step;
    kinds.add(row.kind);
    const complete =
      (row.kind === 'train' && 'lossNats' in row && isRecord(row.lossByRole)) ||
      (row.kind === 'eval' && Array.isArray(row.cells)) ||
      row.kind === 'diverged';
    // written by this module alone and checked for the fields that tell the kinds apart
    if (complete) parsed.push(row as unknown as MetricRow);
  });
  return parsed;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
