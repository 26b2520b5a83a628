/** One chart in its place on the page: compiled, fitted to the width, drawn as SVG, drawn again when the theme changes. */
import * as vega from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import * as vegaLite from 'vega-lite';
import type { ThemeName } from '../../palette.js';
import type { Spec } from '../charts/common.js';
import { unpackSpec } from '../pack.js';
import { FONT, themed } from '../theme.js';
import { corrected, fitted, type Layout, readableColumns } from './fit.js';
import { frameWhole } from './frame.js';
import { textWidthOf } from './measure.js';
import { noNetwork, quietLogger } from './quiet.js';
import { drawnName, withDrawnNames } from './names.js';
import { tooltipHandler } from './tooltip.js';
import { withWrappedNames, wrapLines } from './wrap.js';

export interface Drawing {
  readonly name: string;
  readonly spec: Spec;
  readonly state: 'waiting' | 'drawn' | 'failed';
  /** absent until drawn */
  readonly view: vega.View | undefined;
  draw(theme: ThemeName): Promise<void>;
}

/** Widths are corrected by measuring; every pass halves what is left of the error at least. */
const MAX_PASSES = 6;

const textWidth = textWidthOf(FONT);
// called by the expressions that ./wrap.ts writes
vega.expressionFunction('wrapLines', (label: unknown, limit: number, size: number, weight: number) =>
  wrapLines(String(label), limit, (line) => textWidth(line, size, weight)),
);

/** @param place - the element that the picture replaces the content of */
export function createDrawing(place: HTMLElement, packed: unknown, conditions: readonly string[]): Drawing {
  const spec = withDrawnNames(unpackSpec(packed as Spec));
  const names = conditions.map(drawnName);
  const drawing: { -readonly [K in keyof Drawing]: Drawing[K] } = {
    name: place.dataset.name ?? 'chart',
    spec,
    state: 'waiting',
    view: undefined,
    async draw(theme) {
      try {
        const view = await drawFitted(place, themed(spec, theme, names, place.clientWidth, textWidth));
        drawing.view?.finalize();
        drawing.view = view;
        drawing.state = 'drawn';
      } catch (error) {
        drawing.state = 'failed';
        const note = document.createElement('p');
        note.className = 'notice';
        note.textContent = `This chart could not be drawn: ${error instanceof Error ? error.message : String(error)}. Its numbers are in the table below.`;
        place.replaceChildren(note);
      }
    },
  };
  return drawing;
}

async function drawFitted(place: HTMLElement, spec: Spec): Promise<vega.View> {
  const available = Math.max(200, place.clientWidth);
  let layout: Layout = { spec: readableColumns(spec, available), width: available };
  let view = await drawOnce(place, layout);
  for (let pass = 1; pass < MAX_PASSES; pass++) {
    const actual = place.querySelector('svg')?.getBoundingClientRect().width ?? available;
    const next = corrected(layout, actual, available);
    if (next === undefined) break;
    view.finalize();
    layout = next;
    view = await drawOnce(place, layout);
  }
  frameWhole(place.querySelector('svg'), available);
  return view;
}

async function drawOnce(place: HTMLElement, { spec, width }: Layout): Promise<vega.View> {
  const logger = quietLogger();
  const complete = fitted(withWrappedNames(spec, Math.max(200, place.clientWidth), textWidth), width);
  const compiled = vegaLite.compile(complete as unknown as vegaLite.TopLevelSpec, { logger }).spec;
  const view = new vega.View(vega.parse(compiled, undefined, { ast: true }), {
    renderer: 'svg',
    hover: false,
    expr: expressionInterpreter,
    logger,
    loader: noNetwork(),
    tooltip: tooltipHandler(place),
  });
  const ground = document.createElement('div');
  place.replaceChildren(ground);
  view.initialize(ground);
  await view.runAsync();
  return view;
}
