/**
 * Operand multisets with the orders in which they can be written, so that a table can weigh every multiset once. All of
 * them where they are few, otherwise a seeded sample. What is asked about them is result-prompts.ts.
 */
import type { Rng } from '../../tensor/rng.js';

/** Operand lists of one operation and arity up to which all are asked. */
export const MOST_LISTS = 20_000;
/** Otherwise: so many multisets, each in at most so many orders. */
export const SAMPLED_MULTISETS = 1000;
export const SAMPLED_ORDERS = 4;

export interface OperandMultiset {
  /** ascending */
  readonly operands: readonly number[];
  /** distinct orders to be asked; all there are when `nOrders` is their number */
  readonly orders: readonly (readonly number[])[];
  /** distinct orders there are */
  readonly nOrders: number;
}

export interface MultisetList {
  readonly arity: number;
  /** every multiset in every order */
  readonly complete: boolean;
  /** ascending by operands */
  readonly multisets: readonly OperandMultiset[];
}

/** @param rng - used only when the lists are too many */
export function operandMultisets(modulus: number, arity: number, rng: Rng): MultisetList {
  if (modulus ** arity <= MOST_LISTS) {
    const multisets = allMultisets(modulus, arity).map((operands) => {
      const orders = distinctOrders(operands);
      return { operands, orders, nOrders: orders.length };
    });
    return { arity, complete: true, multisets };
  }
  const drawn = new Map<string, number[]>();
  // numbers that repeat a multiset are drawn again: at most a few, since there are far more multisets than draws
  for (let draw = 0; drawn.size < SAMPLED_MULTISETS && draw < 20 * SAMPLED_MULTISETS; draw++) {
    const operands = randomMultiset(modulus, arity, rng);
    drawn.set(operands.join(' '), operands);
  }
  const multisets = [...drawn.values()].sort(compareLists).map((operands) => ({
    operands,
    orders: someOrders(operands, rng),
    nOrders: countOrders(operands),
  }));
  return { arity, complete: false, multisets };
}

/** All ascending lists of `arity` numbers 0..n-1, in lexicographic order. */
export function allMultisets(n: number, arity: number): number[][] {
  const out: number[][] = [];
  const current: number[] = [];
  const extend = (least: number): void => {
    if (current.length === arity) {
      out.push([...current]);
      return;
    }
    for (let value = least; value < n; value++) {
      current.push(value);
      extend(value);
      current.pop();
    }
  };
  extend(0);
  return out;
}

/** Distinct orders of an ascending list, in lexicographic order. */
export function distinctOrders(ascending: readonly number[]): number[][] {
  if (ascending.length <= 1) return [[...ascending]];
  return ascending.flatMap((first, i) =>
    i > 0 && ascending[i - 1] === first
      ? []
      : distinctOrders(ascending.toSpliced(i, 1)).map((rest) => [first, ...rest]),
  );
}

/** arity! over the factorials of the multiplicities. */
export function countOrders(ascending: readonly number[]): number {
  let orders = 1;
  let run = 0;
  ascending.forEach((value, i) => {
    run = i > 0 && ascending[i - 1] === value ? run + 1 : 1;
    orders = (orders * (i + 1)) / run;
  });
  return Math.round(orders);
}

/** Uniform over multisets: `arity` distinct places out of n + arity - 1, less their rank (stars and bars). */
function randomMultiset(n: number, arity: number, rng: Rng): number[] {
  const places = new Set<number>();
  while (places.size < arity) places.add(rng.below(n + arity - 1));
  return [...places].sort((a, b) => a - b).map((place, rank) => place - rank);
}

function someOrders(operands: readonly number[], rng: Rng): number[][] {
  if (countOrders(operands) <= SAMPLED_ORDERS) return distinctOrders(operands);
  const orders = new Map<string, number[]>();
  while (orders.size < SAMPLED_ORDERS) {
    const order = Array.from(rng.permutation(operands.length), (i) => operands[i]);
    orders.set(order.join(' '), order);
  }
  return [...orders.values()].sort(compareLists);
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}
