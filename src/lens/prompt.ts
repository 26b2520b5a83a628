/**
 * What a model is asked: an expression as a person types it, or tokens. A prompt knows what each of its tokens is and, where
 * the expression can be read, how a right answer goes on. Browser-safe.
 */
import { UserError, unacceptable } from '../errors.js';
import type { DataConfig } from '../listops/data-config.js';
import { type Call, RESULT, parseExpression, printExpression } from '../listops/language/expression.js';
import { createOperationContext, isOperationName } from '../listops/language/operations.js';
import { type AnnotatedSequence, SequenceWriter } from '../listops/language/sequence.js';
import { type Vocabulary, decode, encode, vocabulary } from '../listops/language/tokenizer.js';

export const TOKEN_KINDS = ['start', 'open', 'operation', 'number', 'close', 'arrow', 'end'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

export interface Prompt {
  /** [T] token ids */
  readonly tokens: Int32Array;
  /** [T] their texts */
  readonly words: readonly string[];
  /** [T] what each token is */
  readonly kinds: readonly TokenKind[];
  /** absent: the tokens do not begin with an expression that can be read */
  readonly expression?: Call;
  /** true tokens after the last one, `e` included; absent where the prompt has left the true chain or has no expression */
  readonly completion?: Int32Array;
}

export interface PromptOptions {
  /**
   * `none`: up to the arrow (or `=`); `result`: on along the true chain to where its first result comes next; `true`: the
   * whole true chain without its end, as in training. Default `none`
   */
  readonly completion?: 'none' | 'result' | 'true';
}

/** Reads prompts for one model. */
export interface PromptReader {
  readonly vocabulary: Vocabulary;
  /** @throws UserError in one line */
  read(asked: string | ArrayLike<number>, options?: PromptOptions): Prompt;
}

/** What may stand in a text before an expression, and between it and what is written already. */
const START_WORD = /^\s*(?:s|<eos>)\s+(?=\S)/;
const ARROW_WORD = /\s[>=](?:\s|$)/;

/**
 * @param vocab - of the run; it may lack operations of the table
 * @param nCtx - longest sequence of the model
 */
export function createPromptReader(data: DataConfig, vocab: Vocabulary, nCtx: number): PromptReader {
  const context = createOperationContext(data);
  const operations = vocab.operations.filter(isOperationName);

  const chainOf = (expression: Call): AnnotatedSequence => {
    const standard = encode(printExpression(expression), vocabulary(data.modulus));
    const writer = new SequenceWriter(context, data);
    writer.append(standard, standard.length);
    return writer.sequence(0);
  };

  const described = (tokens: Int32Array, expression?: Call, completion?: Int32Array): Prompt => {
    if (tokens.length === 0 || tokens.length > nCtx) {
      throw new UserError(
        `prompt: found ${tokens.length} tokens, expected 1 to ${nCtx}, the context of this model. Shorten it.`,
      );
    }
    return {
      tokens,
      words: Array.from(tokens, (token) => vocab.tokens[token]),
      kinds: Array.from(tokens, (token, t) => kindOf(vocab, token, t)),
      ...(expression && { expression }),
      ...(completion && { completion }),
    };
  };

  const fromExpression = (expression: Call, written: Int32Array, options: PromptOptions): Prompt => {
    const { tokens: chain, promptLength, roles } = chainOf(expression);
    const upTo = { none: -1, result: roles.indexOf(RESULT), true: chain.length - 1 }[
      options.completion ?? 'none'
    ];
    if (upTo >= 0) return described(chain.slice(0, upTo), expression, chain.slice(upTo));
    const tokens = Int32Array.from([...chain.subarray(0, promptLength), ...written]);
    const isOnChain = tokens.every((token, t) => token === chain[t]);
    return described(tokens, expression, isOnChain ? chain.slice(tokens.length) : undefined);
  };

  return {
    vocabulary: vocab,
    read(asked, options = {}) {
      if (typeof asked !== 'string') {
        const tokens = checkedTokens(asked, vocab);
        const expression = expressionOf(tokens, vocab, data.modulus);
        if (expression === undefined) return described(tokens);
        const { tokens: chain } = chainOf(expression);
        const isOnChain = tokens.length <= chain.length && tokens.every((token, t) => token === chain[t]);
        return described(tokens, expression, isOnChain ? chain.slice(tokens.length) : undefined);
      }
      const text = asked.replace(START_WORD, '');
      const arrow = ARROW_WORD.exec(text);
      const head = arrow === null ? text : text.slice(0, arrow.index);
      const tail = arrow === null ? '' : text.slice(arrow.index + arrow[0].length);
      const expression = parseExpression(head, { modulus: data.modulus, operations, maxTokens: nCtx });
      return fromExpression(expression, encode(tail, vocab), options);
    },
  };
}

function kindOf(vocab: Vocabulary, token: number, position: number): TokenKind {
  if (vocab.numberOf(token) !== undefined) return 'number';
  if (vocab.operationOf(token) !== undefined) return 'operation';
  if (token === vocab.start && position === 0) return 'start';
  if (token === vocab.end) return 'end';
  if (token === vocab.open) return 'open';
  if (token === vocab.close) return 'close';
  return 'arrow';
}

function checkedTokens(asked: ArrayLike<number>, vocab: Vocabulary): Int32Array {
  return Int32Array.from(Array.from(asked), (token, t) => {
    if (Number.isInteger(token) && token >= 0 && token < vocab.size) return token;
    throw unacceptable(`token ${t + 1}`, token, `a whole number from 0 to ${vocab.size - 1}`);
  });
}

/** The expression that tokens begin with, where they are spelled in the standard notation and make one. */
function expressionOf(tokens: Int32Array, vocab: Vocabulary, modulus: number): Call | undefined {
  const arrow = tokens.findIndex((token) => token === vocab.arrow || token === vocab.equals);
  if (vocab.notation !== 'standard' || tokens[0] !== vocab.start || arrow < 0) return undefined;
  try {
    return parseExpression(decode(tokens.subarray(1, arrow), vocab), { modulus });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
