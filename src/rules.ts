/** What one value of a setting may be, and the check of it, whose complaint is one line. Browser-safe. */
import { nearest, unacceptable } from './errors.js';

/** A `number` range excludes `low` when `above` is set, and `high` when `below` is. `other`: checked by its own code. */
export type Rule =
  | { readonly kind: 'whole'; readonly low: number; readonly high: number }
  | {
      readonly kind: 'number';
      readonly low: number;
      readonly high: number;
      readonly above?: true;
      readonly below?: true;
    }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'names'; readonly of: readonly string[] }
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'other'; readonly expected: string };

/** What a rule allows, as it stands in a complaint, in the help and in the table of settings. */
export function allowedText(rule: Rule): string {
  switch (rule.kind) {
    case 'whole':
      return rule.high === Number.MAX_SAFE_INTEGER
        ? `a whole number from ${rule.low} to 2^53 - 1`
        : `a whole number from ${rule.low} to ${rule.high}`;
    case 'number': {
      const low = rule.above === true ? `above ${rule.low}` : `from ${rule.low}`;
      if (rule.below === true) return `a number ${low} and below ${rule.high}`;
      return `a number ${low} ${rule.above === true ? 'up to' : 'to'} ${rule.high}`;
    }
    case 'boolean':
      return 'true or false';
    case 'choice':
      return rule.of.length === 2 ? rule.of.join(' or ') : `one of ${rule.of.join(', ')}`;
    case 'names':
      return `operations out of ${rule.of.join(', ')} joined with "+"`;
    case 'range':
      return `fewest..most, whole numbers from ${rule.low} to ${rule.high}, e.g. 2..3`;
    case 'other':
      return rule.expected;
  }
}

/**
 * Checks a value of a simple kind; names, ranges and others have more to say and are checked where they belong.
 * @param field - as the user knows it: `--modulus`, `model.dModel (--d-model)`
 * @throws UserError
 */
export function checkRule(field: string, rule: Rule, value: unknown): void {
  if (isAllowed(rule, value)) return;
  const near = rule.kind === 'choice' && typeof value === 'string' ? nearest(value, rule.of) : undefined;
  const remedy = near === undefined ? undefined : `Did you mean ${near}?`;
  throw unacceptable(field, shownValue(value), allowedText(rule), remedy);
}

function isAllowed(rule: Rule, value: unknown): boolean {
  switch (rule.kind) {
    case 'whole':
      return typeof value === 'number' && Number.isInteger(value) && value >= rule.low && value <= rule.high;
    case 'number':
      return (
        typeof value === 'number' &&
        (rule.above === true ? value > rule.low : value >= rule.low) &&
        (rule.below === true ? value < rule.high : value <= rule.high)
      );
    case 'boolean':
      return typeof value === 'boolean';
    case 'choice':
      return typeof value === 'string' && rule.of.includes(value);
    case 'names':
    case 'range':
    case 'other':
      return true;
  }
}

/** NaN and Infinity by name (JSON has none), and long values cut. */
export function shownValue(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : value;
}
