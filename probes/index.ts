/** The probe modules: one line each. */
import type { Probe } from './contract.js';
import { ablation } from './ablation/index.js';
import { embeddingPca } from './embedding-pca/index.js';
import { memorization } from './memorization.js';
import { parityProbe } from './parity-probe/index.js';

export const PROBES: readonly Probe[] = [
  embeddingPca,
  parityProbe,
  ablation,
  memorization,
] as unknown as readonly Probe[];
