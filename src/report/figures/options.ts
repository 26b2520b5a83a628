/** What can be asked of a figure, in the page and on the command line alike. No drawing here; browser-safe. */

/** Widths of a column of a journal, millimetres. */
export const COLUMNS_MM = { single: 85, double: 175 } as const;
export type Column = keyof typeof COLUMNS_MM;
export const COLUMNS = Object.keys(COLUMNS_MM) as readonly Column[];

export const FIGURE_FORMATS = ['svg', 'pdf', 'png', 'csv'] as const;
export type FigureFormat = (typeof FIGURE_FORMATS)[number];

/** Sizes of the names on axes that can be asked for, points; and the usual one. */
export const FONT_RANGE: readonly [number, number] = [4, 24];
export const USUAL_FONT_PT = 7;
/** Offered by the page, dots an inch; and the usual one. */
export const RESOLUTIONS = [150, 300, 600] as const;
export const USUAL_DPI = 300;

export interface FigureSize {
  readonly column: Column;
  /** size of the names on the axes, points; all other type in proportion */
  readonly fontPt: number;
}

export interface FigureWords {
  readonly title: string;
  /** the picture in words */
  readonly description: string;
}

export function pixelsOf(lengthMm: number, dpi: number): number {
  return Math.round((lengthMm / 25.4) * dpi);
}
