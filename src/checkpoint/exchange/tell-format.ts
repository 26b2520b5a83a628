/** Which program wrote a checkpoint: what its configuration says and what its tensors show must agree. */
import { UserError, printable } from '../../errors.js';
import type { Tensor } from '../format.js';
import type { Fields } from './fields.js';
import type { ExchangeFormat } from './formats.js';

/** What a configuration's fields say; undefined: nothing. */
export function formatOfConfig(fields: Fields): ExchangeFormat | undefined {
  if (fields.has('model_type') || fields.has('architectures')) return 'hf-gpt2';
  if (fields.has('d_head') || fields.has('act_fn') || fields.has('normalization_type'))
    return 'transformer-lens';
  return fields.has('model_args') || fields.has('block_size') ? 'nanogpt' : undefined;
}

/**
 * @param said - who says what, the first that says something counts
 * @throws UserError when what is said is not what the tensors show, or they show nothing
 */
export function tellFormat(
  tensors: ReadonlyMap<string, Tensor>,
  where: string,
  said: readonly { readonly format: ExchangeFormat | undefined; readonly from: string }[],
): ExchangeFormat {
  const shown = formatOfTensors(tensors, where);
  const other = said.find(({ format }) => format !== undefined && format !== shown);
  if (other === undefined) return shown;
  const isTransposed = other.format !== 'transformer-lens' && shown !== 'transformer-lens';
  throw new UserError(
    `${printable(where, 300)}: found the tensors of ${shown}, but ${printable(other.from, 300)} says ${other.format}.` +
      (isTransposed
        ? ' The linear weights are transposed: nanoGPT stores [out, in], Hugging Face GPT-2 [in, out].'
        : ' Give it the configuration of its own program.'),
  );
}

function formatOfTensors(tensors: ReadonlyMap<string, Tensor>, where: string): ExchangeFormat {
  const names = [...tensors.keys()];
  if (names.some((name) => name === 'embed.W_E' || name.endsWith('.attn.W_Q'))) return 'transformer-lens';
  const projection = names.find((name) => name.endsWith('h.0.attn.c_attn.weight'));
  const shape = projection === undefined ? [] : (tensors.get(projection)?.shape ?? []);
  if (shape.length === 2 && shape[0] === 3 * shape[1]) return 'nanogpt';
  if (shape.length === 2 && shape[1] === 3 * shape[0]) return 'hf-gpt2';
  throw new UserError(
    `${printable(where, 300)}: found ${
      names
        .slice(0, 3)
        .map((name) => printable(name))
        .join(', ') || 'no tensors'
    }, expected the tensors of nanoGPT, GPT2LMHeadModel or HookedTransformer (such as transformer.h.0.attn.c_attn.weight, or blocks.0.attn.W_Q).`,
  );
}
