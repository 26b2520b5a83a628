/**
 * THE table of settings: one row a field of a run. Parsing, flags, help, hashing, defaults, commands and docs/settings.md
 * read it, and the types of RunConfig follow from it; a new setting is one row and its use.
 */
import { OPERATION_NAMES } from '../listops/language/operations.js';
import { ACTIVATION_FUNCTION_NAMES } from '../model/activation-functions.js';
import { MAX_CONTEXT, MAX_D_MODEL, MAX_LAYERS, RESIDUAL_INITS } from '../model/gpt-config.js';
import { DATA_SETTINGS } from './data-settings.js';
import { INIT_STD } from '../model/parameters.js';
import type { Rule } from '../rules.js';
import type { InitConfig } from './init.js';
import { type Phase, PHASES_EXPECTED, checkedPhases, phasesText } from './phases.js';
import { type Row, type Setting, boolean, choice, number, optional, whole } from './setting.js';

export const STOP_RULES = ['budget', 'solved'] as const;
export type StopRule = (typeof STOP_RULES)[number];

/** How the learning rate falls after the warm-up: half a cosine, or by the same factor at every update. */
export const SCHEDULES = ['cosine', 'exponential'] as const;
export type Schedule = (typeof SCHEDULES)[number];

const MOST_STEPS = 100_000_000;

const INIT_STD_RULE: Rule = { kind: 'number', low: 0, high: 100, above: true };

/** One learning-rate curve over the whole run, or one in each phase with a warm-up of its own. */
export const PHASE_SCHEDULES = ['one', 're-warmed'] as const;
export type PhaseSchedule = (typeof PHASE_SCHEDULES)[number];

/** AdamW's moments where a phase begins. */
export const PHASE_OPTIMIZERS = ['kept', 'reset'] as const;
export type PhaseOptimizer = (typeof PHASE_OPTIMIZERS)[number];

export const MODEL_SETTINGS = {
  dModel: whole(1, MAX_D_MODEL, {
    default: 16,
    flag: 'd-model',
    help: 'width of the residual stream',
    reason:
      'about 8,000 parameters: the smallest width at which the joint task is learned in every seed tried',
  }),
  nLayers: whole(1, MAX_LAYERS, {
    default: 2,
    flag: 'layers',
    help: 'blocks',
    reason: 'two layers: one to gather operands, one to combine them',
  }),
  nHeads: whole(1, MAX_D_MODEL, {
    default: 1,
    flag: 'heads',
    help: 'attention heads',
    reason: 'one head, as in the later versions of the paper',
  }),
  dMlp: whole(1, 8 * MAX_D_MODEL, {
    default: 64,
    derived: { from: ({ model }) => 4 * model.dModel, text: '4 d-model' },
    flag: 'd-mlp',
    help: 'feed-forward width',
    reason: '4 dModel, as GPT-2',
  }),
  activation: choice(ACTIVATION_FUNCTION_NAMES, {
    default: 'gelu',
    flag: 'activation',
    help: 'feed-forward nonlinearity',
    reason: 'gelu in its exact form, as GPT-2',
  }),
  bias: boolean({
    default: true,
    flag: 'no-bias',
    help: 'linear layers and LayerNorms without bias',
    reason: 'biases as in GPT-2',
  }),
  qkvBias: boolean({
    default: true,
    derived: { from: ({ model }) => model.bias, text: 'as the other linear layers' },
    addedLater: true,
    flag: 'no-qkv-bias',
    help: 'queries, keys and values without bias',
    reason: 'as the other linear layers',
  }),
  tied: boolean({
    default: true,
    flag: 'untied',
    help: 'separate unembedding',
    reason: 'tied embeddings: one set of number vectors to look at, and fewer parameters',
  }),
  unembeddingBias: boolean({
    default: false,
    addedLater: true,
    flag: 'unembedding-bias',
    help: 'bias of an untied unembedding',
    reason: 'GPT-2 has none',
  }),
  shareBlocks: boolean({
    default: false,
    flag: 'share-blocks',
    help: 'one block, applied repeatedly',
    reason: 'separate blocks are the common architecture',
  }),
  residualInit: choice(RESIDUAL_INITS, {
    default: 'scaled',
    addedLater: true,
    flag: 'residual-init',
    help: 'initial spread of what writes to the residual stream',
    reason: 'scaled by the number of layers, as GPT-2',
  }),
  embeddingInit: optional(INIT_STD_RULE, INIT_STD, {
    flag: 'embedding-init',
    help: 'standard deviation of the token embeddings at the start',
    reason: 'as every other weight, as GPT-2; it decides whether SUM alone leaves the start at all',
  }),
  positionInit: optional(INIT_STD_RULE, INIT_STD, {
    flag: 'position-init',
    help: 'standard deviation of the position embeddings at the start',
    reason: 'as every other weight, as GPT-2',
  }),
  nCtx: whole(1, MAX_CONTEXT, {
    default: 64,
    flag: 'n-ctx',
    help: 'longest sequence',
    reason: 'covers depth 2 with three operands (61 tokens); equal within a comparison',
  }),
};

export const OPTIMIZER_SETTINGS = {
  learningRate: number(
    // up to 1e6 so that the divergence check can be tried out
    { low: 0, high: 1e6, above: true },
    {
      default: 2e-3,
      flag: 'lr',
      help: 'peak learning rate',
      reason: 'the highest of 5e-4, 1e-3, 2e-3, 4e-3 that stayed stable at this size',
    },
  ),
  beta1: number(
    { low: 0, high: 1, below: true },
    {
      default: 0.9,
      flag: 'beta1',
      help: 'AdamW: decay of the first moment',
      reason: 'the usual momentum of AdamW',
    },
  ),
  beta2: number(
    { low: 0, high: 1, below: true },
    {
      default: 0.99,
      flag: 'beta2',
      help: 'AdamW: decay of the second moment',
      reason: '0.99 instead of 0.999: runs of some thousand steps need the shorter memory',
    },
  ),
  eps: number(
    // below 1e-20 its float32 square root underflows beside the second moment
    { low: 1e-20, high: 1 },
    {
      default: 1e-8,
      flag: 'eps',
      help: 'AdamW: added to the root of the second moment',
      reason: "AdamW's usual value",
    },
  ),
  weightDecay: number(
    { low: 0, high: 10 },
    {
      default: 0.01,
      flag: 'weight-decay',
      help: 'AdamW: decay of matrices and embeddings',
      reason: 'light decay; strong decay would itself favour generalizing solutions',
    },
  ),
  clip: number(
    { low: 0, high: 1e9, above: true },
    {
      default: 1,
      flag: 'clip',
      help: 'greatest global gradient norm',
      reason: 'global norm 1, as nanoGPT',
    },
  ),
  warmupSteps: whole(0, MOST_STEPS, {
    default: 100,
    flag: 'warmup',
    help: 'updates of linear warm-up from 0',
    reason: 'the second moment needs about 1 / (1 - beta2) steps to settle',
  }),
  schedule: choice(SCHEDULES, {
    default: 'cosine',
    addedLater: true,
    flag: 'schedule',
    help: 'how the learning rate falls',
    reason: 'cosine, as nanoGPT',
  }),
  finalFraction: number(
    { low: 0, high: 1 },
    {
      default: 0.1,
      flag: 'final-fraction',
      help: 'last learning rate, as a part of the peak',
      reason: 'decay to a tenth, as nanoGPT',
    },
  ),
};

export const TRAINING_SETTINGS = {
  steps: whole(1, MOST_STEPS, {
    default: 8000,
    flag: 'steps',
    help: 'updates',
    reason: 'the joint task was learned in every seed tried',
  }),
  batchSize: whole(1, 65536, {
    default: 64,
    flag: 'batch',
    help: 'examples an update',
    reason: '64 examples, as in the published pipeline',
  }),
  evaluateEvery: whole(1, MOST_STEPS, {
    default: 500,
    flag: 'evaluate-every',
    help: 'updates between evaluations; the last is always evaluated',
    reason: 'sixteen points on the default curve; an enumerated evaluation costs about as much as 20 steps',
  }),
  stop: choice(STOP_RULES, {
    default: 'budget',
    flag: 'stop',
    help: 'when to end: at the last step, or once everything is right twice in a row',
    reason: 'a fixed budget makes final checkpoints comparable',
  }),
  phases: optional<readonly Phase[]>({ kind: 'other', expected: PHASES_EXPECTED }, undefined, {
    flag: 'phases',
    argument: 'A+B:n,C:n',
    text: { read: checkedPhases, write: phasesText },
    help: 'operations that change on the way, with the updates of each; they decide tasks and steps',
    reason: 'all operations from the first update to the last',
  }),
  phaseSchedule: optional<PhaseSchedule>({ kind: 'choice', of: PHASE_SCHEDULES }, 'one', {
    flag: 'phase-schedule',
    help: 'one learning-rate curve over all phases, or each with its own warm-up and decay',
    reason: 'one curve: the same rate at every update as in a run without phases',
  }),
  phaseOptimizer: optional<PhaseOptimizer>({ kind: 'choice', of: PHASE_OPTIMIZERS }, 'kept', {
    flag: 'phase-optimizer',
    help: 'moments of AdamW where a phase begins',
    reason: 'kept: nothing but the data changes',
  }),
};

export const SEED_SETTING = whole(0, Number.MAX_SAFE_INTEGER, {
  default: 1,
  flag: 'seed',
  help: 'initial weights and order of the data',
  reason: 'any fixed number makes a run repeatable',
});

export const VOCABULARY_SETTING: Row<readonly string[]> = {
  default: OPERATION_NAMES,
  rule: { kind: 'other', expected: 'operations in the order of the table' },
  help: 'operations that the model has tokens for',
  reason: 'the oldest vocabulary that holds the tasks, so that runs can be compared and the table can grow',
};

export const INIT_SETTING: Row<InitConfig | undefined> = {
  default: undefined,
  rule: { kind: 'other', expected: 'what --init-from finds in a checkpoint' },
  help: 'start from a checkpoint, described by --init-from, --init and --init-optimizer',
  reason: 'a fresh start from the seed',
};

/** Fields with rows, by section, in the order of the configuration. */
export const SECTION_SETTINGS = {
  data: DATA_SETTINGS,
  model: MODEL_SETTINGS,
  optimizer: OPTIMIZER_SETTINGS,
  training: TRAINING_SETTINGS,
} as const;

export const SECTIONS = ['data', 'model', 'optimizer', 'training'] as const;
export type Section = (typeof SECTIONS)[number];

/** Every setting with its path, in the order of the configuration. */
export const SETTINGS: readonly Setting[] = [
  ...SECTIONS.flatMap((section) =>
    Object.entries<Row<unknown>>(SECTION_SETTINGS[section]).map(([key, row]): Setting => ({
      ...row,
      path: `${section}.${key}`,
    })),
  ),
  { ...SEED_SETTING, path: 'seed' },
  { ...INIT_SETTING, path: 'init' },
  { ...VOCABULARY_SETTING, path: 'vocabulary' },
];
