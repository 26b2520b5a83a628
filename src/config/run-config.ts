/**
 * The scientific configuration of one run: every field that changes the mathematics. What each is, its default and the
 * reason for it stand in settings.ts. The engine, thread count, host and output folder are not here and not in the id.
 * Checked by parse.ts, hashed by hash.ts.
 */
import type { DataConfig } from '../listops/data-config.js';
import type { InitConfig } from './init.js';
import type { Values } from './setting.js';
import type { MODEL_SETTINGS, OPTIMIZER_SETTINGS, TRAINING_SETTINGS } from './settings.js';

export interface RunConfig {
  readonly data: DataConfig;
  readonly model: Values<typeof MODEL_SETTINGS>;
  readonly optimizer: Values<typeof OPTIMIZER_SETTINGS>;
  readonly training: Values<typeof TRAINING_SETTINGS>;
  /** start from another run's checkpoint; absent: from the seed */
  readonly init?: InitConfig;
  /** fixes initial weights and data order; the hold-out has its own seed in data.holdoutSeed */
  readonly seed: number;
  /**
   * operations of the vocabulary in the order of their token ids; absent: those of the oldest vocabulary that holds the
   * tasks. Always stored and always in the id, so that a checkpoint keeps its token ids when the table grows.
   */
  readonly vocabulary?: readonly string[];
}
