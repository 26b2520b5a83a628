/**
 * The vocabulary of a checkpoint from elsewhere: a JSON file that gives our token texts their ids there. Its rows are
 * put into our order, so that ids mean the same in every run. Token texts are those of src/listops/language/tokenizer.ts.
 */
import { UserError, printable, unacceptable } from '../../errors.js';
import { OPERATION_NAMES } from '../../listops/language/operations.js';
import { MODULUS_RANGE } from '../../listops/data-config.js';
import {
  SPECIAL_TOKENS,
  type Vocabulary,
  authorsVocabulary,
  vocabulary,
} from '../../listops/language/tokenizer.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { parameterTable, parameterView } from '../../model/parameters.js';
import { TOKEN_EMBEDDING, UNEMBEDDING, UNEMBEDDING_BIAS } from '../../model/parameters.js';
import { parseJsonStrict } from '../../io/json.js';
import { Fields, MOST_JSON_BYTES } from './fields.js';

/** A vocabulary from elsewhere in our order. */
export interface ForeignVocabulary {
  /** whose rows `ids` are */
  readonly ours: Vocabulary;
  /** [ours.size] id there of each of our tokens; -1: it has none there */
  readonly ids: Int32Array;
  /** tokens without an id there; they get a row of zeros, and so the logit 0 */
  readonly added: readonly string[];
}

const OPERATION = /^[A-Za-z][A-Za-z0-9_]{0,15}$/;

/**
 * Reads `{"stoi": {"s": 0, ...}}` as nanoGPT's meta has it, `{"s": 0, ...}`, a list of tokens, or the vocabulary inside
 * a tokenizer.json.
 * @param dVocab - rows of the embedding
 * @param ours - the vocabulary of a known configuration; undefined: the authors' if it has just those tokens, else the
 *   standard one at as many numbers as there are, with names of no meaning here after it
 * @throws UserError naming the token: missing, of no meaning here, an id twice, missing or too large
 */
export function parseVocabularyFile(
  source: Uint8Array | string,
  where: string,
  dVocab: number,
  ours?: Vocabulary,
): ForeignVocabulary {
  const ids = idsOf(source, where);
  checkIds(ids, where, dVocab);
  return arrange(ids, where, ours);
}

/** Token to id, as the file says. */
function idsOf(source: Uint8Array | string, where: string): Map<string, number> {
  const json = parseJsonStrict(source, { where, maxLength: MOST_JSON_BYTES, maxValues: 500_000 });
  if (Array.isArray(json)) {
    const texts = json.map((token: unknown, i) => {
      if (typeof token !== 'string') throw unacceptable(`${where}, token ${i}`, token, 'a text');
      return token;
    });
    const twice = texts.find((token, i) => texts.indexOf(token) !== i);
    if (twice !== undefined) throw unacceptable(where, twice, 'each token once');
    return new Map(texts.map((token, id) => [token, id]));
  }
  const file = Fields.of(json, where);
  const inner = file.object('stoi') ?? file.object('model')?.object('vocab') ?? file;
  const ids = new Map<string, number>();
  for (const token of inner.names()) {
    const id = inner.get(token);
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      throw unacceptable(inner.place(token), id, 'an id, a whole number from 0');
    }
    ids.set(token, id);
  }
  return ids;
}

/** Every row of the embedding has exactly one name. */
function checkIds(ids: ReadonlyMap<string, number>, where: string, dVocab: number): void {
  const names = new Map<number, string>();
  for (const [token, id] of ids) {
    const other = names.get(id);
    if (other !== undefined) {
      throw new UserError(
        `${printable(where, 300)}: found the id ${id} for "${printable(other)}" and "${printable(token)}", expected one token an id.`,
      );
    }
    if (id >= dVocab) {
      throw new UserError(
        `${printable(where, 300)}, ${printable(token)}: found the id ${id}, expected at most ${dVocab - 1}, as the embedding has ${dVocab} rows.`,
      );
    }
    names.set(id, token);
  }
  for (let id = 0; id < dVocab; id++) {
    if (names.has(id)) continue;
    throw new UserError(
      `${printable(where, 300)}: found no token with the id ${id}, expected one for each of the ${dVocab} rows of the embedding. Give an unused row a name of letters, such as unused${id}.`,
    );
  }
}

function arrange(
  ids: ReadonlyMap<string, number>,
  where: string,
  known: Vocabulary | undefined,
): ForeignVocabulary {
  const fail = (problem: string): never => {
    throw new UserError(`${printable(where, 300)}: ${problem}`);
  };
  const ours = known ?? vocabularyFor(ids, fail);
  const strange = [...ids.keys()].find((token) => !ours.tokens.includes(token));
  if (strange !== undefined) {
    fail(
      `found the token "${printable(strange)}", expected those of the configuration: ${ours.tokens.join(' ')}.`,
    );
  }
  const numbers = Array.from({ length: ours.modulus }, (_, value) => ours.numberToken(value));
  const needed = [ours.start, ours.end, ours.open, ours.close, ...numbers].map((id) => ours.tokens[id]);
  const missing = needed.find((token) => !ids.has(token));
  if (missing !== undefined) {
    fail(
      `found no token "${missing}", expected one for each of ${needed.join(' ')}. Name the row that stands for it.`,
    );
  }
  return {
    ours,
    ids: Int32Array.from(ours.tokens, (token) => ids.get(token) ?? -1),
    added: ours.tokens.filter((token) => !ids.has(token)),
  };
}

type Fail = (problem: string) => never;

/** The vocabulary of ours that holds these tokens. */
function vocabularyFor(ids: ReadonlyMap<string, number>, fail: Fail): Vocabulary {
  let modulus = 0;
  while (ids.has(String(modulus))) modulus++;
  const [least, most] = MODULUS_RANGE;
  if (modulus < least || modulus > most) {
    fail(
      `found ${modulus === 0 ? 'no numbers' : `the numbers 0 to ${modulus - 1}`}, expected 0, 1, ... without a gap, ${least} to ${most} of them.`,
    );
  }
  const stray = [...ids.keys()].find((token) => /^\d+$/.test(token) && !(Number(token) < modulus));
  if (stray !== undefined) {
    fail(`found the number ${printable(stray)} but no ${modulus}, expected the numbers 0 to n - 1.`);
  }
  const authors = authorsVocabulary(modulus);
  if (ids.size === authors.size && authors.tokens.every((token) => ids.has(token))) return authors;
  const standard = vocabulary(modulus);
  const others = [...ids].filter(([token]) => !standard.tokens.includes(token)).sort((a, b) => a[1] - b[1]);
  const strange = others.find(([token]) => !OPERATION.test(token));
  if (strange !== undefined) {
    fail(
      `found the token "${printable(strange[0])}", expected ${SPECIAL_TOKENS.join(' ')}, the numbers, and names of operations (at most 16 letters, digits, "_"). Rename it in this file to what it stands for.`,
    );
  }
  if (!OPERATION_NAMES.some((name) => ids.has(name))) {
    fail(`found no operation, expected some of ${OPERATION_NAMES.join(', ')}.`);
  }
  // every operation of the table keeps its id, as data are made of these ids
  return vocabulary(modulus, [...OPERATION_NAMES, ...others.map(([token]) => token)]);
}

/** The vocabulary in nanoGPT's form. */
export function vocabularyFile({ tokens }: Vocabulary): Readonly<Record<string, unknown>> {
  return { stoi: Object.fromEntries(tokens.map((token, id) => [token, id])), itos: tokens };
}

/**
 * Parameters with the rows of the vocabulary in our order.
 * @param config - of the parameters as they were read
 * @param arena - [arenaSize] float32 in its layout
 */
export function reorderVocabulary(
  config: GptConfig,
  arena: Float32Array,
  ids: Int32Array,
): { readonly config: GptConfig; readonly parameters: Float32Array } {
  const ours: GptConfig = { ...config, dVocab: ids.length };
  const from = parameterTable(config);
  const to = parameterTable(ours);
  const parameters = new Float32Array(to.arenaSize);
  for (const { name } of to.specs) {
    const source = parameterView(from, arena, name);
    const target = parameterView(to, parameters, name);
    if (name !== TOKEN_EMBEDDING && name !== UNEMBEDDING && name !== UNEMBEDDING_BIAS) {
      target.set(source);
      continue;
    }
    const width = target.length / ids.length;
    ids.forEach((id, row) => {
      if (id >= 0) target.set(source.subarray(id * width, (id + 1) * width), row * width);
    });
  }
  return { config: ours, parameters };
}
