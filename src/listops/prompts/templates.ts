/**
 * Prompt batteries for ablations: expressions with the numbers blanked, filled many times. All sequences of a template
 * have one length and the same role at each absolute position, so that a mean over prompts at a position, or another
 * prompt's activation there, is something the model could have seen. Ablating is probes/ablation.
 */
import type { Rng } from '../../tensor/rng.js';
import type { DataConfig } from '../data-config.js';
import { expressionDepth, reductionSteps } from '../language/expression.js';
import type { Expression } from '../language/expression.js';
import { type OperationContext, type OperationName, operationIndex } from '../language/operations.js';
import { type AnnotatedBatch, SequenceWriter } from '../language/sequence.js';
import { CLOSE, FIRST_NUMBER, OPEN } from '../language/tokenizer.js';
import type { Vocabulary } from '../language/tokenizer.js';

/** An expression whose numbers are blanks: null is one blank. */
export type Shape = null | { readonly operation: OperationName; readonly operands: readonly Shape[] };

export interface Template {
  /** `(SUM # (SUM # #))` */
  readonly id: string;
  readonly shape: Shape;
  /** the only operation in it; null: mixed */
  readonly operation: OperationName | null;
  /** number of blanks */
  readonly nBlanks: number;
  /** 1: a single operation on numbers */
  readonly depth: number;
}

export const TEMPLATES_PER_BATTERY = 8;

/**
 * The battery of one run: first the pure templates of the primary operation (flat, then nested to the run's depth, up to
 * `most`), then flat ones of every other operation, then nested mixed ones, up to `most` of these two together (every flat
 * one is kept).
 */
export function batteryTemplates(data: DataConfig, most = TEMPLATES_PER_BATTERY): Template[] {
  const primary = primaryOperation(data);
  const others = data.tasks.filter((task) => task !== primary);
  const nested = nestedShapes(data, most);
  const pure = [...flatShapes(data), ...nested].slice(0, most).map((shape) => assign(shape, () => primary));
  const flat = others.flatMap((operation) => flatShapes(data).map((shape) => assign(shape, () => operation)));
  const mixed =
    others.length === 0
      ? []
      : nested
          .slice(0, Math.max(0, most - flat.length))
          .map((shape, index) => assign(shape, (node) => data.tasks[(index + node) % data.tasks.length]));
  const seen = new Set<string>();
  return [...pure, ...flat, ...mixed].map(describeTemplate).filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** SUM where the run has it, because the claims are about SUM; otherwise the run's first operation. */
export function primaryOperation(data: Pick<DataConfig, 'tasks'>): OperationName {
  return data.tasks.includes('SUM') ? 'SUM' : data.tasks[0];
}

/** The two smallest arities of the run; the operation is filled in by assign. */
function arities({ operands: [fewest, most] }: DataConfig): number[] {
  return fewest === most ? [fewest] : [fewest, fewest + 1];
}

/** `(OP # #)` and, where the run has more operands, `(OP # # #)`. */
export function flatTemplates(data: DataConfig, operation: OperationName): Template[] {
  return flatShapes(data).map((shape) => describeTemplate(assign(shape, () => operation)));
}

function flatShapes(data: DataConfig): Shape[] {
  return arities(data).map((arity) => call(Array.from({ length: arity }, () => null)));
}

/** Nested shapes, one a depth in turn, the shortest of each depth first; deeper ones are built on those of the level above. */
function nestedShapes(data: DataConfig, most: number): Shape[] {
  const depth = data.nesting > 0 ? data.depth : 1;
  const levels: Shape[][] = [flatShapes(data)];
  for (let level = 1; level < depth; level++) {
    const made: Shape[] = [];
    for (const arity of arities(data)) {
      for (const inner of levels[level - 1].slice(0, 3)) {
        for (let at = 0; at < arity; at++) {
          const operands = Array.from({ length: arity }, (_, i) => (i === at ? inner : null));
          made.push(call(operands));
          if (at > 0) made.push(call(operands.with(0, levels[0][0])));
        }
      }
    }
    const unique = new Map(made.map((shape) => [printShape(shape), shape]));
    levels.push(
      [...unique].sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1)).map(([, shape]) => shape),
    );
  }
  const chosen: Shape[] = [];
  const deep = levels.slice(1);
  for (let rank = 0; chosen.length < most && deep.some((level) => rank < level.length); rank++) {
    for (const level of deep) if (rank < level.length) chosen.push(level[rank]);
  }
  return chosen;
}

function call(operands: readonly Shape[]): Shape {
  return { operation: 'SUM', operands };
}

/** @param operationOf - the operation of each node, numbered in the order in which they are written */
function assign(shape: Shape, operationOf: (node: number) => OperationName): Shape {
  let node = 0;
  const visit = (part: Shape): Shape =>
    part === null ? null : { operation: operationOf(node++), operands: part.operands.map(visit) };
  return visit(shape);
}

export function describeTemplate(shape: Shape): Template {
  const operations = new Set<OperationName>();
  let nBlanks = 0;
  const visit = (part: Shape): void => {
    if (part === null) nBlanks++;
    else {
      operations.add(part.operation);
      part.operands.forEach(visit);
    }
  };
  visit(shape);
  const operation = operations.size === 1 ? [...operations][0] : null;
  const depth = expressionDepth(fill(shape, () => 0));
  return { id: printShape(shape), shape, operation, nBlanks, depth };
}

function printShape(shape: Shape): string {
  return shape === null ? '#' : `(${[shape.operation, ...shape.operands.map(printShape)].join(' ')})`;
}

/** The expression with `numberAt(i)` in blank i, blanks in the order in which they are written. */
function fill(shape: Shape, numberAt: (blank: number) => number): Expression {
  let blank = 0;
  const visit = (part: Shape): Expression =>
    part === null
      ? numberAt(blank++)
      : { operation: part.operation, operands: part.operands.map((operand) => visit(operand)) };
  return visit(shape);
}

/** P prompts of one template with their whole chains, as a batch of P sequences of equal length. */
export interface TemplateBatch {
  readonly template: Template;
  readonly batch: AnnotatedBatch;
  /** P */
  readonly nPrompts: number;
  /** T: tokens of every sequence, the last one left out as it predicts nothing */
  readonly length: number;
  readonly promptLength: number;
  /** numbers in the blanks, a row a prompt */
  readonly numbers: readonly (readonly number[])[];
  /** result of every reduction, a row a prompt */
  readonly results: readonly (readonly number[])[];
}

/** Fewer combinations of numbers than this are enumerated; the prompts are then a random subset without repetition. */
export const ENUMERATE_BELOW = 20_000;

export interface FillOptions {
  readonly context: OperationContext;
  readonly data: Pick<DataConfig, 'modulus' | 'format' | 'notation'>;
  /** prompts wanted; fewer come back when no more exist */
  readonly count: number;
  readonly rng: Rng;
  /** whether a reduction of these operands may occur (a hold-out says no); every step is asked */
  readonly accept?: (operands: readonly number[]) => boolean;
}

/** Fills a template with distinct numbers. @returns undefined when no prompt is acceptable */
export function fillTemplate(template: Template, options: FillOptions): TemplateBatch | undefined {
  const { context, data, count, rng, accept = () => true } = options;
  const combinations = data.modulus ** template.nBlanks;
  const isAccepted = (numbers: readonly number[]): boolean =>
    reductionSteps(
      fill(template.shape, (blank) => numbers[blank]),
      context,
    ).every((step) => accept(step.operands));
  const chosen: number[][] = [];
  if (combinations <= ENUMERATE_BELOW) {
    for (const index of rng.permutation(combinations)) {
      if (chosen.length === count) break;
      const numbers = digits(index, template.nBlanks, data.modulus);
      if (isAccepted(numbers)) chosen.push(numbers);
    }
  } else {
    const seen = new Set<string>();
    for (let tries = 0; chosen.length < count && tries < 100 * count; tries++) {
      const numbers = Array.from({ length: template.nBlanks }, () => rng.below(data.modulus));
      const key = numbers.join(' ');
      if (seen.has(key) || !isAccepted(numbers)) continue;
      seen.add(key);
      chosen.push(numbers);
    }
  }
  return chosen.length === 0 ? undefined : batchOf(template, chosen, options);
}

/** The batch of given numbers; `shapeOf` may give a prompt another operation, never another outline. */
export function batchOf(
  template: Template,
  numbers: readonly (readonly number[])[],
  { context, data }: Pick<FillOptions, 'context' | 'data'>,
  shapeOf: (prompt: number) => Shape = () => template.shape,
): TemplateBatch {
  const writer = new SequenceWriter(context, data);
  const results = numbers.map((row, prompt) => {
    const expression = fill(shapeOf(prompt), (blank) => row[blank]);
    const tokens = Int32Array.from(expressionTokens(expression, data.modulus));
    writer.append(tokens, tokens.length);
    const steps = reductionSteps(expression, context).map(({ result }) => result);
    return data.format === 'steps' ? steps : steps.slice(-1);
  });
  const batch = writer.batch('completion');
  const { promptLength } = writer.sequence(0);
  return {
    template,
    batch,
    nPrompts: numbers.length,
    length: batch.offsets[1],
    promptLength,
    numbers,
    results,
  };
}

/** Input number `index` of all base^count: its digits, the first the fastest. */
export function digits(index: number, count: number, base: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(index / base ** i) % base);
}

function expressionTokens(expression: Expression, modulus: number): number[] {
  if (typeof expression === 'number') return [FIRST_NUMBER + expression];
  const operation = FIRST_NUMBER + modulus + operationIndex(expression.operation);
  return [OPEN, operation, ...expression.operands.flatMap((o) => expressionTokens(o, modulus)), CLOSE];
}

/** Which prompt gives its activations to which. */
export interface Donors {
  /** [P] */
  readonly donor: Int32Array;
  /** prompts for which no donor with another result could be found */
  readonly sameResult: number;
}

/**
 * A random derangement in which the donor's result differs from one's own at every reduction. Starts from a random
 * permutation and swaps until it holds; where results are too uneven for that, the rest is counted and reported.
 */
export function chooseDonors(results: readonly (readonly number[])[], rng: Rng): Donors {
  const n = results.length;
  const donor = rng.permutation(n);
  // a fixed point has equal results too, so one test covers both
  const clashes = (i: number, j: number): boolean => results[i].some((result, k) => result === results[j][k]);
  for (let pass = 0; pass < 20; pass++) {
    let open = 0;
    for (let i = 0; i < n; i++) {
      if (!clashes(i, donor[i])) continue;
      open++;
      for (let tries = 0; tries < 50; tries++) {
        const j = rng.below(n);
        if (clashes(i, donor[j]) || clashes(j, donor[i])) continue;
        [donor[i], donor[j]] = [donor[j], donor[i]];
        open--;
        break;
      }
    }
    if (open === 0) break;
  }
  let sameResult = 0;
  for (let i = 0; i < n; i++) if (clashes(i, donor[i])) sameResult++;
  return { donor, sameResult };
}

/**
 * The same numbers under another operation of the run, chosen so that the result differs where any does: what tells the
 * operation apart from the numbers. Single-operation templates only.
 * @returns undefined for nested templates and for runs of one operation
 */
export function otherOperationBatch(
  filled: TemplateBatch,
  tasks: readonly OperationName[],
  options: Pick<FillOptions, 'context' | 'data' | 'rng'>,
): { readonly batch: TemplateBatch; readonly sameResult: number } | undefined {
  const { shape, operation, depth } = filled.template;
  const others = tasks.filter((task) => task !== operation);
  if (shape === null || operation === null || depth !== 1 || others.length === 0) return undefined;
  let sameResult = 0;
  const chosen = filled.numbers.map((row, prompt) => {
    const candidates = options.rng.shuffle(others.slice()).map((task) => assign(shape, () => task));
    const different = candidates.find((candidate) => {
      const value = reductionSteps(
        fill(candidate, (blank) => row[blank]),
        options.context,
      ).at(-1)?.result;
      return value !== filled.results[prompt].at(-1);
    });
    if (different === undefined) sameResult++;
    return different ?? candidates[0];
  });
  return { batch: batchOf(filled.template, filled.numbers, options, (prompt) => chosen[prompt]), sameResult };
}

/** Rows of a template batch that an ablation may be confined to. */
export const SITES = [
  'all positions',
  'result-predicting position',
  'operand and bracket positions',
] as const;
export type Site = (typeof SITES)[number];

/**
 * Rows [of N = P T] at a site; undefined: all. Operand and bracket positions are those that hold a number or a bracket
 * of an expression still to be reduced, result-predicting positions excepted.
 */
export function siteRows(
  { batch, length, nPrompts }: TemplateBatch,
  site: Site,
  vocabulary: Vocabulary,
): Int32Array | undefined {
  if (site === 'all positions') return undefined;
  const { tokens, roles } = batch;
  const { open, close } = vocabulary;
  let lastBracket = 0;
  for (let t = 0; t < length; t++) if (tokens[t] === close) lastBracket = t;
  const isHere = (t: number): boolean => {
    const predictsResult = roles[t] === 0;
    if (site === 'result-predicting position') return predictsResult;
    const token = tokens[t];
    const isNumber = vocabulary.numberOf(token) !== undefined;
    return !predictsResult && t <= lastBracket && (isNumber || token === open || token === close);
  };
  const offsets = Array.from({ length }, (_, t) => t).filter(isHere);
  const rows = new Int32Array(nPrompts * offsets.length);
  for (let p = 0; p < nPrompts; p++) {
    offsets.forEach((t, i) => (rows[p * offsets.length + i] = p * length + t));
  }
  return rows;
}
