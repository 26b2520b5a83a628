/**
 * Long names in several lines: names of rows, titles of panels and of facets, broken at blanks where the font that draws
 * them makes them wider than their share of the picture. Pure: who draws measures.
 */
import type { Spec } from '../charts/common.js';
import type { Json } from '../schema.js';
import { headerLimit } from '../theme.js';
import { children, columnsOf, isObject } from './fit.js';

/** Width of a text in pixels. */
export type TextWidth = (text: string, fontSize: number, fontWeight: number) => number;

/** Names of rows take at most this part of a panel, and this many pixels. */
const ROW_SHARE = 0.38;
const ROW_LIMIT = 220;
/** Type of the names, as in ../theme.ts; pixels. */
export const ROW_FONT = { size: 11, weight: 400 };
export const HEADER_FONT = { size: 12, weight: 600 };
const LINE_HEIGHT = 13;
/** Between the names of two rows, pixels. */
const ROW_GAP = 5;
/** Between panels, with the axis of one; pixels. */
const PANEL_GAP = 40;

/** Lines of at most `limit` pixels, broken at blanks; a word that is longer stands alone. */
export function wrapLines(text: string, limit: number, width: (line: string) => number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && width(`${last} ${word}`) <= limit) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * The specification with every long name broken.
 * @param width - of the whole picture, pixels
 * @param breaks - name of the expression function that breaks a label, with the same measure
 */
export function withWrappedNames(
  spec: Spec,
  width: number,
  textWidth: TextWidth,
  breaks = 'wrapLines',
): Spec {
  return wrapView(spec, { width, header: headerLimit(width), textWidth, breaks, rows: [] });
}

interface Around {
  /** room of the view, pixels */
  readonly width: number;
  /** longest line of a panel's title, pixels */
  readonly header: number;
  readonly textWidth: TextWidth;
  readonly breaks: string;
  /** inline data that the view inherits */
  readonly rows: readonly Spec[];
}

function wrapView(spec: Spec, outside: Around): Spec {
  const around = { ...outside, rows: rowsOf(spec) ?? outside.rows };
  const share = around.width / columnsOf(spec);
  const list = children(spec);
  if (list !== undefined) {
    const key = ['hconcat', 'vconcat', 'concat'].find((name) => name in spec) ?? 'concat';
    const inner = { ...around, width: share };
    return wrapTitle({ ...spec, [key]: list.map((view) => wrapView(view, inner)) }, around);
  }
  if (isObject(spec.facet) && isObject(spec.spec)) {
    const inner = { ...around, width: share };
    return wrapTitle(
      { ...spec, facet: wrapFacet(spec.facet, share, around), spec: wrapView(spec.spec, inner) },
      around,
    );
  }
  return wrapRows(wrapTitle(spec, around), around);
}

function rowsOf({ data }: Spec): readonly Spec[] | undefined {
  return isObject(data) && Array.isArray(data.values) ? (data.values as readonly Spec[]) : undefined;
}

function wrapTitle(spec: Spec, { width, textWidth }: Around): Spec {
  const { title } = spec;
  const text = isObject(title) ? title.text : title;
  if (typeof text !== 'string') return spec;
  const lines = wrapLines(text, width - PANEL_GAP, headerWidth(textWidth));
  if (lines.length < 2) return spec;
  return { ...spec, title: isObject(title) ? { ...title, text: lines } : lines };
}

/** The headers of a facet: one by a field, or by columns. */
function wrapFacet(facet: Spec, share: number, around: Around): Spec {
  if (isObject(facet.column)) return { ...facet, column: wrapHeader(facet.column, share, around) };
  return facet.field === undefined ? facet : wrapHeader(facet, share, around);
}

function wrapHeader(
  definition: Spec,
  share: number,
  { header: most, rows, textWidth, breaks }: Around,
): Spec {
  const limit = Math.round(Math.min(share - PANEL_GAP, most));
  const header = isObject(definition.header) ? definition.header : {};
  const isLong = valuesOf(definition, rows).some((value) => headerWidth(textWidth)(value) > limit);
  if (!isLong || 'labelExpr' in header || definition.header === null) return definition;
  const expression = `${breaks}(datum.label, ${limit}, ${HEADER_FONT.size}, ${HEADER_FONT.weight})`;
  return { ...definition, header: { ...header, labelExpr: expression } };
}

/** Names on the vertical axis of a single or layered view; rows grow with their names. */
function wrapRows(view: Spec, around: Around): Spec {
  const limit = Math.round(Math.min(ROW_LIMIT, ROW_SHARE * around.width));
  const width = (text: string): number => around.textWidth(text, ROW_FONT.size, ROW_FONT.weight);
  let most = 1;
  const wrapEncoding = (part: Spec, inherited: readonly Spec[]): Spec => {
    const rows = rowsOf(part) ?? inherited;
    const { encoding, layer } = part;
    const layers = Array.isArray(layer) ? { layer: layer.map((one) => wrapEncoding(one as Spec, rows)) } : {};
    if (!isObject(encoding) || !isObject(encoding.y)) return { ...part, ...layers };
    const { y } = encoding;
    const axis = isObject(y.axis) ? y.axis : {};
    if (y.type !== 'nominal' || y.axis === null || 'labelExpr' in axis) return { ...part, ...layers };
    for (const value of valuesOf(y, rows)) most = Math.max(most, wrapLines(value, limit, width).length);
    const expression = `${around.breaks}(datum.label, ${limit}, ${ROW_FONT.size}, ${ROW_FONT.weight})`;
    return {
      ...part,
      ...layers,
      encoding: { ...encoding, y: { ...y, axis: { ...axis, labelExpr: expression } } },
    };
  };
  const wrapped = wrapEncoding(view, around.rows);
  if (most === 1) return view;
  const { height } = view;
  if (!isObject(height) || typeof height.step !== 'number') return wrapped;
  return { ...wrapped, height: { ...height, step: Math.max(height.step, most * LINE_HEIGHT + ROW_GAP) } };
}

const headerWidth =
  (textWidth: TextWidth) =>
  (text: string): number =>
    textWidth(text, HEADER_FONT.size, HEADER_FONT.weight);

function valuesOf({ field }: Spec, rows: readonly Spec[]): string[] {
  if (typeof field !== 'string') return [];
  return [...new Set(rows.map((row): Json | undefined => row[field]))].filter(
    (value): value is string => typeof value === 'string',
  );
}
