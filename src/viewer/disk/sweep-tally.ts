/** What a growing results.jsonl says of a sweep: kept up to date line by line, with what its outline plans. No I/O. */
import { hasLearned, isNested } from '../../train/learned.js';
import { parseJsonStrict } from '../../io/json.js';
import { costOf } from '../../workflows/train-runs.js';
import {
  cellKey,
  cellOf,
  type OutlineCell,
  runText,
  type SweepOutline,
} from '../../workflows/sweep/plan/outline.js';
import {
  checkResultLine,
  evaluationRows,
  type ResultLine,
} from '../../workflows/sweep/results/result-line.js';
import type { FinishedRun, SweepCell, SweepState, SweepTable } from '../contract.js';

/** Runs named at the end of the page. */
const MOST_LATEST = 12;

interface Counted {
  readonly cell: Omit<OutlineCell, 'runs' | 'cost'>;
  runs: number;
  learned: number;
}

export class SweepTally {
  private readonly seen = new Set<string>();
  private readonly counted = new Map<string, Counted>();
  private readonly latest: FinishedRun[] = [];
  private unreadable = 0;
  private seconds = 0;
  private cost = 0;

  get finished(): number {
    return this.seen.size;
  }

  /** @param text - one line of results.jsonl */
  add(text: string): void {
    const line = read(text);
    if (line === undefined) {
      this.unreadable++;
      return;
    }
    if (this.seen.has(line.id)) return;
    this.seen.add(line.id);
    const { configuration: config } = line;
    const cell = cellOf(config);
    const key = cellKey(cell);
    const counted = this.counted.get(key) ?? { cell, runs: 0, learned: 0 };
    this.counted.set(key, counted);
    const learned = hasLearned(evaluationRows(line), cell.operation, { nested: isNested(config.data) });
    counted.runs++;
    if (learned === true) counted.learned++;
    this.seconds += line.seconds;
    this.cost += costOf(config) * Math.min(1, line.end.step / config.training.steps);
    this.latest.unshift({
      text: runText(config),
      operation: cell.operation,
      learned: learned === true,
      reason: line.end.reason,
      step: line.end.step,
      seconds: line.seconds,
    });
    this.latest.length = Math.min(this.latest.length, MOST_LATEST);
  }

  state(name: string, running: boolean, outline: SweepOutline | undefined): SweepState {
    const planned = new Map((outline?.cells ?? []).map((cell) => [cellKey(cell), cell]));
    // a plan that was run before may have left results that the present one lacks
    const ofPlan = [...planned].map(([key, cell]) => {
      const done = Math.min(cell.runs, this.counted.get(key)?.runs ?? 0);
      return { cost: cell.runs * cell.cost, done: done * cell.cost, runs: cell.runs, finished: done };
    });
    const sum = (of: (one: (typeof ofPlan)[number]) => number): number =>
      ofPlan.reduce((total, one) => total + of(one), 0);
    const [cost, done] = [sum((one) => one.cost), sum((one) => one.done)];
    const secondsLeft = this.cost > 0 ? ((cost - done) * this.seconds) / this.cost : undefined;
    return {
      name,
      running,
      finished: outline === undefined ? this.finished : sum((one) => one.finished),
      total: outline === undefined ? null : sum(({ runs }) => runs),
      share: outline === undefined || cost === 0 ? null : done / cost,
      etaMs:
        outline === undefined || secondsLeft === undefined
          ? null
          : (secondsLeft * 1000) / Math.max(1, outline.jobs),
      tables: tablesOf(planned, this.counted),
      latest: [...this.latest],
      unreadable: this.unreadable,
    };
  }
}

function read(text: string): ResultLine | undefined {
  try {
    const found = checkResultLine(parseJsonStrict(text, { where: 'results.jsonl' }));
    return 'line' in found ? found.line : undefined;
  } catch {
    return undefined;
  }
}

/** One table for each place, arms down, sizes across. */
function tablesOf(
  planned: ReadonlyMap<string, OutlineCell>,
  counted: ReadonlyMap<string, Counted>,
): SweepTable[] {
  const cells = new Map<string, Omit<OutlineCell, 'runs' | 'cost'>>([
    ...[...planned].map(([key, cell]) => [key, cell] as const),
    ...[...counted].map(([key, { cell }]) => [key, cell] as const),
  ]);
  const tables = new Map<string, { sizes: Set<number>; rows: Map<string, Map<number, SweepCell>> }>();
  for (const [key, { place, arm, operation, parameters }] of cells) {
    const table = tables.get(place) ?? {
      sizes: new Set<number>(),
      rows: new Map<string, Map<number, SweepCell>>(),
    };
    tables.set(place, table);
    table.sizes.add(parameters);
    const name = `${operation} in ${arm}`;
    const row = table.rows.get(name) ?? new Map<number, SweepCell>();
    table.rows.set(name, row);
    const { learned = 0, runs = 0 } = counted.get(key) ?? {};
    row.set(parameters, { learned, runs, planned: planned.get(key)?.runs ?? null });
  }
  return [...tables]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([place, { sizes, rows }]) => {
      const ascending = [...sizes].sort((a, b) => a - b);
      return {
        place,
        sizes: ascending,
        rows: [...rows]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([arm, row]) => ({ arm, cells: ascending.map((size) => row.get(size) ?? null) })),
      };
    });
}
