/**
 * Names that every object has, as labels: Vega keeps facets and scales in plain objects, and finds `constructor` there before
 * it was put in. A word joiner behind such a name, which nobody sees, makes it another one. Pure; browser-safe.
 */
import type { Json } from '../schema.js';
import type { Spec } from '../charts/common.js';

const JOINER = '\u2060';

/** The name as it is drawn. */
export const drawnName = (name: string): string => (name in Object.prototype ? `${name}${JOINER}` : name);

/** A specification, its rows unpacked, with every text in it as it is drawn. Names of fields are keys and stay. */
export function withDrawnNames(spec: Spec): Spec {
  return visit(spec) as Spec;
}

function visit(node: Json | undefined): Json | undefined {
  if (typeof node === 'string') return drawnName(node);
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return (node as readonly Json[]).map((item) => visit(item) ?? null);
  return Object.fromEntries<Json | undefined>(
    Object.entries(node).map(([key, value]) => [key, visit(value)]),
  );
}
