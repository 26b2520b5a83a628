/** Plain text tables and the summary of a report, for the terminal. */
import type { Finding, Report } from '../report/schema.js';
import type { SummaryRow } from '../workflows/main-job.js';

/** Columns padded to their widest cell; numbers to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const numeric = header.map(
    (_, c) => rows.length > 0 && rows.every((row) => /^[-\d.,% ofx/]*$/.test(row[c])),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

export function percent(value: number): string {
  return `${(100 * value).toFixed(1)}%`;
}

/** Conditions: parameters, seeds that learned SUM, accuracy by operation. */
export function summaryTable(rows: readonly SummaryRow[]): string {
  const header = ['condition', 'parameters', 'learned SUM', 'accuracy by operation (mean over seeds)'];
  return formatTable(
    header,
    rows.map(({ condition, parameters, seeds, operations }) => [
      condition,
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

/** Findings with a verdict, the claims in order. */
export function claimLines(report: Report): string {
  const withVerdict = Object.values(report.modules).flatMap((module) =>
    module.findings.filter((finding) => finding.claim !== undefined && finding.verdict !== undefined),
  );
  withVerdict.sort((a, b) => (claimOf(a) < claimOf(b) ? -1 : claimOf(a) > claimOf(b) ? 1 : 0));
  return formatTable(
    ['claim', 'verdict', 'estimate', 'interval', 'why'],
    withVerdict.map((finding) => [
      claimOf(finding),
      finding.verdict ?? '',
      shortNumber(finding.estimate),
      finding.interval === undefined
        ? '-'
        : `[${shortNumber(finding.interval.low)}, ${shortNumber(finding.interval.high)}]`,
      finding.reason ?? '',
    ]),
  );
}

function claimOf(finding: Finding): string {
  return finding.claim ?? '';
}

export function shortNumber(value: number | string | undefined): string {
  if (value === undefined) return '-';
  return typeof value === 'number' ? String(Number(value.toPrecision(3))) : value;
}
