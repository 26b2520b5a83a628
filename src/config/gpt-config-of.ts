/** The model a run trains: its architecture with the size of its vocabulary. */
import { oldestVocabulary } from '../listops/language/operations.js';
import { authorsVocabulary, vocabularyOf } from '../listops/language/tokenizer.js';
import type { GptConfig } from '../model/gpt-config.js';
import type { RunConfig } from './run-config.js';

/** Operations that a run has tokens for, in the order of their ids: those stored, else the oldest that hold its tasks. */
export function operationsOf({
  data,
  vocabulary,
}: Pick<RunConfig, 'data' | 'vocabulary'>): readonly string[] {
  if (vocabulary !== undefined) return vocabulary;
  return data.notation === undefined
    ? oldestVocabulary(data.tasks)
    : authorsVocabulary(data.modulus).operations;
}

export function gptConfigOf(config: RunConfig): GptConfig {
  return { dVocab: vocabularyOf(config.data, operationsOf(config)).size, ...config.model };
}
