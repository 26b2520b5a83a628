/**
 * Trains the runs of a sweep, one child a core: sources before what starts from them, the longest first, failures again a few
 * times. What a finished run says goes to whoever asked at once; nothing is written here.
 */
import { RunError } from '../../errors.js';
import { costOf } from '../train-runs.js';
import type { SweepRun } from './plan/expand.js';
import type { ResultLine } from './results/result-line.js';

/** How an attempt at one run ended. */
export type Attempt =
  | { readonly kind: 'finished'; readonly line: ResultLine }
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** trying again cannot help */
      readonly final: boolean;
    }
  | { readonly kind: 'interrupted' };

export interface PoolOptions {
  /** in an order in which sources come first */
  readonly runs: readonly SweepRun[];
  /** lines that are there already, by the runs' ids in the plan */
  readonly done: ReadonlyMap<string, ResultLine>;
  /** hash of a run's last checkpoint, when it is on disk and verifies */
  readonly weightsOf: (run: SweepRun) => string | undefined;
  readonly parallel: number;
  /** attempts after the first */
  readonly retries: number;
  readonly attempt: (run: SweepRun) => Promise<Attempt>;
  /** a result that was not there before; durable when it returns */
  readonly onResult: (run: SweepRun, line: ResultLine) => void;
  /** nothing that is still to be trained starts from the run */
  readonly onReleased: (run: SweepRun) => void;
  readonly onRetry?: (run: SweepRun, message: string) => void;
  readonly onFailed?: (run: SweepRun, message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface FailedRun {
  readonly run: string;
  readonly reason: string;
}

export interface PoolEnd {
  readonly failed: readonly FailedRun[];
  /** stopped before everything was tried */
  readonly interrupted: boolean;
}

type State = 'waiting' | 'working' | 'over' | 'failed';

interface Node {
  readonly run: SweepRun;
  /** its result is there, but its checkpoint is needed again */
  readonly again: boolean;
  /** cost of the run and of the longest chain that starts from it */
  priority: number;
  state: State;
  attempts: number;
}

/** Works through the runs. */
export async function runPool(options: PoolOptions): Promise<PoolEnd> {
  const pool = new Pool(options);
  return pool.work();
}

class Pool {
  private readonly nodes: Map<string, Node>;
  private readonly failed: FailedRun[] = [];
  private interrupted = false;
  private trouble: Error | undefined;
  private working = 0;
  private wake: (() => void)[] = [];

  constructor(private readonly options: PoolOptions) {
    this.nodes = nodesOf(options);
  }

  async work(): Promise<PoolEnd> {
    const { parallel, signal } = this.options;
    this.interrupted = signal?.aborted === true;
    for (const run of this.options.runs) if (!this.nodes.has(run.id)) this.release(run);
    const n = Math.min(Math.max(1, parallel), this.nodes.size);
    await Promise.all(Array.from({ length: n }, () => this.worker()));
    if (this.trouble !== undefined) throw this.trouble;
    return { failed: this.failed, interrupted: this.interrupted };
  }

  private async worker(): Promise<void> {
    for (;;) {
      if (this.interrupted || this.options.signal?.aborted === true || this.trouble !== undefined) {
        this.interrupted = true;
        this.wakeAll();
        return;
      }
      const node = this.next();
      if (node !== undefined) {
        this.working++;
        try {
          await this.tryOnce(node);
        } catch (error) {
          // of our own work, such as a full disk: no further run can be recorded
          this.trouble ??= error instanceof Error ? error : new Error(String(error));
        }
        this.working--;
        this.wakeAll();
      } else if (this.working === 0) return;
      else await new Promise<void>((resolve) => this.wake.push(resolve));
    }
  }

  private wakeAll(): void {
    for (const wake of this.wake.splice(0)) wake();
  }

  /** The ready run of highest priority. */
  private next(): Node | undefined {
    let best: Node | undefined;
    for (const node of this.nodes.values()) {
      if (node.state !== 'waiting' || !this.isReady(node)) continue;
      if (best === undefined || node.priority > best.priority) best = node;
    }
    return best;
  }

  private isReady({ run }: Node): boolean {
    if (run.source === undefined) return true;
    const source = this.nodes.get(run.source);
    return source === undefined || source.state === 'over';
  }

  private async tryOnce(node: Node): Promise<void> {
    node.state = 'working';
    node.attempts++;
    const end = await this.options.attempt(node.run);
    switch (end.kind) {
      case 'interrupted':
        node.state = 'waiting';
        this.interrupted = true;
        return;
      case 'failed':
        if (!end.final && node.attempts <= this.options.retries) {
          node.state = 'waiting';
          this.options.onRetry?.(node.run, end.message);
        } else this.fail(node, end.message);
        return;
      case 'finished':
        this.finish(node, end.line);
    }
  }

  private finish(node: Node, line: ResultLine): void {
    const before = this.options.done.get(node.run.id);
    if (before !== undefined && before.weightsSha256 !== line.weightsSha256) {
      this.fail(
        node,
        `trained again because another run starts from it, it ended with weights ${line.weightsSha256.slice(0, 12)}, but its result names ${before.weightsSha256.slice(0, 12)}. Was it another engine? Delete its line to take the new one.`,
      );
      return;
    }
    const tellsMore = before?.momentsSha256 === undefined && line.momentsSha256 !== undefined;
    if (!node.again || tellsMore) this.options.onResult(node.run, line);
    node.state = 'over';
    this.release(node.run);
    if (node.run.source !== undefined) {
      const source = this.options.runs.find(({ id }) => id === node.run.source);
      if (source !== undefined) this.release(source);
    }
  }

  /** Says so when nothing that is left needs the checkpoint of a run. */
  private release(run: SweepRun): void {
    const own = this.nodes.get(run.id);
    if (own !== undefined && own.state !== 'over') return;
    for (const { run: other, state } of this.nodes.values()) {
      if (other.source === run.id && state !== 'over' && state !== 'failed') return;
    }
    this.options.onReleased(run);
  }

  private fail(node: Node, reason: string): void {
    node.state = 'failed';
    this.failed.push({ run: node.run.id, reason });
    this.options.onFailed?.(node.run, reason);
    for (const other of this.nodes.values()) {
      if (other.run.source === node.run.id && other.state === 'waiting') {
        this.fail(other, `the run that it starts from failed: ${node.run.id}`);
      }
    }
  }
}

/** What is to be done: runs without a result, and sources whose checkpoints these need and lack. */
function nodesOf({ runs, done, weightsOf }: PoolOptions): Map<string, Node> {
  const byId = new Map(runs.map((run) => [run.id, run]));
  const nodes = new Map<string, Node>();
  const need = (run: SweepRun): void => {
    if (nodes.has(run.id)) return;
    const again = done.has(run.id);
    nodes.set(run.id, { run, again, priority: costOf(run.config), state: 'waiting', attempts: 0 });
    if (run.source === undefined) return;
    const source = byId.get(run.source);
    if (source === undefined)
      throw new RunError(`${run.id} starts from ${run.source}, which the plan lacks.`);
    const line = done.get(source.id);
    const lacks = run.keepsOptimizer === true && line?.momentsSha256 === undefined;
    if (line === undefined || lacks || weightsOf(source) !== line.weightsSha256) need(source);
  };
  for (const run of runs) if (!done.has(run.id)) need(run);
  // runs come after their sources: from the back every chain is summed up once
  for (const run of [...runs].reverse()) {
    const node = nodes.get(run.id);
    const source = run.source === undefined ? undefined : nodes.get(run.source);
    if (node !== undefined && source !== undefined) {
      source.priority = Math.max(source.priority, costOf(source.run.config) + node.priority);
    }
  }
  return nodes;
}
