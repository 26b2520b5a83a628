/** Hostile requests to the viewer: every one is answered, nothing outside its folders is read, nothing changes. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANGES, START } from './attack-changes.js';
import { sampleConfig, writeReport, writeRun } from '../sample-runs.js';
import { raw, request, statusOf, testViewer, type TestViewer } from '../test-viewer.js';

const SECRET = 'outside-bytes-7f3a';
let viewer: TestViewer;
let run = '';

beforeAll(async () => {
  viewer = await testViewer(({ root, checkpointsDir, reportsDir }) => {
    run = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), end: 'budget', until: 500 });
    writeReport(reportsDir, 'quick');
    const outside = join(root, 'outside');
    mkdirSync(outside);
    for (const name of ['secret.txt', 'index.html', 'report.json', 'config.json', 'metrics.jsonl']) {
      writeFileSync(join(outside, name), `{"secret":"${SECRET}"}\n`);
    }
    writeFileSync(join(root, 'checkpoints-evil'), SECRET);
    writeFileSync(join(checkpointsDir, '.hidden'), SECRET);
    writeFileSync(join(reportsDir, 'loose.html'), SECRET);
    symlinkSync(outside, join(checkpointsDir, 'linked-run'));
    symlinkSync(outside, join(reportsDir, 'linked-report'));
    // a real run folder whose files are links, and one whose metrics are a pipe that never answers
    writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 2), name: 'linked-metrics', until: 100 });
    relink(join(checkpointsDir, 'linked-metrics', 'metrics.jsonl'), join(outside, 'metrics.jsonl'));
    writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 3), name: 'linked-config', until: 100 });
    relink(join(checkpointsDir, 'linked-config', 'config.json'), join(outside, 'config.json'));
    writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 4), name: 'piped', until: 100 });
    execFileSync('sh', [
      '-c',
      `rm "$1" && mkfifo "$1"`,
      'sh',
      join(checkpointsDir, 'piped', 'metrics.jsonl'),
    ]);
    writeReport(reportsDir, 'linked-page');
    relink(join(reportsDir, 'linked-page', 'index.html'), join(outside, 'index.html'));
    writeReport(reportsDir, 'linked-json');
    relink(join(reportsDir, 'linked-json', 'report.json'), join(outside, 'report.json'));
  });
});
afterAll(() => viewer.stop());

function relink(path: string, target: string): void {
  execFileSync('rm', [path]);
  symlinkSync(target, path);
}

const PATHS = [
  '/../outside/secret.txt',
  '/assets/../../outside/secret.txt',
  '/assets/..%2f..%2foutside%2fsecret.txt',
  '/assets/%2e%2e/%2e%2e/outside/secret.txt',
  '/assets/%252e%252e%252foutside%252fsecret.txt',
  '/assets/..%5c..%5coutside%5csecret.txt',
  '/assets/..\\..\\outside\\secret.txt',
  '/assets/%c0%ae%c0%ae%c0%afoutside/secret.txt',
  '/assets/%00',
  '/assets/app.js%00.txt',
  '/assets/%',
  '/assets/%zz',
  '/assets/.',
  '/assets/..',
  '/assets/',
  '/assets',
  '/assets/constructor',
  '/assets/__proto__',
  '/assets/main.ts',
  '/assets//app.js',
  '//assets/app.js',
  '//evil.example/assets/app.js',
  '/./assets/app.js',
  '/ASSETS/app.js',
  '/assets/app.js/',
  '/assets/app.js?x=%2e%2e',
  '/assets/app.js?<script>',
  '/assets/app.js#x',
  '/assets/app.js;x',
  '/etc/passwd',
  '/@fs/etc/passwd',
  '/.hidden',
  '/checkpoints/.hidden',
  '/package.json',
  '/runs/..',
  '/runs/../../outside',
  '/runs/%2e%2e',
  '/runs/.hidden',
  '/runs/checkpoints-evil',
  '/runs/linked-run',
  '/runs/linked-config',
  '/runs/none',
  '/runs/RUN/',
  '/runs/RUN/config.json',
  '/runs/RUN%2fmetrics.jsonl',
  '/api/runs/..',
  '/api/runs/../../../outside',
  '/api/runs/..%2f..%2foutside',
  '/api/runs/%2e%2e%2foutside/events',
  '/api/runs/linked-run',
  '/api/runs/linked-run/events',
  '/api/runs/linked-config',
  '/api/runs/none/events',
  '/api/runs/__proto__',
  '/api/runs/constructor/events',
  '/api/runs/-rf',
  '/api/runs/a%0d%0aSet-Cookie:x=1',
  '/api/runs/*',
  '/api/runs/RUN/events/..',
  '/api/runs/RUN/notes',
  '/api/jobs/..',
  '/api/jobs/.sumlens-jobs',
  '/api/jobs/RUN',
  '/api/jobs/RUN/events',
  '/api/jobs/20260101-000000-000-abcdef',
  '/api/jobs/20260101-000000-000-abcdef/cancel',
  '/api/reports/quick',
  '/api/reports/linked-json/observations.csv',
  '/api/reports/linked-report/observations.csv',
  '/api/reports/none/observations.csv',
  '/api/openapi.json/',
  '/.trash',
  '/runs/.trash',
  '/runs/.sumlens-jobs',
  '/api',
  '/api/',
  '/reports/linked-report',
  '/reports/linked-report/page',
  '/reports/linked-report/report.json',
  '/reports/linked-page/page',
  '/reports/linked-json/report.json',
  '/reports/quick/observations.csv',
  '/reports/quick/../../outside/index.html',
  '/reports/quick/page/..%2f..%2f..%2foutside%2findex.html',
  '/reports/loose.html',
  '/reports/loose.html/page',
  '/reports/quick%00/page',
  `/reports/${'a'.repeat(400)}/page`,
  `/${'a'.repeat(2000)}`,
];

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['another host', ['Host: evil.example']],
  ['a host that ends like ours', ['Host: 127.0.0.1:PORT.evil.example']],
  ['a host that begins otherwise', ['Host: evil.example:PORT']],
  ['no port', ['Host: 127.0.0.1']],
  ['another port', ['Host: 127.0.0.1:1']],
  ['another loopback address', ['Host: 127.0.0.2:PORT']],
  ['the unspecified address', ['Host: 0.0.0.0:PORT']],
  ['an address in decimal', ['Host: 2130706433:PORT']],
  ['a name below localhost', ['Host: x.localhost:PORT']],
  ['localhost with a dot', ['Host: localhost.:PORT']],
  ['capitals', ['Host: LOCALHOST:PORT']],
  ['IPv6', ['Host: [::1]:PORT']],
  ['a user in the host', ['Host: 127.0.0.1:PORT@evil.example']],
  ['an empty host', ['Host: ']],
  ['two hosts', ['Host: 127.0.0.1:PORT', 'Host: evil.example']],
  ['two hosts, the other order', ['Host: evil.example', 'Host: 127.0.0.1:PORT']],
  ['a forwarded host', ['Host: evil.example', 'X-Forwarded-Host: 127.0.0.1:PORT']],
  ['another origin', ['Origin: http://evil.example']],
  ['the null origin', ['Origin: null']],
  ['our other name as origin', ['Origin: http://localhost:PORT']],
  ['https', ['Origin: https://127.0.0.1:PORT']],
  ['another port as origin', ['Origin: http://127.0.0.1:1']],
  ['two origins', ['Origin: http://127.0.0.1:PORT', 'Origin: http://evil.example']],
  [
    'another site, sub-resource',
    ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: script'],
  ],
  ['another site, fetch', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty']],
  [
    'another port of this machine',
    ['Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty'],
  ],
  [
    'another site, frame',
    ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'],
  ],
  [
    'another site, object',
    ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: object'],
  ],
  ['an unknown site', ['Sec-Fetch-Site: whatever']],
  [
    'a WebSocket',
    [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ],
  ],
  ['HTTP/2', ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings']],
  ['a body', ['Content-Length: 2']],
  ['a chunked body', ['Transfer-Encoding: chunked']],
  ['smuggling', ['Content-Length: 4', 'Transfer-Encoding: chunked']],
  ['a huge header', [`X-Long: ${'a'.repeat(40_000)}`]],
  ['a header without a name', [': x']],
  ['a NUL in a header', ['X: a\0b']],
];

const METHODS = [
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'MKCOL',
  'LINK',
  'PURGE',
  'SEARCH',
];

describe('the viewer under attack', () => {
  const port = (): number => viewer.viewer.port;
  const refused = (answer: string): void => {
    const status = statusOf(answer);
    expect(status === 0 || (status >= 400 && status < 500), answer.slice(0, 300)).toBe(true);
    expect(answer).not.toContain(SECRET);
    expect(answer).not.toContain(viewer.root);
    expect(answer).not.toMatch(/\n\s+at /);
    expect(answer.toLowerCase()).not.toContain('access-control-allow');
  };

  it('has a list of 60 attacks or more', () => {
    expect(PATHS.length + HEADERS.length + METHODS.length + CHANGES.length).toBeGreaterThanOrEqual(60);
  });

  it('serves the same addresses when they are asked for properly', async () => {
    for (const path of [
      '/',
      `/runs/${run}`,
      '/assets/app.js',
      '/api/runs',
      `/api/runs/${run}`,
      '/reports/quick/page',
      '/reports/quick/index.html',
    ]) {
      expect(statusOf(await raw(port(), request(port(), path))), path).toBe(200);
    }
    for (const more of [
      [`Host: localhost:${port()}`],
      [`Origin: http://127.0.0.1:${port()}`, 'Sec-Fetch-Site: same-origin'],
      ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
    ]) {
      expect(statusOf(await raw(port(), request(port(), '/', more)))).toBe(200);
    }
  });

  it.each(PATHS)('refuses the path %s', async (path) => {
    refused(await raw(port(), request(port(), path.replace('RUN', run))));
  });

  it.each(HEADERS)('refuses %s', async (_, lines) => {
    const more = lines.map((line) => line.replace('PORT', String(port())));
    refused(await raw(port(), request(port(), '/api/runs', more)));
  });

  it.each(CHANGES)('refuses a change: $what', async (one) => {
    const { method = 'POST', path = '/api/jobs', lines, body = START, length } = one;
    const filled = (text: string): string =>
      text.replaceAll('PORT', String(port())).replaceAll('TOKEN', viewer.viewer.token).replaceAll('RUN', run);
    const text = filled(body);
    const sent = [
      ...lines.map(filled),
      ...(length === null ? [] : [`Content-Length: ${length ?? Buffer.byteLength(text)}`]),
    ];
    const answer = await raw(port(), request(port(), filled(path), sent, method) + text);
    refused(answer);
    expect(answer).not.toContain(viewer.viewer.token);
  });

  it.each(METHODS)('refuses the method %s and says what is allowed', async (method) => {
    const answer = await raw(port(), request(port(), '/api/runs', ['Content-Length: 0'], method));
    refused(answer);
    expect(statusOf(answer)).toBe(405);
    expect(answer).toMatch(/\r\nAllow: GET, HEAD\r\n/);
  });

  it('refuses CONNECT, an absolute address, HTTP/1.0 without a host, and bytes that are no HTTP', async () => {
    refused(await raw(port(), `CONNECT evil.example:80 HTTP/1.1\r\nHost: 127.0.0.1:${port()}\r\n\r\n`));
    refused(await raw(port(), request(port(), 'http://evil.example/api/runs')));
    refused(await raw(port(), request(port(), `http://127.0.0.1:${port()}/api/runs`)));
    refused(await raw(port(), request(port(), '*')));
    refused(await raw(port(), 'GET /api/runs HTTP/1.0\r\n\r\n'));
    refused(await raw(port(), 'GET /api/runs HTTP/1.1\r\n\r\n'));
    refused(await raw(port(), Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 13, 10, 13, 10])));
    refused(await raw(port(), 'GET /runs/\0 HTTP/1.1\r\nHost: x\r\n\r\n'));
  });

  it('reads nothing through links and waits for no pipe', async () => {
    for (const id of ['linked-metrics', 'piped']) {
      const answer = await raw(port(), request(port(), `/api/runs/${id}/events`));
      expect(statusOf(answer)).toBe(200);
      expect(answer).toContain('"curves":[]');
      expect(answer).not.toContain(SECRET);
    }
    const list = await raw(port(), request(port(), '/api/runs'));
    expect(list).toContain('links are not followed');
    expect(list).not.toContain(SECRET);
    expect(await raw(port(), request(port(), '/api/reports'))).not.toContain(SECRET);
  });

  it('sends its policies with pages, reports and errors', async () => {
    const page = await raw(port(), request(port(), '/'));
    const report = await raw(port(), request(port(), '/reports/quick/page'));
    const error = await raw(port(), request(port(), '/none'));
    for (const answer of [page, error]) {
      expect(answer).toMatch(/Content-Security-Policy: default-src 'none';script-src 'self'/i);
      // WebAssembly is compiled by the playground; text is never evaluated
      expect(answer).not.toMatch(/'unsafe-(inline|eval)'/);
    }
    expect(report).not.toContain("'unsafe-eval'");
    expect(report).toMatch(
      /Content-Security-Policy: sandbox allow-scripts allow-downloads allow-modals; default-src 'none'; .*connect-src 'none'/i,
    );
    for (const answer of [page, report, error]) {
      expect(answer).toMatch(/X-Content-Type-Options: nosniff/i);
      expect(answer).not.toMatch(/X-Powered-By/i);
    }
  });

  it('answers HEAD without a body, for live views too', async () => {
    for (const path of ['/', '/api/runs', `/api/runs/${run}/events`]) {
      const answer = await raw(port(), request(port(), path, [], 'HEAD'));
      expect(statusOf(answer)).toBe(200);
      expect(answer.endsWith('\r\n\r\n')).toBe(true);
    }
  });

  it('has changed nothing on disk and logged no internal error', () => {
    expect(viewer.logged).toEqual([]);
    expect(readdirSync(viewer.checkpointsDir).sort()).toEqual(
      ['.hidden', 'linked-config', 'linked-metrics', 'linked-run', 'piped', run].sort(),
    );
  });
});
