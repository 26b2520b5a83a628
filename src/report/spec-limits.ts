/**
 * What a chart's specification may not hold. A report.json may come from anywhere, and Vega's specifications are programs:
 * generators of rows, patterns that take for ever and steps without number would hang the page. None of our charts needs
 * them. Browser-safe; pure.
 */
import type { Json } from './schema.js';

/** Data that a number makes long, that is fetched, and transforms that compute on a grid of any size. */
const REFUSED = new Set(
  [
    'sequence',
    'graticule',
    'sphere',
    'url',
    'href',
    'keyvals',
    'density',
    'regression',
    'loess',
    'quantile',
  ].concat(['projection', 'usermeta']),
);

/** Functions of expressions that take a pattern or make something of any length. */
const FUNCTIONS = /\b(regexp|test|replace|match|search|sequence|repeat|pad|format|timeFormat)\s*\(/;

/** Fields that hold an expression, or objects with expressions in them. */
const EXPRESSIONS = new Set(['filter', 'calculate', 'expr', 'test', 'labelExpr', 'signal', 'update', 'init']);

/** Numbers of things that are made. */
const COUNTS = new Set([
  'maxbins',
  'steps',
  'maxsteps',
  'minsteps',
  'tickCount',
  'columns',
  'step',
  'binSpacing',
]);
const MOST = 10_000;

/** The place and what is wrong there, `layer[0].data: ...`; undefined when the specification can be drawn. */
export function specProblem(spec: Json): string | undefined {
  return visit(spec, '', '', false);
}

function visit(
  node: Json | undefined,
  key: string,
  place: string,
  isExpression: boolean,
): string | undefined {
  const at = (text: string): string => `${place || 'spec'}: ${text}`;
  if (typeof node === 'string') {
    const call = isExpression ? FUNCTIONS.exec(node) : null;
    if (call !== null)
      return at(`found ${call[1]}() in an expression, expected none of a pattern or of any length`);
    if (/format/i.test(key) && /\d{4}/.test(node)) return at('found a format of 1000 characters or more');
    return undefined;
  }
  if (typeof node === 'number') {
    const isCount = COUNTS.has(key) && !(node >= 0 && node <= MOST);
    return isCount ? at(`found ${node}, expected a number from 0 to ${MOST}`) : undefined;
  }
  if (typeof node !== 'object' || node === null) return undefined;
  if (Array.isArray(node)) {
    // rows are what is drawn, not how
    if (key === 'values') return undefined;
    return first(node as readonly Json[], (item, i) => visit(item, key, `${place}[${i}]`, isExpression));
  }
  return first(Object.entries(node), ([name, child]) => {
    const inner = place === '' ? name : `${place}.${name}`;
    if (REFUSED.has(name)) return `${inner}: found "${name}", which no chart of a report uses`;
    if (name === 'bin' && typeof child === 'object' && child !== null && 'step' in child)
      return `${inner}.step: found a width of bins, expected "maxbins"`;
    return visit(child, name, inner, isExpression || EXPRESSIONS.has(name));
  });
}

function first<T>(items: readonly T[], find: (item: T, i: number) => string | undefined): string | undefined {
  for (const [i, item] of items.entries()) {
    const found = find(item, i);
    if (found !== undefined) return found;
  }
  return undefined;
}
