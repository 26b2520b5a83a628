/** How long runs take on this machine: a few updates and one evaluation of some of them, and the rest between. */
import { gptConfigOf } from '../../../config/names.js';
import type { RunConfig } from '../../../config/run-config.js';
import type { Engine } from '../../../engine/engine.js';
import { openEngine } from '../../../engine/registry.js';
import { canonicalJson, type Json } from '../../../io/json.js';
import type { JobContext } from '../../../jobs/child.js';
import { createGenerator } from '../../../listops/sampling/generate.js';
import { parameterTable } from '../../../model/parameters.js';
import { createEvaluationSet } from '../../../train/evaluation-set.js';
import { evaluate } from '../../../train/evaluate.js';
import { evaluationChunk } from '../../../train/train-run.js';
import { updateCost } from '../../train-runs.js';
import type { CalibrationJob, UpdateCost } from '../protocol.js';

/** Most configurations that are timed, all kinds of data together; what lies between is interpolated. */
export const MOST_TIMED = 12;
/** The first update compiles and allocates. */
const UNTIMED = 1;

/** The child's work. */
export async function calibrate(job: CalibrationJob, context: JobContext): Promise<Json> {
  const { engine } = await openEngine(job.engine, { threads: 1 });
  try {
    const costs: UpdateCost[] = [];
    for (const config of job.configs) {
      context.signal.throwIfAborted();
      costs.push(await timeOne(engine, config, (1000 * job.seconds) / job.configs.length));
    }
    return costs as unknown as Json;
  } finally {
    engine.dispose();
  }
}

async function timeOne(engine: Engine, config: RunConfig, limitMs: number): Promise<UpdateCost> {
  const gpt = gptConfigOf(config);
  const model = engine.createModel(gpt, { seed: config.seed }, 'train');
  try {
    const examples = createGenerator(config.data, config.seed);
    const { batchSize, steps } = config.training;
    const update = (step: number): void => {
      model.trainStep(examples.batch(step % steps, batchSize), config.optimizer);
    };
    for (let step = 0; step < UNTIMED; step++) update(step);
    const begin = performance.now();
    let updates = 0;
    // an evaluation gets the other half
    do update(UNTIMED + updates++);
    while (performance.now() - begin < limitMs / 2);
    const updateMs = (performance.now() - begin) / updates;
    const chunkTokens = evaluationChunk(parameterTable(gpt).nParameters);
    const set = createEvaluationSet(config.data, { chunkTokens, final: false });
    const evaluated = performance.now();
    await evaluate(model, set, 0, () => Promise.resolve());
    return { updateMs, evaluateMs: performance.now() - evaluated };
  } finally {
    model.dispose();
  }
}

/** Runs whose time is a smooth function of the model's size: equal in examples and in how they are evaluated. */
function kindOf({ data, model }: RunConfig): string {
  return canonicalJson({
    ...data,
    tasks: data.tasks.length,
    holdoutSeed: 0,
    tableSeed: 0,
    nLayers: model.nLayers,
  });
}

/** Some configurations of every kind, evenly spaced over the cost of an update, cheapest and dearest among them. */
export function timedConfigs(configs: readonly RunConfig[]): RunConfig[] {
  const kinds = new Map<string, Map<number, RunConfig>>();
  for (const config of configs) {
    const kind = kinds.get(kindOf(config)) ?? new Map<number, RunConfig>();
    kinds.set(kindOf(config), kind.set(updateCost(config), config));
  }
  const most = Math.max(2, Math.floor(MOST_TIMED / kinds.size));
  return [...kinds.values()].flatMap((kind) => {
    const sorted = [...kind].sort(([a], [b]) => a - b).map(([, config]) => config);
    if (sorted.length <= most) return sorted;
    return Array.from({ length: most }, (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (most - 1))]);
  });
}

export interface Timed {
  readonly config: RunConfig;
  readonly cost: UpdateCost;
}

/**
 * Core-seconds of a run to its last step, by interpolation of log time over log cost; a run that stops when it has solved its
 * task takes less.
 * @param timed - at least one of the run's kind, ascending by cost within it
 */
export function secondsOf(config: RunConfig, timed: readonly Timed[]): number {
  const { steps, evaluateEvery } = config.training;
  const x = Math.log(updateCost(config));
  const points = timed
    .filter((one) => kindOf(one.config) === kindOf(config))
    .map((one) => ({ x: Math.log(updateCost(one.config)), cost: one.cost }));
  const at = (value: (cost: UpdateCost) => number): number => {
    if (points.length === 1) return value(points[0].cost);
    const found = points.findIndex((point) => point.x >= x);
    const right = found === -1 ? points.length - 1 : Math.max(1, found);
    const [a, b] = [points[right - 1], points[right]];
    const share = Math.min(1, Math.max(0, (x - a.x) / (b.x - a.x)));
    return Math.exp((1 - share) * Math.log(value(a.cost)) + share * Math.log(value(b.cost)));
  };
  const evaluations = Math.ceil(steps / evaluateEvery);
  return (steps * at((cost) => cost.updateMs) + evaluations * at((cost) => cost.evaluateMs)) / 1000;
}
