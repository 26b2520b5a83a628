import { describe, expect, it } from 'vitest';
import { createPromptReader } from '../../src/lens/prompt.js';
import { decode, encode, vocabulary, authorsVocabulary } from '../../src/listops/language/tokenizer.js';
import { DATA, VOCABULARY } from './setup.js';

const reader = createPromptReader(DATA, VOCABULARY, 40);
const textOf = (tokens: ArrayLike<number> | undefined): string =>
  tokens === undefined ? 'unknown' : decode(tokens, VOCABULARY);

describe('prompts', () => {
  it('reads an expression up to the arrow and knows the rest', () => {
    const prompt = reader.read('(SUM (MAX 7 3) 6)');
    expect(textOf(prompt.tokens)).toBe('s (SUM (MAX 7 3) 6) >');
    expect(textOf(prompt.completion)).toBe('(SUM 7 6) > 3 e');
    expect(prompt.kinds.slice(0, 4)).toEqual(['start', 'open', 'operation', 'open']);
    expect(prompt.words).toHaveLength(prompt.tokens.length);
    expect(prompt.kinds.at(-1)).toBe('arrow');
  });

  it('goes on from what is written already, while it is right', () => {
    expect(textOf(reader.read('(SUM (MAX 7 3) 6) > (SUM 7').completion)).toBe('6) > 3 e');
    expect(textOf(reader.read('s (SUM 7 6) >').completion)).toBe('3 e');
    expect(reader.read('(SUM (MAX 7 3) 6) > (SUM 3').completion).toBeUndefined();
  });

  it('gives the whole true chain when asked', () => {
    const prompt = reader.read('(SUM 7 6)', { completion: 'true' });
    expect(textOf(prompt.tokens)).toBe('s (SUM 7 6) > 3');
    expect(textOf(prompt.completion)).toBe('e');
  });

  it('reads tokens, and the expression in them', () => {
    const tokens = encode('s (SUM 7 6) >', VOCABULARY);
    expect(textOf(reader.read(tokens).completion)).toBe('3 e');
    expect(reader.read([3, 3, 3]).expression).toBeUndefined();
  });

  it('spells what is typed in the notation of the run', () => {
    const vocab = authorsVocabulary(10);
    const authors = createPromptReader({ ...DATA, notation: 'authors' }, vocab, 40);
    expect(authors.read('(SUM 7 6)').words.join(' ')).toBe('<eos> add_10 ( 7 6 ) =');
  });

  it.each([
    ['(SUMM 7 6)', /position 2: found "SUMM", expected one of .* Did you mean SUM\?/],
    ['(SUM 7 16)', /position 8: found "16", expected a number from 0 to 9 \(modulus 10\)/],
    ['(SUM 7', /found the end, expected "\)" for the "\(" at position 1/],
    ['', /expected an expression such as \(SUM 7 3\)/],
    ['(SUM 7 6) > x', /token 1: found "x", expected one of the \d+ tokens/],
    [`(SUM ${'(SUM 1 2) '.repeat(8)})`, /expected/],
  ])('refuses %j in one line', (text, message) => {
    expect(() => reader.read(text)).toThrow(message);
  });

  it('refuses tokens outside the vocabulary, no tokens, and more than the context', () => {
    expect(() => reader.read([0, 99])).toThrow(/token 2: found 99, expected a whole number from 0 to/);
    expect(() => reader.read([])).toThrow(/found 0 tokens, expected 1 to 40/);
    expect(() => reader.read(new Array<number>(41).fill(3))).toThrow(/found 41 tokens, expected 1 to 40/);
  });

  it('knows only the operations of an older vocabulary', () => {
    const old = createPromptReader(DATA, vocabulary(10, ['MAX', 'SUM']), 40);
    expect(() => old.read('(MED 1 2 3)')).toThrow(/found "MED", expected one of MAX, SUM/);
  });
});
