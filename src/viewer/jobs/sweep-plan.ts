/** The plan of a sweep that a page asks for: one of the package by its name, or the text of one of one's own. */
import { join } from 'node:path';
import { nearest, unacceptable, UserError } from '../../errors.js';
import { grouped } from '../../evidence/results.js';
import { exists } from '../../io/files.js';
import { bundledPlans, findPlan } from '../../workflows/sweep/bundled.js';
import { countRuns, expandPlan, resolveFields, type SweepRun } from '../../workflows/sweep/plan/expand.js';
import { type Fields, isFields } from '../../workflows/sweep/plan/fields.js';
import { parsePlan, type Plan, PLAN_SIZES, type PlanSize } from '../../workflows/sweep/plan/plan.js';
import { RESULTS_FILE } from '../../workflows/sweep/results/results-file.js';
import { MOST_PLAN_RUNS, type SweepRequest } from '../contract/jobs.js';
import { checkpointOf, type Folders } from './folders.js';

/** The file of a plan of one's own in the folder of its job. */
export const PLAN_FILE = 'plan.yaml';

export interface PlannedSweep {
  readonly plan: Plan;
  readonly runs: readonly SweepRun[];
  /** after `sumlens sweep`: the plan, and flags */
  readonly words: readonly string[];
  readonly notes: readonly string[];
}

/** @throws UserError in the words of the command line */
export function sweepOf(request: SweepRequest, folders: Folders): PlannedSweep {
  const { plan: name, text, size, stopAfter } = request;
  if ((name === undefined) === (text === undefined)) {
    throw new UserError(
      `plan: found ${name === undefined ? 'neither a name nor a text' : 'a name and a text'}, expected one of them.`,
    );
  }
  const known = PLAN_SIZES.find((one) => one === size);
  if (size !== undefined && known === undefined) throw unacceptable('size', size, PLAN_SIZES.join(' or '));
  const plan = text === undefined ? bundled(name ?? '', known) : own(text, known, folders);
  const runs = expandPlan(plan, resolveFields(folders.checkpointsDir));
  return {
    plan,
    runs,
    words: [
      text === undefined ? (name ?? '') : PLAN_FILE,
      ...(known === undefined ? [] : ['--size', known]),
      ...(stopAfter === undefined ? [] : ['--stop-after', String(stopAfter)]),
    ],
    notes: notesOf(plan.name, folders),
  };
}

function bundled(name: string, size: PlanSize | undefined): Plan {
  const plans = bundledPlans();
  if (plans.includes(name)) return findPlan(name, size);
  const near = nearest(name, plans);
  throw unacceptable(
    'plan',
    name,
    `one of ${plans.join(', ')}`,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
}

function own(text: string, size: PlanSize | undefined, folders: Folders): Plan {
  const plan = parsePlan(text, PLAN_FILE, size);
  const count = countRuns(plan);
  if (count > MOST_PLAN_RUNS) {
    throw new UserError(
      `${PLAN_FILE}: found ${grouped(count)} runs (arms x axes x seeds), expected at most ${grouped(MOST_PLAN_RUNS)} here. Start it in a terminal, with "sumlens sweep ${PLAN_FILE}".`,
    );
  }
  for (const { name, base, arms, axes } of plan.parts) {
    const where = name === '' ? '' : `part ${name}, `;
    checkSource(base, `${where}base`, folders);
    for (const [arm, { fields }] of arms) checkSource(fields, `${where}arm ${arm}`, folders);
    for (const axis of axes)
      for (const point of axis.points) checkSource(point, `${where}axis ${axis.name}`, folders);
  }
  return plan;
}

/** A checkpoint that runs start from is one of the folder. */
function checkSource({ init }: Fields, where: string, { checkpointsDir }: Folders): void {
  if (!isFields(init) || typeof init['from'] !== 'string' || init['weights'] !== undefined) return;
  try {
    checkpointOf(init['from'], checkpointsDir, 'init.from');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${PLAN_FILE}: ${where}: ${error.message}`, { cause: error });
  }
}

/** @throws UserError where the folder of the results holds something else */
function notesOf(name: string, { reportsDir }: Folders): string[] {
  const folder = join(reportsDir, name);
  if (exists(join(folder, RESULTS_FILE)))
    return [`The sweep ${name} is there already: runs that have a result are not trained again.`];
  if (['report.json', 'comparison.json'].some((file) => exists(join(folder, file)))) {
    throw new UserError(
      `name: found ${name}, which is the name of a report; expected another one for the results of the sweep.`,
    );
  }
  return [];
}
