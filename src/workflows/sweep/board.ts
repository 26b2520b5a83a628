/** Where the runs of a sweep stand, what is left, and who has learned what at which size. */
import type { TrainProgress } from '../../train/pace.js';
import { EMPTY_PROGRESS } from '../../train/pace.js';
import { hasLearned, isNested } from '../../train/learned.js';
import { costOf } from '../train-runs.js';
import type { SweepRun } from './plan/expand.js';
import { evaluationRows, type ResultLine } from './results/result-line.js';

export interface WorkingRun extends TrainProgress {
  readonly run: SweepRun;
}

export interface SweepProgress {
  readonly total: number;
  /** with a result */
  readonly finished: number;
  readonly failed: number;
  /** share of all work that is done, in [0, 1], by an estimate of cost */
  readonly share: number;
  /** undefined until something was trained */
  readonly etaMs?: number;
  readonly working: readonly WorkingRun[];
}

export class SweepBoard {
  private readonly working = new Map<string, WorkingRun>();
  private readonly costs: ReadonlyMap<string, number>;
  private readonly totalCost: number;
  private readonly began = performance.now();
  /** cost of what has a result, or failed for good */
  private over = 0;
  /** what of all that was done before this session */
  private before = 0;
  private finished = 0;
  private failed = 0;

  constructor(
    private readonly runs: readonly SweepRun[],
    done: ReadonlyMap<string, ResultLine>,
  ) {
    this.costs = new Map(runs.map((run) => [run.id, costOf(run.config)]));
    this.totalCost = Math.max(
      1,
      [...this.costs.values()].reduce((sum, cost) => sum + cost, 0),
    );
    for (const { id } of runs) {
      if (!done.has(id)) continue;
      this.over += this.costs.get(id) ?? 0;
      this.finished++;
    }
    this.before = this.over;
  }

  started(run: SweepRun): void {
    const { steps } = run.config.training;
    this.working.set(run.id, { run, ...EMPTY_PROGRESS, steps });
  }

  progressed(run: SweepRun, progress: TrainProgress): void {
    // the first number of a run tells where it went on; what lies before it was done by another session
    if (this.working.get(run.id)?.step === 0) this.before += this.costOf(run, progress.step);
    this.working.set(run.id, { run, ...progress });
  }

  stopped(run: SweepRun, outcome: 'finished' | 'failed' | 'again'): void {
    this.working.delete(run.id);
    if (outcome === 'again') return;
    this.over += this.costs.get(run.id) ?? 0;
    if (outcome === 'finished') this.finished++;
    else this.failed++;
  }

  private costOf(run: SweepRun, step: number): number {
    return (this.costs.get(run.id) ?? 0) * Math.min(1, step / run.config.training.steps);
  }

  progress(): SweepProgress {
    const working = [...this.working.values()];
    const done = working.reduce((sum, { run, step }) => sum + this.costOf(run, step), this.over);
    const rate = (done - this.before) / (performance.now() - this.began);
    return {
      total: this.runs.length,
      finished: this.finished,
      failed: this.failed,
      share: Math.min(1, done / this.totalCost),
      ...(rate > 0 && { etaMs: (this.totalCost - done) / rate }),
      working,
    };
  }
}

export interface LearnedCell {
  readonly learned: number;
  readonly runs: number;
}

export interface LearnedTable {
  readonly operation: string;
  /** parameters, ascending */
  readonly sizes: readonly number[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly (LearnedCell | undefined)[] }[];
}

/** Parts of a plan that differ in more than names have their own tables: one for each part. */
export function learnedBySize(
  runs: readonly SweepRun[],
  results: ReadonlyMap<string, ResultLine>,
  operation: string,
): LearnedTable[] {
  const parts = [...new Set(runs.flatMap(({ places }) => places.map(({ part }) => part)))];
  return parts.flatMap((part) => {
    const rows = new Map<string, Map<number, { learned: number; runs: number }>>();
    const sizes = new Set<number>();
    for (const run of runs) {
      const { tasks } = run.config.data;
      // an arm without the operation is shown by its only one
      const asked = (tasks as readonly string[]).includes(operation) ? operation : tasks[0];
      for (const place of run.places) {
        if (place.part !== part) continue;
        const name = asked === operation ? place.arm : `${place.arm} (${asked})`;
        const row = rows.get(name) ?? new Map<number, { learned: number; runs: number }>();
        rows.set(name, row);
        sizes.add(run.parameters);
        const line = results.get(run.id);
        if (line === undefined) continue;
        const cell = row.get(run.parameters) ?? { learned: 0, runs: 0 };
        cell.runs++;
        const options = { nested: isNested(run.config.data) };
        if (hasLearned(evaluationRows(line), asked, options) === true) cell.learned++;
        row.set(run.parameters, cell);
      }
    }
    const ascending = [...sizes].sort((a, b) => a - b);
    return [
      {
        operation: part === '' ? operation : `${part}: ${operation}`,
        sizes: ascending,
        rows: [...rows].map(([name, row]) => ({ name, cells: ascending.map((size) => row.get(size)) })),
      },
    ];
  });
}
