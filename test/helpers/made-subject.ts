/** Subjects as workflows make them, of runs that were never trained: design, condition and label come from a configuration. */
import { conditionId, conditionLabel } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { Observation } from '../../src/evidence/statistic.js';
import type { Design, Subject } from '../../src/evidence/subject.js';
import type { OperationName } from '../../src/listops/language/operations.js';
import { designOf } from '../../src/workflows/probing/design.js';

export interface MadeSubject {
  readonly tasks?: readonly OperationName[];
  readonly seed?: number;
  readonly regime?: 'full' | 'pairs';
  readonly modulus?: number;
  readonly depth?: number;
  readonly operands?: readonly [number, number];
  readonly dModel?: number;
  readonly parameters?: number;
  readonly rate?: number;
  /** budget */
  readonly steps?: number;
  /** of the checkpoint; default the budget */
  readonly step?: number;
  readonly final?: boolean;
  readonly accuracy?: number | null;
  /** the smaller of the last two evaluations, if not `accuracy`; null: there was one only */
  readonly learned?: number | null;
  readonly end?: Design['end'];
  readonly trainedHere?: boolean;
  /** fields of the design that no configuration has here */
  readonly design?: Partial<Design>;
}

export function madeConfig(made: MadeSubject): RunConfig {
  const { tasks = ['SUM'], seed = 1, regime = 'pairs', modulus = 10, depth = 1, operands } = made;
  return resolveRunConfig({
    data: { tasks, regime, modulus, depth, ...(operands === undefined ? {} : { operands }) },
    model: { dModel: made.dModel ?? 16, ...(depth === 1 ? {} : { nCtx: 256 }) },
    training: { steps: made.steps ?? 16_000 },
    ...(made.rate === undefined ? {} : { optimizer: { learningRate: made.rate } }),
    seed,
  });
}

export function madeSubject(made: MadeSubject): Subject {
  const config = madeConfig(made);
  const { tasks = ['SUM'], seed = 1, accuracy = 1, learned = accuracy, final = true } = made;
  const byTask = (value: number) => Object.fromEntries(tasks.map((task) => [task, value]));
  const { steps } = config.training;
  const step = made.step ?? steps;
  const condition = conditionId(config);
  const run = `${tasks.join('-')}-${condition}-s${seed}`;
  return {
    id: `${run}@${step}`,
    run,
    step,
    seed,
    condition,
    label: conditionLabel(config),
    parameters: made.parameters ?? 8080,
    weightsSha256: '0'.repeat(64),
    final,
    accuracy: accuracy === null ? null : byTask(accuracy),
    ...(learned === null ? {} : { learned: byTask(learned) }),
    design: { ...designOf(config, made.end ?? 'budget', made.trainedHere ?? true), ...made.design },
  };
}

/** One number of a subject. */
export function observed(
  subject: Subject,
  statistic: string,
  value: number,
  rest: Partial<Observation> = {},
): Observation {
  return { subject: subject.id, statistic, scope: {}, value, ...rest };
}
