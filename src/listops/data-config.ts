/**
 * What the data of a run is: one plain object, its defaults, its checks and the longest sequence it can produce.
 * Nothing is generated here.
 */
import { UserError, nearest, unacceptable } from '../errors.js';
import { checkDataFileConfig } from './data-file-config.js';
import type { DataFileConfig } from './data-file-config.js';
import { OPERATION_NAMES, isOperationName } from './operations.js';
import type { MedianOfEven, OperationName } from './operations.js';
import { MEDIAN_OF_EVEN } from './operations.js';
import { AUTHORS_OPERATIONS, NOTATIONS } from './tokenizer.js';
import type { Notation } from './tokenizer.js';

export const FORMATS = ['steps', 'direct'] as const;
export type Format = (typeof FORMATS)[number];
export const LOSSES = ['completion', 'all'] as const;
export type LossScope = (typeof LOSSES)[number];
/** ordered-triples: what the paper's public pipeline does; the same numbers in another order are trained */
export const REGIMES = ['full', 'pairs', 'triples', 'ordered-triples'] as const;
export type Regime = (typeof REGIMES)[number];

export const MODULUS_RANGE = [2, 64] as const;
export const OPERANDS_RANGE = [2, 16] as const;
export const DEPTH_RANGE = [1, 8] as const;
/** Deepest nesting and most operands of the lines of a file: more fit no model's context. */
const MOST_IN_FILE = 4096;
/** Longest sequence the generator will make; a model's nCtx is far below it. */
export const MOST_TOKENS = 16384;

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
  /** how expressions are spelled; absent: standard */
  readonly notation?: Exclude<Notation, 'standard'>;
}

/** Fields of DataConfig that may be absent. */
export const OPTIONAL_DATA_FIELDS = ['fixedSize', 'file', 'window', 'notation'] as const;

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
  const expected = `operations out of ${OPERATION_NAMES.join(', ')} joined with "+"`;
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
  checkWhole('--modulus', data.modulus, ...MODULUS_RANGE);
  // what a file holds is not for the generator's limits to refuse
  const isFile = data.file !== undefined;
  checkWhole('--depth', data.depth, DEPTH_RANGE[0], isFile ? MOST_IN_FILE : DEPTH_RANGE[1]);
  const [fewest, most] = data.operands;
  const operandsRange: readonly [number, number] = isFile ? [1, MOST_IN_FILE] : OPERANDS_RANGE;
  for (const bound of data.operands) {
    if (!isWithin(bound, ...operandsRange) || data.operands.length !== 2) {
      throw unacceptable('--operands', data.operands.join('..'), operandsExpected());
    }
  }
  if (fewest > most) {
    throw unacceptable('--operands', `${fewest}..${most}`, operandsExpected(), `Write ${most}..${fewest}.`);
  }
  if (typeof data.nesting !== 'number' || !(data.nesting >= 0 && data.nesting <= 1)) {
    throw unacceptable('--nesting', shownNumber(data.nesting), 'a probability from 0 to 1');
  }
  checkOneOf('--format', data.format, FORMATS);
  checkOneOf('--loss', data.loss, LOSSES);
  checkOneOf('--regime', data.regime, REGIMES);
  checkOneOf('--median-of-even', data.medianOfEven, MEDIAN_OF_EVEN);
  checkWhole('--holdout-seed', data.holdoutSeed, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('--table-seed', data.tableSeed, 0, Number.MAX_SAFE_INTEGER);
  if (data.fixedSize !== undefined) checkWhole('--fixed-size', data.fixedSize, 1, 100_000_000);
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

function checkFile({ file, regime, fixedSize, window }: DataConfig): void {
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
}

function checkNotation({ notation, tasks }: DataConfig): void {
  if (notation === undefined) return;
  checkOneOf('--notation', notation, NOTATIONS);
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
  checkWhole('--window', window, 2, MOST_TOKENS);
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

function operandsExpected(): string {
  return `fewest..most operands, whole numbers from ${OPERANDS_RANGE[0]} to ${OPERANDS_RANGE[1]}, e.g. 2..3`;
}

function isWithin(value: unknown, low: number, high: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high;
}

function checkWhole(flag: string, value: unknown, low: number, high: number): void {
  if (isWithin(value, low, high)) return;
  const range = high === Number.MAX_SAFE_INTEGER ? `from ${low} to 2^53 - 1` : `from ${low} to ${high}`;
  throw unacceptable(flag, shownNumber(value), `a whole number ${range}`);
}

function checkOneOf(flag: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === 'string' && allowed.includes(value)) return;
  const meant = typeof value === 'string' ? nearest(value, allowed) : undefined;
  const remedy = meant === undefined ? undefined : `Did you mean ${meant}?`;
  throw unacceptable(flag, value, `one of ${allowed.join(', ')}`, remedy);
}

/** NaN and Infinity by name: JSON would print null. */
function shownNumber(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
