/** Checks of prompts on entry to generation, the same for every engine. Browser-safe. */
import { unacceptable } from '../../errors.js';
import type { GptConfig } from '../../model/gpt-config.js';

export interface GenerateOptions {
  readonly maxNewTokens: number;
  readonly stopToken?: number;
}

/** Throws a UserError naming the first prompt or option that cannot be taken. */
export function checkPrompts(
  config: GptConfig,
  prompts: readonly Int32Array[],
  options: GenerateOptions,
): void {
  if (!Number.isInteger(options.maxNewTokens) || options.maxNewTokens < 0) {
    throw unacceptable('maxNewTokens', options.maxNewTokens, 'a whole number, 0 or more');
  }
  prompts.forEach((prompt, index) => {
    if (prompt.length < 1 || prompt.length > config.nCtx) {
      throw unacceptable(`length of prompt ${index}`, prompt.length, `1 to nCtx (${config.nCtx})`);
    }
    for (const token of prompt) {
      if (token < 0 || token >= config.dVocab) {
        throw unacceptable(`prompt ${index}`, token, `token ids below dVocab (${config.dVocab})`);
      }
    }
  });
}
