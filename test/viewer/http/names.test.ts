/** Other machines: exact names of --host and --allow-host, the token they demand, and a proxy below a path. */
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { allowedHost, checkBind, hostsOf } from '../../../src/viewer/http/names.js';
import { startViewer, type StartViewerOptions } from '../../../src/viewer/start.js';
import { NO_BROWSER, openBrowser } from '../../helpers/browser.js';
import { describeNeeding } from '../../helpers/needs.js';
import { sampleConfig, writeRun } from '../sample-runs.js';
import { detailOf, send, testViewer, type TestViewer } from '../test-viewer.js';

describe('allowedHost', () => {
  it.each([
    ['localhost:8080', 'localhost:8080', 'http://localhost:8080', ''],
    ['LOCALHOST:8080', 'localhost:8080', 'http://localhost:8080', ''],
    ['node7.cluster:4173', 'node7.cluster:4173', 'http://node7.cluster:4173', ''],
    ['name:80', 'name', 'http://name', ''],
    ['name:443', 'name', 'https://name', ''],
    ['[::1]:8080', '[::1]:8080', 'http://[::1]:8080', ''],
    ['https://hub.example', 'hub.example', 'https://hub.example', ''],
    ['https://hub.example/user/me/proxy/4173/', 'hub.example', 'https://hub.example', '/user/me/proxy/4173'],
  ])('reads %s', (text, host, origin, base) => {
    expect(allowedHost(text)).toEqual({ host, origin, base, isAllowed: true });
  });

  it.each([
    'localhost',
    '*',
    '*:80',
    '*.example:80',
    'a b:80',
    'name:0',
    'name:99999',
    'name:80/x?y',
    'ftp://x:80',
    'https://me:secret@hub.example',
    'https://hub.example/a/../b%2f',
    'https://hub.example/?x',
    '',
  ])('refuses %j in one line', (text) => {
    expect(() => allowedHost(text)).toThrow(
      /^--allow-host: found .*expected name:port as the browser shows it/,
    );
  });
});

describe('hostsOf', () => {
  const names = (...given: Parameters<typeof hostsOf>): string[] => hostsOf(...given).map(({ host }) => host);

  it('is the loopback address and its name by default', () => {
    expect(names('127.0.0.1', 4173, [])).toEqual(['127.0.0.1:4173', 'localhost:4173']);
  });

  it('is every address of the machine where all are listened on, and none that is not its own', () => {
    const all = names('0.0.0.0', 4173, [], ['10.0.0.7', 'fd00::1']);
    expect(all.slice(0, 2)).toEqual(['10.0.0.7:4173', '[fd00::1]:4173']);
    expect(all).toContain('localhost:4173');
    expect(all).not.toContain('0.0.0.0:4173');
  });

  it('puts what was allowed first: that is the address that works', () => {
    expect(names('0.0.0.0', 4173, [allowedHost('localhost:8080')], [])[0]).toBe('localhost:8080');
  });
});

describe('checkBind', () => {
  it('takes addresses and no names', () => {
    expect(checkBind('0.0.0.0')).toBe('0.0.0.0');
    expect(() => checkBind('example.com')).toThrow(/^--host: found "example\.com", expected an IP address/);
  });
});

let viewer: TestViewer;
let run = '';
const proxies: Server[] = [];

async function begin(more: Partial<StartViewerOptions>): Promise<void> {
  viewer = await testViewer(({ checkpointsDir }) => {
    run = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), end: 'budget', until: 500 });
  }, more);
}

afterEach(async () => {
  for (const proxy of proxies.splice(0)) {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  }
  await viewer?.stop();
});

describe('a viewer that others may reach', () => {
  const TOKEN = 'a-token-of-24-letters-00';

  it('answers nothing but its style sheet without the token', async () => {
    await begin({ allowedHosts: [allowedHost('localhost:8080')], token: TOKEN });
    const at = viewer.viewer;
    expect(at.url).toBe('http://localhost:8080/');
    const ask = (path: string, headers: Record<string, string> = {}) =>
      send(at, path, { headers: { Host: 'localhost:8080', ...headers } });
    for (const path of ['/', `/runs/${run}`, '/api/runs', '/api/jobs', '/api/openapi.json', '/reports']) {
      const answer = await ask(path);
      expect(answer.status, path).toBe(401);
      expect(answer.text).not.toContain(TOKEN);
      expect(answer.headers['set-cookie'], path).toBeUndefined();
    }
    expect(detailOf(await ask('/api/runs'))).toBe(
      'This viewer needs its token. Open the address that it printed when it was started.',
    );
    expect((await ask('/assets/styles.css')).status).toBe(200);
    expect((await ask('/api/runs', { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await ask('/api/runs', { Cookie: `sumlens-${at.port}=${TOKEN}` })).status).toBe(200);
    for (const wrong of ['/?token=', '/?token=wrong', `/?token=${TOKEN}x`, `/?xtoken=${TOKEN}`]) {
      expect((await ask(wrong)).status, wrong).toBe(401);
    }
    const first = await ask(`/runs/${run}?token=${TOKEN}&x=1`);
    expect(first.status).toBe(200);
    expect(first.headers['set-cookie']).toEqual([
      `sumlens-${at.port}=${TOKEN}; Path=/; HttpOnly; SameSite=Strict`,
    ]);
    expect(first.text).toContain(`url=${run}?x=1"`);
    expect(first.text).not.toContain(TOKEN);
    // after many wrong ones nobody may try for a while
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await ask(`/?token=wrong${i}`)).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await ask('/api/runs', { Cookie: `sumlens-${at.port}=${TOKEN}` })).status).toBe(200);
  });

  it('takes no other name, whatever is said to stand in front', async () => {
    await begin({ allowedHosts: [allowedHost('localhost:8080')], token: TOKEN });
    const headers = { Authorization: `Bearer ${TOKEN}` };
    for (const host of [
      'localhost:8081',
      'evil.example',
      'localhost:8080.evil.example',
      'xlocalhost:8080',
      'localhost',
    ]) {
      const answer = await send(viewer.viewer, '/api/runs', { headers: { ...headers, Host: host } });
      expect(answer.status, host).toBe(403);
      expect(detailOf(answer)).toContain('start the viewer with --allow-host');
    }
    const forwarded = { ...headers, Host: 'evil.example', 'X-Forwarded-Host': 'localhost:8080' };
    expect((await send(viewer.viewer, '/api/runs', { headers: forwarded })).status).toBe(403);
  });

  it('sends its cookie over https alone where it is reached so', async () => {
    await begin({ allowedHosts: [allowedHost('https://hub.example/p')], token: TOKEN });
    expect(viewer.viewer.url).toBe('https://hub.example/p/');
    const answer = await send(viewer.viewer, `/p/?token=${TOKEN}`, { headers: { Host: 'hub.example' } });
    expect(answer.headers['set-cookie']?.[0]).toMatch(/; Secure$/);
  });

  it('demands the token where it listens on every address, and on the loopback one when asked to', async () => {
    await begin({ host: '0.0.0.0' });
    expect(viewer.viewer.isTokenDemanded).toBe(true);
    expect((await send(viewer.viewer, '/api/runs')).status).toBe(401);
    await viewer.stop();
    await begin({ token: true });
    expect((await send(viewer.viewer, '/api/runs')).status).toBe(401);
    expect(viewer.viewer.token).toMatch(/^[A-Za-z0-9_-]{32}$/);
  });

  it('refuses a token that is short, without showing it, and an address that is not its own', async () => {
    await begin({});
    const { checkpointsDir, reportsDir, assetsDir } = viewer;
    const options = { checkpointsDir, reportsDir, assetsDir, port: 0, log: () => undefined };
    const short = startViewer({ ...options, token: 'hunter2' });
    await expect(short).rejects.toThrow(/^--token: found 7 characters, expected 16 to 128/);
    await expect(short).rejects.not.toThrow('hunter2');
    await expect(startViewer({ ...options, host: '203.0.113.7' })).rejects.toThrow(
      /^--host: found an address/,
    );
  });
});

/** A proxy below a path, which it takes off or leaves on, and which may write its own target into Host. */
async function proxy(
  target: { readonly port: number },
  base: string,
  options: { readonly strips: boolean; readonly keepsHost: boolean },
): Promise<number> {
  const server = createServer((incoming, outgoing) => {
    const url = incoming.url ?? '/';
    if (!url.startsWith(`${base}/`)) {
      outgoing.writeHead(404).end('not below the path');
      return;
    }
    const path = options.strips ? url.slice(base.length) : url;
    const headers = { ...incoming.headers, ...(!options.keepsHost && { host: `127.0.0.1:${target.port}` }) };
    const sent = httpRequest(
      { host: '127.0.0.1', port: target.port, path, method: incoming.method, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    sent.on('error', () => outgoing.destroy());
    outgoing.on('close', () => sent.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxies.push(server);
  return (server.address() as AddressInfo).port;
}

describeNeeding(NO_BROWSER, 'a viewer behind a proxy below a path, in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  it.each([
    ['that takes the path off and keeps the host', { strips: true, keepsHost: true }],
    ['that takes the path off and writes another host', { strips: true, keepsHost: false }],
    ['that leaves the path on', { strips: false, keepsHost: true }],
  ])('%s: pages, live views and jobs work, by the printed address alone', async (_, options) => {
    const base = '/user/me/proxy/4173';
    // the port of the proxy is known first, as that of a hub is
    const target = { port: 0 };
    const front = await proxy(target, base, options);
    await begin({
      allowedHosts: [allowedHost(`http://127.0.0.1:${front}${base}`)],
      token: 'a-token-of-24-letters-00',
    });
    target.port = viewer.viewer.port;
    const page = await (await browser.newContext()).newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(`${viewer.viewer.url}?token=${viewer.viewer.token}`);
    await page.getByRole('heading', { name: 'Runs' }).first().waitFor();
    expect(page.url()).toBe(viewer.viewer.url);
    await page.goto(`${viewer.viewer.url}runs/${run}`);
    await page.locator('figure.chart path.line').first().waitFor();
    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.getByText('Nothing runs;').waitFor();
    await page.getByText('sumlens train', { exact: true }).waitFor();
    expect(page.url()).toBe(`${viewer.viewer.url}jobs`);
    await page.reload();
    await page.getByText('sumlens train', { exact: true }).waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
