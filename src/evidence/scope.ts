/**
 * What a number is about within one model: operation, role of the token, part, layer and so on. Identity is data: whoever
 * looks for a number asks for these keys, and nothing is read out of a title or a sentence.
 */
import { z } from 'zod';

/** Every key that a scope may have. Whole numbers are `layer`, `arity`, `divisor`, `frequency`, `draws` and `step`. */
export const scopeSchema = z.strictObject({
  /** operation asked for, such as `SUM` */
  operation: z.string().exactOptional(),
  /** role of the token that is predicted: `result`, `copy`, `format` */
  role: z.string().exactOptional(),
  /** number of operands */
  arity: z.int().exactOptional(),
  /** expression with its numbers blanked: `(SUM # #)` */
  template: z.string().exactOptional(),
  /** `attention`, `feed-forward`, `head 0.1`, ... */
  part: z.string().exactOptional(),
  layer: z.int().exactOptional(),
  /** where in the sequence: `result`, `operand 2`, ... */
  position: z.string().exactOptional(),
  /** how it is measured: `resample`, `mean`, `zero`, ... */
  method: z.string().exactOptional(),
  /** what was held out: `trained`, `pair-closed`, ... */
  level: z.string().exactOptional(),
  /** a proper divisor of the modulus: right up to a coset */
  divisor: z.int().exactOptional(),
  /** k of exp(2 pi i k s / n) */
  frequency: z.int().exactOptional(),
  /** share that is replaced, 0 to 1 */
  dose: z.number().exactOptional(),
  /** drawn in training at least so often, a power of ten; 0: never */
  draws: z.int().exactOptional(),
  /** training step, where it is not the subject's own */
  step: z.int().exactOptional(),
});

export type Scope = Readonly<z.infer<typeof scopeSchema>>;
export type ScopeKey = keyof Scope;

/** All keys, in the order in which keys, columns and words are written. */
export const SCOPE_KEYS = Object.keys(scopeSchema.shape) as readonly ScopeKey[];

/** Keys whose values are numbers; the others are text. */
export const NUMERIC_SCOPE_KEYS: readonly ScopeKey[] = SCOPE_KEYS.filter(
  (key) => scopeSchema.shape[key].unwrap().def.type === 'number',
);

/** Equal for equal scopes: `operation=SUM,arity=2`; empty for the whole model. */
export function scopeKey(scope: Scope): string {
  return SCOPE_KEYS.flatMap((key) => (scope[key] === undefined ? [] : [`${key}=${scope[key]}`])).join(',');
}

/** Whether a scope has every key of `wanted` with that value; further keys do not matter. */
export function isWithin(scope: Scope, wanted: Scope): boolean {
  return SCOPE_KEYS.every((key) => wanted[key] === undefined || wanted[key] === scope[key]);
}

const WORDS: Readonly<Record<ScopeKey, (value: string | number) => string>> = {
  operation: String,
  role: (value) => `${value} tokens`,
  arity: (value) => `${value} operands`,
  template: String,
  part: String,
  layer: (value) => `layer ${value}`,
  position: String,
  method: (value) => `by ${value}`,
  level: String,
  divisor: (value) => `modulo ${value}`,
  frequency: (value) => `k = ${value}`,
  dose: (value) => `dose ${value}`,
  draws: (value) => (value === 0 ? 'never drawn' : `drawn ${value} times or more`),
  step: (value) => `step ${value}`,
};

/** `SUM, 2 operands`; empty for the whole model. For people only: never read back. */
export function scopeText(scope: Scope): string {
  return SCOPE_KEYS.flatMap((key) => {
    const value = scope[key];
    return value === undefined ? [] : [WORDS[key](value)];
  }).join(', ');
}
