/**
 * THE table of operations. A new operation is one row, appended: token ids follow the order of the table, and a new
 * version of the vocabulary holds it. Numbers are residues 0..modulus-1. Tables of the control operations are made in tables.ts.
 */
import { latinSquare, randomTable, relabelling } from './tables.js';
import type { Relabelling } from './tables.js';

/** The median of an even count: the lower or upper of the two middle numbers, or their mean rounded down. */
export const MEDIAN_OF_EVEN = ['lower', 'upper', 'mean-truncated'] as const;
export type MedianOfEven = (typeof MEDIAN_OF_EVEN)[number];

export interface OperationOptions {
  readonly modulus: number;
  readonly medianOfEven: MedianOfEven;
  readonly tableSeed: number;
}

/** Everything an evaluation depends on besides the operands. Tables are built at first use and kept. */
export interface OperationContext extends OperationOptions {
  readonly relabelling: () => Relabelling;
  /** [n, n] */
  readonly latin: () => Int32Array;
  /** [n, n] */
  readonly table: () => Int32Array;
}

export interface OperationRow {
  readonly name: string;
  /** one line for help texts */
  readonly meaning: string;
  /** fewest and most operands */
  readonly arity: readonly [number, number];
  /** for how many operands their order does not matter */
  readonly commutative: 'any' | 'two' | 'none';
  /** @param args - numbers 0..modulus-1; not kept, not changed */
  readonly evaluate: (args: readonly number[], context: OperationContext) => number;
}

const ARITY = [2, 16] as const;

/** Longer lists, as a data file may have, go to the library's sort. */
const MOST_INSERTED = 32;

/** A sorted copy. Few numbers are inserted one by one: this is the inner loop of training data with MED. */
function ascending(args: readonly number[]): number[] {
  const sorted = args.slice();
  if (sorted.length > MOST_INSERTED) return sorted.sort((a, b) => a - b);
  for (let i = 1; i < sorted.length; i++) {
    const inserted = sorted[i];
    let at = i;
    for (; at > 0 && sorted[at - 1] > inserted; at--) sorted[at] = sorted[at - 1];
    sorted[at] = inserted;
  }
  return sorted;
}

function median(args: readonly number[], rule: MedianOfEven): number {
  const sorted = ascending(args);
  const half = sorted.length >> 1;
  if (sorted.length % 2 === 1 || rule === 'upper') return sorted[half];
  return rule === 'lower' ? sorted[half - 1] : (sorted[half - 1] + sorted[half]) >> 1;
}

function sum(args: readonly number[]): number {
  let total = 0;
  for (const a of args) total += a;
  return total;
}

/** An evaluation in the foreign order: rename, evaluate, rename back. */
function relabelled(evaluate: OperationRow['evaluate']): OperationRow['evaluate'] {
  return (args, context) => {
    const { forward, backward } = context.relabelling();
    return backward[
      evaluate(
        args.map((a) => forward[a]),
        context,
      )
    ];
  };
}

function foldLeft(args: readonly number[], table: Int32Array, modulus: number): number {
  let value = args[0];
  for (let i = 1; i < args.length; i++) value = table[value * modulus + args[i]];
  return value;
}

// no spread: a call in a data file may have more operands than a function has arguments
const evaluateMax: OperationRow['evaluate'] = (args) => args.reduce((most, a) => (a > most ? a : most));
const evaluateMin: OperationRow['evaluate'] = (args) => args.reduce((least, a) => (a < least ? a : least));
const evaluateMed: OperationRow['evaluate'] = (args, context) => median(args, context.medianOfEven);
const evaluateSum: OperationRow['evaluate'] = (args, context) => sum(args) % context.modulus;

/** Append only. */
export const OPERATIONS = [
  { name: 'MAX', meaning: 'the greatest', arity: ARITY, commutative: 'any', evaluate: evaluateMax },
  { name: 'MIN', meaning: 'the least', arity: ARITY, commutative: 'any', evaluate: evaluateMin },
  { name: 'MED', meaning: 'the median', arity: ARITY, commutative: 'any', evaluate: evaluateMed },
  { name: 'SUM', meaning: 'the sum modulo n', arity: ARITY, commutative: 'any', evaluate: evaluateSum },
  {
    name: 'PROD',
    meaning: 'the product modulo n',
    arity: ARITY,
    commutative: 'any',
    evaluate: (args, { modulus }) => args.reduce((product, a) => (product * a) % modulus, 1),
  },
  {
    name: 'NADD',
    meaning: 'a - b + c - ... modulo n',
    arity: ARITY,
    commutative: 'none',
    evaluate: (args, { modulus }) =>
      args.reduce((total, a, i) => (i % 2 === 0 ? total + a : total - a + modulus), 0) % modulus,
  },
  {
    name: 'FIRST',
    meaning: 'copies the first operand',
    arity: ARITY,
    commutative: 'none',
    evaluate: (args) => args[0],
  },
  {
    name: 'MAXp',
    meaning: 'MAX under a seeded relabelling of the numbers',
    arity: ARITY,
    commutative: 'any',
    evaluate: relabelled(evaluateMax),
  },
  {
    name: 'MINp',
    meaning: 'MIN under the same relabelling',
    arity: ARITY,
    commutative: 'any',
    evaluate: relabelled(evaluateMin),
  },
  {
    name: 'MEDp',
    meaning: 'MED under the same relabelling',
    arity: ARITY,
    commutative: 'any',
    evaluate: relabelled(evaluateMed),
  },
  {
    name: 'GSUM',
    meaning: 'SUM under the same relabelling: the same group, a foreign order',
    arity: ARITY,
    commutative: 'any',
    evaluate: relabelled(evaluateSum),
  },
  {
    name: 'LATIN',
    meaning: 'a seeded random commutative Latin square that is no group, folded from the left',
    arity: ARITY,
    commutative: 'two',
    evaluate: (args, context) => foldLeft(args, context.latin(), context.modulus),
  },
  {
    name: 'TABLE',
    meaning: 'a seeded random commutative table, folded from the left',
    arity: ARITY,
    commutative: 'two',
    evaluate: (args, context) => foldLeft(args, context.table(), context.modulus),
  },
] as const satisfies readonly OperationRow[];

export type OperationName = (typeof OPERATIONS)[number]['name'];
export const OPERATION_NAMES: readonly OperationName[] = OPERATIONS.map((row) => row.name);

/**
 * Versions of the vocabulary: how many operations of the table each holds. The table grows by a new, last version, so that
 * a run of older operations keeps its vocabulary, its parameters and its id.
 */
export const VOCABULARY_VERSIONS: readonly number[] = [13];

/** The operations of the oldest vocabulary that holds all tasks, in the order of their token ids. */
export function oldestVocabulary(
  tasks: readonly string[],
  names: readonly string[] = OPERATION_NAMES,
  versions: readonly number[] = VOCABULARY_VERSIONS,
): readonly string[] {
  const needed = 1 + Math.max(...tasks.map((task) => names.indexOf(task)));
  return names.slice(0, versions.find((size) => size >= needed) ?? names.length);
}

export function isOperationName(text: string): text is OperationName {
  return (OPERATION_NAMES as readonly string[]).includes(text);
}

/** Index of an operation in the table. */
export function operationIndex(name: OperationName): number {
  return OPERATION_NAMES.indexOf(name);
}

export function operationRow(name: OperationName): OperationRow {
  return OPERATIONS[operationIndex(name)];
}

/** Whether the order of this many operands does not matter. */
export function isCommutative(name: OperationName, arity: number): boolean {
  const { commutative } = operationRow(name);
  return commutative === 'any' || (commutative === 'two' && arity === 2);
}

export function createOperationContext(options: OperationOptions): OperationContext {
  const { modulus, medianOfEven, tableSeed } = options;
  return {
    modulus,
    medianOfEven,
    tableSeed,
    relabelling: once(() => relabelling(tableSeed, modulus)),
    latin: once(() => latinSquare(tableSeed, modulus)),
    table: once(() => randomTable(tableSeed, modulus)),
  };
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
