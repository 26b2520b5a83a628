/** Plain text tables and the summary of a report, for the terminal. */
import { stripVTControlCharacters } from 'node:util';
import type { ClaimResult } from '../../evidence/claims.js';
import { verdictText } from '../../evidence/verdict.js';
import type { SummaryRow } from '../../workflows/main-job.js';
import { conditionNames } from './colors.js';

/** Columns padded to their widest cell; numbers to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => widthOf(row[c]))));
  const numeric = header.map(
    (_, c) => rows.length > 0 && rows.every((row) => /^[-\d.,% ofx/]*$/.test(row[c])),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => padded(cell, numeric[c] ? -widths[c] : widths[c]))
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** What only sets a colour takes no room. */
const widthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Blanks behind the text, or before it where the width is negative. */
export function padded(text: string, width: number): string {
  const rest = ' '.repeat(Math.max(0, Math.abs(width) - widthOf(text)));
  return width < 0 ? rest + text : text + rest;
}

export function percent(value: number): string {
  return `${(100 * value).toFixed(1)}%`;
}

/** Conditions: parameters, seeds that learned SUM, accuracy by operation. */
export function summaryTable(rows: readonly SummaryRow[]): string {
  const header = ['condition', 'parameters', 'learned SUM', 'accuracy by operation (mean over seeds)'];
  const named = conditionNames(rows.map(({ condition }) => condition));
  return formatTable(
    header,
    rows.map(({ condition, parameters, seeds, operations }) => [
      named(condition),
      String(parameters),
      'SUM' in operations ? `${operations.SUM.learned} of ${seeds}` : '-',
      Object.entries(operations)
        .map(([name, { accuracy, held }]) => {
          const heldText = held === undefined ? '' : ` (held out ${percent(held)})`;
          return `${name} ${percent(accuracy)}${heldText}`;
        })
        .join(', '),
    ]),
  );
}

/** The table of claims, in their order: what `report`, `probe` and `verdicts` print. */
export function claimLines(claims: readonly ClaimResult[]): string {
  return formatTable(
    ['claim', 'verdict', 'estimate', 'interval', 'why'],
    claims.map(({ claim, part, verdict, interim, estimate, bound, interval, reason, notes }) => [
      part ?? claim,
      verdictText({ verdict, interim }),
      bound === undefined
        ? shortNumber(estimate)
        : `${bound.side === 'above' ? '>' : '<'} ${shortNumber(bound.value)}`,
      interval === undefined ? '-' : `[${shortNumber(interval.low)}, ${shortNumber(interval.high)}]`,
      [reason, ...notes].join('; '),
    ]),
  );
}

export function shortNumber(value: number | string | undefined): string {
  if (value === undefined) return '-';
  return typeof value === 'number' ? String(Number(value.toPrecision(3))) : value;
}
