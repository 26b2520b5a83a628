/** Server-sent events: one class for a stream, one for all that are open. Knows nothing of metrics. */
import type { Request, Response } from 'express';
import { MAX_STREAMS } from '../deps.js';
import { RefusedError } from './guard.js';

const HEARTBEAT_MS = 15_000;
/** A client that does not read gets no more than this; then the stream ends and it may come back with its last id. */
const MAX_BACKLOG = 4 << 20;

export class EventStream {
  private heartbeat: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;
  private open: boolean;

  /** Nothing is sent before `begin`; a response that was closed already makes a stream that is not open. */
  constructor(
    private readonly response: Response,
    private readonly onClose: () => void,
  ) {
    this.open = !response.closed && response.socket?.destroyed === false;
    response.on('close', () => this.stop());
    response.on('error', () => this.stop());
  }

  /** Sends the head: from now on the answer is a stream of events. */
  begin(): void {
    const { response } = this;
    if (!this.open) return;
    response.status(200);
    response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    // no-transform: compression would hold events back
    response.setHeader('Cache-Control', 'no-cache, no-transform');
    response.setHeader('X-Accel-Buffering', 'no');
    response.flushHeaders();
    response.write('retry: 2000\n\n');
    this.heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  /** Gives the place up without an answer: somebody else answers. */
  abandon(): void {
    this.stop();
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** @param id - the client sends it back as Last-Event-ID; absent: the last one stays */
  send(event: string, data: unknown, id?: number): void {
    if (!this.open) return;
    const head = id === undefined ? '' : `id: ${id}\n`;
    this.response.write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (this.response.writableLength > MAX_BACKLOG) this.response.destroy();
  }

  /** Resolves after that many milliseconds, or at once when the stream ends. */
  async pause(milliseconds: number): Promise<void> {
    if (!this.open) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
  }

  end(): void {
    if (!this.open) return;
    this.stop();
    this.response.end();
  }

  private stop(): void {
    if (!this.open) return;
    this.open = false;
    clearInterval(this.heartbeat);
    this.wake?.();
    this.onClose();
  }
}

export class EventStreams {
  private readonly streams = new Set<EventStream>();
  private closed = false;

  constructor(private readonly most = MAX_STREAMS) {}

  get size(): number {
    return this.streams.size;
  }

  /**
   * Takes a place. To be called before anything is waited for: a client that closes in the meantime would never give its
   * place back.
   * @throws RefusedError 503 when too many are open
   */
  open(response: Response): EventStream {
    if (this.closed || this.streams.size >= this.most) {
      throw new RefusedError(503, `${this.most} live views are open already. Close one and try again.`);
    }
    const stream: EventStream = new EventStream(response, () => this.streams.delete(stream));
    if (stream.isOpen) this.streams.add(stream);
    return stream;
  }

  closeAll(): void {
    this.closed = true;
    for (const stream of [...this.streams]) stream.end();
  }
}

/** Last-Event-ID as a byte offset; anything else counts as the beginning. */
export function lastEventId(request: Request): number {
  const text = request.headers['last-event-id'];
  return typeof text === 'string' && /^(?:0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : 0;
}
