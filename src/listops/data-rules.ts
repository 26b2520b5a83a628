/** What each field of DataConfig may be by itself; what fields ask of each other is in data-config.ts. */
import type { Rule } from '../rules.js';
import { MEDIAN_OF_EVEN, OPERATION_NAMES } from './language/operations.js';
import { NOTATIONS } from './language/tokenizer.js';

export const FORMATS = ['steps', 'direct'] as const;
export type Format = (typeof FORMATS)[number];
export const LOSSES = ['completion', 'all'] as const;
export type LossScope = (typeof LOSSES)[number];
/** ordered-triples: what the paper's public pipeline does; the same numbers in another order are trained */
export const REGIMES = ['full', 'pairs', 'triples', 'ordered-triples'] as const;
export type Regime = (typeof REGIMES)[number];

/** How pairs are chosen; absent: balanced draws, in which pairs a, a come up twice as often as they are pairs. */
export const HOLDOUT_METHODS = ['stratified'] as const;
export type HoldoutMethod = (typeof HOLDOUT_METHODS)[number];

export const MODULUS_RANGE = [2, 64] as const;
export const OPERANDS_RANGE = [2, 16] as const;
/** Longest sequence the generator will make; a model's nCtx is far below it. */
export const MOST_TOKENS = 16384;

const seed: Rule = { kind: 'whole', low: 0, high: Number.MAX_SAFE_INTEGER };

export const DATA_RULES = {
  tasks: { kind: 'names', of: OPERATION_NAMES },
  modulus: { kind: 'whole', low: MODULUS_RANGE[0], high: MODULUS_RANGE[1] },
  depth: { kind: 'whole', low: 1, high: 8 },
  operands: { kind: 'range', low: OPERANDS_RANGE[0], high: OPERANDS_RANGE[1] },
  nesting: { kind: 'number', low: 0, high: 1 },
  format: { kind: 'choice', of: FORMATS },
  loss: { kind: 'choice', of: LOSSES },
  regime: { kind: 'choice', of: REGIMES },
  holdoutSeed: seed,
  holdoutMethod: { kind: 'choice', of: HOLDOUT_METHODS },
  medianOfEven: { kind: 'choice', of: MEDIAN_OF_EVEN },
  tableSeed: seed,
  fixedSize: { kind: 'whole', low: 1, high: 100_000_000 },
  window: { kind: 'whole', low: 2, high: MOST_TOKENS },
  notation: { kind: 'choice', of: NOTATIONS },
  digitSkew: { kind: 'number', low: 0, high: 10 },
  file: { kind: 'other', expected: 'what --data finds in a file' },
} as const satisfies Record<string, Rule>;
