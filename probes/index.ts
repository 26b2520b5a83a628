/** The probe modules: one line each. `all` is PROBES; those of MORE_PROBES are run by name. */
import type { Probe } from './contract.js';
import { ablation } from './ablation/index.js';
import { attention } from './attention/index.js';
import { attribution } from './attribution/index.js';
import { embeddingPca } from './embedding-pca/index.js';
import { logitLens } from './logit-lens/index.js';
import { memorization } from './memorization/index.js';
import { neurons } from './neurons/index.js';
import { parityProbe } from './parity-probe/index.js';
import { patching } from './patching/index.js';

/** By name, each with its own type of measurement. */
export const MODULES = {
  'embedding-pca': embeddingPca,
  'parity-probe': parityProbe,
  ablation,
  memorization,
  'logit-lens': logitLens,
  attribution,
  attention,
  patching,
  neurons,
} as const;

export const PROBES: readonly Probe[] = [
  embeddingPca,
  parityProbe,
  ablation,
  memorization,
] as unknown as readonly Probe[];

/** Looked up by name only: what `all` measures, and so every report made by it, stays what it is. */
export const MORE_PROBES: readonly Probe[] = [
  logitLens,
  attribution,
  attention,
  patching,
  neurons,
] as unknown as readonly Probe[];
