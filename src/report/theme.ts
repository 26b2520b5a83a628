/**
 * Colours, type and chart configuration of the report, light and dark. Specifications carry no theme: `themed` adds it
 * when a chart is drawn and gives every condition the same colour everywhere. Pure and browser-safe.
 */
import { colorAt, CONDITION_COLORS, DASHES, placesOf, roundOf, SHAPES, type ThemeName } from '../palette.js';
import type { Spec } from './charts/common.js';
import type { Json } from './schema.js';

interface Ink {
  readonly ground: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly grid: string;
  /** marks that stand for no condition */
  readonly plain: string;
  readonly diverging: readonly string[];
  readonly sequential: readonly string[];
}

/** The same values as the custom properties of runtime/page.css. */
const INK: Readonly<Record<ThemeName, Ink>> = {
  light: {
    ground: '#ffffff',
    text: '#1d2129',
    muted: '#59606e',
    line: '#aab0ba',
    grid: '#eceef1',
    plain: '#4d5b73',
    diverging: ['#a5480f', '#dd8a52', '#f3cfb3', '#f6f6f5', '#b9d6ee', '#5a9dd4', '#125693'],
    sequential: ['#f4f6f8', '#cfdfee', '#95bfe0', '#5396cb', '#2170ae', '#0e4a80', '#082c52'],
  },
  dark: {
    ground: '#191c22',
    text: '#e7e9ed',
    muted: '#a4abb8',
    line: '#5c6472',
    grid: '#292e37',
    plain: '#a9b8cf',
    diverging: ['#f7b184', '#d5762f', '#7f441c', '#22262d', '#1d4f7d', '#3f8fd0', '#a3d2f7'],
    sequential: ['#1e232b', '#17395a', '#1c598c', '#2d7dba', '#58a3dc', '#9bcaf0', '#e3f1fc'],
  },
};

export const FONT =
  "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif";

/** A picture narrower than this has its legends above, so that they are not beyond its edge; pixels. */
const NARROW = 620;
const LEGEND_FONT_SIZE = 12;
/** Left of a plot, for the names on its axis; pixels. */
const AXIS_ROOM = 60;

/** Title of a panel in a picture of `width` pixels: a line that is longer is cut off. */
export const headerLimit = (width: number): number =>
  width < NARROW ? Math.max(180, width - 1.5 * AXIS_ROOM) : 420;

/**
 * Vega-Lite configuration of one theme.
 * @param width - of the picture in pixels
 */
export function chartConfig(name: ThemeName, width = 1000): Spec {
  const ink = INK[name];
  const isNarrow = width < NARROW;
  const label = { labelColor: ink.muted, labelFontSize: 11 };
  const title = { titleColor: ink.muted, titleFontSize: 11.5, titleFontWeight: 500 };
  return {
    font: FONT,
    background: ink.ground,
    padding: 4,
    view: { stroke: null },
    concat: { spacing: 28 },
    facet: { spacing: 26 },
    mark: { aria: false, color: ink.plain },
    line: { strokeWidth: 1.5, strokeJoin: 'round', strokeCap: 'round' },
    // black by itself, which the dark ground swallows
    rule: { color: ink.plain },
    text: { color: ink.text, fontSize: 11 },
    axis: {
      ...label,
      ...title,
      aria: false,
      domainColor: ink.line,
      tickColor: ink.line,
      gridColor: ink.grid,
      tickSize: 4,
      labelPadding: 4,
      titlePadding: 9,
      labelLimit: 220,
      // else the title stands on names wider than 200 pixels
      maxExtent: 260,
      labelOverlap: true,
    },
    // a long title below a narrow plot has room on the left, under the names on the other axis
    ...(isNarrow ? { axisX: { titleAnchor: 'end' } } : {}),
    axisBand: { grid: false, domain: false, ticks: false },
    legend: {
      ...label,
      ...title,
      aria: false,
      labelColor: ink.text,
      labelFontSize: LEGEND_FONT_SIZE,
      // the symbol and its gaps take about as much as the names of an axis
      labelLimit: isNarrow ? Math.max(180, width - 2 * AXIS_ROOM) : 340,
      titleLimit: isNarrow ? Math.max(180, width - AXIS_ROOM) : 240,
      ...(isNarrow ? { orient: 'top', direction: 'horizontal', columns: 2 } : {}),
      symbolSize: 90,
      symbolStrokeWidth: 2.5,
      symbolOpacity: 1,
      gradientLength: 120,
      gradientThickness: 10,
      rowPadding: 4,
      columnPadding: 18,
      offset: 12,
      // Vega leaves out what is beyond thirty
      symbolLimit: 10_000,
    },
    header: {
      labelColor: ink.text,
      labelFontSize: isNarrow ? 11 : 12,
      labelFontWeight: 600,
      labelAnchor: 'start',
      labelLimit: headerLimit(width),
      labelPadding: 8,
      titleColor: ink.muted,
      titleFontSize: 11.5,
      titleFontWeight: 500,
    },
    title: { color: ink.text, fontSize: 12, fontWeight: 600, anchor: 'start', offset: 8 },
    range: {
      category: [...CONDITION_COLORS[name]],
      diverging: [...ink.diverging],
      heatmap: [...ink.sequential],
      ramp: [...ink.sequential],
      ordinal: ink.sequential.slice(2),
    },
    style: {
      estimate: { filled: true, size: 54, opacity: 1 },
      'open-estimate': { filled: true, size: 54, opacity: 1, stroke: ink.plain, strokeWidth: 1.8 },
      interval: { strokeWidth: 1.8, opacity: 0.9 },
      // the ends of an interval: seen also where it is narrower than the dot of its mean
      'interval-end': { thickness: 1.8, size: 10, opacity: 0.9, orient: 'vertical' },
      seed: { filled: true, size: 24, opacity: 0.5 },
      'seed-line': { strokeWidth: 1, opacity: 0.32 },
      'median-line': { strokeWidth: 2.6, opacity: 1 },
      reference: { color: ink.muted, strokeDash: [4, 3], strokeWidth: 1.2, opacity: 1 },
      'reference-label': { color: ink.muted, fontSize: 10.5 },
      'point-label': { color: ink.text, fontSize: 11, fontWeight: 600 },
      cell: { stroke: ink.ground, strokeWidth: 1 },
      // around a heat-map cell: the end of the other hue, so that it shows on pale and dark cells
      outline: { filled: false, color: ink.diverging[1], strokeWidth: 2 },
      empty: { color: ink.muted, fontSize: 13 },
    },
  };
}

/**
 * A specification ready to compile: configuration added, colours of conditions filled in wherever a channel encodes the
 * field `condition` with an explicit domain.
 * @param conditions - labels of all conditions of the report, which decide the colours
 * @param width - of the picture in pixels, for where legends go and for their columns
 * @param textWidth - of a label in the font that draws it, pixels; by default an estimate from its length
 */
export function themed(
  spec: Spec,
  name: ThemeName,
  conditions: readonly string[],
  width = 1000,
  textWidth: (text: string, fontSize: number, fontWeight: number) => number = estimatedWidth,
): Spec {
  const legendColumns = (labels: readonly string[]) => {
    const longest = labels.reduce(
      (most, label) => Math.max(most, textWidth(label, LEGEND_FONT_SIZE, 400)),
      1,
    );
    return Math.max(
      1,
      Math.min(4, labels.length, Math.floor((width - AXIS_ROOM) / Math.min(380, 40 + longest))),
    );
  };
  return {
    ...(coloured(spec, { name, places: placesOf(conditions), legendColumns }) as Spec),
    config: chartConfig(name, width),
  };
}

/** A letter is about half as wide as it is high. */
function estimatedWidth(text: string, fontSize: number): number {
  return 0.55 * fontSize * text.length;
}

interface Colouring {
  readonly name: ThemeName;
  readonly places: ReadonlyMap<string, number>;
  readonly legendColumns: (labels: readonly string[]) => number;
}

function coloured(node: Json | undefined, how: Colouring): Json | undefined {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return (node as readonly Json[]).map((item) => coloured(item, how) ?? null);
  const object = marked(node as Spec, how);
  const { scale, legend } = object;
  if (isObject(scale) && Array.isArray(scale.domain) && object.type === 'nominal') {
    const labels = scale.domain as readonly string[];
    const columns = isObject(legend) ? { legend: { ...legend, columns: how.legendColumns(labels) } } : {};
    if (object.field !== 'condition' || scale.range !== undefined) return { ...object, ...columns };
    const range = labels.map((label) => colorAt(how.name, how.places.get(label) ?? 0));
    return { ...object, scale: { ...scale, range }, ...columns };
  }
  return Object.fromEntries<Json | undefined>(
    Object.entries(object).map(([key, value]) => [key, key === 'values' ? value : coloured(value, how)]),
  );
}

/** A view whose colours come a second time: a shape or a dash beside them. */
function marked(view: Spec, { places }: Colouring): Spec {
  const { mark, encoding } = view;
  if (!isObject(encoding)) return view;
  const { color } = encoding;
  if (!isObject(color) || color.field !== 'condition' || !isObject(color.scale)) return view;
  const labels = color.scale.domain as readonly string[];
  const rounds = labels.map((label) => roundOf(places.get(label) ?? 0));
  const type = isObject(mark) ? mark.type : mark;
  const channel = typeof type === 'string' ? CHANNELS[type] : undefined;
  if (channel === undefined || channel.name in encoding || rounds.every((round) => round === 0)) return view;
  const range = rounds.map((round) => channel.range[round]);
  const second = {
    field: 'condition',
    type: 'nominal',
    title: null,
    scale: { domain: [...labels], range },
    legend: color.legend,
  };
  return { ...view, encoding: { ...encoding, [channel.name]: second as Spec } };
}

const CHANNELS: Readonly<
  Record<string, { readonly name: string; readonly range: readonly Json[] } | undefined>
> = {
  line: { name: 'strokeDash', range: DASHES },
  point: { name: 'shape', range: SHAPES },
};

function isObject(value: Json | undefined): value is Spec {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
