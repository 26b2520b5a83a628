/** The reports on disk as the viewer lists them. A report is shown as it says of itself; its content is not trusted. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CLAIMS } from '../evidence/claims-file.js';
import { groupBy } from '../evidence/group-by.js';
import { VERDICTS } from '../evidence/verdict.js';
import { isPlainName, openContained, readContained } from './contained.js';
import { ADDRESS_NAME, type ReportSummary, type VerdictChip } from './contract.js';
import type { ReportFile } from './deps.js';
import { isRecord } from './metrics.js';

const MOST_BYTES = 64 << 20;
const MOST_CHIPS = 24;
const MOST_TEXT = 300;
const FRESH_MS = 400;

export class ReportIndex {
  private known = new Map<string, { stamp: string; summary: ReportSummary }>();
  private list: readonly ReportSummary[] = [];
  private madeAt = -Infinity;
  private making: Promise<readonly ReportSummary[]> | undefined;

  constructor(private readonly root: string) {}

  async reports(): Promise<readonly ReportSummary[]> {
    if (performance.now() - this.madeAt < FRESH_MS) return this.list;
    this.making ??= this.make().finally(() => (this.making = undefined));
    return this.making;
  }

  async read(name: string, file: ReportFile): Promise<Buffer | undefined> {
    return this.known.has(name) ? readContained(this.root, [name, file], MOST_BYTES) : undefined;
  }

  private async make(): Promise<readonly ReportSummary[]> {
    const next = new Map<string, { stamp: string; summary: ReportSummary }>();
    for (const entry of await foldersOf(this.root)) {
      const stamp = await stampOf(join(this.root, entry));
      const before = this.known.get(entry);
      const current = before?.stamp === stamp ? before : { stamp, summary: await this.summarise(entry) };
      next.set(entry, current);
    }
    this.known = next;
    this.list = [...next.values()].map(({ summary }) => summary).sort((a, b) => (a.name < b.name ? -1 : 1));
    this.madeAt = performance.now();
    return this.list;
  }

  private async summarise(name: string): Promise<ReportSummary> {
    const page = await openContained(this.root, name, 'index.html');
    await page?.handle.close();
    const open = page !== undefined && page.size <= MOST_BYTES && ADDRESS_NAME.test(name);
    const empty = { name, open, title: name, subjects: 0, conditions: [], modules: [], verdicts: [] };
    const base = { ...empty, sizeBytes: page?.size ?? 0 };
    if (page === undefined) return { ...base, reason: 'index.html is missing or is no plain file' };
    const bytes = await readContained(this.root, [name, 'report.json'], MOST_BYTES);
    if (bytes === undefined) return { ...base, reason: 'report.json is missing or is no plain file' };
    try {
      return { ...base, ...described(JSON.parse(bytes.toString('utf8')), name) };
    } catch {
      return { ...base, reason: 'report.json is not JSON' };
    }
  }
}

async function foldersOf(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && isPlainName(entry.name)).map(({ name }) => name);
  } catch {
    return [];
  }
}

async function stampOf(folder: string): Promise<string> {
  const parts = ['index.html', 'report.json'].map(async (file) => {
    try {
      const { ino, size, mtimeMs } = await stat(join(folder, file));
      return `${ino}:${size}:${mtimeMs}`;
    } catch {
      return '';
    }
  });
  return (await Promise.all(parts)).join(' ');
}

function described(report: unknown, name: string): Partial<ReportSummary> & Pick<ReportSummary, 'title'> {
  if (!isRecord(report)) return { title: name, reason: 'report.json is not a report' };
  const subjects = Array.isArray(report['subjects']) ? report['subjects'].filter(isRecord) : [];
  const modules = isRecord(report['modules']) ? report['modules'] : {};
  return {
    title: textOf(report['title']) ?? name,
    subjects: subjects.length,
    conditions: [
      ...new Set(subjects.map((subject) => textOf(subject['label'])).filter((t) => t !== undefined)),
    ],
    modules: Object.keys(modules),
    ...besideOf(report['beside']),
    verdicts: verdictsOf(report['claims']).slice(0, MOST_CHIPS),
  };
}

function besideOf(beside: unknown): Pick<ReportSummary, 'beside'> {
  const plan = isRecord(beside) ? textOf(beside['plan']) : undefined;
  return plan !== undefined && ADDRESS_NAME.test(plan) ? { beside: plan } : {};
}

/** One line for each claim, or for each part of it where parts came to different verdicts; in the order of the report. */
function verdictsOf(claims: unknown): VerdictChip[] {
  if (!Array.isArray(claims)) return [];
  const rows = claims.filter(isRecord).flatMap((row) => {
    const claim = textOf(row['claim']);
    const verdict = textOf(row['verdict']);
    if (claim === undefined || verdict === undefined) return [];
    return [{ claim, part: textOf(row['part']), verdict }];
  });
  return [...groupBy(rows, ({ claim }) => claim)].flatMap(([claim, own]) => {
    const isOne = new Set(own.map(({ verdict }) => verdict)).size === 1;
    return (isOne ? [{ ...own[0], part: undefined }] : own).map(({ part, verdict }) => ({
      claim: part ?? claim,
      statement: statementOf(claim, part),
      verdict,
      tone: VERDICTS.findIndex((word) => word === verdict),
    }));
  });
}

/** Words of claims.json; empty for a claim that it does not have. */
function statementOf(claim: string, part: string | undefined): string {
  const known = CLAIMS.find(({ id }) => id === claim);
  const name = known?.parts.find(({ id }) => id === part)?.name;
  return [known?.text ?? '', ...(name === undefined ? [] : [name])].join(': ');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, MOST_TEXT) : undefined;
}
