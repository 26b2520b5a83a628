/**
 * The one job of the page of comparison: a child process that measures what is missing, or writes a report. What it has
 * measured is in the cache at once, so a job that was stopped loses what it was at and no more.
 */
import { join } from 'node:path';
import { isReservedName } from '../../checkpoint/run-files.js';
import { printable, UserError } from '../../errors.js';
import { exists } from '../../io/files.js';
import { usableCores } from '../../jobs/cores.js';
import { jobEntryPath } from '../../jobs/entry-path.js';
import { type Job, type JobResult, startJob } from '../../jobs/start.js';
import type { CompareMessage, CompareResult, CompareWork } from '../../workflows/compare-entry.js';
import { addressOf } from '../address.js';
import type { CompareJob, MeasureRequest, SaveRequest } from '../contract/compare.js';
import { RefusedError } from '../guard.js';
import type { Json } from '../../io/json.js';
import type { CompareFolders } from './index.js';

/** Path of the child's entry for jobEntryPath. */
export const COMPARE_ENTRY = 'src/workflows/compare-entry';
const GRACE_MS = 5_000;
const MOST_TITLE = 200;

/** What starts a child; a test gives its own. */
export type StartWork = (
  work: CompareWork,
  onMessage: (message: CompareMessage) => void,
) => Pick<Job, 'done' | 'cancel'>;

const startChild: StartWork = (work, onMessage) =>
  startJob({
    entry: jobEntryPath(COMPARE_ENTRY),
    job: work as unknown as Json,
    onMessage: (message) => onMessage(message as unknown as CompareMessage),
    graceMs: GRACE_MS,
  });

export class CompareWorker {
  private current: CompareJob | null = null;
  private child: Pick<Job, 'done' | 'cancel'> | undefined;
  private cancelled = false;
  private ids = 0;
  private readonly listeners = new Set<() => void>();

  /** @param textsOf - of the parts of an address, with the folders of their runs */
  constructor(
    private readonly folders: CompareFolders,
    private readonly textsOf: (of: string) => Promise<readonly string[]>,
    private readonly start: StartWork = startChild,
  ) {}

  /** the one that runs, or the last one; null: none since the viewer was started */
  get job(): CompareJob | null {
    return this.current;
  }

  /** Calls back whenever the job has changed. @returns ends it */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async measure(request: MeasureRequest): Promise<CompareJob> {
    return this.begin('measure', request, undefined);
  }

  /** @throws UserError when the name is none, RefusedError when it is taken */
  async save({ name, title, ...request }: SaveRequest): Promise<CompareJob> {
    checkName(name);
    const heading = title?.trim() === '' || title === undefined ? `sumlens ${name}` : title.trim();
    if (heading.length > MOST_TITLE || /\p{Cc}/u.test(heading))
      throw new UserError(
        `title: found "${printable(heading, 60)}", expected at most ${MOST_TITLE} characters, without control characters.`,
      );
    if (exists(join(this.folders.reportsDir, name)))
      throw new RefusedError(409, `There is a report ${name} already. Choose another name.`);
    return this.begin('save', request, { name, title: heading });
  }

  cancel(): CompareJob {
    if (this.current === null || this.child === undefined)
      throw new RefusedError(409, 'Nothing is being measured.');
    this.cancelled = true;
    this.child.cancel();
    this.change({ text: 'stopping' });
    return this.current;
  }

  /** Stops what runs; resolves when it has ended. */
  async close(): Promise<void> {
    this.cancelled = true;
    this.child?.cancel();
    await this.child?.done;
  }

  private async begin(
    kind: CompareJob['kind'],
    { of, series = false }: MeasureRequest,
    report: CompareWork['report'],
  ): Promise<CompareJob> {
    this.mustBeIdle();
    const texts = await this.textsOf(of.join(','));
    // another request may have come in between
    this.mustBeIdle();
    const work: CompareWork = {
      texts,
      ...this.folders,
      series,
      parallel: usableCores(),
      ...(report === undefined ? {} : { report }),
    };
    const job: CompareJob = {
      ...{ id: ++this.ids, kind, state: 'running', of, series, done: 0, total: 0 },
      text: 'starting',
      etaMs: null,
      reason: null,
      report: report === undefined ? null : addressOf(report.name),
    };
    this.cancelled = false;
    this.current = job;
    const begun = performance.now();
    let cached: number | undefined;
    this.child = this.start(work, ({ module, subject, done, total, share }) => {
      // the first message comes while the first measurement is made, or when it is
      cached ??= share === 1 ? done - 1 : done;
      const at = done + (share === 1 ? 0 : share);
      const measured = at - cached;
      const left = total - at;
      const isKnown = measured > 0 && left > 0;
      const etaMs = isKnown ? Math.round(((performance.now() - begun) / measured) * left) : null;
      const text = done === total ? 'bringing the numbers together' : `${module}, ${subject}`;
      this.change({ done, total, text, etaMs });
    });
    void this.child.done.then((end) => this.finish(end));
    this.tell();
    return job;
  }

  private mustBeIdle(): void {
    if (this.current?.state !== 'running') return;
    const what = this.current.kind === 'save' ? 'A report is being written' : 'Something is being measured';
    throw new RefusedError(409, `${what} already. Wait until it ends, or cancel it.`);
  }

  private finish(end: JobResult): void {
    this.child = undefined;
    if (end.kind === 'ok') {
      const { failures } = end.result as unknown as CompareResult;
      const reason = failures.length === 0 ? null : printable(failures.join(' '), 1000);
      this.change({ state: 'done', text: 'done', etaMs: null, reason });
    } else if (end.kind === 'interrupted' || this.cancelled) {
      this.change({ state: 'cancelled', text: 'cancelled', etaMs: null, report: null });
    } else {
      const reason = end.kind === 'failed' ? printable(end.message, 1000) : 'It took too long.';
      this.change({ state: 'failed', text: 'failed', etaMs: null, reason, report: null });
    }
  }

  private change(fields: Partial<CompareJob>): void {
    if (this.current === null) return;
    this.current = { ...this.current, ...fields };
    this.tell();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** A report's folder name, as --name takes it. */
function checkName(name: string): void {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name) && !isReservedName(name)) return;
  throw new UserError(
    `name: found ${JSON.stringify(printable(name, 80))}, expected 1 to 64 letters, digits, ".", "-" or "_", the first a letter or digit, and no name of a device such as CON.`,
  );
}
