/** `sumlens report`: draws the page of a report.json again, one page a file. Comparing checkpoints is `compare`. */
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { UserError, unacceptable } from '../errors.js';
import { exists, isDirectory, readBytes, writeFileDurably } from '../io/files.js';
import { toJsonLine } from '../io/json.js';
import { renderReport } from '../report/page.js';
import { parseReport, reportJsonSchema } from '../report/parse-report.js';
import { loadReportRuntime } from '../report/write.js';
import { SUMMARIES } from './summaries.js';

interface ReportOptions {
  readonly out?: string;
  readonly schema?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const EXAMPLE = `
Each report.json (or folder that holds one) gets its own page, index.html beside it. To see several checkpoints in one
report, probe them together: sumlens probe all <checkpoint...>

Example:
  sumlens report reports/quick/report.json --out quick.html`;

export function registerReport(program: Command): void {
  program
    .command('report')
    .description(SUMMARIES.report.description)
    .argument('[report...]', 'report.json files, or folders that hold one')
    .option('--out <file>', 'where the page goes (with one report); default: index.html beside report.json')
    .option('--schema', 'print the JSON schema of report.json')
    .option('--json', 'one JSON document on stdout, everything else on stderr')
    .option('--quiet', 'no messages')
    .addHelpText('after', EXAMPLE)
    .action((files: readonly string[], options: ReportOptions) => runReport(files, options));
}

function runReport(files: readonly string[], options: ReportOptions): void {
  if (options.schema === true) {
    process.stdout.write(`${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
    return;
  }
  if (files.length === 0)
    throw new UserError(
      'report: found no file, expected one report.json or more. See "sumlens report --help".',
    );
  if (options.out !== undefined && files.length > 1)
    throw unacceptable('--out', options.out, 'one report when a file is named', 'Leave --out away.');
  if (options.out !== undefined && isDirectory(options.out))
    throw unacceptable('--out', options.out, 'a file, not a directory', 'Add a file name.');
  // every report is checked before the first page is written
  const pages = files.map((file) => {
    const source = reportFile(file);
    const report = parseReport(readBytes(source), source);
    return { report, page: options.out ?? join(dirname(source), 'index.html') };
  });
  const runtime = loadReportRuntime();
  for (const { report, page } of pages) {
    writeFileDurably(page, renderReport(report, runtime));
    if (options.quiet !== true) process.stderr.write(`${page}\n`);
  }
  if (options.json === true) process.stdout.write(toJsonLine({ pages: pages.map(({ page }) => page) }));
}

function reportFile(path: string): string {
  const file = isDirectory(path) ? join(path, 'report.json') : path;
  if (!exists(file))
    throw unacceptable('report', path, `a report.json that exists (looked for ${basename(file)})`);
  return file;
}
