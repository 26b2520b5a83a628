/** Shape of one GPT decoder, checked. What training does with it is in config/run-config.ts. Browser-safe. */
import { unacceptable } from '../errors.js';
import { ACTIVATION_FUNCTION_NAMES, type ActivationFunction } from './activation-functions.js';

export type { ActivationFunction } from './activation-functions.js';

/**
 * Standard deviation of the initial weights that write to the residual stream: `scaled` divides by sqrt(2 nLayers), as
 * GPT-2 does; `plain` treats them like every other matrix.
 */
export const RESIDUAL_INITS = ['scaled', 'plain'] as const;
export type ResidualInit = (typeof RESIDUAL_INITS)[number];

/** Pre-LayerNorm decoder with learned positions; LayerNorm epsilon is LAYER_NORM_EPS. */
export interface GptConfig {
  /** vocabulary size V */
  readonly dVocab: number;
  /** longest sequence T the position embedding covers */
  readonly nCtx: number;
  /** residual stream width C */
  readonly dModel: number;
  /** number of block applications L */
  readonly nLayers: number;
  /** NH; dModel is a multiple of it, dHead = dModel / nHeads */
  readonly nHeads: number;
  /** feed-forward width, usually 4 dModel */
  readonly dMlp: number;
  /** gelu is the exact erf form */
  readonly activation: ActivationFunction;
  /** biases in linear layers and LayerNorms */
  readonly bias: boolean;
  /** bias in the projection to queries, keys and values (c_attn); needs `bias` */
  readonly qkvBias: boolean;
  /** unembedding shares the token embedding's weights */
  readonly tied: boolean;
  /** the unembedding has a bias [V] of its own, whatever `bias` says; needs an untied unembedding */
  readonly unembeddingBias: boolean;
  /** one block applied nLayers times */
  readonly shareBlocks: boolean;
  readonly residualInit: ResidualInit;
  /** standard deviation of the token embeddings at the start; absent: INIT_STD, as every other weight */
  readonly embeddingInit?: number;
  /** the same of the position embeddings */
  readonly positionInit?: number;
}

export const LAYER_NORM_EPS = 1e-5;
export const MAX_D_MODEL = 1024;
export const MAX_LAYERS = 32;
export const MAX_CONTEXT = 4096;

/** Throws a UserError naming the first field that is not acceptable. */
export function checkGptConfig(config: GptConfig): void {
  const whole = (field: string, value: number, low: number, high: number): void => {
    if (!Number.isInteger(value) || value < low || value > high) {
      throw unacceptable(field, value, `a whole number from ${low} to ${high}`);
    }
  };
  whole('dVocab', config.dVocab, 2, 65536);
  whole('nCtx', config.nCtx, 1, MAX_CONTEXT);
  whole('dModel', config.dModel, 1, MAX_D_MODEL);
  whole('nLayers', config.nLayers, 1, MAX_LAYERS);
  whole('nHeads', config.nHeads, 1, config.dModel);
  whole('dMlp', config.dMlp, 1, 8 * MAX_D_MODEL);
  if (config.dModel % config.nHeads !== 0) {
    throw unacceptable(
      'nHeads',
      config.nHeads,
      `a divisor of dModel (${config.dModel})`,
      'Change --heads or --d-model so that every head has the same width.',
    );
  }
  if (!ACTIVATION_FUNCTION_NAMES.includes(config.activation)) {
    throw unacceptable('activation', config.activation, ACTIVATION_FUNCTION_NAMES.join(' or '));
  }
  if (!RESIDUAL_INITS.includes(config.residualInit)) {
    throw unacceptable('residualInit', config.residualInit, RESIDUAL_INITS.join(' or '));
  }
  if (config.qkvBias && !config.bias) {
    throw unacceptable(
      'qkvBias',
      true,
      'false where bias is false',
      'Give the other linear layers a bias too.',
    );
  }
  if (config.unembeddingBias && config.tied) {
    throw unacceptable('unembeddingBias', true, 'false where tied is true', 'Untie the unembedding.');
  }
}

/** Number of parameter sets of blocks: 1 when they are shared. */
export function nBlockParameters(config: GptConfig): number {
  return config.shareBlocks ? 1 : config.nLayers;
}
