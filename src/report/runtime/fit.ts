/** How a specification takes a width: single and layered views stretch, facets and concatenations share it out. Pure. */
import type { Spec } from '../charts/common.js';
import type { Json } from '../schema.js';

/** Room for the axis, its title and the gap between panels, pixels; the drawing is measured and corrected after. */
const PANEL_MARGIN = 34;
const AXIS = 56;
/** A panel narrower than this is not readable. */
const MIN_PANEL = 150;
/** A picture may end this many pixels before the edge of its place. */
const SLACK = 16;

export const isObject = (value: Json | undefined): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Views that stand beside or below each other. */
export function children(spec: Spec): readonly Spec[] | undefined {
  for (const key of ['hconcat', 'vconcat', 'concat']) {
    const list = spec[key];
    if (Array.isArray(list)) return list as readonly Spec[];
  }
  return undefined;
}

/** Side by side at the widest, as written. */
export function columnsOf(spec: Spec): number {
  const list = children(spec);
  if ('vconcat' in spec) return 1;
  const written = typeof spec.columns === 'number' ? spec.columns : undefined;
  if (list !== undefined) return Math.min(written ?? list.length, list.length);
  return written ?? columnFacets(spec);
}

/** Panels of a facet by columns: the values of its field. */
function columnFacets({ facet, data }: Spec): number {
  return isObject(facet) && isObject(facet.column) ? valuesOf(facet.column, data).length : 1;
}

/** The values that a facet divides inline data by, in the order of its panels. */
function valuesOf({ field, sort }: Spec, data: Json | undefined): readonly Json[] {
  const rows = isObject(data) && Array.isArray(data.values) ? (data.values as readonly Spec[]) : [];
  if (typeof field !== 'string') return [];
  const present = new Set(rows.flatMap((row) => row[field] ?? []));
  return Array.isArray(sort) ? (sort as readonly Json[]).filter((value) => present.has(value)) : [...present];
}

/** The specification with `width` pixels given to its views that do not fix their own. */
export function fitted(spec: Spec, width: number): Spec {
  if (isObject(spec.facet) && isObject(spec.spec)) {
    const columns = columnsOf(spec);
    const panel = Math.max(60, Math.floor((width - AXIS) / columns - PANEL_MARGIN));
    return { ...spec, spec: withWidth(spec.spec, panel) };
  }
  const list = children(spec);
  if (list === undefined) {
    if (spec.width !== undefined) return spec;
    return { ...spec, width: Math.floor(width), autosize: { type: 'fit-x', contains: 'padding' } };
  }
  const columns = columnsOf(spec);
  const each = Math.max(60, Math.floor(width / columns - PANEL_MARGIN - AXIS));
  const views = list.map((view) =>
    view.facet === undefined && children(view) === undefined ? withWidth(view, each) : fitted(view, each),
  );
  const rest = Object.fromEntries(
    Object.entries(spec).filter(([key]) => !/^([hv]?concat|columns)$/.test(key)),
  );
  return { ...rest, concat: views, columns };
}

function withWidth(view: Spec, width: number): Spec {
  return view.width === undefined ? { ...view, width } : view;
}

/** The same with one column less, inside views where there is one already; undefined when nothing is left to give. */
export function fewerColumns(spec: Spec): Spec | undefined {
  const columns = columnsOf(spec);
  if (columns > 1) return { ...columnSpec(spec), columns: columns - 1 };
  const list = children(spec);
  if (list === undefined) return undefined;
  const narrower = list.map(fewerColumns);
  if (narrower.every((view) => view === undefined)) return undefined;
  const key = ['hconcat', 'vconcat', 'concat'].find((name) => name in spec) ?? 'concat';
  return { ...spec, [key]: list.map((view, i) => narrower[i] ?? view) };
}

/** True when the width asked for changes the picture: cells of a fixed size do not stretch. */
export function stretches(spec: Spec): boolean {
  return JSON.stringify(fitted(spec, 900)) !== JSON.stringify(fitted(spec, 600));
}

/** As many columns as `width` has readable room for. */
export function readableColumns(spec: Spec, width: number): Spec {
  const columns = columnsOf(spec);
  const room = Math.max(1, Math.floor((width - AXIS) / (MIN_PANEL + PANEL_MARGIN)));
  return columns <= room ? spec : { ...columnSpec(spec), columns: room };
}

/**
 * The same with columns that can be counted: `concat` for `hconcat`, a wrapped facet for one by columns, and for one by
 * rows and columns a facet of its rows for each column.
 */
function columnSpec(spec: Spec): Spec {
  const { hconcat, facet, spec: view, ...rest } = spec;
  if (hconcat !== undefined) return { ...rest, concat: hconcat };
  if (!isObject(facet) || !isObject(facet.column) || view === undefined) return spec;
  const { column, row } = facet;
  if (row === undefined) return { ...spec, facet: column };
  const concat = valuesOf(column, spec.data).map((value): Spec => ({
    title: typeof value === 'string' ? value : JSON.stringify(value),
    transform: [{ filter: { field: column.field ?? null, equal: value } }],
    facet: { row },
    spec: view,
  }));
  return { ...rest, concat };
}

export interface Layout {
  readonly spec: Spec;
  /** asked-for width of the whole picture in pixels */
  readonly width: number;
}

/** A better layout, or undefined when the picture fits or nothing helps; it is then made smaller as a whole. */
export function corrected({ spec, width }: Layout, actual: number, available: number): Layout | undefined {
  const excess = actual - available;
  const flexible = stretches(spec);
  if (excess <= 0 && (excess > -SLACK || !flexible)) return undefined;
  if (flexible && width - excess > available / 3) return { spec, width: width - Math.ceil(excess) };
  const narrower = fewerColumns(spec);
  return narrower === undefined ? undefined : { spec: narrower, width: available };
}
