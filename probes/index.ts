/** The probe modules: one line each. */
import type { Probe } from './contract.js';
import { ablation } from './ablation.js';
import { embeddingPca } from './embedding-pca.js';

export const PROBES: readonly Probe[] = [embeddingPca, ablation] as unknown as readonly Probe[];
