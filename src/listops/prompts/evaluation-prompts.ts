/**
 * Prompts with their true completions, for evaluating a model: one operation on numbers (enumerated where possible),
 * or whole nested expressions by their number of reductions. Scoring is not here.
 */
import { Rng } from '../../tensor/rng.js';
import { checkDataConfig } from '../data-config.js';
import type { DataConfig } from '../data-config.js';
import { ExpressionDrawer } from '../sampling/generate.js';
import { aritiesOf, enumerateInputs } from '../sampling/inputs.js';
import { OPERATION_NAMES, createOperationContext, operationIndex } from '../language/operations.js';
import type { OperationName } from '../language/operations.js';
import { createHoldout, multisetKey } from '../sampling/regimes.js';
import type { HoldoutLevel } from '../sampling/regimes.js';
import { scanTokens } from '../sampling/leak.js';
import { SequenceWriter } from '../language/sequence.js';
import type { AnnotatedBatch, AnnotatedSequence } from '../language/sequence.js';
import { CLOSE, FIRST_NUMBER, OPEN } from '../language/tokenizer.js';

/** Operations with at most this many inputs are enumerated. */
export const MOST_ENUMERATED = 20_000;
/** Prompts of an operation with more inputs. */
export const SAMPLE_SIZE = 4000;

export interface EvaluationPrompt {
  /** tokens up to and including the first `>` (or `=`) */
  readonly prompt: Int32Array;
  /** expected tokens after it, to `e` */
  readonly completion: Int32Array;
  /** [completion] index into ROLES */
  readonly roles: Int32Array;
  /** the outermost operation, and its operands when it is reduced */
  readonly operation: OperationName;
  readonly arity: number;
  readonly operands: readonly number[];
  readonly result: number;
  /** number of reductions of the whole expression */
  readonly reductions: number;
  /** a reduction uses a held-out set */
  readonly held: boolean;
  readonly level: HoldoutLevel;
  /** `operands` ascending: equal for all orders */
  readonly key: string;
}

export interface PromptSet {
  readonly prompts: readonly EvaluationPrompt[];
  /** all inputs there are; otherwise a seeded sample */
  readonly enumerated: boolean;
}

/**
 * The operand lists that an operation is asked: all of every operand count of the data, or a seeded sample with operand
 * counts drawn as training draws them. Held-out lists are among them.
 */
export function operandLists(
  data: DataConfig,
  operation: OperationName,
  seed = 0,
): { readonly lists: readonly (readonly number[])[]; readonly enumerated: boolean } {
  const { modulus: n } = data;
  const arities = aritiesOf(data);
  if (arities.reduce((sum, arity) => sum + n ** arity, 0) <= MOST_ENUMERATED) {
    const lists = arities.flatMap((arity) => {
      const flat = enumerateInputs(arity, n);
      return Array.from({ length: flat.length / arity }, (_, i) =>
        Array.from({ length: arity }, (_unused, j) => flat[i * arity + j]),
      );
    });
    return { lists, enumerated: true };
  }
  const rng = new Rng(seed, 'evaluation:operands', operationIndex(operation));
  const lists = Array.from({ length: SAMPLE_SIZE }, () => {
    const arity = arities[rng.below(arities.length)];
    return Array.from({ length: arity }, () => rng.below(n));
  });
  return { lists, enumerated: false };
}

/** One operation on numbers, every operand count of the data; held-out inputs are marked, not left out. */
export function enumeratedPrompts(data: DataConfig, operation: OperationName, seed = 0): PromptSet {
  checkDataConfig(data);
  const { modulus: n } = data;
  const { lists, enumerated } = operandLists(data, operation, seed);
  const read = promptReader(data);
  const operationToken = FIRST_NUMBER + n + operationIndex(operation);
  const prompts = lists.map((operands) => {
    const numbers = operands.map((operand) => FIRST_NUMBER + operand);
    return read(Int32Array.of(OPEN, operationToken, ...numbers, CLOSE));
  });
  return { prompts, enumerated };
}

/**
 * Whole expressions as the data draws them before anything is held out, by number of reductions. Rare counts may come
 * back with fewer prompts than wanted.
 * @returns ascending by number of reductions
 */
export function seededPrompts(
  data: DataConfig,
  { perCount, mostReductions, seed = 0 }: { perCount: number; mostReductions: number; seed?: number },
): { readonly reductions: number; readonly prompts: readonly EvaluationPrompt[] }[] {
  checkDataConfig(data);
  const free = createHoldout({ ...data, regime: 'full' });
  const drawer = new ExpressionDrawer(data, createOperationContext(data), free);
  const read = promptReader(data);
  const found = Array.from({ length: mostReductions }, (_, i) => ({
    reductions: i + 1,
    prompts: new Array<EvaluationPrompt>(),
  }));
  let wanted = perCount * mostReductions;
  for (let draw = 0; wanted > 0 && draw < 50 * perCount * mostReductions; draw++) {
    const length = drawer.draw(new Rng(seed, 'evaluation:expressions', draw));
    let nodes = 0;
    for (let t = 0; t < length; t++) if (drawer.tokens[t] === OPEN) nodes++;
    if (nodes > mostReductions || found[nodes - 1].prompts.length === perCount) continue;
    found[nodes - 1].prompts.push(read(drawer.tokens.subarray(0, length)));
    wanted--;
  }
  return found.filter(({ prompts }) => prompts.length > 0);
}

/** Turns an expression's standard tokens into a prompt. */
function promptReader(data: DataConfig): (expression: Int32Array) => EvaluationPrompt {
  const context = createOperationContext(data);
  const holdout = createHoldout(data);
  const writer = new SequenceWriter(context, data);
  const chain = new SequenceWriter(context, 'steps');
  const write = (into: SequenceWriter, expression: Int32Array): AnnotatedSequence => {
    into.clear();
    into.append(expression, expression.length);
    return into.sequence(0);
  };
  return (expression) => {
    const { tokens, roles, promptLength } = write(writer, expression);
    const steps = write(chain, expression);
    const reductions = scanTokens(steps.tokens, { modulus: data.modulus });
    const operands = reductions[reductions.length - 1];
    const held = reductions.some((step) => holdout.isHeldOut(step));
    return {
      prompt: tokens.slice(0, promptLength),
      completion: tokens.slice(promptLength),
      roles: roles.slice(promptLength),
      operation: OPERATION_NAMES[expression[1] - FIRST_NUMBER - data.modulus],
      arity: operands.length,
      operands,
      result: steps.tokens[steps.tokens.length - 2] - FIRST_NUMBER,
      reductions: reductions.length,
      held,
      level: held ? holdout.level : 'trained',
      key: multisetKey(operands),
    };
  };
}

/** Prompts with their completions as one batch, targets on the completion only. */
export function promptBatch(prompts: readonly EvaluationPrompt[], data: DataConfig): AnnotatedBatch {
  const writer = new SequenceWriter(createOperationContext(data), data);
  // `s` before the expression and `>` after it are the writer's
  for (const { prompt } of prompts) {
    writer.append(writer.unspell(prompt.subarray(1, prompt.length - 1)), prompt.length - 2);
  }
  return writer.batch('completion');
}
