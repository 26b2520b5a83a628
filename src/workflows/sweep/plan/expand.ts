/** The runs of a plan, each with a checked configuration. Nothing is started or looked up on disk. */
import { conditionId, gptConfigOf, runId } from '../../../config/names.js';
import { INIT_PARTS } from '../../../config/init.js';
import { resolveRunConfig } from '../../../config/parse.js';
import type { RunConfig } from '../../../config/run-config.js';
import { UserError } from '../../../errors.js';
import { grouped } from '../../../evidence/results.js';
import { sha256Hex } from '../../../io/sha256.js';
import { parameterTable } from '../../../model/parameters.js';
import { withInit } from '../../../train/init-source.js';
import { momentUpdates } from '../../../train/moments.js';
import { type Fields, firstShared, isFields, mergedFields, shown } from './fields.js';
import type { ResultLine } from '../results/result-line.js';
import { countSeeds, type Plan, type PlanPart, seedsOf } from './plan.js';

/** Most runs of a plan: beyond it the list alone fills a terminal and a memory. */
export const MOST_RUNS = 100_000;

/** One run, which may stand at several places of a plan and is trained once. */
export interface SweepRun {
  /**
   * the run's id; of a run that starts from another one a stand-in for it, as its id holds the weights of its source, which
   * are not known before that is trained
   */
  readonly id: string;
  /** with a stand-in for the source's weights */
  readonly config: RunConfig;
  readonly parameters: number;
  readonly places: readonly { readonly part: string; readonly arm: string }[];
  /** modules that measure its end */
  readonly modules: readonly string[];
  /** id of the run of the plan whose checkpoint it starts from */
  readonly source?: string;
  /** it goes on with the optimizer of its source */
  readonly keepsOptimizer?: true;
  /** another run goes on with its optimizer, so that its result names its moments */
  readonly givesMoments?: true;
  /** the configuration it is trained with, from the result of its source */
  readonly startsFrom?: (source: SourceResult) => RunConfig;
}

/** What a result line says of a source. */
export type SourceResult = Pick<
  ResultLine,
  'id' | 'configuration' | 'weightsStep' | 'weightsSha256' | 'momentsSha256'
>;

/** The configuration that a run is trained with; undefined while the result of its source is not there. */
export function configOf(run: SweepRun, results: ReadonlyMap<string, ResultLine>): RunConfig | undefined {
  if (run.source === undefined || run.startsFrom === undefined) return run.config;
  const source = results.get(run.source);
  if (source === undefined) return undefined;
  if (run.keepsOptimizer === true && source.momentsSha256 === undefined) return undefined;
  return run.startsFrom(source);
}

/** How fields become a configuration; the general parser, or another one in a test. */
export type Resolve = (fields: Fields, where: string) => RunConfig;

/**
 * The general parser, after a checkpoint that `init.from` names by its address was looked up.
 * @param root - the checkpoints folder
 */
export function resolveFields(root = 'checkpoints'): Resolve {
  return (fields, where) => {
    const init = fields['init'];
    if (!isFields(init) || typeof init['from'] !== 'string' || init['weights'] !== undefined) {
      return resolveRunConfig(fields, where);
    }
    const what = INIT_PARTS.find((part) => part === init['what']);
    if (init['what'] !== undefined && what === undefined) return resolveRunConfig(fields, where);
    const optimizer = optimizerOf(init, where);
    const { init: _, ...rest } = fields;
    try {
      return resolveRunConfig(withInit(rest, { from: init['from'], what, optimizer }, root), where);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(
        `${where}: ${error.message
          .replace(/^--init-from/, 'init.from')
          .replace(/^--init-optimizer/, 'init.optimizer')}`,
        {
          cause: error,
        },
      );
    }
  };
}

/** `init.optimizer` of a plan. @throws UserError */
function optimizerOf(init: Fields, where: string): 'kept' | 'reset' {
  const { optimizer = 'reset' } = init;
  if (optimizer === 'kept' || optimizer === 'reset') return optimizer;
  throw new UserError(`${where}: init.optimizer: found ${shown(optimizer)}, expected kept or reset.`);
}

/** Distinct arms x axes x seeds in number, without making any. */
export function countRuns(plan: Plan): number {
  let count = 0;
  for (const { arms, axes, seeds } of plan.parts) {
    const points = axes.reduce((product, axis) => product * axis.points.length, 1);
    for (const arm of arms.values()) count += points * countSeeds(arm.seeds ?? seeds);
  }
  return count;
}

/**
 * Every run of the plan, in its order, sources before what starts from them.
 * @throws UserError when a configuration is not acceptable, two arms are the same, or the plan is too large
 */
export function expandPlan(plan: Plan, resolve: Resolve = resolveFields()): SweepRun[] {
  const count = countRuns(plan);
  if (count > MOST_RUNS) {
    throw new UserError(
      `plan ${plan.name}: found ${grouped(count)} runs (arms x axes x seeds), expected at most ${grouped(MOST_RUNS)}. Take values out of an axis, or seeds.`,
    );
  }
  const runs = new Map<string, SweepRun>();
  for (const part of plan.parts) new PartExpansion(plan, part, resolve, runs).expand();
  const all = [...runs.values()];
  const givers = new Set(
    all.flatMap(({ source, keepsOptimizer }) => (keepsOptimizer === true ? [source] : [])),
  );
  return all.map((run) => (givers.has(run.id) ? { ...run, givesMoments: true as const } : run));
}

class PartExpansion {
  /** run of each place of this part */
  private readonly made = new Map<string, SweepRun>();
  /** arm that first gave a run */
  private readonly armOf = new Map<string, string>();

  constructor(
    private readonly plan: Plan,
    private readonly part: PlanPart,
    private readonly resolve: Resolve,
    private readonly runs: Map<string, SweepRun>,
  ) {}

  expand(): void {
    const { arms, axes, seeds } = this.part;
    for (const [arm, { fields }] of arms) {
      for (const axis of axes) {
        const path = axis.points
          .map((point) => firstShared(fields, point))
          .find((shared) => shared !== undefined);
        if (path !== undefined) {
          throw new UserError(
            `${this.where(arm)}: sets ${path}, which the axis ${axis.name} sets too. Leave one of them out.`,
          );
        }
      }
    }
    for (const [arm, own] of arms) {
      for (const point of combinations(axes.map(({ points }) => points))) {
        for (const seed of seedsOf(own.seeds ?? seeds)) this.runAt(arm, point, seed);
      }
    }
  }

  private where(arm: string): string {
    return `plan ${this.plan.name}, ${this.part.name === '' ? '' : `part ${this.part.name}, `}arm ${arm}`;
  }

  private runAt(arm: string, point: readonly number[], seed: number): SweepRun {
    const key = `${arm}\n${point.join(',')}\n${seed}`;
    const present = this.made.get(key);
    if (present !== undefined) return present;
    const run = this.makeRun(arm, point, seed);
    const twin = this.armOf.get(run.id);
    if (twin !== undefined) {
      throw new UserError(
        twin === arm
          ? `${this.where(arm)}: two points of its axes give the same run ${run.id}. Leave one of them out.`
          : `${this.where(arm)}: gives the same run as arm ${twin} (${run.id}). Leave one of the arms out.`,
      );
    }
    this.armOf.set(run.id, arm);
    this.made.set(key, run);
    const elsewhere = this.runs.get(run.id);
    this.runs.set(
      run.id,
      elsewhere === undefined
        ? run
        : {
            ...elsewhere,
            places: [...elsewhere.places, ...run.places],
            modules: [...new Set([...elsewhere.modules, ...run.modules])],
          },
    );
    return run;
  }

  private makeRun(arm: string, point: readonly number[], seed: number): SweepRun {
    const { base, arms, axes, modules, name } = this.part;
    const own = arms.get(arm);
    if (own === undefined) throw new Error(`no arm ${arm}`);
    const values = axes.map(({ points }, i) => points[point[i]]);
    const fields = [base, own.fields, ...values, { seed }].reduce(mergedFields);
    const where = this.where(arm);
    let source: SweepRun | undefined;
    let startsFrom: SweepRun['startsFrom'];
    let keeps = false;
    if (own.from !== undefined) {
      keeps = isFields(fields['init']) && optimizerOf(fields['init'], where) === 'kept';
      source = this.runAt(own.from.arm, point, own.from.seed === 'same' ? seed : own.from.seed);
      startsFrom = (result) => this.resolve({ ...fields, init: initOf(fields['init'], result) }, where);
    }
    const config =
      source === undefined || startsFrom === undefined
        ? this.resolve(fields, where)
        : startsFrom(standIn(source));
    if (config.data.file !== undefined) {
      throw new UserError(
        `${this.where(arm)}: data.file: found ${config.data.file.name}, expected none: a sweep trains on generated examples.`,
      );
    }
    return {
      id: runId(config),
      config,
      parameters: parameterTable(gptConfigOf(config)).nParameters,
      places: [{ part: name, arm }],
      modules,
      ...(source !== undefined && startsFrom !== undefined && { source: source.id, startsFrom }),
      ...(keeps && { keepsOptimizer: true as const }),
    };
  }
}

/** `init` of a plan, such as `{ from: { arm }, what: numbers }`, with its source described as a configuration describes it. */
function initOf(init: unknown, source: SourceResult): Fields {
  const { id, configuration, weightsStep, weightsSha256, momentsSha256 } = source;
  const { optimizer, ...given } = isFields(init) ? init : {};
  return {
    what: 'all',
    ...given,
    weights: weightsSha256,
    from: `${id}@${weightsStep}`,
    condition: conditionId(configuration),
    tasks: configuration.data.tasks,
    ...(optimizer === 'kept' && {
      optimizer: { moments: momentsSha256, updates: momentUpdates(configuration, weightsStep) },
    }),
  };
}

/** The end of a run that is not trained yet. */
function standIn({ id, config }: SweepRun): SourceResult {
  return {
    id,
    configuration: config,
    weightsStep: config.training.steps,
    weightsSha256: sha256Hex(id),
    momentsSha256: sha256Hex(`${id} moments`),
  };
}

/** Every choice of one index a list, the last index fastest. */
function combinations(lists: readonly (readonly unknown[])[]): number[][] {
  return lists.reduce<number[][]>(
    (before, list) => before.flatMap((choice) => list.map((_, i) => [...choice, i])),
    [[]],
  );
}
