/**
 * Text of `sumlens sample`: examples with their reductions and roles, and what the data gives away. A pure function;
 * sample-command.ts registers it.
 */
import { canonicalJson } from '../../io/json.js';
import type { DataConfig } from '../../listops/data-config.js';
import { maxTokens } from '../../listops/data-config.js';
import { ROLES } from '../../listops/language/expression.js';
import { createGenerator } from '../../listops/sampling/generate.js';
import { leakReport } from '../../listops/sampling/leak.js';
import type { LeakReport } from '../../listops/sampling/leak.js';
import { OPERATION_NAMES } from '../../listops/language/operations.js';
import type { Holdout } from '../../listops/sampling/regimes.js';
import type { AnnotatedSequence } from '../../listops/language/sequence.js';
import { digitFrequencies, operationStatistics, survival } from '../../listops/sampling/statistics.js';
import type { OperationStatistics } from '../../listops/sampling/statistics.js';
import { decode, vocabularyOf } from '../../listops/language/tokenizer.js';
import type { Vocabulary } from '../../listops/language/tokenizer.js';
import { formatTable, percent } from '../terminal/table.js';

export interface SampleOptions {
  /** examples shown */
  readonly count: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Examples that digit frequencies and the leak report look at. */
const SCANNED = 10_000;
/** Under the tokens of a printed example. */
export const ROLE_LETTERS = ['R', 'c', 'f'] as const;

/** @returns the text to print, without a newline at its end; with `json` one JSON document */
export function sampleCommand(data: DataConfig, { count, seed, json }: SampleOptions): string {
  const generator = createGenerator(data, seed);
  const vocab = vocabularyOf(data);
  const examples = Array.from({ length: count }, (_, index) => generator.example(index));
  const frequencies = digitFrequencies(data, seed, SCANNED);
  const operations = operationStatistics(data);
  const survived = survival(data);
  const leaks = leakReport(data, seed, SCANNED);
  const { regime, level, sets, signalRatio } = generator.holdout;
  if (json) {
    return canonicalJson({
      data,
      seed,
      longestSequence: maxTokens(data),
      vocabulary: vocab.tokens,
      examples: examples.map((example) => ({
        text: decode(example.tokens, vocab),
        tokens: Array.from(example.tokens, (token) => vocab.tokens[token]),
        roles: Array.from(example.roles, (role) => (role < 0 ? null : ROLES[role])),
        reductions: reductionsOf(example, vocab),
      })),
      digitFrequencies: frequencies,
      operations,
      // ordered triples are not balanced: no ratio
      holdout: { regime, level, sets, ...(Number.isNaN(signalRatio) ? {} : { signalRatio }) },
      survival: survived,
      leaks,
    });
  }
  const tasks = OPERATION_NAMES.filter((name) => data.tasks.includes(name)).join('+');
  return [
    `${tasks} modulo ${data.modulus}, depth ${data.depth}, ${data.operands.join('..')} operands, format ${data.format}, ` +
      `regime ${data.regime}, seed ${seed}; longest sequence ${maxTokens(data)} tokens`,
    `roles: ${ROLES.map((role, i) => `${ROLE_LETTERS[i]} ${role}`).join(', ')}, . prompt`,
    ...examples.flatMap((example, index) => ['', ...exampleLines(example, String(index), vocab)]),
    '',
    `Numbers among operands and results of all reductions in ${SCANNED} examples`,
    formatTable(
      ['number', 'operands', 'results'],
      frequencies.operands.map((share, i) => [String(i), percent(share), percent(frequencies.results[i])]),
    ),
    '',
    'What one operand tells of the result (mutual information), and accuracy of always answering the most frequent result',
    formatTable(
      ['operation', 'operands', 'inputs', 'held out', 'bits', 'nats', 'chance', 'chance held'],
      operations.map(statisticsRow),
    ),
    ...(operations.every((row) => row.exact)
      ? []
      : ['Rows marked ~ are counted on a sample; their mutual information is slightly too high.']),
    '',
    ...(sets.length === 0
      ? ['Nothing is held out (regime full).']
      : [
          heldLine(generator.holdout),
          ...(Number.isNaN(signalRatio)
            ? []
            : [
                `Balance: strongest over weakest frequency of what one operand tells of a sum ${signalRatio.toFixed(2)}`,
              ]),
          `Expressions that survive: ${percent(survived.fraction)}`,
          ...(survived.warning === undefined ? [] : [survived.warning]),
        ]),
    regime === 'ordered-triples' ? orderedLeakLine(leaks) : leakLine(leaks),
  ].join('\n');
}

interface ShownReduction {
  readonly operation: string;
  readonly operands: readonly number[];
  readonly result: number;
}

/** The reductions of a sequence in order; a direct example has its outermost one, whose operands it may not show. */
export function reductionsOf(
  { tokens, roles, operations, arities }: AnnotatedSequence,
  vocab: Vocabulary,
): ShownReduction[] {
  const shown: ShownReduction[] = [];
  // one result behind several calls: the first `)` closes another one than that of the result
  const isNestedDirect =
    roles.filter((role) => role === 0).length === 1 &&
    tokens.indexOf(vocab.close) !== tokens.lastIndexOf(vocab.close);
  for (let t = 0; t < tokens.length; t++) {
    if (roles[t] !== 0) continue;
    const close = tokens.indexOf(vocab.close, lastBefore(tokens, t, [vocab.arrow, vocab.start]));
    const inner = tokens.slice(close - arities[t], close);
    const isWhole = !isNestedDirect && inner.every((token) => vocab.numberOf(token) !== undefined);
    shown.push({
      operation: OPERATION_NAMES[operations[t]],
      operands: isWhole ? Array.from(inner, (token) => vocab.numberOf(token) ?? -1) : [],
      result: vocab.numberOf(tokens[t]) ?? -1,
    });
  }
  return shown;
}

/** Where the segment before the one that holds place t starts. */
function lastBefore(tokens: Int32Array, t: number, marks: readonly number[]): number {
  let boundaries = 0;
  for (let i = t; i >= 0; i--) {
    if (marks.includes(tokens[i]) && ++boundaries === 2) return i;
  }
  return 0;
}

/** One example: text, tokens, their roles, reductions. @param name - three characters or more before the text */
export function exampleLines(example: AnnotatedSequence, name: string, vocab: Vocabulary): string[] {
  const words = Array.from(example.tokens, (token) => vocab.tokens[token]);
  const letters = Array.from(example.roles, (role) => (role < 0 ? '.' : ROLE_LETTERS[role]));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => cell.padEnd(words[i].length)).join(' ');
  return [
    `${name.padStart(3)}  ${decode(example.tokens, vocab)}`,
    `     ${line(words)}`.trimEnd(),
    `     ${line(letters)}`.trimEnd(),
    ...reductionsOf(example, vocab).map(({ operation, operands, result }) =>
      operands.length === 0
        ? `     ${operation} ... = ${result}`
        : `     ${operation} of ${operands.length}: ${operands.join(' ')} = ${result}`,
    ),
  ];
}

function statisticsRow(row: OperationStatistics): string[] {
  const nats = row.mutualInformationNats;
  const differ = nats.some((value) => Math.abs(value - nats[0]) > 1e-9);
  const text = (unit: number): string =>
    (differ ? nats : nats.slice(0, 1)).map((value) => (value / unit).toFixed(4)).join(' / ');
  return [
    row.operation,
    String(row.arity),
    `${row.exact ? '' : '~'}${row.nTrained}`,
    String(row.nHeld),
    text(Math.LN2),
    text(1),
    percent(row.chanceTrained),
    Number.isNaN(row.chanceHeld) ? '-' : percent(row.chanceHeld),
  ];
}

function heldLine({ regime, level, sets }: Holdout): string {
  if (regime === 'ordered-triples') {
    const triples = sets.map((set) => set.join(' ')).join(', ');
    return `Held out in the written order only, at every reduction (level ${level}): ${triples}`;
  }
  const shown = sets.map((set) => `{${set.join(' ')}}`).join(' ');
  return `Held out in any order, at every reduction (level ${level}): ${shown}`;
}

/** What the authors' hold-out lets through, counted on the data itself. */
function orderedLeakLine({ leaks, examples, reductions, sets, ordered }: LeakReport): string {
  return (
    `Leaks: ${leaks} of ${examples} examples with ${reductions} reductions show a held-out triple as it is written. ` +
    `But ${ordered.setsSeen} of ${sets} ordered triples held out are present in another order (${ordered.leaks} examples): ` +
    'an operation that does not care for order has seen their results. --regime triples holds out every order.'
  );
}

function leakLine({ leaks, examples, reductions, sets, ordered }: LeakReport): string {
  const compared =
    sets === 0
      ? ''
      : ` Held out in one order only, ${ordered.setsSeen} of ${sets} sets would appear in another (${ordered.leaks} examples).`;
  return `Leaks: ${leaks} of ${examples} examples with ${reductions} reductions show a held-out set in any order.${compared}`;
}
