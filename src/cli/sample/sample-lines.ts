/** Text of `sumlens sample --data`: lines of a file as the model sees them, and what the file holds. Pure. */
import { canonicalJson } from '../../io/json.js';
import type { DataConfig } from '../../listops/data-config.js';
import { ROLES } from '../../listops/language/expression.js';
import { type LineSource, createLineSource } from '../../listops/files/line-data.js';
import type { LineSet } from '../../listops/files/line-parser.js';
import { OPERATION_NAMES } from '../../listops/language/operations.js';
import { decode, vocabularyOf } from '../../listops/language/tokenizer.js';
import { outermostOperation } from '../../train/line-evaluation.js';
import { fileLine } from '../flags/data-file-flags.js';
import { ROLE_LETTERS, type SampleOptions, exampleLines, reductionsOf } from './sample.js';
import { formatTable, percent } from '../terminal/table.js';

/** @returns the text to print, without a newline at its end; with `json` one JSON document */
export function sampleLines(data: DataConfig, lines: LineSet, { count, seed, json }: SampleOptions): string {
  const source = createLineSource(data, lines, seed);
  const { trained, held } = source.split;
  const vocab = vocabularyOf(data);
  const shown = Array.from({ length: Math.min(count, trained.length) }, (_, index) => source.drawn(index));
  const operations = labelsByOperation(source);
  if (json) {
    return canonicalJson({
      data,
      seed,
      vocabulary: vocab.tokens,
      trained: trained.length,
      held: held.length,
      examples: shown.map((i) => {
        const example = source.sequence(i);
        return {
          line: lines.lineNumbers[i],
          text: decode(example.tokens, vocab),
          tokens: Array.from(example.tokens, (token) => vocab.tokens[token]),
          roles: Array.from(example.roles, (role) => (role < 0 ? null : ROLES[role])),
          reductions: reductionsOf(example, vocab),
        };
      }),
      operations,
    });
  }
  const { file, tasks, modulus, depth, operands, format, medianOfEven } = data;
  return [
    ...(file === undefined ? [] : [fileLine(file)]),
    `${OPERATION_NAMES.filter((name) => tasks.includes(name)).join('+')} modulo ${modulus}, MED of an even count ` +
      `${medianOfEven}, depth up to ${depth}, ${operands.join('..')} operands, format ${format}`,
    `${trained.length} lines are trained on, ${held.length} held out (hold-out seed ${data.holdoutSeed})`,
    `roles: ${ROLES.map((role, i) => `${ROLE_LETTERS[i]} ${role}`).join(', ')}, . prompt`,
    ...shown.flatMap((i) => ['', ...exampleLines(source.sequence(i), `line ${lines.lineNumbers[i]}`, vocab)]),
    '',
    'Labels by outermost operation',
    formatTable(
      ['operation', 'trained', 'held out', 'most frequent label', 'its share', ...labelNames(modulus)],
      operations.map(({ operation, trained: n, held: nHeld, counts }) => {
        const most = Math.max(...counts);
        const shares = counts.map((value) => percent(n === 0 ? 0 : value / n));
        return [
          operation,
          String(n),
          String(nHeld),
          String(counts.indexOf(most)),
          percent(most / n),
          ...shares,
        ];
      }),
    ),
  ].join('\n');
}

interface OperationLabels {
  readonly operation: string;
  readonly trained: number;
  readonly held: number;
  /** [n] trained lines with each label */
  readonly counts: readonly number[];
}

function labelsByOperation(source: LineSource): OperationLabels[] {
  const { data, lines, split } = source;
  return OPERATION_NAMES.filter((name) => data.tasks.includes(name)).flatMap((operation) => {
    const isOf = (i: number): boolean => outermostOperation(source, i) === operation;
    const counts = new Array<number>(data.modulus).fill(0);
    const own = split.trained.filter(isOf);
    for (const i of own) counts[lines.labels[i]]++;
    const held = split.held.filter(isOf).length;
    return own.length + held === 0 ? [] : [{ operation, trained: own.length, held, counts }];
  });
}

const labelNames = (modulus: number): string[] => Array.from({ length: modulus }, (_, i) => `${i}`);
