/** Starts and stops the viewer's server. What it serves is app.ts; what it reads is disk-deps.ts. */
import { createServer, type Server, STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import { errorCode, errorMessage, unacceptable, UserError } from '../errors.js';
import { packageRoot } from '../io/package-root.js';
import { secretLetters } from '../io/unique.js';
import { createApp } from './http/app.js';
import type { ViewerDeps } from './deps.js';
import { diskDeps, loadAssets } from './disk/disk-deps.js';
import type { ServedHost } from './http/guard.js';
import { type AllowedHost, checkBind, hostsOf, isLoopback } from './http/names.js';
import { TOKEN } from './http/session.js';

export const HOST = '127.0.0.1';
export const DEFAULT_PORT = 4173;
/** Ports tried after the default one. */
const PORTS_TRIED = 20;
/** A page that still loads gets this long when the server stops. */
const GRACE_MS = 300;

export interface StartViewerOptions {
  readonly checkpointsDir: string;
  readonly reportsDir: string;
  /** exactly this one (0: any free one); absent: the first free one from 4173 on */
  readonly port?: number;
  /** address to listen on; default: the loopback address. Any other demands the token. */
  readonly host?: string;
  /** further names under which it is reached: a forwarded port, a container, a proxy. They demand the token. */
  readonly allowedHosts?: readonly AllowedHost[];
  /** true: reading needs the token on the loopback address too; text: this token, not one made anew */
  readonly token?: boolean | string;
  /** jobs at a time; default: the cores of this machine */
  readonly cores?: number;
  /** one line for the operator */
  readonly log: (line: string) => void;
  /** folder of the built front end; default: dist/viewer of the package */
  readonly assetsDir?: string;
}

export interface RunningViewer {
  /** where a browser finds it */
  readonly url: string;
  readonly port: number;
  /** of this viewer: what a program sends that changes something */
  readonly token: string;
  /** reading needs it too: a browser opens an address with `?token=` once */
  readonly isTokenDemanded: boolean;
  /** ends every connection; resolves within a second */
  readonly close: () => Promise<void>;
}

/** @throws UserError when the port is taken or not allowed */
export async function startViewer(options: StartViewerOptions): Promise<RunningViewer> {
  const { port, log, host = HOST, allowedHosts = [], token: given = false, cores } = options;
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw unacceptable('--port', port, 'a whole number from 0 to 65535');
  }
  checkBind(host);
  const token = tokenOf(given);
  const isTokenDemanded = given !== false || allowedHosts.length > 0 || !isLoopback(host);
  const assets = await loadAssets(options.assetsDir ?? join(packageRoot(), 'dist', 'viewer'));
  let hosts: readonly ServedHost[] = [];
  let used = 0;
  const { checkpointsDir, reportsDir } = options;
  const bases = allowedHosts.map(({ base }) => base).filter((base) => base !== '');
  const deps = diskDeps({
    ...{ checkpointsDir, reportsDir, assets, log, bases, token, isTokenDemanded },
    hosts: () => hosts,
    cookieName: () => `sumlens-${used}`,
    ...(cores !== undefined && { cores }),
  });
  const { server, close } = viewerServer(deps);
  used = await listen(server, port, host);
  hosts = hostsOf(host, used, allowedHosts);
  const url = `${hosts[0].origin}${allowedHosts.at(0)?.base ?? ''}/`;
  const keepGoing = jobsKeeper(deps);
  const closeAll = (): Promise<void> => {
    clearInterval(keepGoing);
    return close();
  };
  return { url, port: used, token, isTokenDemanded, close: closeAll };
}

/** One that nobody guesses, or what the user says. */
function tokenOf(given: boolean | string): string {
  if (typeof given !== 'string') return secretLetters();
  if (!TOKEN.test(given)) {
    // not shown: it may be nearly right
    throw new UserError(
      `--token: found ${given.length} characters, expected 16 to 128 letters, digits, "-" or "_". Leave the value out to have one made.`,
    );
  }
  return given;
}

/** How often it is looked whether a job waits for a core that has become free. */
const KEEP_GOING_MS = 5000;

/** Jobs that waited when the last server ended are taken up, and those whose worker was killed too. */
function jobsKeeper({ jobs, log }: ViewerDeps): NodeJS.Timeout {
  const look = (): void => {
    try {
      jobs.keepGoing();
    } catch (error) {
      log(`viewer: jobs: ${errorMessage(error)}`);
    }
  };
  look();
  return setInterval(look, KEEP_GOING_MS).unref();
}

/** A server with limits on everything a client may hold; it does not listen yet. */
export function viewerServer(deps: ViewerDeps): {
  readonly server: Server;
  readonly close: () => Promise<void>;
} {
  const { app, closeStreams } = createApp(deps);
  const server = createServer(
    {
      maxHeaderSize: 16 << 10,
      headersTimeout: 10_000,
      requestTimeout: 15_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 2_000,
    },
    app,
  );
  server.maxConnections = 256;
  server.maxHeadersCount = 100;
  server.on('clientError', (error, socket) => {
    if (!socket.writable || errorCode(error) === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const status = clientErrorStatus(errorCode(error));
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
  });
  server.on('connect', (_request, socket) => {
    socket.end(
      'HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
  });
  const close = async (): Promise<void> => {
    closeStreams();
    deps.jobs.close();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    await closed;
    clearTimeout(timer);
  };
  return { server, close };
}

function clientErrorStatus(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

async function listen(server: Server, port: number | undefined, host: string): Promise<number> {
  if (port !== undefined) {
    try {
      return await listenAt(server, port, host);
    } catch (error) {
      throw portError(error, port, 'Leave --port out to take the next free one.');
    }
  }
  for (let candidate = DEFAULT_PORT; candidate <= DEFAULT_PORT + PORTS_TRIED; candidate++) {
    try {
      return await listenAt(server, candidate, host);
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE') throw portError(error, candidate, 'Choose one with --port.');
    }
  }
  throw new UserError(
    `Ports ${DEFAULT_PORT} to ${DEFAULT_PORT + PORTS_TRIED} are all in use. Choose a free one with --port.`,
  );
}

function portError(error: unknown, port: number, remedy: string): unknown {
  const code = errorCode(error);
  if (code === 'EADDRINUSE') {
    return new UserError(
      `--port: found ${port}, which another program uses; expected a free port. ${remedy}`,
    );
  }
  if (code === 'EADDRNOTAVAIL') {
    return new UserError(
      '--host: found an address that this machine does not have; expected one of its own.',
    );
  }
  if (code === 'EACCES') {
    return new UserError(
      `--port: found ${port}, which needs special rights; expected 1024 or more. ${remedy}`,
    );
  }
  return error;
}

function listenAt(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
