/** The model a run trains: its architecture with the size of its vocabulary. */
import { vocabulary } from '../listops/tokenizer.js';
import type { GptConfig } from '../model/gpt-config.js';
import type { RunConfig } from './run-config.js';

export function gptConfigOf(config: RunConfig): GptConfig {
  return { dVocab: vocabulary(config.data.modulus, config.vocabulary).size, ...config.model };
}
