/** /api/runs: the list, one run, and its curves as they grow. */
import { gzipSync } from 'node:zlib';
import { Router, type Request, type Response } from 'express';
import {
  ADDRESS_NAME,
  type ConditionSettings,
  type CurvesEvent,
  MAX_POINTS,
  type RunDetail,
  type RunList,
  type RunSummary,
} from '../contract.js';
import { POLL_MS, type ViewerDeps } from '../deps.js';
import { sha256Hex } from '../../io/sha256.js';
import { notesSchema } from '../api/schemas.js';
import { bodyOf } from '../http/body.js';
import { notFound } from '../http/guard.js';
import { CurveCollector } from '../disk/metrics.js';
import { lastEventId, type EventStream, type EventStreams } from '../http/streams.js';

export function runRoutes(deps: ViewerDeps, streams: EventStreams): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const body = listBody();
  router.get('/api/runs', async (request, response) => {
    const { etag, text, gzip } = body(await deps.listRuns(), () => deps.conditions());
    response.setHeader('ETag', etag);
    response.setHeader('Vary', 'Accept-Encoding');
    if (request.headers['if-none-match'] === etag) {
      response.status(304).end();
      return;
    }
    response.type('json');
    if (gzip !== undefined && request.acceptsEncodings('gzip') === 'gzip') {
      response.setHeader('Content-Encoding', 'gzip');
      response.send(gzip);
    } else response.send(text);
  });
  router.get('/api/runs/:id', async (request, response) => {
    const runs = await deps.listRuns();
    const run = pick(runs, request.params.id);
    const detail = await deps.readRun(run);
    if (detail === undefined) throw notFound('run');
    const siblings = runs
      .filter((other) => other.condition === run.condition && other.status !== 'corrupt')
      .map(({ id, seed, open, address }) => ({ id, seed, open, address }));
    response.json({ run, siblings, ...detail } satisfies RunDetail);
  });
  router.put('/api/runs/:id/notes', async (request: Request<{ id: string }>, response: Response) => {
    const run = pick(await deps.listRuns(), request.params.id);
    const kept = await deps.writeNotes(run, bodyOf(request, notesSchema));
    if (kept === undefined) throw notFound('run');
    response.json(kept);
  });
  router.get('/api/runs/:id/events', async (request: Request<{ id: string }>, response: Response) => {
    if (request.method === 'HEAD') {
      pick(await deps.listRuns(), request.params.id);
      response.type('text/event-stream').end();
      return;
    }
    const stream = streams.open(response);
    let run: RunSummary;
    try {
      run = pick(await deps.listRuns(), request.params.id);
    } catch (error) {
      stream.abandon();
      throw error;
    }
    stream.begin();
    try {
      await follow(run, lastEventId(request), deps, stream);
    } catch (error) {
      // the stream has begun, so the error handler could only cut it; the client comes back by itself
      deps.log(`viewer: live view of ${run.id}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      stream.end();
    }
  });
  return router;
}

interface ListBody {
  readonly etag: string;
  readonly text: string;
  /** only of a long list */
  readonly gzip: Buffer | undefined;
}

/** From this length on a list is compressed once and not for every answer. */
const LONG_TEXT = 100_000;

/** The text of a list, made once as long as the list is the same. */
function listBody(): (
  runs: readonly RunSummary[],
  conditions: () => readonly ConditionSettings[],
) => ListBody {
  let made: { readonly of: readonly RunSummary[]; readonly body: ListBody } | undefined;
  return (runs, conditions) => {
    if (made?.of === runs) return made.body;
    const text = JSON.stringify({ runs, conditions: conditions() } satisfies RunList);
    const etag = `"${sha256Hex(text).slice(0, 32)}"`;
    const gzip = text.length < LONG_TEXT ? undefined : gzipSync(text, { level: 1 });
    made = { of: runs, body: { etag, text, gzip } };
    return made.body;
  };
}

/** The run of that address in the index; the address itself goes no further. */
export function pick(runs: readonly RunSummary[], address: string): RunSummary {
  const run = ADDRESS_NAME.test(address)
    ? runs.find((entry) => entry.open && entry.address === address)
    : undefined;
  if (run === undefined) throw notFound('run');
  return run;
}

/** Sends what the file holds after `from`, then what is added, until the run has ended or the client has gone. */
async function follow(run: RunSummary, from: number, deps: ViewerDeps, stream: EventStream): Promise<void> {
  const reader = new MetricsReader(run, from, deps);
  let shown = '';
  while (stream.isOpen) {
    // the state is read before the lines, so that a run seen as ended has no line left behind
    const now = (await deps.listRuns()).find((entry) => entry.id === run.id);
    const event = await reader.next();
    if (event !== undefined) stream.send('curves', event, reader.offset);
    if (now === undefined) {
      stream.send('gone', {});
      return;
    }
    const state = JSON.stringify(now);
    if (state !== shown) stream.send('state', now);
    shown = state;
    if (now.status !== 'running') {
      stream.send('end', { status: now.status });
      return;
    }
    await stream.pause(POLL_MS);
  }
}

/** Reads a metrics file in steps and keeps the place. */
class MetricsReader {
  private fresh: boolean;
  private readonly collector = new CurveCollector(MAX_POINTS);

  constructor(
    private readonly run: RunSummary,
    public offset: number,
    private readonly deps: ViewerDeps,
  ) {
    this.fresh = offset === 0;
  }

  /** Curves of all lines added since the last call; undefined: none, and nothing to forget. */
  async next(): Promise<CurvesEvent | undefined> {
    const before = this.offset;
    for (;;) {
      const tail = await this.deps.readMetricsTail(this.run, this.offset);
      if (tail.kind === 'absent') break;
      if (tail.kind === 'reset') {
        this.offset = 0;
        this.fresh = true;
        this.collector.clear();
        continue;
      }
      for (const line of tail.lines) this.collector.add(line);
      this.offset = tail.next;
      if (!tail.more) break;
    }
    if (this.offset === before && !this.fresh) return undefined;
    const event = {
      fresh: this.fresh,
      curves: this.collector.curvesNow(),
      unreadable: this.collector.unreadable,
    };
    this.collector.clear();
    this.fresh = false;
    return event;
  }
}
