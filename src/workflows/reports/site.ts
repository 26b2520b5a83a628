/** Writes a static site: a first page, reports, saved comparisons, and the playground on one or two checkpoints. */
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError, printable, unacceptable } from '../../errors.js';
import { type DirectoryEntry, exists, isDirectory, publishDirectory, readBytes } from '../../io/files.js';
import { canonicalJson, parseJsonStrict } from '../../io/json.js';
import { packageRoot } from '../../io/package-root.js';
import { renderReport } from '../../report/page.js';
import { parseReport } from '../../report/parse-report.js';
import { reportJson } from '../../report/report-json.js';
import { type SiteComparison, type SiteReport, renderSiteIndex, renderSitePlayground } from '../../report/site.js';
import { loadReportRuntime } from '../../report/write.js';
import { checkPageSize, pagePlayground } from './playground.js';

/** What makes a folder known as a site, so that a later one may take its place. */
const MARK = 'site.json';
const PAPER = 'paper';
const COMPARISON = 'comparison.json';
const MOST_BYTES = 1 << 28;
/** What the first page says of a saved comparison. */
const savedComparison = z.looseObject({
  kind: z.literal('comparison'),
  title: z.string(),
  comparison: z.looseObject({ checkpoints: z.array(z.unknown()), conditions: z.array(z.unknown()) }),
});
/** Models of the playground where none are named: shipped with a clone, one of each kind. */
const SHIPPED = ['max-med-sum-pairs-d16-s1-5deca8f89d56', 'sum-pairs-d16-s1-45202e910ba4'] as const;

export interface SiteOptions {
  /** report.json files, or folders that hold one, or a comparison that was saved from its page */
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
  const given = options.reports.map(readGiven);
  const names = given.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw unacceptable(
      'report',
      twice,
      'reports in folders of different names',
      'Copy one to another name.',
    );
  const reports = given.filter((one): one is SiteReport => 'report' in one);
  const comparisons = given.filter((one) => 'page' in one);
  const own = reports.find(({ name }) => name === PAPER);
  const paper = options.noPaper === true ? undefined : (own ?? shippedPaper(notes));
  const others = reports.filter((report) => report !== paper);
  if (paper === undefined && others.length + comparisons.length === 0)
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
  for (const { name, page, data } of comparisons) {
    const folders = ['reports', name];
    entries.push({ name: 'index.html', folders, bytes: page }, { name: COMPARISON, folders, bytes: data });
  }
  if (playground !== undefined) {
    const text = renderSitePlayground(title, playground, runtime);
    checkPageSize(text, 'playground/index.html');
    page(['playground'], text);
  }
  const models = (playground?.models ?? []).map(({ label }) => label);
  page([], renderSiteIndex({ title, reports: others, comparisons, models, ...(paper && { paper }) }, runtime));
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

interface GivenComparison extends SiteComparison {
  readonly page: Uint8Array;
  readonly data: Uint8Array;
}

function readGiven(path: string): SiteReport | GivenComparison {
  const isFolder = isDirectory(path);
  const isSaved = isFolder && !exists(join(path, 'report.json')) && exists(join(path, COMPARISON));
  const file = isFolder ? join(path, isSaved ? COMPARISON : 'report.json') : path;
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
  return isSaved ? readComparison(path, name) : { name, report: parseReport(readBytes(file), file) };
}

/** The page goes along as it was saved: it holds all that it shows. */
function readComparison(folder: string, name: string): GivenComparison {
  const [file, page] = [COMPARISON, 'index.html'].map((inside) => join(folder, inside));
  const data = readBytes(file);
  const saved = savedComparison.safeParse(parseJsonStrict(data, { where: file, maxLength: MOST_BYTES }));
  if (!saved.success || !exists(page))
    throw unacceptable('report', printable(folder, 300), 'a saved comparison: comparison.json with its index.html');
  const { title, comparison } = saved.data;
  const { checkpoints, conditions } = comparison;
  return {
    name,
    title,
    checkpoints: checkpoints.length,
    conditions: conditions.length,
    page: readBytes(page),
    data,
  };
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
