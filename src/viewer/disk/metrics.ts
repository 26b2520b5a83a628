/**
 * Turns lines of metrics.jsonl into curves. A line is not trusted: what does not fit is counted and left out, names stay
 * text, and the number of curves and points has a limit. Pure; no file access.
 */
import { CURVE_GROUPS, MAX_CURVES, type Curve, type CurveGroup, type CurvePoint } from '../contract.js';
import { accuracyByOperation, divisorAccuracy } from '../../train/learned.js';
import type { EvalCell, EvalRow, NestedResults } from '../../train/metrics.js';
import { decimate } from './decimate.js';

const MAX_LINE = 64 * 1024;
const MAX_NAME = 80;
const MAX_CELLS = 1000;
/** Evaluations kept: two that tell what is learned, and those that a resumed run may go back over. */
const KEPT_EVALUATIONS = 32;

export interface Sample {
  readonly group: CurveGroup;
  readonly name: string;
  readonly step: number;
  readonly value: number | null;
}

interface ParsedLine {
  readonly samples: readonly Sample[];
  /** as far as `learned` reads it */
  readonly evaluation?: EvalRow;
}

/**
 * What one line says; undefined when it is not a metrics row.
 * @param isWanted - groups whose samples are made
 */
function parseMetricsLine(line: string, isWanted: (group: CurveGroup) => boolean): ParsedLine | undefined {
  if (line.length > MAX_LINE) return undefined;
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(row)) return undefined;
  const { kind, step } = row;
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) return undefined;
  const samples: Sample[] = [];
  if (kind === 'train') {
    addSample(samples, 'loss', 'training loss', step, row['lossNats']);
    if (isWanted('role')) addAll(samples, 'role', step, row['lossByRole']);
  } else if (kind === 'eval' && Array.isArray(row['cells'])) {
    const cells = row['cells'].slice(0, MAX_CELLS).filter(isCell);
    const inside = insideOf(row['nested']);
    const nested = { total: 0, exact: 0, roles: {}, results: [], inside };
    const evaluation: EvalRow = { kind, step, cells, ...(inside.length > 0 && { nested }) };
    addAll(samples, 'accuracy', step, accuracyByOperation(evaluation, 'trained'));
    if (isWanted('held')) addAll(samples, 'held', step, accuracyByOperation(evaluation, 'held'));
    if (isWanted('nested')) addAll(samples, 'nested', step, sharesOf(inside));
    if (isWanted('divisor')) addAll(samples, 'divisor', step, divisorAccuracy(evaluation, 'SUM'));
    return { samples, evaluation };
  } else if (kind === 'diverged') {
    addSample(samples, 'loss', 'training loss', step, 'NaN');
  } else {
    return undefined;
  }
  return { samples };
}

/** The fields of an evaluation cell that accuracies are made of. */
function isCell(cell: unknown): cell is EvalCell {
  if (!isRecord(cell)) return false;
  const { operation, held, correct, total, divisors } = cell;
  return (
    typeof operation === 'string' &&
    typeof held === 'boolean' &&
    isCount(total) &&
    isCount(correct) &&
    correct <= total &&
    isRecord(divisors) &&
    Object.values(divisors).every(isCount)
  );
}

/** Results right inside nested expressions, by operation; empty where the row does not tell. */
function insideOf(nested: unknown): NestedResults[] {
  const inside = isRecord(nested) ? nested['inside'] : undefined;
  return Array.isArray(inside) ? inside.slice(0, MAX_CURVES).filter(isInside) : [];
}

const sharesOf = (inside: readonly NestedResults[]): Record<string, number> =>
  Object.fromEntries(inside.map(({ operation, correct, total }) => [operation, correct / total]));

function isInside(entry: unknown): entry is NestedResults {
  if (!isRecord(entry)) return false;
  const { operation, correct, total } = entry;
  return typeof operation === 'string' && isCount(correct) && isCount(total) && correct <= total && total > 0;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function addAll(to: Sample[], group: CurveGroup, step: number, values: unknown): void {
  if (!isRecord(values)) return;
  for (const [name, value] of Object.entries(values).slice(0, MAX_CURVES)) {
    addSample(to, group, name, step, value);
  }
}

function addSample(to: Sample[], group: CurveGroup, name: string, step: number, value: unknown): void {
  const number = finiteOrNull(value);
  if (number !== undefined) to.push({ group, name: name.slice(0, MAX_NAME), step, value: number });
}

/** null for a number that is not finite (written as text in JSON), undefined for what is no number at all. */
function finiteOrNull(value: unknown): number | null | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return null;
  return undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Collects curves line by line; a long run is thinned as it grows, so that memory has a limit. */
export class CurveCollector {
  private readonly curves = new Map<string, { group: CurveGroup; name: string; points: CurvePoint[] }>();
  private evaluations: EvalRow[] = [];
  private lines = 0;
  lastStep = 0;

  /**
   * @param mostPoints - of one curve in `take` and, eightfold, in memory
   * @param isWanted - groups whose curves are collected beside loss and accuracy; default: all
   */
  constructor(
    private readonly mostPoints: number,
    private readonly isWanted: (group: CurveGroup) => boolean = () => true,
  ) {}

  /** lines that held no record */
  get unreadable(): number {
    return this.lines;
  }

  add(line: string): void {
    if (line === '') return;
    const parsed = parseMetricsLine(line, this.isWanted);
    if (parsed === undefined) {
      this.lines++;
      return;
    }
    for (const sample of parsed.samples) this.addPoint(sample);
    if (parsed.evaluation !== undefined) this.addEvaluation(parsed.evaluation);
  }

  private addEvaluation(row: EvalRow): void {
    const before = this.evaluations.filter(({ step }) => step < row.step);
    this.evaluations = [...before.slice(1 - KEPT_EVALUATIONS), row];
  }

  /** The last evaluations, in the order of steps, as far as `learned` reads them. */
  lastEvaluations(): readonly EvalRow[] {
    return this.evaluations;
  }

  private addPoint({ group, name, step, value }: Sample): void {
    const key = `${group}\0${name}`;
    let curve = this.curves.get(key);
    if (curve === undefined) {
      if (this.curves.size >= MAX_CURVES) return;
      curve = { group, name, points: [] };
      this.curves.set(key, curve);
    }
    // a resumed run goes back to the step it resumed from: what came after is void
    while (curve.points.length > 0 && curve.points[curve.points.length - 1][0] >= step) curve.points.pop();
    curve.points.push([step, value]);
    this.lastStep = step;
    if (curve.points.length >= 8 * this.mostPoints) {
      curve.points = [...decimate(curve.points, 4 * this.mostPoints)];
    }
  }

  /** every curve, thinned; groups in their fixed order, names in the order in which they appeared */
  curvesNow(): Curve[] {
    return CURVE_GROUPS.flatMap((group) =>
      [...this.curves.values()]
        .filter((curve) => curve.group === group)
        .map(({ name, points }) => ({ group, name, points: decimate(points, this.mostPoints) })),
    );
  }

  points(group: CurveGroup, name: string): readonly CurvePoint[] {
    return this.curves.get(`${group}\0${name}`)?.points ?? [];
  }

  names(group: CurveGroup): string[] {
    return [...this.curves.values()].filter((curve) => curve.group === group).map((curve) => curve.name);
  }

  /** curves so far are handed over; counting and the last step go on */
  clear(): void {
    this.curves.clear();
  }
}
