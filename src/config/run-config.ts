/**
 * The scientific configuration of one run: every field that changes the mathematics, with its default and the reason
 * for it. The engine, thread count, host and output folder are not here and not in the id. Checked by parse.ts,
 * hashed by hash.ts.
 */
import type { DataConfig } from '../listops/data-config.js';
import type { ActivationFunction, ResidualInit } from '../model/gpt-config.js';

export const STOP_RULES = ['budget', 'solved'] as const;
export type StopRule = (typeof STOP_RULES)[number];

/** How the learning rate falls after the warm-up: half a cosine, or by the same factor at every update. */
export const SCHEDULES = ['cosine', 'exponential'] as const;
export type Schedule = (typeof SCHEDULES)[number];

export interface RunConfig {
  readonly data: DataConfig;
  readonly model: {
    /** residual stream width */
    readonly dModel: number;
    readonly nLayers: number;
    readonly nHeads: number;
    /** default 4 dModel, as GPT-2 */
    readonly dMlp: number;
    readonly activation: ActivationFunction;
    readonly bias: boolean;
    /** bias of the projection to queries, keys and values; default as bias */
    readonly qkvBias: boolean;
    readonly tied: boolean;
    /** bias of an untied unembedding */
    readonly unembeddingBias: boolean;
    readonly shareBlocks: boolean;
    readonly residualInit: ResidualInit;
    readonly nCtx: number;
  };
  readonly optimizer: {
    /** peak learning rate */
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly eps: number;
    readonly weightDecay: number;
    /** global gradient norm limit */
    readonly clip: number;
    /** linear warm-up from 0 */
    readonly warmupSteps: number;
    readonly schedule: Schedule;
    /** where the decay ends, as a fraction of the peak */
    readonly finalFraction: number;
  };
  readonly training: {
    readonly steps: number;
    /** examples a step */
    readonly batchSize: number;
    /** steps between evaluations; the last step is always evaluated */
    readonly evaluateEvery: number;
    readonly stop: StopRule;
  };
  /** fixes initial weights and data order; the hold-out has its own seed in data.holdoutSeed */
  readonly seed: number;
  /**
   * operations of the vocabulary in the order of their token ids; absent: those of the present table. Always stored and
   * always in the id, so that a checkpoint keeps its token ids when the table grows.
   */
  readonly vocabulary?: readonly string[];
}
