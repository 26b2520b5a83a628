/** Writes a static site: a first page, reports, and the playground on one or two checkpoints. */
import { basename, dirname, join, resolve } from 'node:path';
import { UserError, printable, unacceptable } from '../../errors.js';
import { type DirectoryEntry, exists, isDirectory, publishDirectory, readBytes } from '../../io/files.js';
import { canonicalJson } from '../../io/json.js';
import { packageRoot } from '../../io/package-root.js';
import { renderReport } from '../../report/page.js';
import { parseReport } from '../../report/parse-report.js';
import { reportJson } from '../../report/report-json.js';
import { type SiteReport, renderSiteIndex, renderSitePlayground } from '../../report/site.js';
import { loadReportRuntime } from '../../report/write.js';
import { checkPageSize, pagePlayground } from './playground.js';

/** What makes a folder known as a site, so that a later one may take its place. */
const MARK = 'site.json';
const PAPER = 'paper';
/** Models of the playground where none are named: shipped with a clone, one of each kind. */
const SHIPPED = ['max-med-sum-pairs-d16-s1-5deca8f89d56', 'sum-pairs-d16-s1-45202e910ba4'] as const;

export interface SiteOptions {
  /** report.json files, or folders that hold one */
  readonly reports: readonly string[];
  /** folder of the site */
  readonly out: string;
  readonly title?: string;
  /** checkpoints of the playground; absent: the shipped ones where they are here */
  readonly playground?: readonly string[];
  /** without a playground */
  readonly noPlayground?: boolean;
  /** without the shipped result of the paper's claims */
  readonly noPaper?: boolean;
  readonly checkpointsDir: string;
}

export interface WrittenSite {
  /** paths of pages below the folder */
  readonly pages: readonly string[];
  /** what was left out, and why */
  readonly notes: readonly string[];
}

/** @throws UserError for reports that are none, of one name, or a folder that holds something else */
export function writeSite(options: SiteOptions): WrittenSite {
  const out = resolve(options.out);
  checkFolder(out);
  const notes: string[] = [];
  const reports = options.reports.map(readSiteReport);
  const twice = reports.find(({ name }, i) => reports.findIndex((other) => other.name === name) < i);
  if (twice !== undefined)
    throw unacceptable(
      'report',
      twice.name,
      'reports in folders of different names',
      'Copy one to another name.',
    );
  const given = reports.find(({ name }) => name === PAPER);
  const paper = options.noPaper === true ? undefined : (given ?? shippedPaper(notes));
  const others = reports.filter((report) => report !== paper);
  if (paper === undefined && others.length === 0)
    throw new UserError('site: found no report, expected one or more report.json or folders that hold one.');
  const title = options.title ?? 'sumlens';
  const runtime = loadReportRuntime();
  const playground = playgroundOf(options, notes);
  const entries: DirectoryEntry[] = [];
  const page = (folders: readonly string[], text: string): void =>
    void entries.push({ name: 'index.html', folders, bytes: text });
  for (const { name, report } of paper === undefined ? others : [paper, ...others]) {
    page(['reports', name], renderReport(report, runtime));
    entries.push({ name: 'report.json', folders: ['reports', name], bytes: reportJson(report) });
  }
  if (playground !== undefined) {
    const text = renderSitePlayground(title, playground, runtime);
    checkPageSize(text, 'playground/index.html');
    page(['playground'], text);
  }
  const models = (playground?.models ?? []).map(({ label }) => label);
  page([], renderSiteIndex({ title, reports: others, models, ...(paper && { paper }) }, runtime));
  const pages = entries
    .filter(({ name }) => name === 'index.html')
    .map(({ folders = [], name }) => [...folders, name].join('/'))
    .sort();
  entries.push({ name: MARK, bytes: `${canonicalJson({ kind: 'sumlens-site', pages })}\n` });
  publishDirectory(out, entries, { replace: exists(out) });
  return { pages, notes };
}

/** Nothing but an older site, or an empty place, is replaced. */
function checkFolder(out: string): void {
  if (!exists(out) || (isDirectory(out) && exists(join(out, MARK)))) return;
  throw unacceptable('--out', out, `a folder that does not exist yet, or an older site (with ${MARK})`);
}

function readSiteReport(path: string): SiteReport {
  const file = isDirectory(path) ? join(path, 'report.json') : path;
  if (!exists(file))
    throw unacceptable('report', path, 'a report.json that exists, or a folder that holds one');
  const name = basename(dirname(resolve(file)));
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) {
    throw unacceptable(
      'report',
      printable(name),
      'a folder whose name has letters, digits, ".", "_" and "-" only',
    );
  }
  return { name, report: parseReport(readBytes(file), file) };
}

function shippedPaper(notes: string[]): SiteReport | undefined {
  const file = join(packageRoot(), 'reports', PAPER, 'report.json');
  if (exists(file)) return { name: PAPER, report: parseReport(readBytes(file), file) };
  notes.push(
    'without the result of the paper: reports/paper is in a clone only. Name its folder to have it.',
  );
  return undefined;
}

function playgroundOf(options: SiteOptions, notes: string[]) {
  if (options.noPlayground === true) return undefined;
  if (options.playground !== undefined) return pagePlayground(options.playground, options.checkpointsDir);
  const root = join(packageRoot(), 'checkpoints');
  if (SHIPPED.every((run) => isDirectory(join(root, 'reference', run)))) return pagePlayground(SHIPPED, root);
  notes.push('without a playground: name one or two checkpoints with --playground to have it.');
  return undefined;
}
