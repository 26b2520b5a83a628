/**
 * sweep.json beside results.jsonl: how many runs of each arm and size a sweep is to train, and at how many a time, for whoever
 * watches from another process. Made anew by every start; no result depends on it.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { conditionLabel, gptConfigOf } from '../../../config/names.js';
import type { RunConfig } from '../../../config/run-config.js';
import { SMALL_START } from '../../../evidence/claims-file.js';
import { PRIMARY } from '../../../evidence/conditions.js';
import { groupBy } from '../../../evidence/group-by.js';
import { grouped } from '../../../evidence/results.js';
import { writeFileDurably } from '../../../io/files.js';
import { canonicalJson } from '../../../io/json.js';
import { parameterTable } from '../../../model/parameters.js';
import { designOf } from '../../probing/design.js';
import { costOf } from '../../train-runs.js';
import type { SweepRun } from './expand.js';

export const OUTLINE_FILE = 'sweep.json';

const count = z.int().nonnegative();

export const outlineSchema = z.strictObject({
  /** runs at a time */
  jobs: z.int().positive(),
  cells: z
    .array(
      z.strictObject({
        place: z.string().max(300),
        arm: z.string().max(300),
        operation: z.string().max(40),
        parameters: count,
        runs: count,
        /** of one of its runs, in the unit of costOf */
        cost: z.number().nonnegative(),
      }),
    )
    .max(20_000),
});
export type SweepOutline = Readonly<z.infer<typeof outlineSchema>>;
export type OutlineCell = SweepOutline['cells'][number];

/** Where a run stands in the tables of a sweep: what its data are, what it is trained on, which operation is asked for, its size. */
export function cellOf(config: RunConfig): Omit<OutlineCell, 'runs' | 'cost'> {
  const design = designOf(config, 'running', true);
  const { tasks, regime, modulus, depth, operands, steps, embeddingInit, startKind, startTasks } = design;
  const [fewest, most] = operands;
  return {
    place: [
      regime,
      `modulus ${modulus}`,
      `depth ${depth}`,
      fewest === most ? `${most} operands` : `${fewest} to ${most} operands`,
      ...(design.generated ? [] : ['lines of a file']),
    ].join(', '),
    arm: [
      tasks.join('+'),
      ...(embeddingInit === SMALL_START ? [] : [`start ${embeddingInit}`]),
      ...(startKind === 'scratch' ? [] : [`${startKind === 'phases' ? 'after' : startKind} ${startTasks}`]),
      `${grouped(steps)} steps`,
    ].join(', '),
    operation: tasks.includes(PRIMARY) ? PRIMARY : tasks[0],
    parameters: parameterTable(gptConfigOf(config)).nParameters,
  };
}

/** The cell as text: equal for runs of one cell. */
export const cellKey = ({ place, arm, operation, parameters }: ReturnType<typeof cellOf>): string =>
  JSON.stringify([place, arm, operation, parameters]);

export function outlineOf(runs: readonly SweepRun[], jobs: number): SweepOutline {
  const cells = groupBy(
    runs.map(({ config }) => ({ cell: cellOf(config), cost: costOf(config) })),
    ({ cell }) => cellKey(cell),
  );
  return {
    jobs,
    cells: [...cells.values()].map((own) => ({
      ...own[0].cell,
      runs: own.length,
      cost: own.reduce((sum, { cost }) => sum + cost, 0) / own.length,
    })),
  };
}

export function writeOutline(folder: string, outline: SweepOutline): void {
  writeFileDurably(join(folder, OUTLINE_FILE), `${canonicalJson(outline)}\n`);
}

/** The run in a list: `SUM, full, d=16 seed 101` */
export const runText = (config: RunConfig): string => `${conditionLabel(config)} seed ${config.seed}`;
