/** The reports on disk as the viewer lists them. A report is shown as it says of itself; its content is not trusted. */
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CLAIMS } from '../../evidence/claims-file.js';
import { groupBy } from '../../evidence/group-by.js';
import { VERDICT, VERDICTS } from '../../evidence/verdict.js';
import { LEARNING } from '../../report/page/conditions.js';
import { addressOf } from './address.js';
import { openContained, readContained } from './contained.js';
import { ADDRESS_NAME, type ReportSummary, type VerdictChip } from '../contract.js';
import { REPORT_FILES, type ReportFile } from '../deps.js';
import { type Folder, foldersBelow, pathOf } from './folders.js';
import { isRecord } from './metrics.js';

const MOST_BYTES = 64 << 20;
const MOST_CHIPS = 24;
const MOST_TEXT = 300;
const FRESH_MS = 400;

/** Reading what reports say of themselves may delay a list so long; the rest is read behind it. */
const READING_MS = 300;

interface Known {
  readonly folder: Folder;
  readonly stamp: string;
  readonly summary: ReportSummary;
}

export class ReportIndex {
  private known = new Map<string, Known>();
  private list: readonly ReportSummary[] = [];
  private madeAt = -Infinity;
  private making: Promise<readonly ReportSummary[]> | undefined;
  /** names of reports whose report.json waits to be read */
  private waiting: string[] = [];
  private isReading = false;

  constructor(private readonly root: string) {}

  async reports(): Promise<readonly ReportSummary[]> {
    if (performance.now() - this.madeAt < FRESH_MS) return this.list;
    this.making ??= this.make().finally(() => (this.making = undefined));
    return this.making;
  }

  /** After a change of our own: the next list shows it. */
  async lookAgain(): Promise<void> {
    await this.making;
    this.madeAt = -Infinity;
    await this.reports();
  }

  /** @param name - of the list */
  folder(name: string): Folder | undefined {
    return this.known.get(name)?.folder;
  }

  async read(name: string, file: ReportFile): Promise<Buffer | undefined> {
    const known = this.known.get(name);
    if (known === undefined) return undefined;
    return readContained(known.folder.root, [...known.folder.parts, file], MOST_BYTES);
  }

  private async make(): Promise<readonly ReportSummary[]> {
    const next = new Map<string, Known>();
    const summaries: ReportSummary[] = [];
    const waiting: string[] = [];
    const began = performance.now();
    const root = await realpath(this.root).catch(() => this.root);
    const { folders, refused } = foldersBelow(root, () => false, REPORT_FILES);
    for (const { id, reason } of refused) summaries.push({ ...unread(id), reason });
    for (const folder of folders) {
      const stamp = await stampOf(pathOf(folder));
      const before = this.known.get(folder.id);
      let current = before;
      if (before?.stamp !== stamp) {
        const isLate = performance.now() - began > READING_MS;
        const summary = isLate ? await waitingSummary(folder) : await summarise(folder);
        current = { folder, stamp, summary };
      }
      if (current === undefined) continue;
      if (current.summary.reading === true) waiting.push(folder.id);
      next.set(folder.id, current);
    }
    this.known = next;
    this.waiting = waiting;
    void this.readWaiting();
    summaries.push(...[...next.values()].map(({ summary }) => summary));
    this.list = summaries.sort((a, b) => (a.name < b.name ? -1 : 1));
    this.madeAt = performance.now();
    return this.list;
  }

  /** One report at a time, requests in between; the lists that come later show them. */
  private async readWaiting(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    try {
      for (;;) {
        const name = this.waiting.shift();
        const known = name === undefined ? undefined : this.known.get(name);
        if (name === undefined) return;
        if (known?.summary.reading !== true) continue;
        const summary = await summarise(known.folder);
        if (this.known.get(name) === known) this.known.set(name, { ...known, summary });
      }
    } finally {
      this.isReading = false;
    }
  }
}

function unread(name: string): ReportSummary {
  const empty = { title: name, subjects: 0, conditions: [], modules: [], verdicts: [], sizeBytes: 0 };
  return { ...empty, name, address: addressOf(name), open: false };
}

/** What can be said without reading report.json. */
async function waitingSummary(folder: Folder): Promise<ReportSummary> {
  const page = await openContained(folder.root, ...folder.parts, 'index.html');
  await page?.handle.close();
  const base = { ...unread(folder.id), sizeBytes: page?.size ?? 0 };
  if (page === undefined) return { ...base, reason: 'index.html is missing or is no plain file' };
  return { ...base, open: page.size <= MOST_BYTES, reading: true };
}

async function summarise(folder: Folder): Promise<ReportSummary> {
  const { reading, ...base } = await waitingSummary(folder);
  if (reading !== true) return base;
  const bytes = await readContained(folder.root, [...folder.parts, 'report.json'], MOST_BYTES);
  if (bytes === undefined) {
    const saved = await readContained(folder.root, [...folder.parts, 'comparison.json'], MOST_BYTES);
    if (saved !== undefined) return { ...base, ...comparisonOf(saved, folder.id) };
    return { ...base, reason: 'report.json is missing or is no plain file' };
  }
  try {
    return { ...base, ...described(JSON.parse(bytes.toString('utf8')), folder.id) };
  } catch {
    return { ...base, reason: 'report.json is not JSON' };
  }
}

/** A saved page of comparison. */
function comparisonOf(bytes: Buffer, name: string): Partial<ReportSummary> & Pick<ReportSummary, 'title'> {
  const reason = 'comparison.json is not a comparison';
  try {
    const saved: unknown = JSON.parse(bytes.toString('utf8'));
    const comparison = isRecord(saved) && saved['kind'] === 'comparison' ? saved['comparison'] : undefined;
    if (!isRecord(saved) || !isRecord(comparison)) return { title: name, reason };
    const list = (field: string): Record<string, unknown>[] => {
      const value = comparison[field];
      return Array.isArray(value) ? value.filter(isRecord) : [];
    };
    const words = (some: readonly Record<string, unknown>[], field: string): string[] =>
      some.map((one) => textOf(one[field])).filter((text) => text !== undefined);
    return {
      title: textOf(saved['title']) ?? name,
      comparison: true,
      subjects: list('checkpoints').length,
      conditions: words(list('conditions'), 'label'),
      modules: words(
        list('modules').filter(({ measured }) => typeof measured === 'number' && measured > 0),
        'module',
      ),
    };
  } catch {
    return { title: name, reason };
  }
}

async function stampOf(folder: string): Promise<string> {
  const parts = REPORT_FILES.map(async (file) => {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(join(folder, file));
      return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
    } catch {
      return '';
    }
  });
  return (await Promise.all(parts)).join(' ');
}

function described(report: unknown, name: string): Partial<ReportSummary> & Pick<ReportSummary, 'title'> {
  // of any version: older reports are listed too
  if (
    !isRecord(report) ||
    typeof report['schemaVersion'] !== 'number' ||
    !Array.isArray(report['subjects'])
  ) {
    return { title: name, reason: 'report.json is not a report: it has no schemaVersion or no subjects' };
  }
  const subjects = report['subjects'].filter(isRecord);
  const modules = isRecord(report['modules']) ? report['modules'] : {};
  return {
    title: textOf(report['title']) ?? name,
    subjects: subjects.length,
    conditions: [
      ...new Set(subjects.map((subject) => textOf(subject['label'])).filter((t) => t !== undefined)),
    ],
    // what was learned is read out of the logs: no module examined a checkpoint for it
    modules: Object.keys(modules).filter((module) => module !== LEARNING),
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
      isDecided: verdict !== VERDICT.tooFew,
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
