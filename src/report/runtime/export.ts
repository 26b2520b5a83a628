/**
 * The export dialog: one chart, drawn anew for a column of a paper, as a file. It is saved through a link to a local object,
 * so that no request is made.
 */
import type { Spec } from '../charts/common.js';
import { figureContent } from '../figures/content.js';
import { drawFigure, type Figure } from '../figures/draw.js';
import {
  type Column,
  COLUMNS_MM,
  type FigureFormat,
  type FigureWords,
  FONT_RANGE,
  pixelsOf,
} from '../figures/options.js';
import { CanvasRenderer } from '../figures/scenegraph.js';
import { noNetwork } from './quiet.js';

/** A chart of the page. */
export interface Exportable extends FigureWords {
  readonly name: string;
  readonly spec: Spec;
}

const TYPES: Readonly<Record<FigureFormat, string>> = {
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  png: 'image/png',
  csv: 'text/csv',
};
/** A link to a local object is given up after this long. */
const PATIENCE_MS = 60_000;

/** The dialog is part of every page: ../page/export-dialog.ts. */
const element = (id: string): HTMLElement | null => document.getElementById(id);
const chosen = (name: string): string =>
  document.querySelector<HTMLInputElement>(`input[name=export-${name}]:checked`)?.value ?? '';

/** @param chartOf - the chart of a button's `data-for` */
export function wireExport(
  chartOf: (id: string) => Exportable | undefined,
  conditions: readonly string[],
): void {
  const dialog = element('export') as HTMLDialogElement;
  const font = element('export-font') as HTMLInputElement;
  const status = element('export-status') as HTMLElement;
  const dpi = element('export-dpi') as HTMLSelectElement;
  const heading = element('export-chart') as HTMLElement;
  const save = element('export-save') as HTMLButtonElement;
  let chart: Exportable | undefined;

  for (const button of document.querySelectorAll<HTMLElement>('button.export')) {
    button.hidden = false;
    button.addEventListener('click', () => {
      chart = chartOf(button.dataset.for ?? '');
      if (chart === undefined) return;
      heading.textContent = chart.title;
      status.textContent = '';
      showWhatApplies();
      dialog.showModal();
    });
  }
  element('export-close')?.addEventListener('click', () => dialog.close());
  dialog.addEventListener('change', showWhatApplies);
  font.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter') save.click();
  });
  save.addEventListener('click', () => {
    const format = chosen('format') as FigureFormat;
    const fontPt = font.valueAsNumber;
    const inRange = format === 'csv' || (fontPt >= FONT_RANGE[0] && fontPt <= FONT_RANGE[1]);
    font.setAttribute('aria-invalid', String(!inRange));
    if (!inRange) {
      status.textContent = `Font size: expected ${FONT_RANGE[0]} to ${FONT_RANGE[1]} pt.`;
      font.focus();
    } else if (chart !== undefined) void exportChart(chart, format, fontPt);
  });

  function showWhatApplies(): void {
    const format = chosen('format');
    dpi.disabled = format !== 'png';
    font.disabled = format === 'csv';
    for (const input of document.querySelectorAll<HTMLInputElement>('input[name=export-column]'))
      input.disabled = format === 'csv';
  }

  async function exportChart(what: Exportable, format: FigureFormat, fontPt: number): Promise<void> {
    save.disabled = true;
    status.textContent = 'Drawing';
    try {
      const column = chosen('column') as Column;
      const dots = Number(dpi.value);
      const size = { column, fontPt: Number.isFinite(fontPt) ? fontPt : FONT_RANGE[0] };
      const figure = await drawFigure(what.spec, conditions, size);
      const { bytes, missing } = await figureContent(format, what, figure, {
        dpi: dots,
        png: () => pngOf(figure, dots),
      });
      figure.view.finalize();
      const detail = {
        svg: `-${COLUMNS_MM[column]}mm-${fontPt}pt`,
        pdf: `-${COLUMNS_MM[column]}mm-${fontPt}pt`,
        png: `-${COLUMNS_MM[column]}mm-${fontPt}pt-${dots}dpi`,
        csv: '-data',
      }[format];
      const name = `${what.name}${detail}.${format}`;
      download(new Blob([bytes], { type: TYPES[format] }), name);
      const smaller =
        format !== 'csv' && figure.fontPt < fontPt - 0.05
          ? ` The picture is wider than the column: its font is ${figure.fontPt.toFixed(1)} pt.`
          : '';
      const lacks = missing === undefined || missing === '' ? '' : ` Helvetica lacks ${missing}: replaced.`;
      status.textContent = `Saved ${name}.${smaller}${lacks}`;
    } catch (error) {
      status.textContent = `Not saved: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      // a disabled button would lose the focus
      save.disabled = false;
      save.focus();
    }
  }
}

async function pngOf({ scene, frame, widthMm, heightMm }: Figure, dpi: number): Promise<Uint8Array> {
  const canvas = document.createElement('canvas');
  canvas.width = pixelsOf(widthMm, dpi);
  canvas.height = pixelsOf(heightMm, dpi);
  new CanvasRenderer(noNetwork())
    .initialize(null, frame.width, frame.height, [-frame.left, -frame.top], canvas.width / frame.width, {
      externalContext: canvas.getContext('2d'),
    })
    .background('#ffffff')
    .render(scene);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob === null)
    throw new Error(
      `this browser draws no picture of ${canvas.width} x ${canvas.height} pixels. Choose fewer dpi.`,
    );
  return new Uint8Array(await blob.arrayBuffer());
}

function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), PATIENCE_MS);
}
