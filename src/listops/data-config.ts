/**
 * What the data of a run is: one plain object, its defaults, its checks and the longest sequence it can produce.
 * Nothing is generated here.
 */
import { UserError, nearest, unacceptable } from '../errors.js';
import { allowedText, checkRule } from '../rules.js';
import { checkDataFileConfig } from './files/data-file-config.js';
import type { DataFileConfig } from './files/data-file-config.js';
import { DATA_RULES, MOST_TOKENS } from './data-rules.js';
import type { Format, HoldoutMethod, LossScope, Regime } from './data-rules.js';
import { OPERATION_NAMES, isOperationName } from './language/operations.js';
import type { MedianOfEven, OperationName } from './language/operations.js';
import { AUTHORS_OPERATIONS } from './language/tokenizer.js';
import type { Notation } from './language/tokenizer.js';

export { MODULUS_RANGE, OPERANDS_RANGE } from './data-rules.js';
export type { Format, LossScope, Regime } from './data-rules.js';

/** Deepest nesting and most operands of the lines of a file: more fit no model's context. */
const MOST_IN_FILE = 4096;

export interface DataConfig {
  /** drawn uniformly at every node; the order in which they are written does not matter */
  readonly tasks: readonly OperationName[];
  readonly modulus: number;
  /** greatest nesting; 1: operands are numbers only */
  readonly depth: number;
  /** fewest and most operands, drawn uniformly */
  readonly operands: readonly [number, number];
  /** probability that an operand is itself an expression while depth remains */
  readonly nesting: number;
  readonly format: Format;
  readonly loss: LossScope;
  readonly regime: Regime;
  readonly holdoutSeed: number;
  /** regime pairs: as large a share of the pairs a, a is held out as of all pairs; absent: no stratum is looked at */
  readonly holdoutMethod?: HoldoutMethod;
  readonly medianOfEven: MedianOfEven;
  /** seed of the relabelling, the Latin square and the random table */
  readonly tableSeed: number;
  /** a set of this many examples, used again and again in the same order; absent: every example is new */
  readonly fixedSize?: number;
  /** lines of a file instead of generated examples; tasks, depth, operands and nesting then describe its lines */
  readonly file?: DataFileConfig;
  /**
   * a batch is windows of so many tokens, cut at random from the set's examples written end to end, wherever an example
   * begins; absent: whole examples, each from position 0
   */
  readonly window?: number;
  /** operands k are drawn with probabilities proportional to (k + 1)^-digitSkew; absent: all alike */
  readonly digitSkew?: number;
  /** how expressions are spelled; absent: standard */
  readonly notation?: Exclude<Notation, 'standard'>;
}

export const DEFAULT_DATA: DataConfig = {
  tasks: ['MAX', 'MED', 'SUM'],
  modulus: 10,
  depth: 1,
  operands: [2, 3],
  nesting: 0.4,
  format: 'steps',
  loss: 'completion',
  regime: 'full',
  holdoutSeed: 0,
  medianOfEven: 'lower',
  tableSeed: 0,
};

/**
 * `MAX+MED+SUM` as operation names in table order.
 * @throws UserError for an unknown, repeated or missing name
 */
export function parseTasks(text: string): OperationName[] {
  const names = text.split(/[+,]/).map((name) => name.trim());
  return canonicalTasks(names);
}

/** Checked operation names in table order, so that SUM+MAX and MAX+SUM are the same data. */
export function canonicalTasks(names: readonly string[]): OperationName[] {
  const expected = allowedText(DATA_RULES.tasks);
  if (names.length === 0) throw unacceptable('--tasks', '', expected);
  const seen = new Set<OperationName>();
  for (const name of names) {
    if (!isOperationName(name)) {
      const meant = nearest(name, OPERATION_NAMES);
      throw unacceptable(
        '--tasks',
        name,
        expected,
        meant === undefined ? undefined : `Did you mean ${meant}?`,
      );
    }
    if (seen.has(name)) throw unacceptable('--tasks', name, 'each operation once', `Remove one ${name}.`);
    seen.add(name);
  }
  return OPERATION_NAMES.filter((name) => seen.has(name));
}

/** @throws UserError naming the flag, the value and what is allowed */
export function checkDataConfig(data: DataConfig): void {
  canonicalTasks(data.tasks);
  const { modulus, depth, operands } = DATA_RULES;
  checkRule('--modulus', modulus, data.modulus);
  // what a file holds is not for the generator's limits to refuse
  const isFile = data.file !== undefined;
  checkRule('--depth', isFile ? { ...depth, high: MOST_IN_FILE } : depth, data.depth);
  const [fewest, most] = data.operands;
  const [least, greatest] = isFile ? [1, MOST_IN_FILE] : [operands.low, operands.high];
  for (const bound of data.operands) {
    if (!isWithin(bound, least, greatest) || data.operands.length !== 2) {
      throw unacceptable('--operands', data.operands.join('..'), allowedText(operands));
    }
  }
  if (fewest > most) {
    const remedy = `Write ${most}..${fewest}.`;
    throw unacceptable('--operands', `${fewest}..${most}`, allowedText(operands), remedy);
  }
  checkRule('--nesting', DATA_RULES.nesting, data.nesting);
  checkRule('--format', DATA_RULES.format, data.format);
  checkRule('--loss', DATA_RULES.loss, data.loss);
  checkRule('--regime', DATA_RULES.regime, data.regime);
  checkRule('--median-of-even', DATA_RULES.medianOfEven, data.medianOfEven);
  checkRule('--holdout-seed', DATA_RULES.holdoutSeed, data.holdoutSeed);
  checkRule('--table-seed', DATA_RULES.tableSeed, data.tableSeed);
  if (data.fixedSize !== undefined) checkRule('--fixed-size', DATA_RULES.fixedSize, data.fixedSize);
  if (data.holdoutMethod !== undefined) {
    checkRule('--holdout-method', DATA_RULES.holdoutMethod, data.holdoutMethod);
    if (data.regime !== 'pairs') {
      throw unacceptable('--holdout-method', data.holdoutMethod, 'nothing without --regime pairs');
    }
  }
  if (data.digitSkew !== undefined) checkRule('--digit-skew', DATA_RULES.digitSkew, data.digitSkew);
  if (data.holdoutMethod !== undefined) {
    checkRule('--holdout-method', DATA_RULES.holdoutMethod, data.holdoutMethod);
    if (data.regime !== 'pairs') {
      throw unacceptable('--holdout-method', data.holdoutMethod, 'nothing without --regime pairs');
    }
  }
  checkNotation(data);
  checkFile(data);
  checkWindow(data);
  if ((data.regime === 'triples' || data.regime === 'ordered-triples') && most < 3) {
    throw unacceptable(
      '--regime',
      data.regime,
      'full or pairs when --operands never reaches 3',
      `Allow three operands, e.g. --operands 2..3, or hold out pairs.`,
    );
  }
  if (data.regime === 'ordered-triples' && data.modulus < 3) {
    throw unacceptable('--modulus', data.modulus, 'at least 3 with --regime ordered-triples');
  }
  const longest = maxTokens(data);
  if (longest > MOST_TOKENS && !isFile) {
    throw new UserError(
      `--depth ${data.depth} with --operands ${fewest}..${most}: found a longest sequence of ${longest} tokens, ` +
        `expected at most ${MOST_TOKENS}. Lower --depth or --operands, or choose --format direct.`,
    );
  }
}

function checkFile({ file, regime, fixedSize, window, digitSkew }: DataConfig): void {
  if (file === undefined) return;
  checkDataFileConfig(file);
  if (regime !== 'full') {
    throw unacceptable(
      '--regime',
      regime,
      'full with --data',
      'Lines of a file are held out by --held-fraction.',
    );
  }
  if (fixedSize !== undefined) {
    throw unacceptable('--fixed-size', fixedSize, 'nothing with --data', 'A file is a set of fixed size.');
  }
  if (window !== undefined) throw unacceptable('--window', window, 'nothing with --data');
  if (digitSkew !== undefined) throw unacceptable('--digit-skew', digitSkew, 'nothing with --data');
}

function checkNotation({ notation, tasks }: DataConfig): void {
  if (notation === undefined) return;
  checkRule('--notation', DATA_RULES.notation, notation);
  const absent = tasks.find((task) => !AUTHORS_OPERATIONS.includes(task));
  if (absent === undefined) return;
  throw unacceptable(
    '--tasks',
    absent,
    `operations out of ${AUTHORS_OPERATIONS.join(', ')} with --notation authors`,
    `Leave ${absent} or --notation away.`,
  );
}

/** Examples written end to end that are kept in memory for windows: more would take gigabytes. */
const MOST_WINDOWED = 1_000_000;

function checkWindow({ window, fixedSize }: DataConfig): void {
  if (window === undefined) return;
  checkRule('--window', DATA_RULES.window, window);
  if (fixedSize === undefined || fixedSize > MOST_WINDOWED) {
    throw unacceptable(
      '--fixed-size',
      fixedSize ?? 'nothing',
      `a whole number up to ${MOST_WINDOWED} with --window`,
      'Windows are cut from a set of fixed size.',
    );
  }
}

/**
 * Tokens of the longest sequence this data can produce, from `s` to `e`: every operand nested down to the last
 * level. A model needs nCtx >= this.
 */
export function maxTokens(
  data: Pick<DataConfig, 'depth' | 'operands' | 'nesting' | 'format' | 'file'>,
): number {
  if (data.file !== undefined) return data.file.longest;
  const k = data.operands[1];
  const depth = data.nesting > 0 ? data.depth : 1;
  let nodes = 0;
  for (let level = 0; level < depth; level++) nodes += k ** level;
  // each node writes "(", its operation and ")"; the leaves are the k^depth numbers
  const expression = 3 * nodes + k ** depth;
  if (data.format === 'direct') return expression + 4;
  // after i reductions k + 2 tokens a reduction are gone; one ">" before every segment but the first; `s` and `e`
  return (nodes + 1) * expression - ((k + 2) * nodes * (nodes + 1)) / 2 + nodes + 2;
}

function isWithin(value: unknown, low: number, high: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high;
}
