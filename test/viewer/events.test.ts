/** The live view of a run: what src/viewer/http/streams.ts and src/viewer/disk/tail.ts send. */
import { appendFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CurvesEvent, RunSummary } from '../../src/viewer/contract.js';
import { MAX_STREAMS } from '../../src/viewer/deps.js';
import { evalLine, sampleConfig, trainLine, writeRun } from './sample-runs.js';
import { raw, request, statusOf, testViewer, type TestViewer } from './test-viewer.js';

interface Received {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** A reader of server-sent events that is not the browser's: blocks of lines, split by an empty line. */
class Listener {
  readonly events: Received[] = [];
  private text = '';
  ended = false;
  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.take(chunk));
    response.on('close', () => (this.ended = true));
    response.on('error', () => (this.ended = true));
  }

  static open(port: number, id: string, lastEventId?: string): Promise<Listener> {
    const headers =
      lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId, 'Accept-Encoding': 'gzip' };
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: `/api/runs/${id}/events`, headers }, (response) =>
        resolve(new Listener(response)),
      ).on('error', reject);
    });
  }

  get headers() {
    return this.response.headers;
  }

  private take(chunk: string): void {
    this.text += chunk;
    for (let end = this.text.indexOf('\n\n'); end !== -1; end = this.text.indexOf('\n\n')) {
      const fields = new Map(
        this.text
          .slice(0, end)
          .split('\n')
          .map((line): [string, string] => [
            line.slice(0, line.indexOf(':')),
            line.slice(line.indexOf(':') + 2),
          ]),
      );
      this.text = this.text.slice(end + 2);
      const event = fields.get('event');
      if (event !== undefined)
        this.events.push({ id: fields.get('id'), event, data: fields.get('data') ?? '' });
    }
  }

  curves(): (CurvesEvent & { id: string | undefined })[] {
    return this.events
      .filter(({ event }) => event === 'curves')
      .map(({ data, id }) => ({ ...(JSON.parse(data) as CurvesEvent), id }));
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const end = performance.now() + 6000;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`no ${what} within 6 s: ${JSON.stringify(this.events)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): void {
    this.response.destroy();
  }
}

const steps = (event: CurvesEvent, group: string): number[] =>
  event.curves.filter((curve) => curve.group === group).flatMap(({ points }) => points.map(([step]) => step));

let viewer: TestViewer;
let run = '';
let metrics = '';
const open: Listener[] = [];

async function listen(lastEventId?: string): Promise<Listener> {
  const listener = await Listener.open(viewer.viewer.port, run, lastEventId);
  open.push(listener);
  return listener;
}

beforeEach(async () => {
  viewer = await testViewer(({ checkpointsDir }) => {
    run = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), until: 500, running: true });
  });
  metrics = join(viewer.checkpointsDir, run, 'metrics.jsonl');
});
afterEach(async () => {
  for (const listener of open.splice(0)) listener.close();
  await viewer.stop();
});

describe('the live view of a run', () => {
  it('sends what is there, then what is added, with the byte offset as event id', async () => {
    const listener = await listen();
    await listener.until(() => listener.curves().length === 1, 'history');
    const [history] = listener.curves();
    const size = readFileSync(metrics).length;
    expect(history).toMatchObject({ fresh: true, id: String(size), unreadable: 0 });
    expect(steps(history, 'loss')).toEqual([50, 100, 150, 200, 250, 300, 350, 400, 450, 500]);
    expect(steps(history, 'accuracy')).toEqual([250, 500]);
    expect(listener.headers['content-type']).toMatch(/^text\/event-stream/);
    expect(listener.headers['cache-control']).toContain('no-transform');

    // half a line is not a line
    const line = `${trainLine(550, 0.5)}\n`;
    appendFileSync(metrics, line.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(listener.curves()).toHaveLength(1);
    appendFileSync(metrics, line.slice(20));
    await listener.until(() => listener.curves().length === 2, 'new point');
    expect(listener.curves()[1]).toMatchObject({ fresh: false, id: String(size + line.length) });
    expect(steps(listener.curves()[1], 'loss')).toEqual([550]);
  });

  it('resumes after Last-Event-ID without a gap and without a repeat', async () => {
    const first = await listen();
    await first.until(() => first.curves().length === 1, 'history');
    const id = first.curves()[0].id;
    first.close();
    appendFileSync(metrics, `${trainLine(550, 0.5)}\n${evalLine(600, { SUM: 0.2 })}\n`);
    const second = await listen(id);
    await second.until(() => second.curves().length === 1, 'rest');
    expect(second.curves()[0].fresh).toBe(false);
    expect(steps(second.curves()[0], 'loss')).toEqual([550]);
    expect(steps(second.curves()[0], 'accuracy')).toEqual([600]);
    expect(second.headers['content-encoding']).toBeUndefined();
  });

  it.each(['99999999', '3', '-1', '1e3', '0x10', 'NaN', '1; drop', '9'.repeat(40)])(
    'begins anew when the last id %s is no place in the file',
    async (id) => {
      const listener = await listen(id);
      await listener.until(() => listener.curves().length === 1, 'history');
      expect(listener.curves()[0].fresh).toBe(true);
      expect(steps(listener.curves()[0], 'loss')).toHaveLength(10);
    },
  );

  it('begins anew when a resumed run has cut its file back', async () => {
    const listener = await listen();
    await listener.until(() => listener.curves().length === 1, 'history');
    truncateSync(metrics, readFileSync(metrics, 'utf8').indexOf('\n') + 1);
    await listener.until(() => listener.curves().length === 2, 'shorter history');
    expect(listener.curves()[1].fresh).toBe(true);
    expect(steps(listener.curves()[1], 'loss')).toEqual([50]);
  });

  it('thins a long history to 500 points a curve and keeps its spike', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => trainLine(i + 1, i === 12_345 ? 9.5 : 0.5));
    writeFileSync(metrics, `${lines.join('\n')}\n`);
    const listener = await listen();
    await listener.until(() => listener.curves().length === 1, 'history');
    const loss = listener.curves()[0].curves.find((curve) => curve.group === 'loss');
    expect(loss?.points.length).toBeLessThanOrEqual(500);
    expect(loss?.points[0]).toEqual([1, 0.5]);
    expect(loss?.points.at(-1)).toEqual([20_000, 0.5]);
    expect(loss?.points).toContainEqual([12_346, 9.5]);
  });

  it('counts what is no metrics row and shows the rest; not a number is a gap', async () => {
    const bad = [
      'not json',
      '[]',
      '{"kind":"train"}',
      '{"kind":"train","step":-1}',
      '{"kind":"odd","step":3}',
    ];
    appendFileSync(metrics, `${bad.join('\n')}\n${'x'.repeat(3_000_000)}\n${trainLine(600, 'NaN')}\n`);
    const listener = await listen();
    await listener.until(() => listener.curves().length === 1, 'history');
    const event = listener.curves()[0];
    expect(event.unreadable).toBe(bad.length + 1);
    expect(event.curves[0].points.at(-1)).toEqual([600, null]);
  });

  it('says how the run ended and ends', async () => {
    const listener = await listen();
    await listener.until(() => listener.curves().length === 1, 'history');
    const folder = join(viewer.checkpointsDir, run);
    appendFileSync(metrics, `${trainLine(8000, 0.01)}\n`);
    writeFileSync(join(folder, 'end.json'), JSON.stringify({ reason: 'solved', step: 8000 }));
    rmSync(join(folder, 'lock'));
    await listener.until(() => listener.ended, 'end');
    expect(listener.events.at(-1)).toMatchObject({ event: 'end', data: '{"status":"solved"}' });
    const state = listener.events.filter(({ event }) => event === 'state').at(-1);
    expect(JSON.parse(state?.data ?? '{}') as RunSummary).toMatchObject({ status: 'solved', step: 8000 });
    expect(
      listener
        .curves()
        .flatMap((event) => steps(event, 'loss'))
        .at(-1),
    ).toBe(8000);
  });

  it('says that the run is gone when its folder is removed or renamed', async () => {
    const listener = await listen();
    await listener.until(() => listener.curves().length === 1, 'history');
    renameSync(join(viewer.checkpointsDir, run), join(viewer.root, 'elsewhere'));
    await listener.until(() => listener.ended, 'end');
    expect(listener.events.at(-1)?.event).toBe('gone');
    const again = await raw(viewer.viewer.port, request(viewer.viewer.port, `/api/runs/${run}`));
    expect(statusOf(again)).toBe(404);
    expect(viewer.logged).toEqual([]);
  });

  it('serves 32 at once and refuses the next one until one has gone', async () => {
    for (let i = 0; i < MAX_STREAMS; i++) await listen();
    const { port } = viewer.viewer;
    const refused = await raw(port, request(port, `/api/runs/${run}/events`));
    expect(statusOf(refused)).toBe(503);
    open[0].close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await listen()).headers['content-type']).toMatch(/^text\/event-stream/);
  });

  it('gives every place back when 300 clients close before or while they are answered', async () => {
    const { port } = viewer.viewer;
    const text = request(port, `/api/runs/${run}/events`);
    for (let i = 0; i < 300; i++) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(text);
          setTimeout(() => {
            socket.destroy();
            resolve();
          }, i % 5);
        });
        socket.on('error', () => undefined);
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    // a place that is not given back is lost for good
    for (let i = 0; i < MAX_STREAMS; i++) {
      expect((await listen()).headers['content-type']).toMatch(/^text\/event-stream/);
    }
    const unknown = await raw(port, request(port, '/api/runs/none/events'));
    expect(statusOf(unknown)).toBe(503);
    open[0].close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let i = 0; i < 3; i++) {
      expect(statusOf(await raw(port, request(port, '/api/runs/none/events')))).toBe(404);
    }
  });

  it('answers 304 for a list that the client has', async () => {
    const { port } = viewer.viewer;
    const first = await raw(port, request(port, '/api/runs'));
    const etag = /^ETag: (.*)\r$/im.exec(first)?.[1] ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    const second = await raw(port, request(port, '/api/runs', [`If-None-Match: ${etag}`]));
    expect(statusOf(second)).toBe(304);
    expect(second.split('\r\n\r\n')[1]).toBe('');
    appendFileSync(metrics, `${trainLine(550, 0.5)}\n`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(statusOf(await raw(port, request(port, '/api/runs', [`If-None-Match: ${etag}`])))).toBe(200);
  });

  it('lets the viewer stop within a second with clients open in every state', async () => {
    const { port } = viewer.viewer;
    const listener = await listen();
    await listener.until(() => listener.curves().length === 1, 'history');
    const halfSent = connect(port, '127.0.0.1', () => halfSent.write('GET / HTTP/1.1\r\nHost: '));
    const silent = connect(port, '127.0.0.1');
    const idle = connect(port, '127.0.0.1', () =>
      idle.write(`GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`),
    );
    for (const socket of [halfSent, silent, idle]) socket.on('error', () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const begin = performance.now();
    await viewer.viewer.close();
    expect(performance.now() - begin).toBeLessThan(4000); // waiting for idle connections would take at least 5 s
    await listener.until(() => listener.ended, 'end');
  });
});
