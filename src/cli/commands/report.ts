/**
 * `sumlens report`: draws the page of a report.json again, one page a file, writes its numbers as a table, or its
 * charts as figures for a paper. Comparing checkpoints is `compare`.
 */
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { UserError, unacceptable } from '../../errors.js';
import { exists, isDirectory, readBytes, writeFileDurably } from '../../io/files.js';
import { toJsonLine } from '../../io/json.js';
import { renderReport } from '../../report/page.js';
import { parseReport, reportJsonSchema } from '../../report/parse-report.js';
import { loadReportRuntime } from '../../report/write.js';
import { writeFigures } from '../../workflows/reports/figures.js';
import { checkPageSize, pagePlayground } from '../../workflows/reports/playground.js';
import { TABLE_FORMATS, writeTable } from '../../workflows/reports/table-file.js';
import { addFigureFlags, figureOptionsOf, figuresCommand } from '../probing/figures.js';
import type { ParsedOptions } from '../flags/flags.js';
import { foldersOf } from '../flags/folders.js';
import { SUMMARIES } from '../terminal/summaries.js';
import { wordsOf } from '../flags/words.js';

interface ReportOptions extends ParsedOptions {
  readonly out?: string;
  readonly csv?: string;
  readonly parquet?: string;
  readonly figures?: string;
  readonly playground?: readonly string[];
  readonly schema?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly title?: string;
  readonly notes?: string;
}

const EXAMPLE = `
Each report.json (or folder that holds one) gets its own page, index.html beside it. To see several checkpoints in one
report, probe them together: sumlens probe all <checkpoint...>

A table has one row for each number of a checkpoint; with --csv or --parquet alone no page is drawn. "sumlens verdicts"
decides the claims again from the CSV.

Figures for a paper: --figures writes every chart of one report into a folder, as SVG, PDF and CSV of what is drawn (PNG too
with --format png; it needs the optional packages @resvg/resvg-js and @expo-google-fonts/arimo), with README.md and
figures.json: titles, captions, and the command that makes the folder again. No browser is needed. With it alone no page
is drawn. The folder appears whole or not at all; one that holds anything else is refused.

With --playground the page carries one or two checkpoints and the program that runs them: an expression is answered in the
reader's browser, without a server. Such a page has at most 6 MB.

Examples:
  sumlens report reports/quick/report.json --out quick.html
  sumlens report reports/quick --playground <run> --playground <run>@4096 --out quick.html
  sumlens report reports/quick/report.json --csv observations.csv
  sumlens report reports/quick --figures figures --column double --format pdf,csv --font-size 8`;

export function registerReport(program: Command): void {
  const command = program
    .command('report')
    .description(SUMMARIES.report.description)
    .argument('[report...]', 'report.json files, or folders that hold one')
    .option('--out <file>', 'where the page goes (with one report); default: index.html beside report.json')
    .option('--title <text>', 'another heading, on the page alone')
    .option('--notes <text>', 'other notes, on the page alone; a paragraph a line')
    .option('--csv <file>', 'the numbers of one report as a table, one row for each number of a checkpoint')
    .option('--parquet <file>', 'the same table as Parquet')
    .option('--figures <folder>', 'every chart of one report as files for a paper');
  addFigureFlags(command)
    .option(
      '--playground <checkpoint>',
      'a checkpoint that readers of the page can ask and look into; twice for two side by side',
      (address: string, before: readonly string[] | undefined) => [...(before ?? []), address],
    )
    .option('--checkpoints <folder>', 'folder of runs (default: checkpoints)')
    .option('--schema', 'print the JSON schema of report.json')
    .option('--json', 'one JSON document on stdout, everything else on stderr')
    .option('--quiet', 'no messages')
    .addHelpText('after', EXAMPLE)
    .action((files: readonly string[], options: ReportOptions) => runReport(files, options));
}

async function runReport(files: readonly string[], options: ReportOptions): Promise<void> {
  if (options.schema === true) {
    process.stdout.write(`${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
    return;
  }
  if (files.length === 0)
    throw new UserError(
      'report: found no file, expected one report.json or more. See "sumlens report --help".',
    );
  for (const flag of ['out', ...TABLE_FORMATS, 'figures'] as const) {
    const file = options[flag];
    if (file === undefined) continue;
    if (files.length > 1)
      throw unacceptable(`--${flag}`, file, 'one report when a file is named', `Leave --${flag} away.`);
    if (flag !== 'figures' && isDirectory(file))
      throw unacceptable(`--${flag}`, file, 'a file, not a directory', 'Add a file name.');
  }
  const figureOptions = figureOptionsOf(options);
  const words = wordsOf({ title: options.title, notes: options.notes });
  // every report is checked before the first page is written
  const pages = files.map((file) => {
    const source = reportFile(file);
    const report = { ...parseReport(readBytes(source), source), ...words };
    return { report, page: options.out ?? join(dirname(source), 'index.html') };
  });
  const written = (path: string): void => {
    if (options.quiet !== true) process.stderr.write(`${path}\n`);
  };
  const tables = TABLE_FORMATS.flatMap((format) => {
    const path = options[format];
    return path === undefined ? [] : [{ format, path }];
  });
  for (const { format, path } of tables) {
    writeTable(pages[0].report, path, format);
    written(path);
  }
  const { figures } = options;
  let figureFiles: readonly string[] = [];
  if (figures !== undefined) {
    const command = figuresCommand(files[0], figures, figureOptions, options);
    figureFiles = await writeFigures(pages[0].report, figures, figureOptions, command);
    written(figures);
  }
  const playground =
    options.playground === undefined
      ? undefined
      : pagePlayground(options.playground, foldersOf(options).checkpointsDir);
  // who asks for a table or for figures alone gets no page
  const drawn = (tables.length > 0 || figures !== undefined) && options.out === undefined ? [] : pages;
  if (drawn.length > 0) {
    const runtime = loadReportRuntime();
    const rendered = drawn.map(({ report, page }) => {
      const text = renderReport(report, runtime, playground);
      if (playground !== undefined) checkPageSize(text, page);
      return { text, page };
    });
    for (const { text, page } of rendered) {
      writeFileDurably(page, text);
      written(page);
    }
  }
  if (options.json === true) {
    process.stdout.write(
      toJsonLine({
        pages: drawn.map(({ page }) => page),
        ...(tables.length === 0 ? {} : { tables: tables.map(({ path }) => path) }),
        ...(figures === undefined ? {} : { figures: figureFiles.map((name) => join(figures, name)) }),
      }),
    );
  }
}

function reportFile(path: string): string {
  const file = isDirectory(path) ? join(path, 'report.json') : path;
  if (!exists(file))
    throw unacceptable('report', path, `a report.json that exists (looked for ${basename(file)})`);
  return file;
}
