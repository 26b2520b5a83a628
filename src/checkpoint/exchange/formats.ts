/** The other programs whose checkpoints are written and read. */
import type { FormatDescription } from './format-description.js';
import { HF_GPT2 } from './hf-gpt2.js';
import { NANOGPT } from './nanogpt.js';
import { TRANSFORMER_LENS } from './transformer-lens.js';

export const EXCHANGE_FORMATS = ['nanogpt', 'hf-gpt2', 'transformer-lens'] as const;
export type ExchangeFormat = (typeof EXCHANGE_FORMATS)[number];

export const FORMATS: Readonly<Record<ExchangeFormat, FormatDescription>> = {
  nanogpt: NANOGPT,
  'hf-gpt2': HF_GPT2,
  'transformer-lens': TRANSFORMER_LENS,
};
