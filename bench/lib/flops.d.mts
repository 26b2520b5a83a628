import type { Batch } from '../../src/engine/engine.js';
import type { GptConfig } from '../../src/model/gpt-config.js';

export function countRows(batch: Pick<Batch, 'targets' | 'offsets'>): {
  rows: number;
  wanted: number;
  pairs: number;
  wantedPairs: number;
};
export function trainingFlops(gpt: GptConfig, batch: Pick<Batch, 'targets' | 'offsets'>): number;
