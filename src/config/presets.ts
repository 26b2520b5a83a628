/** Named sets of runs. What is done with the trained runs is decided elsewhere. */
import { nearest, unacceptable } from '../errors.js';
import type { OperationName } from '../listops/operations.js';
import type { Regime } from '../listops/data-config.js';
import { resolveRunConfig, type DeepPartial } from './parse.js';
import type { RunConfig } from './run-config.js';

export interface Preset {
  readonly description: string;
  readonly runs: readonly RunConfig[];
}

const MIXED: readonly OperationName[] = ['MAX', 'MED', 'SUM'];
const SUM_ONLY: readonly OperationName[] = ['SUM'];

/** One run for each seed 1..nSeeds. */
function arm(
  tasks: readonly OperationName[],
  regime: Regime,
  nSeeds: number,
  rest: DeepPartial<RunConfig>,
): RunConfig[] {
  return Array.from({ length: nSeeds }, (_, i) =>
    resolveRunConfig({ ...rest, data: { ...rest.data, tasks, regime }, seed: i + 1 }),
  );
}

/** Depth 1, d=16: the paper's contrast within seconds a run. `pairs` needs twice the steps. */
function quickRuns(): RunConfig[] {
  const full = { training: { steps: 8000 } };
  const pairs = { training: { steps: 16_000 } };
  return [
    ...arm(MIXED, 'full', 6, full),
    ...arm(SUM_ONLY, 'full', 6, full),
    // C3 and C4 need six runs that learned; about one SUM-only run in six has not within the budget, so eight are trained
    ...arm(MIXED, 'pairs', 8, pairs),
    ...arm(SUM_ONLY, 'pairs', 8, pairs),
    // the easy companion that only copies: does the benefit need number order?
    ...arm(['FIRST', 'SUM'], 'full', 4, full),
  ];
}

/** Depth 2: at d=48 the joint task was exact after 16,000 steps of lr 1e-3; lr 2e-3 is less stable at these widths. */
function depthTwoRuns(): RunConfig[] {
  return [32, 48].flatMap((dModel) =>
    [MIXED, SUM_ONLY].flatMap((tasks) =>
      arm(tasks, 'full', 3, {
        data: { depth: 2 },
        model: { dModel },
        optimizer: { learningRate: 1e-3 },
        training: { steps: 16_000, evaluateEvery: 1000 },
      }),
    ),
  );
}

function smokeRuns(): RunConfig[] {
  const tiny = {
    model: { dModel: 8, nLayers: 1, nCtx: 32 },
    optimizer: { warmupSteps: 10 },
    training: { steps: 60, batchSize: 16, evaluateEvery: 30 },
  };
  return [...arm(MIXED, 'full', 2, tiny), ...arm(SUM_ONLY, 'full', 2, tiny)];
}

export const PRESET_NAMES = ['quick', 'smoke', 'standard'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const presets: Readonly<Record<PresetName, Preset>> = {
  quick: {
    description:
      'Joint task against SUM alone and FIRST+SUM at depth 1, d=16, with and without hold-out: minutes.',
    runs: quickRuns(),
  },
  smoke: {
    description: 'Four tiny runs of 60 steps that learn nothing: seconds, to try the whole path.',
    runs: smokeRuns(),
  },
  standard: {
    description:
      'quick, and depth 2 at d=32 and d=48, joint task against SUM alone, 3 seeds: about 15 minutes.',
    runs: [...quickRuns(), ...depthTwoRuns()],
  },
};

/** @throws UserError with the nearest name */
export function getPreset(name: string): Preset {
  const known = PRESET_NAMES.find((candidate) => candidate === name);
  if (known !== undefined) return presets[known];
  const near = nearest(name, PRESET_NAMES);
  throw unacceptable(
    'preset',
    name,
    `one of ${PRESET_NAMES.join(', ')}`,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
}
