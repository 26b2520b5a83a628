/** A trained run as the claims about learning see it. */
import { isOneCourse } from '../config/phases.js';
import type { RunConfig } from '../config/run-config.js';
import type { MetricRow } from '../train/metrics.js';

/** One run with everything it measured while training. */
export interface TrainedRun {
  readonly id: string;
  readonly config: RunConfig;
  readonly label: string;
  readonly parameters: number;
  readonly rows: readonly MetricRow[];
  /** for good: budget, solved or diverged; absent: not known, or interrupted */
  readonly ended?: boolean;
}

/** Whether it was trained on these operations and no others, all the time, from a start of its own. */
export function isTasks({ config }: TrainedRun, tasks: readonly string[]): boolean {
  if (!isOneCourse(config)) return false;
  const own: readonly string[] = config.data.tasks;
  return own.length === tasks.length && tasks.every((task) => own.includes(task));
}
