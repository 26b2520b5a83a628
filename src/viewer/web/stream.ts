/** A live view: server-sent events of one address, as long as somebody looks. */
import { href } from './router.js';

/** How long until a server that refused a stream is asked again. */
const REFUSED_MS = 3000;

export interface StreamEnd {
  /** no more is wanted; `againMs`: until it is looked at again */
  (againMs?: number): void;
}

export interface StreamHandlers {
  /** by name of the event; the data have the type that the contract gives that event */
  readonly on: Readonly<Record<string, (data: unknown, end: StreamEnd) => void>>;
  readonly connection: (ok: boolean) => void;
}

/**
 * Listens until a handler ends it or the page is left. A hidden page lets go of its connection, of which a browser has
 * six for one server; the browser's own reconnection sends Last-Event-ID, ours begins anew.
 *
 * @returns what lets go of everything
 */
export function followStream(path: string, { on, connection }: StreamHandlers): () => void {
  let source: EventSource | undefined;
  let isOver = false;
  let timer = 0;
  const stop = (): void => {
    source?.close();
    source = undefined;
  };
  const later = (ms: number): void => {
    clearTimeout(timer);
    timer = window.setTimeout(start, ms);
  };
  const end: StreamEnd = (againMs) => {
    stop();
    isOver = againMs === undefined;
    if (againMs !== undefined) later(againMs);
  };
  function start(): void {
    if (isOver || source !== undefined || document.visibilityState !== 'visible') return;
    const own = new EventSource(href(path));
    source = own;
    for (const [name, handle] of Object.entries(on)) {
      own.addEventListener(name, (event) => handle(JSON.parse(String(event.data)), end));
    }
    own.onopen = () => connection(true);
    own.onerror = () => {
      if (isOver || source !== own) return;
      connection(false);
      // an answer that is no stream (busy, gone) closes it for good: look again later
      if (own.readyState === EventSource.CLOSED) {
        stop();
        later(REFUSED_MS);
      }
    };
  }
  const seen = (): void => (document.visibilityState === 'visible' ? start() : stop());
  document.addEventListener('visibilitychange', seen);
  start();
  return () => {
    isOver = true;
    clearTimeout(timer);
    stop();
    document.removeEventListener('visibilitychange', seen);
  };
}
