/** What each exchange format says of itself. */
import type { Vocabulary } from '../../listops/language/tokenizer.js';
import type { GptConfig } from '../../model/gpt-config.js';
import type { Tensor } from '../format.js';
import type { Fields } from './fields.js';
import type { ForeignTensor } from './mapping.js';

/** What a file says of a model, and where it says so. Absent fields are said elsewhere or have to be asked for. */
export type FoundShape = { readonly [K in keyof GptConfig]?: { value: GptConfig[K]; from: string } };

/** One format. */
export interface FormatDescription {
  /** the rows of mapping.ts */
  readonly tensors: (config: GptConfig) => ForeignTensor[];
  /** config.json of the other program */
  readonly config: (config: GptConfig, vocab: Vocabulary) => Readonly<Record<string, unknown>>;
  /** files beside weights, configuration and vocabulary */
  readonly moreFiles?: (vocab: Vocabulary) => readonly { name: string; content: unknown }[];
  /** what of the model it cannot express; undefined: nothing */
  readonly refusal: (config: GptConfig) => string | undefined;
  /** what a reader of the files should know, one sentence each */
  readonly notes: (config: GptConfig) => string[];
  /** what config.json says; refuses settings that our model does not have */
  readonly declared: (fields: Fields) => FoundShape;
  /** what a model computes of which nothing says the activation function; without `is` it must be said, and why */
  readonly unsaidActivation: { readonly is?: GptConfig['activation']; readonly reason: string };
  /** sizes read off the tensors */
  readonly measured: (tensors: ReadonlyMap<string, Tensor>) => FoundShape;
}
