/** Flags of `report --figures`: how their text becomes options, and the command line that makes the figures again. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { nearest, unacceptable, UserError } from '../../errors.js';
import { shellWord } from '../../io/shell-word.js';
import {
  COLUMNS,
  COLUMNS_MM,
  FIGURE_FORMATS,
  type FigureFormat,
  FONT_RANGE,
  USUAL_DPI,
  USUAL_FONT_PT,
} from '../../report/figures/options.js';
import type { FigureOptions } from '../../workflows/reports/figures.js';
import { flagValue, parseNumber, type ParsedOptions, wholeFlag } from '../flags/flags.js';

const USUAL_FORMATS: readonly FigureFormat[] = ['svg', 'pdf', 'csv'];
const DPI_RANGE: readonly [number, number] = [72, 1200];
const FLAGS = ['column', 'format', 'dpi', 'font-size'] as const;

export function addFigureFlags(command: Command): Command {
  const widths = COLUMNS.map((name) => `${name} (${COLUMNS_MM[name]} mm)`).join(' or ');
  return command
    .option('--column <name>', `width of the figures: ${widths}; default ${COLUMNS[0]}`)
    .option('--format <list>', `of ${FIGURE_FORMATS.join(', ')}; default ${USUAL_FORMATS.join(',')}`)
    .option('--dpi <n>', `resolution of PNG, ${DPI_RANGE.join(' to ')}; default ${USUAL_DPI}`)
    .option(
      '--font-size <pt>',
      `of the names on axes, ${FONT_RANGE.join(' to ')} points; default ${USUAL_FONT_PT}`,
    );
}

/** @throws UserError for a value that is none, and for a flag without --figures */
export function figureOptionsOf(options: ParsedOptions): FigureOptions {
  const dpi = wholeFlag(options, 'dpi', DPI_RANGE);
  const column = flagValue(options, 'column');
  const font = flagValue(options, 'font-size');
  const format = flagValue(options, 'format');
  if (options['figures'] === undefined)
    for (const flag of FLAGS) {
      const found = flagValue(options, flag, {});
      if (found !== undefined)
        throw new UserError(`--${flag} is about figures. Add --figures <folder>, or leave --${flag} away.`);
    }
  return {
    column: column === undefined ? COLUMNS[0] : choice(column.field, String(column.value), COLUMNS),
    formats: format === undefined ? USUAL_FORMATS : formatsOf(format.field, String(format.value)),
    dpi: dpi ?? USUAL_DPI,
    fontPt: font === undefined ? USUAL_FONT_PT : fontOf(font.field, parseNumber(font.value, font.field)),
  };
}

function choice<T extends string>(field: string, found: string, allowed: readonly T[]): T {
  const known = allowed.find((name) => name === found);
  if (known !== undefined) return known;
  const near = nearest(found, allowed);
  const hint = near === undefined ? undefined : `Did you mean ${near}?`;
  throw unacceptable(field, found, `one of ${allowed.join(', ')}`, hint);
}

function formatsOf(field: string, text: string): FigureFormat[] {
  const names = text.split(',').map((name) => choice(field, name.trim(), FIGURE_FORMATS));
  return FIGURE_FORMATS.filter((name) => names.includes(name));
}

function fontOf(field: string, points: number): number {
  if (points >= FONT_RANGE[0] && points <= FONT_RANGE[1]) return points;
  throw unacceptable(field, points, `${FONT_RANGE.join(' to ')} points`);
}

/** Without folders, so that the same figures are the same bytes wherever they are made. */
export function figuresCommand(
  file: string,
  folder: string,
  { column, formats, dpi, fontPt }: FigureOptions,
  options: ParsedOptions,
): string {
  const title = flagValue(options, 'title');
  const words = [
    ...['report', basename(file), '--figures', basename(folder)],
    ...['--column', column, '--format', formats.join(',')],
    ...(formats.includes('png') ? ['--dpi', String(dpi)] : []),
    ...['--font-size', String(fontPt)],
    ...(title === undefined ? [] : ['--title', String(title.value)]),
  ];
  return ['sumlens', ...words].map(shellWord).join(' ');
}
