/** Greedy decoding of many prompts with a key/value cache, in groups of bounded memory. Browser-safe. */
import { Carve } from './carve.js';
import { type ModelContext, nanLogits } from './context.js';
import type { RealArray } from './module.js';
import { checkPrompts, type GenerateOptions } from './prompts.js';

/** Bytes of keys and values, and of attention patterns of prompts, held at once; more prompts are decoded in several groups. */
const CACHE_BYTES = 8 << 20;
const PATTERN_BYTES = 64 << 20;

/** @returns the new tokens of each prompt; see Model.generate */
export function generateGreedy<R extends RealArray>(
  context: ModelContext<R>,
  prompts: readonly Int32Array[],
  options: GenerateOptions,
): Int32Array[] {
  const { config, realBytes } = context;
  checkPrompts(config, prompts, options);
  const longest = prompts.reduce((most, prompt) => Math.max(most, prompt.length), 0);
  const capacity = Math.min(config.nCtx, longest + options.maxNewTokens);
  const kernels = context.memory.functions;
  const keysAndValues = kernels.row_numbers(2 * kernels.padded_width(config.dModel));
  const bytesEach = config.nLayers * capacity * keysAndValues * realBytes;
  const patternBytesEach = longest * kernels.padded_width(capacity) * config.nHeads * realBytes;
  const group = Math.max(
    1,
    Math.min(256, Math.floor(CACHE_BYTES / bytesEach), Math.floor(PATTERN_BYTES / patternBytesEach)),
  );
  const results: Int32Array[] = [];
  for (let at = 0; at < prompts.length; at += group) {
    results.push(...decodeGroup(context, prompts.slice(at, at + group), at, capacity, options));
  }
  return results;
}

interface Sequence {
  readonly slot: number;
  /** tokens the cache does not have yet */
  pending: Int32Array;
  cached: number;
  readonly made: number[];
}

function decodeGroup<R extends RealArray>(
  context: ModelContext<R>,
  prompts: readonly Int32Array[],
  firstPrompt: number,
  capacity: number,
  options: GenerateOptions,
): Int32Array[] {
  const { memory, description, parameters, realBytes, config } = context;
  const S = prompts.length;
  const rows = prompts.reduce((sum, prompt) => sum + prompt.length, 0);
  const carve = new Carve(memory, realBytes);
  const tokens = carve.ints(rows);
  const start = carve.ints(S + 1);
  const slot = carve.ints(S);
  const length = carve.ints(S);
  const next = carve.ints(S);
  const work = carve.bytes(memory.functions.generate_work_bytes(description, rows, S, capacity));
  carve.place();

  const sequences = prompts.map((prompt, index): Sequence => ({
    slot: index,
    pending: prompt,
    cached: 0,
    made: [],
  }));
  const mayGrow = (sequence: Sequence): boolean =>
    sequence.made.length < options.maxNewTokens &&
    sequence.cached + sequence.pending.length < config.nCtx &&
    (options.stopToken === undefined || sequence.made.at(-1) !== options.stopToken);
  let active = sequences.filter(mayGrow);
  for (let first = 1; active.length > 0; first = 0) {
    const n = active.length;
    const starts = memory.ints(start(), n + 1);
    const slots = memory.ints(slot(), n);
    const lengths = memory.ints(length(), n);
    const flat = memory.ints(tokens(), rows);
    starts[0] = 0;
    active.forEach(({ pending, slot: own, cached }, index) => {
      if (pending.length === 1) flat[starts[index]] = pending[0];
      else flat.set(pending, starts[index]);
      starts[index + 1] = starts[index] + pending.length;
      slots[index] = own;
      lengths[index] = cached;
    });
    memory.functions.generate_next(
      description,
      parameters,
      work(),
      rows,
      S,
      capacity,
      first,
      tokens(),
      start(),
      slot(),
      length(),
      n,
      next(),
    );
    const chosen = memory.ints(next(), n);
    active.forEach((sequence, index) => {
      const token = chosen[index];
      if (token < 0) throw nanLogits(firstPrompt + sequence.slot);
      sequence.cached += sequence.pending.length;
      sequence.pending = Int32Array.of(token);
      sequence.made.push(token);
    });
    active = active.filter(mayGrow);
  }
  return sequences.map((sequence) => Int32Array.from(sequence.made));
}
