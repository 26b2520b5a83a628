/** The checkpoint that a run starts from: found, verified, fitted to the run, and described for its configuration. */
import { resolveCheckpoints, type RunStore } from '../checkpoint/store.js';
import { conditionId, gptConfigOf } from '../config/names.js';
import { operationsOf } from '../config/gpt-config-of.js';
import type { InitConfig, InitPart } from '../config/init.js';
import { type DeepPartial, resolveRunConfig } from '../config/parse.js';
import type { RunConfig } from '../config/run-config.js';
import type { TrainingState } from '../engine/engine.js';
import { UserError, errorMessage, unacceptable } from '../errors.js';
import { canonicalJson } from '../io/json.js';
import { vocabularyOf } from '../listops/language/tokenizer.js';
import type { GptConfig } from '../model/gpt-config.js';
import { initialParameters } from '../model/init.js';
import { transplanted } from '../model/transplant.js';
import { momentUpdates } from './moments.js';

export interface InitRequest {
  /** address of one checkpoint: `<run>`, `<run>@4096`, a path */
  readonly from: string;
  /** default: what the fields say, else all */
  readonly what?: InitPart | undefined;
  /** default: what the fields say, else reset */
  readonly optimizer?: 'kept' | 'reset' | undefined;
}

interface Source {
  readonly store: RunStore;
  readonly step: number;
  readonly parameters: Float32Array;
  readonly weightsSha256: string;
}

/** @throws UserError, RunError when it is damaged */
function openSource(address: string, root: string): Source {
  let found: ReturnType<typeof resolveCheckpoints>;
  try {
    found = resolveCheckpoints([address], root);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`--init-from: ${errorMessage(error)}`, { cause: error });
  }
  if (found.length !== 1) {
    throw unacceptable(
      '--init-from',
      address,
      `one checkpoint, not ${found.length}`,
      'Name one step, such as @final.',
    );
  }
  const [{ store, step }] = found;
  return { ...store.loadStep(step), store };
}

/** Moments at the step of a source. @throws UserError when they were not kept */
function momentsOf({ store, step }: Source): ReturnType<RunStore['loadResume']> {
  if (store.resumeSteps().includes(step)) return store.loadResume(step);
  throw new UserError(
    `--init-optimizer: ${store.name}@${step}: found no optimizer state, expected one of the steps ` +
      `${store.resumeSteps().join(', ') || '(none kept)'}. Name one of them, or pass --init-optimizer reset.`,
  );
}

/**
 * Fields of a run with its source described. A complete `init` in the fields must be of this source.
 * @param root - the checkpoints folder
 * @throws UserError when the source does not fit the run
 */
export function withInit(
  fields: DeepPartial<RunConfig>,
  request: InitRequest,
  root: string,
): DeepPartial<RunConfig> {
  const stored = fields.init;
  const source = openSource(request.from, root);
  const { store, step, weightsSha256 } = source;
  const keeps = (request.optimizer ?? (stored?.optimizer === undefined ? 'reset' : 'kept')) === 'kept';
  const init: InitConfig = {
    what: request.what ?? stored?.what ?? 'all',
    weights: weightsSha256,
    from: `${store.name}@${step}`,
    condition: conditionId(store.config),
    tasks: store.config.data.tasks,
    ...(keeps && {
      optimizer: { moments: momentsOf(source).momentsSha256, updates: momentUpdates(store.config, step) },
    }),
  };
  const content = ({ what, weights, optimizer }: DeepPartial<InitConfig>): string =>
    canonicalJson({ what, weights, ...(optimizer !== undefined && { optimizer }) });
  if (stored?.weights !== undefined && content(stored) !== content(init)) {
    throw new UserError(
      `--init-from: ${init.from} is not the start that init of the configuration describes (${stored.from ?? 'no name'}). ` +
        `Give that checkpoint with the same --init, or leave init out of the configuration.`,
    );
  }
  const described = { ...fields, init };
  checkFits(resolveRunConfig(described), source);
  return described;
}

/** What must be equal for the source's numbers to mean the same here. @throws UserError naming what differs */
function checkFits(config: RunConfig, { store, step }: Source): void {
  const facts = (of: RunConfig): Record<string, unknown> => ({
    modulus: of.data.modulus,
    notation: of.data.notation ?? 'standard',
    'operations of the vocabulary': operationsOf(of).join(' '),
    width: of.model.dModel,
    ...(config.init?.what !== 'all' && config.init?.what !== 'all-but-numbers'
      ? {}
      : shapeOf(gptConfigOf(of))),
  });
  const [theirs, ours] = [facts(store.config), facts(config)];
  const unlike = Object.keys(ours).filter((name) => theirs[name] !== ours[name]);
  if (unlike.length === 0) return;
  throw new UserError(
    `--init-from: ${store.name}@${step} does not fit this run: found ` +
      `${unlike.map((name) => `${name} ${String(theirs[name])}, expected ${String(ours[name])}`).join('; ')}. ` +
      `Start from a checkpoint of the same vocabulary and shape.`,
  );
}

/** Everything but the vocabulary, and the spread of initial weights, which the source has left behind. */
function shapeOf({
  dVocab: _v,
  residualInit: _r,
  embeddingInit: _e,
  positionInit: _p,
  ...shape
}: GptConfig): object {
  return shape;
}

/**
 * What a run with `init` starts from.
 * @param address - where the source is; default: its name in the checkpoints folder
 * @throws UserError when it is not there, is another one, or does not fit
 */
export function initialState(
  config: RunConfig,
  init: InitConfig,
  root: string,
  address?: string,
): TrainingState {
  const source = openSource(address ?? init.from, root);
  const { store, step, parameters, weightsSha256 } = source;
  if (weightsSha256 !== init.weights) {
    throw new UserError(
      `--init-from: ${store.name}@${step}: found weights ${weightsSha256.slice(0, 12)}..., expected ` +
        `${init.weights.slice(0, 12)}..., from which this run starts. Name the checkpoint that has them.`,
    );
  }
  checkFits(config, source);
  const [own, theirs] = [gptConfigOf(config), gptConfigOf(store.config)];
  const fresh = initialParameters(own, config.seed);
  const start = transplanted(init.what, {
    config: own,
    fresh,
    sourceConfig: theirs,
    source: parameters,
    firstNumber: vocabularyOf(config.data, operationsOf(config)).firstNumber,
    modulus: config.data.modulus,
    seed: config.seed,
  });
  if (init.optimizer === undefined) {
    return {
      parameters: start,
      m: new Float32Array(start.length),
      v: new Float32Array(start.length),
      step: 0,
    };
  }
  const { state, momentsSha256 } = momentsOf(source);
  if (momentsSha256 !== init.optimizer.moments) {
    throw new UserError(
      `--init-from: ${store.name}@${step}: found other moments of the optimizer than those this run starts from. ` +
        `Name the checkpoint that has them.`,
    );
  }
  return { parameters: start, m: state.m, v: state.v, step: init.optimizer.updates };
}
