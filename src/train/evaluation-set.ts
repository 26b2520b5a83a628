/**
 * The prompts a run is evaluated on: fixed by the data alone, so that every evaluation of every run of one data
 * configuration asks the same. Scoring is evaluate.ts.
 */
import type { DataConfig } from '../listops/data-config.js';
import { operandLists } from '../listops/prompts/evaluation-prompts.js';
import { createGenerator } from '../listops/sampling/generate.js';
import {
  type OperationName,
  createOperationContext,
  operationIndex,
} from '../listops/language/operations.js';
import { type Holdout, createHoldout, multisetKey } from '../listops/sampling/regimes.js';
import { type AnnotatedBatch, type AnnotatedSequence, SequenceWriter } from '../listops/language/sequence.js';
import { CLOSE, FIRST_NUMBER, OPEN, type Vocabulary, vocabularyOf } from '../listops/language/tokenizer.js';

/** Whole expressions (depth > 1) at an evaluation on the way, and at the last one. */
export const NESTED_SAMPLE = 500;
export const NESTED_FINAL_SAMPLE = 4000;
/** All runs are asked the same: the prompts do not depend on the run's seed. */
const EVALUATION_SEED = 0;

/** Depth-1 prompts of one operation and arity, all held out or none. */
export interface PromptCell {
  readonly operation: OperationName;
  readonly arity: number;
  readonly held: boolean;
  readonly enumerated: boolean;
  /** number of prompts */
  readonly total: number;
  readonly multisets: number;
  /** the prompts with their true completions, targets on the completion only; in chunks */
  readonly batches: readonly AnnotatedBatch[];
}

export interface EvaluationSet {
  /** of the tokens of all prompts */
  readonly vocabulary: Vocabulary;
  readonly cells: readonly PromptCell[];
  /** whole expressions as they are trained on at that step; absent at depth 1, where the cells are all there is */
  readonly nested?: readonly AnnotatedSequence[];
}

export interface EvaluationSetOptions {
  /** most tokens of one batch */
  readonly chunkTokens: number;
  /** the last evaluation of a run asks more whole expressions */
  readonly final: boolean;
  /** operations of whole expressions: those that are being trained; default all of the data */
  readonly tasks?: readonly OperationName[];
}

/** Builds the prompts. Hold-outs of the data mark the cells; they do not thin them. */
export function createEvaluationSet(data: DataConfig, options: EvaluationSetOptions): EvaluationSet {
  const writer = new SequenceWriter(createOperationContext(data), data);
  const groupsOf = groupsByOperation(data);
  const cells = data.tasks.flatMap((operation) =>
    groupsOf(operation).map(({ lists, ...group }) => ({
      operation,
      ...group,
      batches: promptBatches(data, operation, lists, { writer, ...options }),
    })),
  );
  const vocabulary = vocabularyOf(data);
  // lines of a file are scored by line-evaluation.ts
  if (data.depth === 1 || data.file !== undefined) return { vocabulary, cells };
  // large enough that no example of the sample repeats, whatever the size of the training set
  const endless = { ...data, tasks: options.tasks ?? data.tasks, fixedSize: NESTED_FINAL_SAMPLE };
  const generator = createGenerator(endless, EVALUATION_SEED, { stream: 'evaluation' });
  const size = options.final ? NESTED_FINAL_SAMPLE : NESTED_SAMPLE;
  const nested = Array.from({ length: size }, (_, i) => generator.example(i));
  return { vocabulary, cells, nested };
}

type OperandList = readonly number[];

/** Operand lists of one arity, all held out or none; PromptCell says the rest. */
interface ListGroup extends Pick<PromptCell, 'arity' | 'held' | 'enumerated' | 'total' | 'multisets'> {
  readonly lists: readonly OperandList[];
}

/** The groups of an operation. Enumerated lists are the same for every operation and grouped once. */
function groupsByOperation(data: DataConfig): (operation: OperationName) => readonly ListGroup[] {
  const holdout = createHoldout(data);
  let shared: readonly ListGroup[] | undefined;
  return (operation) => {
    if (shared !== undefined) return shared;
    const { lists, enumerated } = operandLists(data, operation, EVALUATION_SEED);
    const groups = groupLists(lists, holdout, enumerated);
    if (enumerated) shared = groups;
    return groups;
  };
}

/** By arity, held out before trained on. */
function groupLists(lists: readonly OperandList[], holdout: Holdout, enumerated: boolean): ListGroup[] {
  // [arity][0: held out, 1: trained on]
  const groups: OperandList[][][] = [];
  for (const operands of lists) {
    const ofArity = (groups[operands.length] ??= [[], []]);
    ofArity[holdout.isHeldOut(operands) ? 0 : 1].push(operands);
  }
  return groups.flatMap((ofArity, arity) =>
    ofArity
      .map((group, part) => ({
        arity,
        held: part === 0,
        enumerated,
        total: group.length,
        multisets: new Set(group.map(multisetKey)).size,
        lists: group,
      }))
      .filter(({ total }) => total > 0),
  );
}

function promptBatches(
  data: DataConfig,
  operation: OperationName,
  inputs: readonly OperandList[],
  { writer, chunkTokens }: { readonly writer: SequenceWriter; readonly chunkTokens: number },
): AnnotatedBatch[] {
  const operationToken = FIRST_NUMBER + data.modulus + operationIndex(operation);
  const batches: AnnotatedBatch[] = [];
  // `s`, the brackets, the operation, `>` and the result: six tokens beside the operands
  const arity = inputs[0].length;
  const size = Math.max(1, Math.floor(chunkTokens / (arity + 6)));
  const tokens = Int32Array.of(OPEN, operationToken, ...inputs[0], CLOSE);
  for (let from = 0; from < inputs.length; from += size) {
    writer.clear();
    for (let i = from; i < from + size && i < inputs.length; i++) {
      for (let j = 0; j < arity; j++) tokens[2 + j] = FIRST_NUMBER + inputs[i][j];
      writer.append(tokens, tokens.length);
    }
    batches.push(writer.batch('completion'));
  }
  return batches;
}
