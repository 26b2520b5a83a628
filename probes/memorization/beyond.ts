/** Prompts beyond training: more or fewer operands, deeper nesting, new expressions, as far as the model's context reaches. */
import { majorityRate } from '../../src/analysis/memorization-index.js';
import {
  chainBatch,
  nestedChains,
  trainableLists,
  trainedPositions,
} from '../../src/listops/prompts/beyond-training.js';
import { OPERANDS_RANGE } from '../../src/listops/data-config.js';
import type { OperationName } from '../../src/listops/language/operations.js';
import { promptTokens } from '../../src/listops/prompts/result-prompts.js';
import type { AnnotatedSequence } from '../../src/listops/language/sequence.js';
import type { Rng } from '../../src/tensor/rng.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import { type Asker, askResults, scoreChains } from './ask.js';

/** Operand counts beyond training, each way. */
const MORE_OPERANDS = 3;

/** Prompts outside of what training showed; every fact in them is trained. */
export interface BeyondRow {
  /** expression: new to training, every fact of it trained; shown: expressions that training has shown, beside them */
  readonly kind: 'expression' | 'shown' | 'arity' | 'depth';
  /** operands, or nesting */
  readonly value: number;
  /** whether training showed tokens at every position of the prompt and chain */
  readonly positions: 'seen' | 'new';
  readonly prompts: number;
  /** right result tokens, the chain before them given */
  readonly accuracy: number;
  /** whole chains without an error */
  readonly exact: number;
  /** share of the answers asked for that are no number */
  readonly noNumber: number;
  /** accuracy of the best fixed answer to each operation and operand count */
  readonly chance: number;
}

export interface BeyondRequest {
  readonly operation: OperationName;
  /** prompts of each kind */
  readonly count: number;
  /** examples that training used */
  readonly examples: number;
  readonly rng: Rng;
}

export function beyondRows(asker: Asker, request: BeyondRequest): BeyondRow[] {
  const { data } = asker;
  const [fewest, most] = data.operands;
  const arities = [
    ...(fewest > OPERANDS_RANGE[0] ? [fewest - 1] : []),
    ...Array.from({ length: MORE_OPERANDS }, (_, i) => most + 1 + i),
  ].filter((arity) => arity <= OPERANDS_RANGE[1] && promptTokens(arity) <= asker.model.config.nCtx);
  const trainedDepth = data.nesting > 0 ? data.depth : 1;
  return [
    ...(trainedDepth > 1
      ? (['expression', 'shown'] as const).flatMap((kind) => chainRows(asker, request, trainedDepth, kind))
      : []),
    ...arities.flatMap((arity) => arityRow(asker, request, arity)),
    ...chainRows(asker, request, trainedDepth + 1, 'depth'),
  ];
}

function arityRow(asker: Asker, { operation, count, rng }: BeyondRequest, arity: number): BeyondRow[] {
  const { data } = asker;
  const lists = trainableLists(data, arity, count, rng);
  if (lists.length === 0) return [];
  const { answers, results } = askResults(asker, operation, lists);
  const right = answers.reduce((sum, answer, i) => sum + (answer === results[i] ? 1 : 0), 0);
  const alone = Array.from(results, (result) => ({ operands: [], answers: [-1], results: [result] }));
  return [
    {
      kind: 'arity',
      value: arity,
      positions: promptTokens(arity) <= trainedPositions(data) ? 'seen' : 'new',
      prompts: lists.length,
      accuracy: right / lists.length,
      exact: right / lists.length,
      noNumber: answers.reduce((sum, answer) => sum + (answer < 0 ? 1 : 0), 0) / lists.length,
      chance: majorityRate(alone, data.modulus),
    },
  ];
}

/** One row for chains at positions that training showed, one for longer ones. */
function chainRows(
  { model, data }: Asker,
  { count, examples }: BeyondRequest,
  depth: number,
  kind: 'expression' | 'shown' | 'depth',
): BeyondRow[] {
  // a set of fixed size shows its examples again and again
  const drawn = Math.min(examples, data.fixedSize ?? Infinity);
  const chains = nestedChains(data, {
    depth,
    count,
    mostTokens: model.config.nCtx,
    ...(kind === 'expression' ? { unseenIn: drawn } : kind === 'shown' ? { shownIn: drawn } : {}),
  });
  const seen = (chain: AnnotatedSequence): boolean => chain.tokens.length - 1 <= trainedPositions(data);
  return (['seen', 'new'] as const).flatMap((positions) => {
    const own = chains.filter((chain) => seen(chain) === (positions === 'seen'));
    if (own.length === 0) return [];
    const scores = scoreChains(model, chainBatch(data, own), vocabularyOf(data));
    return [{ kind, value: depth, positions, prompts: own.length, ...scores }];
  });
}
