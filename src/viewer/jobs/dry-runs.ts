/** Dry runs of plans, one at a time: each times this machine for five seconds in a child, and starts nothing else. */
import { UserError } from '../../errors.js';
import { dryRun } from '../../workflows/sweep/plan/dry-run.js';
import { resultsOfPlan, sweepResults } from '../../workflows/sweep/sweep.js';
import type { DryRunResult, SweepRequest } from '../contract/jobs.js';
import { RefusedError } from '../http/guard.js';
import { type Folders, withoutPaths } from './folders.js';
import { sweepOf } from './sweep-plan.js';

export class DryRuns {
  private current: AbortController | undefined;

  constructor(
    private readonly folders: Folders,
    private readonly cores: number,
  ) {}

  /** @throws UserError in the words of the command line; RefusedError 409 while another one is at work */
  async run(request: SweepRequest): Promise<DryRunResult> {
    if (this.current !== undefined)
      throw new RefusedError(409, 'Another dry run is timing this machine. Wait a few seconds.');
    const { folders, cores: jobs } = this;
    const { plan, runs, results } = withoutPaths(folders, () => {
      const found = sweepOf(request, folders);
      return {
        ...found,
        results: resultsOfPlan(found.runs, sweepResults(folders.reportsDir, found.plan.name)),
      };
    });
    this.current = new AbortController();
    try {
      const found = await dryRun(runs, results, plan.claims, 'auto', this.current.signal);
      return { plan: plan.name, description: plan.description, jobs, ...found };
    } catch (error) {
      if (this.current.signal.aborted) throw new UserError('The viewer was stopped.', { cause: error });
      throw error;
    } finally {
      this.current = undefined;
    }
  }

  /** Stops what runs. */
  close(): void {
    this.current?.abort();
  }
}
