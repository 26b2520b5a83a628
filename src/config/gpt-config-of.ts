/** The model a run trains: its architecture with the size of its vocabulary. */
import { vocabularyOf } from '../listops/tokenizer.js';
import type { GptConfig } from '../model/gpt-config.js';
import type { RunConfig } from './run-config.js';

export function gptConfigOf(config: RunConfig): GptConfig {
  return { dVocab: vocabularyOf(config.data, config.vocabulary).size, ...config.model };
}
