import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/errors.js';
import {
  evaluateExpression,
  expressionDepth,
  parseExpression,
  printExpression,
  reductionSteps,
} from '../../../src/listops/language/expression.js';
import type { Expression } from '../../../src/listops/language/expression.js';
import { OPERATION_NAMES } from '../../../src/listops/language/operations.js';
import { decode, encode, vocabulary } from '../../../src/listops/language/tokenizer.js';
import { reduceText } from '../independent.js';
import { contextOf, settingsOf } from '../settings.js';

const NAMES = 'MAX, MIN, MED, SUM, PROD, NADD, FIRST, MAXp, MINp, MEDp, GSUM, LATIN, TABLE';

/** Any call of depth at most 4. */
const calls = fc.letrec<{ call: Expression; operand: Expression }>((tie) => ({
  call: fc.record({
    operation: fc.constantFrom(...OPERATION_NAMES),
    operands: fc.array(tie('operand'), { minLength: 2, maxLength: 4 }),
  }),
  operand: fc.oneof({ maxDepth: 3, depthSize: 'small' }, fc.nat(9), tie('call')),
})).call;

describe('parseExpression', () => {
  it('reads back what printExpression writes', () => {
    fc.assert(
      fc.property(calls, (expression) => {
        const text = printExpression(expression);
        const options = { modulus: 10, maxDepth: 20, maxTokens: 10_000 };
        expect(parseExpression(text, options)).toEqual(expression);
        const spaced = text.replace(/[()]/g, ' $& ').replace(/ /g, '\n\t ');
        expect(parseExpression(spaced, options)).toEqual(expression);
      }),
    );
  });

  it.each([
    ['', 'expression: found "", expected an expression such as (SUM 7 3).'],
    ['  ', 'expression: found "  ", expected an expression such as (SUM 7 3).'],
    ['7', 'expression at position 1: found "7", expected an expression such as (SUM 7 3).'],
    ['(SUM 3', 'expression at position 7: found the end, expected ")" for the "(" at position 1.'],
    ['(SUM 3 (MAX 1 2)', 'expression at position 17: found the end, expected ")" for the "(" at position 1.'],
    ['(', `expression at position 2: found the end, expected one of ${NAMES}.`],
    ['(SUM 3 4))', 'expression at position 10: found ")", expected the end of the expression.'],
    ['(SUM 3 4) 5', 'expression at position 11: found "5", expected the end of the expression.'],
    [')', 'expression at position 1: found ")", expected an expression such as (SUM 7 3).'],
    ['(SMU 3 4)', `expression at position 2: found "SMU", expected one of ${NAMES}. Did you mean SUM?`],
    ['(sum 3 4)', `expression at position 2: found "sum", expected one of ${NAMES}. Did you mean SUM?`],
    ['(3 4)', `expression at position 2: found "3", expected one of ${NAMES}.`],
    [
      '(SUM 3 12)',
      'expression at position 8: found "12", expected a number from 0 to 9 (modulus 10) or "(".',
    ],
    [
      '(SUM 3 -1)',
      'expression at position 8: found "-1", expected a number from 0 to 9 (modulus 10) or "(".',
    ],
    [
      '(SUM 3 1e0)',
      'expression at position 8: found "1e0", expected a number from 0 to 9 (modulus 10) or "(".',
    ],
    [
      '(SUM 3 MAX 1 2)',
      'expression at position 8: found "MAX", expected a number from 0 to 9 (modulus 10) or "(". Write (MAX ...) with a bracket before it.',
    ],
    ['(SUM)', 'expression at position 5: found SUM of 0, expected 2 to 16 operands.'],
    ['(SUM 3)', 'expression at position 7: found SUM of 1, expected 2 to 16 operands.'],
    ['(SUM '.repeat(9), 'expression at position 41: found nesting of 9, expected at most 8.'],
    [
      '(SUM 3\u0000 4)',
      'expression at position 6: found "3\\u0000", expected a number from 0 to 9 (modulus 10) or "(".',
    ],
  ])('refuses %j in one line', (text, message) => {
    expect(() => parseExpression(text, { modulus: 10 })).toThrow(new UserError(message));
    expect(message).not.toContain('\n');
  });

  it('refuses long text before it looks at it', () => {
    const message = 'expression: found 2003 tokens, expected at most 1024 tokens. Shorten it.';
    expect(() => parseExpression(`(SUM ${'1 '.repeat(2000)})`, { modulus: 10 })).toThrow(
      new UserError(message),
    );
    const longer = 'expression: found 1000000 characters, expected at most 1024 tokens. Shorten it.';
    expect(() => parseExpression('x'.repeat(1e6), { modulus: 10 })).toThrow(new UserError(longer));
  });

  it('offers only the operations that are allowed', () => {
    expect(() => parseExpression('(SUM 1 2)', { modulus: 10, operations: ['MAX', 'MIN'] })).toThrow(
      new UserError('expression at position 2: found "SUM", expected one of MAX, MIN.'),
    );
  });

  it('throws nothing but UserError, whatever is typed', () => {
    const pieces = fc.constantFrom('(', ')', ' ', 'SUM', 'MAX', '3', '12', '__proto__', 'é', '\n');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((all) => all.join('')),
        ),
        (text) => {
          try {
            parseExpression(text, { modulus: 10 });
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
            expect((error as UserError).message).not.toMatch(/\n/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('reductionSteps', () => {
  it('reduces as an independent reader of the printed text does', () => {
    const context = contextOf({ tableSeed: 2 });
    const settings = settingsOf(context);
    fc.assert(
      fc.property(calls, (expression) => {
        const steps = reductionSteps(expression, context);
        const { steps: expected, texts } = reduceText(printExpression(expression), settings);
        expect(steps.map(({ after }) => printExpression(after))).toEqual(texts.slice(1));
        expect(
          steps.map(({ operation, operands, result }) => ({ name: operation, operands, result })),
        ).toEqual(expected);
        expect(evaluateExpression(expression, context)).toBe(expected.at(-1)?.result);
        expect(expressionDepth(expression)).toBeGreaterThan(0);
      }),
    );
  });
});

describe('tokenizer', () => {
  it('reads back what it writes, for every token', () => {
    const vocab = vocabulary(64);
    const ids = Int32Array.from({ length: vocab.size }, (_, i) => i);
    expect(encode(decode(ids, vocab), vocab)).toEqual(ids);
    expect(new Set(vocab.tokens).size).toBe(vocab.size);
  });

  it('keeps specials, numbers and earlier operations in place when an operation is appended', () => {
    const before = vocabulary(10);
    const after = vocabulary(10, [...before.operations, 'NEW']);
    expect(after.tokens.slice(0, before.size)).toEqual(before.tokens);
    expect(after.operationToken('NEW')).toBe(before.size);
    expect(before.tokens.slice(0, 6)).toEqual(['s', 'e', '>', '=', '(', ')']);
    expect([before.numberToken(0), before.numberToken(9), before.operationToken('MAX')]).toEqual([6, 15, 16]);
    expect([before.numberOf(5), before.numberOf(6), before.numberOf(16)]).toEqual([undefined, 0, undefined]);
    expect([before.operationOf(15), before.operationOf(16)]).toEqual([undefined, 'MAX']);
  });

  it('names an unknown token', () => {
    expect(() => encode('s (SUMM 3 4)', vocabulary(10))).toThrow(
      new UserError(
        'token 3: found "SUMM", expected one of the 29 tokens of the vocabulary. Did you mean SUM?',
      ),
    );
  });
});
