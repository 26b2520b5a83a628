/**
 * What the viewer needs from the world, as functions: tests give their own, start.ts gives the disk. Names in these
 * calls always come from a listing, never from an address.
 */
import type { Comparison, MeasureRequest, Planes, SavedReport, SaveRequest } from './contract/compare.js';
import type { CompareRequest } from './contract/jobs.js';
import type { PlaygroundDocument } from '../playground/document.js';
import type {
  ConditionSettings,
  ReportSummary,
  RunDetail,
  RunSummary,
  SweepState,
  SweepSummary,
} from './contract.js';
import type { ServedHost } from './http/guard.js';
import type { JobStore } from './jobs/store.js';
import type { Notes } from './disk/notes.js';

export type MetricsTail =
  /** complete lines after the offset; `next` is the offset after the last of them */
  | {
      readonly kind: 'lines';
      readonly lines: readonly string[];
      readonly next: number;
      readonly more: boolean;
    }
  /** the offset is not the start of a line in this file: begin again at 0 */
  | { readonly kind: 'reset' }
  /** the file is not there (not yet, or no longer) */
  | { readonly kind: 'absent' };

export const REPORT_FILES = ['index.html', 'report.json', 'comparison.json'] as const;
export type ReportFile = (typeof REPORT_FILES)[number];

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

/** Comparisons of checkpoints, as far as they are measured. */
export interface CompareDeps {
  /** @param of - from an address. @throws UserError for what means nothing */
  compare(of: string, series: boolean): Promise<Comparison>;
  planes(of: string): Promise<Planes>;
  /** the job that measures what is missing */
  jobOf(request: MeasureRequest): Promise<CompareRequest>;
  /** what the page shows, as one file */
  page(of: string, series: boolean): Promise<string>;
  /** writes that file as a report. @throws UserError for a name that is none, RefusedError where it is taken */
  save(request: SaveRequest): Promise<SavedReport>;
}

export interface ViewerDeps {
  /** names under which it is served; the first one is what it tells others to open */
  hosts(): readonly ServedHost[];
  /** paths below which proxies serve it, such as `/user/x/proxy/4173` */
  readonly bases: readonly string[];
  /** whoever wants to change something has it */
  readonly token: string;
  /** reading needs the token too */
  readonly isTokenDemanded: boolean;
  /** cookies are not kept apart by port: the name is this viewer's own */
  cookieName(): string;
  /** the front end, by name, read once at the start */
  readonly assets: ReadonlyMap<string, Asset>;
  listRuns(): Promise<readonly RunSummary[]>;
  /** of the list that was given last */
  conditions(): readonly ConditionSettings[];
  /**
   * undefined: there is no such checkpoint, or it may not be read
   * @throws UserError for one that is damaged or too large
   */
  readCheckpoint(run: RunSummary, step: number | 'last'): Promise<PlaygroundDocument | undefined>;
  /** undefined: the run is gone */
  readRun(run: RunSummary): Promise<Omit<RunDetail, 'run' | 'siblings'> | undefined>;
  readMetricsTail(run: RunSummary, offset: number): Promise<MetricsTail>;
  listReports(): Promise<readonly ReportSummary[]>;
  /** undefined: the report has no such file, or it may not be read */
  readReport(report: ReportSummary, file: ReportFile): Promise<Buffer | undefined>;
  /** the numbers of a report as a tidy table; undefined: it has no report.json. @throws UserError: it is no report */
  readObservations(report: ReportSummary): Promise<string | undefined>;
  /** @returns what is kept; undefined: the run is gone */
  writeNotes(run: RunSummary, notes: Notes): Promise<Notes | undefined>;
  /**
   * @param name - as its list shows it
   * @returns where it lies now; undefined: it is gone
   * @throws RefusedError: it is in use
   */
  trash(what: 'run' | 'report', name: string): Promise<string | undefined>;
  readonly jobs: JobStore;
  readonly compare: CompareDeps;
  listSweeps(): Promise<readonly SweepSummary[]>;
  /** @param name - from an address; undefined: there is no such sweep */
  readSweep(name: string): Promise<SweepState | undefined>;
  /** one line for the operator: an internal error */
  readonly log: (line: string) => void;
}

/** Milliseconds between two looks at metrics.jsonl: two updates a second are what a page can draw. */
export const POLL_MS = 500;
/** Streams open at once over all pages. */
export const MAX_STREAMS = 32;
