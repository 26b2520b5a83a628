/**
 * The prompts of the contextual probes, and what is asked at which position of them: one operation on numbers, and in runs of
 * depth 2 or more a nested expression, for the look-ahead. The true chain is given. Held-out operands are left out.
 */
import type { DataConfig } from '../../src/listops/data-config.js';
import { RESULT } from '../../src/listops/language/expression.js';
import {
  createOperationContext,
  type OperationContext,
  type OperationName,
  operationRow,
} from '../../src/listops/language/operations.js';
import { createHoldout } from '../../src/listops/sampling/regimes.js';
import {
  describeTemplate,
  fillTemplate,
  flatTemplates,
  primaryOperation,
  type Shape,
  type Template,
  type TemplateBatch,
} from '../../src/listops/prompts/templates.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import type { Rng } from '../../src/tensor/rng.js';
import type { PositionKind } from './measurement.js';

/** Templates with another operation inside, beside the one of the primary operation alone: each costs seconds. */
const MOST_MIXED = 1;

/** A position of the template and the value asked there. */
export interface Position {
  readonly name: string;
  /** what the value is: `running SUM`, `result` */
  readonly label: string;
  readonly kind: PositionKind;
  /** offset in each sequence */
  readonly offset: number;
  /** [P] the value of each prompt */
  readonly values: Int32Array;
  /** [P] the numbers that determine it, unordered */
  readonly groups: readonly string[];
  /** blanks that hold them, for the bag */
  readonly blanks: readonly number[];
}

export interface Battery {
  readonly filled: TemplateBatch;
  readonly positions: readonly Position[];
}

/** Batches of every operand count, for the causal check; the last has the most operands. */
export function fillFlat(data: DataConfig, nCtx: number, prompts: number, rng: Rng): TemplateBatch[] {
  return flatTemplates(data, primaryOperation(data)).flatMap((template) =>
    fillOne(template, data, nCtx, prompts, rng),
  );
}

/**
 * `(SUM (SUM # #) #)`, and `(SUM (MAX # #) #)` for other operations that the run was trained on; none at depth 1. The
 * primary operation stands outside, so that SUM's final answers are spread evenly.
 */
export function nestedTemplates(data: DataConfig): Template[] {
  if (data.depth < 2 || data.nesting === 0) return [];
  const outer = primaryOperation(data);
  const others = data.tasks.filter((task) => task !== outer).slice(0, MOST_MIXED);
  const numbers = (count: number): null[] => Array.from({ length: count }, () => null);
  const arity = Math.max(2, data.operands[0]);
  return [outer, ...others].map((inner) =>
    describeTemplate({
      operation: outer,
      operands: [{ operation: inner, operands: numbers(arity) }, ...numbers(arity - 1)],
    }),
  );
}

/** @param rng - a stream for every template */
export function fillNested(
  data: DataConfig,
  nCtx: number,
  prompts: number,
  rng: (index: number) => Rng,
): TemplateBatch[] {
  return nestedTemplates(data).flatMap((template, t) => fillOne(template, data, nCtx, prompts, rng(t)));
}

/** Nothing where no prompt is acceptable or the chain is longer than the model's context. */
function fillOne(
  template: Template,
  data: DataConfig,
  nCtx: number,
  prompts: number,
  rng: Rng,
): TemplateBatch[] {
  const holdout = createHoldout(data);
  const filled = fillTemplate(template, {
    context: createOperationContext(data),
    data,
    count: prompts,
    rng,
    accept: (operands) => !holdout.isHeldOut(operands),
  });
  return filled === undefined || filled.length > nCtx ? [] : [filled];
}

/**
 * In the prompt: numbers from the second operand on (the first is the token itself), closing brackets, and the arrow. In the
 * chain: where a result is predicted, and its own token. Mixed templates are asked about the final answer alone.
 */
export function describeBattery(data: DataConfig, filled: TemplateBatch): Battery {
  const positions = describePositions(data, filled);
  const isMixed = filled.template.operation === null;
  return {
    filled,
    positions: isMixed ? positions.filter(({ kind }) => kind === 'ahead' || kind === 'predicted') : positions,
  };
}

/** A part of the expression with its values. */
interface Node {
  readonly values: Int32Array;
  readonly blanks: readonly number[];
  /** [P] its numbers, unordered within every operation */
  readonly keys: readonly string[];
  readonly isNumber: boolean;
}

function describePositions(data: DataConfig, filled: TemplateBatch): Position[] {
  const { template, numbers } = filled;
  const context = createOperationContext(data);
  const isNested = template.depth > 1;
  const positions: Position[] = [];
  const reduced: Node[] = [];
  // `s` stands at 0
  let offset = 1;
  let blank = 0;
  const visit = (shape: Shape, isRoot: boolean): Node => {
    if (shape === null) {
      const own = blank++;
      offset++;
      const values = Int32Array.from(numbers, (row) => row[own]);
      return { values, blanks: [own], keys: Array.from(values, String), isNumber: true };
    }
    const { operation } = shape;
    // the bracket and the operation
    offset += 2;
    const where = !isNested ? '' : isRoot ? 'outer ' : 'inner ';
    const operands: Node[] = [];
    let node: Node | undefined;
    for (const operand of shape.operands) {
      operands.push(visit(operand, false));
      if (operands.length === 1) continue;
      node = combine(operation, operands, template, context);
      // behind a nested operand stands its own bracket
      if (operand !== null) continue;
      const isWhole = operands.length === shape.operands.length;
      const isAhead = operands.some(({ isNumber }) => !isNumber);
      positions.push({
        ...asked(node),
        name: `${where}number ${operands.length}`,
        kind: isAhead ? 'ahead' : 'running',
        label: isAhead && isWhole ? 'final answer, look-ahead' : runningLabel(operation, isAhead, isWhole),
        offset: offset - 1,
      });
    }
    if (node === undefined) throw new RangeError(`${template.id}: found one operand, expected two or more.`);
    const isAhead = operands.some(({ isNumber }) => !isNumber);
    positions.push({
      ...asked(node),
      name: `${where})`,
      kind: isAhead ? 'ahead' : 'result',
      label: isAhead ? 'final answer, look-ahead' : isNested ? 'inner result' : 'result',
      offset: offset++,
    });
    reduced.push(node);
    return node;
  };
  const root = visit(template.shape, true);
  const vocabulary = vocabularyOf(data);
  const arrow = vocabulary.tokens[data.format === 'steps' ? vocabulary.arrow : vocabulary.equals];
  if (isNested && data.format === 'steps') {
    positions.push({ ...asked(root), name: arrow, kind: 'ahead', label: 'final answer, look-ahead', offset });
  }
  return [...positions, ...chainPositions(filled, reduced, arrow, isNested)];
}

/** Where the chain predicts its results, one a reduction, and the first one's own token as positive control. */
function chainPositions(
  { batch, length }: TemplateBatch,
  reduced: readonly Node[],
  arrow: string,
  isNested: boolean,
): Position[] {
  const predicting = Array.from({ length }, (_, t) => t).filter((t) => batch.roles[t] === RESULT);
  // the format `direct` writes the last result alone
  const written = reduced.slice(reduced.length - predicting.length);
  return predicting.flatMap((offset, step): Position[] => {
    const node = asked(written[step]);
    const isFinal = step === predicting.length - 1;
    const which = !isNested ? '' : isFinal ? 'final ' : 'inner ';
    const what = isNested && isFinal ? 'final answer' : `${which}result`;
    const predicted: Position = {
      ...node,
      name: isNested ? `predicts ${which.trim()}` : arrow,
      kind: isFinal ? 'predicted' : 'result',
      label: `${what}, predicted here`,
      offset,
    };
    const own: Position = {
      ...node,
      name: `${which}result`,
      kind: 'own',
      label: 'its own value (positive control)',
      offset: offset + 1,
    };
    return step === 0 ? [predicted, own] : [predicted];
  });
}

function runningLabel(operation: OperationName, isAhead: boolean, isWhole: boolean): string {
  if (isAhead) return `running ${operation}, look-ahead`;
  return isWhole ? `running ${operation} = result` : `running ${operation}`;
}

function asked({ values, keys, blanks }: Node): Pick<Position, 'values' | 'groups' | 'blanks'> {
  return { values, groups: keys, blanks };
}

/** The value of an operation on its first operands. Where the whole template has one operation, brackets do not count. */
function combine(
  operation: OperationName,
  operands: readonly Node[],
  template: Template,
  context: OperationContext,
): Node {
  const { evaluate } = operationRow(operation);
  const isPure = template.operation !== null;
  const keyOf = ({ keys, isNumber }: Node, p: number): string[] =>
    isNumber ? [keys[p]] : isPure ? keys[p].split(' ') : [`(${keys[p]})`];
  return {
    values: operands[0].values.map((_, p) =>
      evaluate(
        operands.map(({ values }) => values[p]),
        context,
      ),
    ),
    blanks: operands.flatMap(({ blanks }) => blanks),
    keys: Array.from(operands[0].values, (_, p) =>
      operands
        .flatMap((operand) => keyOf(operand, p))
        .sort(compareKeys)
        .join(' '),
    ),
    isNumber: false,
  };
}

/** Numbers by value, then nested operands by their text. */
function compareKeys(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y)) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}
