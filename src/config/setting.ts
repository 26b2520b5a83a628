/** What the table of settings says of one field of a run. The tables are data-settings.ts and settings.ts. */
import type { Rule } from '../rules.js';

/** What defaults may follow from. A type of its own: that of the configuration is made from the rows. */
export interface Given {
  readonly model: { readonly dModel: number; readonly bias: boolean };
  readonly seed: number;
}

/** One row. `T` is the type of the field; undefined belongs to it where the field may be absent. */
export interface Row<T> {
  readonly default: T;
  readonly rule: Rule;
  /** without its two dashes; absent: set in a configuration file only, or by another flag */
  readonly flag?: string;
  /** what stands for the value in the help; default: from the rule. A boolean is a switch and has none. */
  readonly argument?: string;
  /** what it is, one clause */
  readonly help: string;
  /** why the default is what it is */
  readonly reason: string;
  /** the default where it follows from other fields; `default` is then its value in the default configuration */
  readonly derived?: { readonly from: (given: Given) => T; readonly text: string };
  /** what an absent field stands for; said or not said, it is the same run, and it is stored as absent */
  readonly implied?: unknown;
  /** text of a flag to the value and back, where the rule does not say how */
  readonly text?: { readonly read: (text: string) => unknown; readonly write: (value: never) => string };
  /** stored configurations may lack it, being older: the default is what their runs did */
  readonly addedLater?: true;
}

/** A row with its place in the configuration, whatever its type. */
export interface Setting extends Row<unknown> {
  /** `data.modulus`, `seed` */
  readonly path: string;
}

type ValueOf<R> = R extends Row<infer T> ? T : never;

/** Types of the fields that a table of rows describes; those that may be undefined may be absent. */
export type Values<Rows> = {
  readonly [K in keyof Rows as undefined extends ValueOf<Rows[K]> ? never : K]: ValueOf<Rows[K]>;
} & {
  readonly [K in keyof Rows as undefined extends ValueOf<Rows[K]> ? K : never]?: Exclude<
    ValueOf<Rows[K]>,
    undefined
  >;
};

type Words = Omit<Row<never>, 'default' | 'rule' | 'derived' | 'addedLater' | 'implied'>;

/** What a field's row may say beside its words. */
type More<T> = Partial<Pick<Row<T>, 'derived' | 'addedLater'>>;

export function whole(
  low: number,
  high: number,
  row: Words & More<number> & { default: number },
): Row<number> {
  return { ...row, rule: { kind: 'whole', low, high } };
}

/** A number; `above` and `below` leave the ends of the range out. */
export function number(
  range: { readonly low: number; readonly high: number; readonly above?: true; readonly below?: true },
  row: Words & More<number> & { default: number },
): Row<number> {
  return { ...row, rule: { kind: 'number', ...range } };
}

export function boolean(row: Words & More<boolean> & { default: boolean }): Row<boolean> {
  return { ...row, rule: { kind: 'boolean' } };
}

export function choice<T extends string>(
  of: readonly T[],
  row: Words & More<T> & { default: NoInfer<T> },
): Row<T> {
  return { ...row, rule: { kind: 'choice', of } };
}

/** A field that is absent unless it says something else than `implied`. */
export function optional<T>(rule: Rule, implied: T | undefined, row: Words): Row<T | undefined> {
  return { ...row, default: undefined, implied, rule };
}
