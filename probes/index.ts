/** The probe modules: one line each. */
import type { Probe } from './contract.js';
import { ablation } from './ablation/index.js';
import { attention } from './attention/index.js';
import { attribution } from './attribution/index.js';
import { embeddingPca } from './embedding-pca/index.js';
import { logitLens } from './logit-lens/index.js';
import { memorization } from './memorization/index.js';
import { parityProbe } from './parity-probe/index.js';

/** Those of every report: what `all`, `compare` and `run` measure. */
export const PROBES: readonly Probe[] = [
  embeddingPca,
  parityProbe,
  ablation,
  memorization,
] as unknown as readonly Probe[];

/** Those that are measured where they are asked for by name. */
export const NAMED_PROBES: readonly Probe[] = [
  logitLens,
  attribution,
  attention,
] as unknown as readonly Probe[];

export const EVERY_PROBE: readonly Probe[] = [...PROBES, ...NAMED_PROBES];
