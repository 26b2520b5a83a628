/** The model a run trains: its architecture with the size of its vocabulary. */
import { vocabularyOf } from '../listops/tokenizer.js';
import type { GptConfig } from '../model/gpt-config.js';
import type { RunConfig } from './run-config.js';

export function gptConfigOf(config: RunConfig): GptConfig {
  const { model } = config;
  return {
    dVocab: vocabularyOf(config.data, config.vocabulary).size,
    qkvBias: model.bias,
    unembeddingBias: false,
    residualInit: 'scaled',
    ...model,
  };
}
