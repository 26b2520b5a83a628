/** `training.phases`: a run whose operations change on the way. Reading, checking, and which phase an update belongs to. */
import { UserError, unacceptable } from '../errors.js';
import { canonicalTasks } from '../listops/data-config.js';
import { OPERATION_NAMES, type OperationName } from '../listops/language/operations.js';
import { shownValue } from '../rules.js';

export interface Phase {
  /** operations of its examples, in table order */
  readonly tasks: readonly OperationName[];
  /** updates */
  readonly steps: number;
}

/** A phase with its place in the run: updates `from` to `to` - 1, counted from 0. */
export interface PhaseSpan {
  readonly tasks: readonly OperationName[];
  readonly from: number;
  readonly to: number;
}

export const PHASES_EXPECTED = 'two phases or more, e.g. MAX+MED:4000,SUM:4000';
const MOST_PHASES = 64;
const FIELD = 'training.phases (--phases)';

/** `MAX+MED:4000,SUM:4000`, or the list itself. @throws UserError */
export function checkedPhases(value: unknown): Phase[] {
  const list = typeof value === 'string' ? value.split(',').map(readPhase) : value;
  if (!Array.isArray(list) || list.length < 2 || list.length > MOST_PHASES) {
    throw unacceptable(FIELD, shownValue(value), PHASES_EXPECTED);
  }
  return list.map((phase: unknown) => {
    const { tasks, steps, ...rest } = (phase ?? {}) as Partial<Record<string, unknown>>;
    if (!Array.isArray(tasks) || !tasks.every((task) => typeof task === 'string') || hasKeys(rest)) {
      throw unacceptable(FIELD, shownValue(phase), 'tasks and steps in each phase');
    }
    if (typeof steps !== 'number' || !Number.isSafeInteger(steps) || steps < 1) {
      throw unacceptable(`steps of ${FIELD}`, shownValue(steps), 'a whole number from 1');
    }
    return { tasks: canonicalTasks(tasks), steps };
  });
}

const hasKeys = (value: object): boolean => Object.keys(value).length > 0;

function readPhase(text: string): unknown {
  const match = /^\s*([^:]+):\s*(\d{1,9})\s*$/.exec(text);
  if (match === null) throw unacceptable(FIELD, text, 'operations:updates, e.g. MAX+MED:4000');
  return { tasks: match[1].split('+').map((name) => name.trim()), steps: Number(match[2]) };
}

export function phasesText(phases: readonly Phase[]): string {
  return phases.map(({ tasks, steps }) => `${tasks.join('+')}:${steps}`).join(',');
}

/** Operations of all phases, in table order: what the run has tokens for and is evaluated on. */
export function tasksOfPhases(phases: readonly Phase[]): OperationName[] {
  const used = new Set(phases.flatMap(({ tasks }) => tasks));
  return OPERATION_NAMES.filter((name) => used.has(name));
}

export const stepsOfPhases = (phases: readonly Phase[]): number =>
  phases.reduce((sum, { steps }) => sum + steps, 0);

/** What phases decide must not be said otherwise. @throws UserError */
export function checkPhasesAgree(phases: readonly Phase[], said: { tasks: unknown; steps: unknown }): void {
  const tasks = tasksOfPhases(phases).join('+');
  if (Array.isArray(said.tasks) && canonicalTasks(said.tasks as string[]).join('+') !== tasks) {
    throw unacceptable(
      'data.tasks (--tasks)',
      said.tasks.join('+'),
      `${tasks}, the operations of --phases`,
      'Leave it out.',
    );
  }
  const steps = stepsOfPhases(phases);
  if (said.steps !== undefined && said.steps !== steps) {
    throw unacceptable(
      'training.steps (--steps)',
      said.steps,
      `${steps}, the sum of --phases`,
      'Leave it out.',
    );
  }
}

/** What tells the phases of a run. */
export interface Course {
  readonly data: { readonly tasks: readonly OperationName[] };
  readonly training: { readonly steps: number; readonly phases?: readonly Phase[] };
}

/** The phases of a run in order; a run without them is one. */
export function phaseSpans({ data, training }: Course): PhaseSpan[] {
  let from = 0;
  const phases: readonly Phase[] = training.phases ?? [{ tasks: data.tasks, steps: training.steps }];
  return phases.map(({ tasks, steps }) => {
    const span = { tasks, from, to: from + steps };
    from = span.to;
    return span;
  });
}

/** Operations that a run trains last: what it is to know in the end. */
export const lastTasks = ({ data, training }: Course): readonly OperationName[] =>
  training.phases?.at(-1)?.tasks ?? data.tasks;

/** The phase of an update, counted from 0; the last one for later updates. */
export function phaseAt(spans: readonly PhaseSpan[], update: number): PhaseSpan {
  const found = spans.find(({ to }) => update < to) ?? spans.at(-1);
  if (found === undefined) throw new UserError(`${FIELD}: found none, expected ${PHASES_EXPECTED}.`);
  return found;
}
