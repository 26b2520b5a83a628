/** Reads everything in a run directory and says what is wrong with it. Changes nothing. */
import { errorMessage } from '../errors.js';
import { listSteps, METRICS_FILE, readEnd } from './run-files.js';
import type { RunStore } from './run-store.js';

/** One sentence for each problem. */
export function verifyRun(store: RunStore): string[] {
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push(errorMessage(error));
      return undefined;
    }
  };
  const weights = new Map<string, number>();
  for (const step of store.steps()) {
    const loaded = attempt(() => store.loadStep(step));
    if (loaded === undefined) continue;
    // the mistake of serving one file under many step names has happened to published collections
    const twin = weights.get(loaded.weightsSha256);
    if (twin !== undefined) problems.push(`${store.name}: steps ${twin} and ${step} hold the same weights.`);
    weights.set(loaded.weightsSha256, step);
    const bad = loaded.parameters.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) problems.push(`${store.name}@${step}: parameter ${bad} is ${loaded.parameters[bad]}.`);
  }
  for (const step of listSteps(store.dir, 'resume')) attempt(() => store.loadResume(step));
  const end = attempt(() => readEnd(store.dir));
  if (
    end !== undefined &&
    end.reason !== 'interrupted' &&
    end.reason !== 'diverged' &&
    store.lastStep !== end.step
  ) {
    problems.push(
      `${store.name}: ended at step ${end.step}, but the last checkpoint is ${store.lastStep ?? 'missing'}.`,
    );
  }
  attempt(() => checkOrder(store.readMetrics()));
  // one damage may be found by two looks
  return [...new Set(problems)];
}

function checkOrder(rows: readonly unknown[]): void {
  let last = -1;
  rows.forEach((row, i) => {
    const step = typeof row === 'object' && row !== null && 'step' in row ? row.step : undefined;
    if (typeof step !== 'number' || step < last) {
      throw new Error(`${METRICS_FILE}: line ${i + 1} has step ${String(step)} after step ${last}.`);
    }
    last = step;
  });
}
