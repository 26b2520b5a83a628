/** How a specification takes a width: single and layered views stretch, facets and concatenations share it out. Pure. */
import type { Spec } from '../charts/common.js';
import type { Json } from '../schema.js';

/** Room for the axis, its title and the gap between panels, pixels; the drawing is measured and corrected after. */
const PANEL_MARGIN = 34;
const AXIS = 56;
/** A panel narrower than this is not readable. */
const MIN_PANEL = 150;

const isObject = (value: Json | undefined): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function children(spec: Spec): readonly Spec[] | undefined {
  for (const key of ['hconcat', 'vconcat', 'concat']) {
    const list = spec[key];
    if (Array.isArray(list)) return list as readonly Spec[];
  }
  return undefined;
}

/** Side by side at the widest, as written. */
function columnsOf(spec: Spec): number {
  const list = children(spec);
  if ('vconcat' in spec) return 1;
  const written = typeof spec.columns === 'number' ? spec.columns : undefined;
  if (list !== undefined) return Math.min(written ?? list.length, list.length);
  return written ?? 1;
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

/** The same with one column less, or undefined when there is one already. */
export function fewerColumns(spec: Spec): Spec | undefined {
  const columns = columnsOf(spec);
  return columns <= 1 || 'vconcat' in spec ? undefined : { ...columnSpec(spec), columns: columns - 1 };
}

/** True when the width asked for changes the picture: cells of a fixed size do not stretch. */
export function stretches(spec: Spec): boolean {
  return JSON.stringify(fitted(spec, 900)) !== JSON.stringify(fitted(spec, 600));
}

/** As many columns as `width` has readable room for. */
export function readableColumns(spec: Spec, width: number): Spec {
  const columns = columnsOf(spec);
  const room = Math.max(1, Math.floor((width - AXIS) / (MIN_PANEL + PANEL_MARGIN)));
  return columns <= room || 'vconcat' in spec ? spec : { ...columnSpec(spec), columns: room };
}

function columnSpec(spec: Spec): Spec {
  const { hconcat, ...rest } = spec;
  return hconcat === undefined ? spec : { ...rest, concat: hconcat };
}
