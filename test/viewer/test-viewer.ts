/** A viewer over a temporary folder, with the front end built for it, and raw HTTP to talk to it. */
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../../src/io/package-root.js';
import { startViewer, type RunningViewer, type StartViewerOptions } from '../../src/viewer/start.js';
import { sampleRoot, type SampleRoot } from './sample-runs.js';

export interface TestViewer extends SampleRoot {
  readonly viewer: RunningViewer;
  readonly assetsDir: string;
  readonly logged: string[];
  stop(): Promise<void>;
}

/** Not typed: set-up scripts are plain JavaScript. */
type BuildViewer = (options: { root: string; outDir: string }) => Promise<void>;

export async function testViewer(
  fill: (root: SampleRoot) => void,
  more: Partial<StartViewerOptions> = {},
): Promise<TestViewer> {
  const sample = sampleRoot();
  const assetsDir = join(sample.root, 'assets');
  const script = '../../src/setup/build-viewer.mjs';
  const { buildViewer } = (await import(script)) as { buildViewer: BuildViewer };
  await buildViewer({ root: packageRoot(), outDir: assetsDir });
  fill(sample);
  const logged: string[] = [];
  const { checkpointsDir, reportsDir } = sample;
  const viewer = await startViewer({
    checkpointsDir,
    reportsDir,
    assetsDir,
    port: 0,
    log: (line) => logged.push(line),
    ...more,
  });
  return {
    ...sample,
    viewer,
    assetsDir,
    logged,
    stop: async () => {
      await viewer.close();
      sample.remove();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** of JSON */
  readonly body: unknown;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Sent {
  readonly method?: string;
  /** text is sent as it is, anything else as JSON */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request with exactly these headers, and those of a body of JSON. */
export function send(
  { port }: Pick<RunningViewer, 'port'>,
  path: string,
  { method = 'GET', body, headers = {} }: Sent = {},
): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const ofBody =
    text === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) };
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, path, method, headers: { ...ofBody, ...headers } },
      (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (answer += chunk));
        response.on('end', () => {
          const type = response.headers['content-type'] ?? '';
          resolve({
            status: response.statusCode ?? 0,
            type,
            text: answer,
            body: /json/.test(type) && answer !== '' ? (JSON.parse(answer) as unknown) : undefined,
            headers: response.headers,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}

/** A change, as a program that has the token sends it. */
export function change(viewer: RunningViewer, path: string, method: string, body: unknown): Promise<Answer> {
  return send(viewer, path, { method, body, headers: { Authorization: `Bearer ${viewer.token}` } });
}

/** The sentence of a problem. */
export const detailOf = ({ body }: Answer): string =>
  String((body as { detail?: unknown } | undefined)?.detail);

/** Sends bytes as they are and returns all that comes back until the server closes (or `milliseconds` have passed). */
export function raw(port: number, request: string | Buffer, milliseconds = 4000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const done = (): void => {
      socket.destroy();
      clearTimeout(timer);
      resolve(answer);
    };
    const timer = setTimeout(done, milliseconds);
    socket.on('connect', () => socket.write(request));
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('end', done);
    socket.on('close', done);
    socket.on('error', done);
  });
}

/** A request as a browser page of the viewer would send it, with changes. */
export function request(port: number, path: string, more: readonly string[] = [], method = 'GET'): string {
  const hasHost = more.some((line) => line.toLowerCase().startsWith('host'));
  const host = hasHost ? [] : [`Host: 127.0.0.1:${port}`];
  return [`${method} ${path} HTTP/1.1`, ...host, ...more, 'Connection: close', '', ''].join('\r\n');
}

export function statusOf(answer: string): number {
  const found = /^HTTP\/1\.1 (\d{3})/.exec(answer);
  return found === null ? 0 : Number(found[1]);
}
