/**
 * Prompts that training cannot have shown: more operands, deeper nesting, and new expressions of the training
 * distribution. Every reduction in them is of operands that training may show.
 */
import { Rng } from '../../tensor/rng.js';
import { maxTokens } from '../data-config.js';
import type { DataConfig } from '../data-config.js';
import { ExpressionDrawer } from '../sampling/generate.js';
import { createOperationContext } from '../language/operations.js';
import { createHoldout } from '../sampling/regimes.js';
import { SequenceWriter } from '../language/sequence.js';
import type { AnnotatedBatch, AnnotatedSequence } from '../language/sequence.js';
import { CLOSE, FIRST_NUMBER, OPEN } from '../language/tokenizer.js';

/** Probability that an operand is nested, where the data has none. */
const SOME_NESTING = 0.4;
/** An expression was shown when training is expected to have drawn it so often: missed with 5 %. */
export const LEAST_EXPECTED_DRAWS = 3;
/** An expression is new when training is expected to have drawn it less often than this. */
export const MOST_EXPECTED_DRAWS = 0.01;

/** Positions at which training showed a token: 0 up to this, exclusive. The last token of a sequence is never an input. */
export function trainedPositions(data: DataConfig): number {
  return maxTokens(data) - 1;
}

/** Random operand lists of one length, none held out; fewer when nearly all are. */
export function trainableLists(data: DataConfig, arity: number, count: number, rng: Rng): number[][] {
  const holdout = createHoldout(data);
  const lists: number[][] = [];
  for (let draw = 0; lists.length < count && draw < 50 * count; draw++) {
    const operands = Array.from({ length: arity }, () => rng.below(data.modulus));
    if (!holdout.isHeldOut(operands)) lists.push(operands);
  }
  return lists;
}

export interface ExpressionRequest {
  /** exact nesting of every expression */
  readonly depth: number;
  readonly count: number;
  /** input tokens of the longest chain that is taken */
  readonly mostTokens: number;
  /** examples that training used: only expressions that it cannot have shown; absent: all */
  readonly unseenIn?: number;
  /** examples that training used: only expressions that it has very likely shown; absent: all */
  readonly shownIn?: number;
}

/** Whole chains of nested expressions; fewer, or none, when they do not fit. */
export function nestedChains(data: DataConfig, request: ExpressionRequest): AnnotatedSequence[] {
  const { depth, count, mostTokens, unseenIn, shownIn } = request;
  const nesting = data.nesting > 0 ? data.nesting : SOME_NESTING;
  const context = createOperationContext(data);
  const drawer = new ExpressionDrawer({ ...data, depth, nesting }, context, createHoldout(data));
  const writer = new SequenceWriter(context, data);
  const chains: AnnotatedSequence[] = [];
  for (let draw = 0; chains.length < count && draw < 20 * count; draw++) {
    const length = drawer.draw(new Rng(0, 'evaluation:beyond', depth * 1_000_000 + draw));
    const expression = drawer.tokens.subarray(0, length);
    if (depthOf(expression) !== depth) continue;
    if (unseenIn !== undefined && expectedDraws(expression, data, unseenIn) > MOST_EXPECTED_DRAWS) continue;
    if (shownIn !== undefined && expectedDraws(expression, data, shownIn) < LEAST_EXPECTED_DRAWS) continue;
    writer.clear();
    writer.append(drawer.tokens, length);
    const chain = writer.sequence(0);
    if (chain.tokens.length - 1 <= mostTokens) chains.push(chain);
  }
  return chains;
}

/** Chains as one batch, targets on the completion only. */
export function chainBatch(data: DataConfig, chains: readonly AnnotatedSequence[]): AnnotatedBatch {
  const writer = new SequenceWriter(createOperationContext(data), data);
  // `s` before the expression and `>` or `=` after it are the writer's
  for (const { tokens, promptLength } of chains) {
    writer.append(writer.unspell(tokens.subarray(1, promptLength - 1)), promptLength - 2);
  }
  return writer.batch('completion');
}

function depthOf(expression: Int32Array): number {
  let open = 0;
  let most = 0;
  for (const token of expression) {
    if (token === OPEN) most = Math.max(most, ++open);
    else if (token === CLOSE) open--;
  }
  return most;
}

/**
 * How often training is expected to have drawn exactly this expression. What a hold-out draws again is not counted,
 * which makes the others somewhat more frequent.
 */
function expectedDraws(expression: Int32Array, data: DataConfig, examples: number): number {
  const [fewest, most] = data.operands;
  const choices = data.tasks.length * (most - fewest + 1);
  let open = 0;
  let probability = 1;
  for (const token of expression) {
    if (token === OPEN) {
      // every call but the outermost is an operand that was nested
      if (open > 0) probability *= data.nesting;
      open++;
      probability /= choices;
    } else if (token === CLOSE) open--;
    else if (token >= FIRST_NUMBER && token < FIRST_NUMBER + data.modulus) {
      if (open < data.depth) probability *= 1 - data.nesting;
      probability /= data.modulus;
    }
  }
  return probability * examples;
}
