/** Default of every field of a run, its range, its flag and the reason for the default. Checking is in parse.ts. */
import { DEFAULT_DATA } from '../listops/data-config.js';
import { OPERATION_NAMES } from '../listops/operations.js';
import {
  ACTIVATION_FUNCTIONS,
  MAX_CONTEXT,
  MAX_D_MODEL,
  MAX_LAYERS,
  RESIDUAL_INITS,
} from '../model/gpt-config.js';
import { SCHEDULES, STOP_RULES, type RunConfig } from './run-config.js';

export const DEFAULT_SEED = 1;

export const DEFAULT_RUN: RunConfig = {
  data: { ...DEFAULT_DATA, holdoutSeed: DEFAULT_SEED },
  model: {
    dModel: 16,
    nLayers: 2,
    nHeads: 1,
    dMlp: 64,
    activation: 'gelu',
    bias: true,
    qkvBias: true,
    tied: true,
    unembeddingBias: false,
    shareBlocks: false,
    residualInit: 'scaled',
    nCtx: 64,
  },
  optimizer: {
    learningRate: 2e-3,
    beta1: 0.9,
    beta2: 0.99,
    eps: 1e-8,
    weightDecay: 0.01,
    clip: 1,
    warmupSteps: 100,
    schedule: 'cosine',
    finalFraction: 0.1,
  },
  training: { steps: 8000, batchSize: 64, evaluateEvery: 500, stop: 'budget' },
  seed: DEFAULT_SEED,
  vocabulary: OPERATION_NAMES,
};

/** What a field may be. A `number` range excludes `low` when `above` is set, and `high` when `below` is. */
export type Rule =
  | { readonly kind: 'whole'; readonly low: number; readonly high: number }
  | {
      readonly kind: 'number';
      readonly low: number;
      readonly high: number;
      readonly above?: true;
      readonly below?: true;
    }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly of: readonly string[] };

const whole = (low: number, high: number): Rule => ({ kind: 'whole', low, high });
const boolean: Rule = { kind: 'boolean' };

/** Fields of `model`, `optimizer`, `training` and the seed, by path. Fields of `data` are checked in listops. */
export const RULES: Readonly<Record<string, { readonly flag: string; readonly rule: Rule }>> = {
  'model.dModel': { flag: '--d-model', rule: whole(1, MAX_D_MODEL) },
  'model.nLayers': { flag: '--layers', rule: whole(1, MAX_LAYERS) },
  'model.nHeads': { flag: '--heads', rule: whole(1, MAX_D_MODEL) },
  'model.dMlp': { flag: '--d-mlp', rule: whole(1, 8 * MAX_D_MODEL) },
  'model.activation': { flag: '--activation', rule: { kind: 'choice', of: ACTIVATION_FUNCTIONS } },
  'model.bias': { flag: '--no-bias', rule: boolean },
  'model.qkvBias': { flag: '--no-qkv-bias', rule: boolean },
  'model.tied': { flag: '--untied', rule: boolean },
  'model.unembeddingBias': { flag: '--unembedding-bias', rule: boolean },
  'model.shareBlocks': { flag: '--share-blocks', rule: boolean },
  'model.residualInit': { flag: '--residual-init', rule: { kind: 'choice', of: RESIDUAL_INITS } },
  'model.nCtx': { flag: '--n-ctx', rule: whole(1, MAX_CONTEXT) },
  // up to 1e6 so that the divergence check can be tried out
  'optimizer.learningRate': { flag: '--lr', rule: { kind: 'number', low: 0, high: 1e6, above: true } },
  'optimizer.beta1': { flag: '--beta1', rule: { kind: 'number', low: 0, high: 1, below: true } },
  'optimizer.beta2': { flag: '--beta2', rule: { kind: 'number', low: 0, high: 1, below: true } },
  // below 1e-20 its float32 square root underflows beside the second moment
  'optimizer.eps': { flag: '--eps', rule: { kind: 'number', low: 1e-20, high: 1 } },
  'optimizer.weightDecay': { flag: '--weight-decay', rule: { kind: 'number', low: 0, high: 10 } },
  'optimizer.clip': { flag: '--clip', rule: { kind: 'number', low: 0, high: 1e9, above: true } },
  'optimizer.warmupSteps': { flag: '--warmup', rule: whole(0, 100_000_000) },
  'optimizer.schedule': { flag: '--schedule', rule: { kind: 'choice', of: SCHEDULES } },
  'optimizer.finalFraction': { flag: '--final-fraction', rule: { kind: 'number', low: 0, high: 1 } },
  'training.steps': { flag: '--steps', rule: whole(1, 100_000_000) },
  'training.batchSize': { flag: '--batch', rule: whole(1, 65536) },
  'training.evaluateEvery': { flag: '--evaluate-every', rule: whole(1, 100_000_000) },
  'training.stop': { flag: '--stop', rule: { kind: 'choice', of: STOP_RULES } },
  seed: { flag: '--seed', rule: whole(0, Number.MAX_SAFE_INTEGER) },
};

/** Why each default is what it is, by path. */
export const DEFAULT_REASONS: Readonly<Record<string, string>> = {
  'data.tasks': 'the joint task of the paper, whose advantage is the question',
  'data.modulus': 'ten numbers, as in the paper; 10 = 2 x 5 shows the plateaus of a composite modulus',
  'data.depth': 'depth 1 shows the contrast within seconds',
  'data.operands': 'two operands make a table, three need composition; both are enumerable',
  'data.nesting': 'at depth 2 about half of all expressions are nested; without effect at depth 1',
  'data.format': 'chain of thought, as in the paper: every reduction is written out',
  'data.loss': 'a random prompt cannot be predicted, so its loss is noise',
  'data.regime': 'a hold-out changes the learning problem, so nothing is held out unless asked for',
  'data.holdoutSeed': 'the run seed: equal seeds hold out the same in every condition',
  'data.medianOfEven': 'the lower of the two middle values is always one of the operands',
  'data.tableSeed': 'one fixed relabelling and table for all runs, so that conditions differ in tasks alone',
  'data.window': 'absent: every example is whole and starts at position 0',
  'data.notation': 'absent: one vocabulary for all runs, whatever they are trained on',
  'data.fixedSize': 'absent: examples are never repeated, so that memorizing examples cannot help',
  'model.dModel':
    'about 8,000 parameters: the smallest width at which the joint task is learned in every seed tried',
  'model.nLayers': 'two layers: one to gather operands, one to combine them',
  'model.nHeads': 'one head, as in the later versions of the paper',
  'model.dMlp': '4 dModel, as GPT-2',
  'model.activation': 'gelu in its exact form, as GPT-2',
  'model.bias': 'biases as in GPT-2',
  'model.qkvBias': 'as the other linear layers',
  'model.tied': 'tied embeddings: one set of number vectors to look at, and fewer parameters',
  'model.unembeddingBias': 'GPT-2 has none',
  'model.shareBlocks': 'separate blocks are the common architecture',
  'model.residualInit': 'scaled by the number of layers, as GPT-2',
  'model.nCtx': 'covers depth 2 with three operands (61 tokens); equal within a comparison',
  'optimizer.learningRate': 'the highest of 5e-4, 1e-3, 2e-3, 4e-3 that stayed stable at this size',
  'optimizer.beta1': 'the usual momentum of AdamW',
  'optimizer.beta2': '0.99 instead of 0.999: runs of some thousand steps need the shorter memory',
  'optimizer.eps': "AdamW's usual value",
  'optimizer.weightDecay': 'light decay; strong decay would itself favour generalizing solutions',
  'optimizer.clip': 'global norm 1, as nanoGPT',
  'optimizer.warmupSteps': 'the second moment needs about 1 / (1 - beta2) steps to settle',
  'optimizer.schedule': 'cosine, as nanoGPT',
  'optimizer.finalFraction': 'decay to a tenth, as nanoGPT',
  'training.steps': 'the joint task was learned in every seed tried',
  'training.batchSize': '64 examples, as in the published pipeline',
  'training.evaluateEvery':
    'sixteen points on the default curve; an enumerated evaluation costs about as much as 20 steps',
  'training.stop': 'a fixed budget makes final checkpoints comparable',
  seed: 'any fixed number makes a run repeatable',
  vocabulary: 'all operations of the table, so that every run has the same vocabulary',
};
