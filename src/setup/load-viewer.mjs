/**
 * `npm run load:viewer`: a bounded load on the built viewer over the loopback device. 500 live views come and go while 2,000
 * requests a second are asked for, ten seconds long. Exits with 1 where a request fails, the rate is not reached, the p95 is above 200 ms, or memory,
 * descriptors or places of live views grow. --seconds and --rate change the load.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '2000' },
    views: { type: 'string', default: '500' },
  },
});
const [SECONDS, RATE, VIEWS] = [given.seconds, given.rate, given.views].map(Number);
const TICK_MS = 10;
const MOST_P95_MS = 200;
const MOST_GROWTH_BYTES = 48 << 20;
/** Descriptors of connections that are kept for a moment. */
const MOST_MORE_DESCRIPTORS = 8;
/** Live views that the viewer has places for. */
const PLACES = 32;

const root = fileURLToPath(new URL('../..', import.meta.url));
const server = spawn(
  process.execPath,
  [join(root, 'dist/src/cli/main.js'), 'serve', '--json', '--port', '0'],
  {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  },
);
const { port } = await new Promise((resolve, reject) => {
  let text = '';
  server.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    if (text.endsWith('\n')) resolve(JSON.parse(text));
  });
  server.on('exit', (code) => reject(new Error(`the viewer ended with ${code}. Run "npm run build".`)));
});

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** @returns {Promise<{status: number, ms: number, text: string}>} */
function ask(path, headers = {}) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, ms: performance.now() - began, text }));
    }).on('error', reject);
  });
}

/** Opens a live view and leaves it after a while. @returns {Promise<number>} the status */
function view(path, ms) {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume();
      response.on('error', () => undefined);
      setTimeout(() => {
        request.destroy();
        resolve(response.statusCode);
      }, ms);
    });
    request.on('error', () => resolve(0));
  });
}

/** Connections that are kept for a next request are none of the viewer's. */
async function settled() {
  agent.destroy();
  await wait(1500);
}

const memory = () => {
  const text = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1024;
};
const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).length;
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

/** Unanswered requests: beyond them the pace is the server's, which the rate that is printed shows. */
const MOST_OPEN = 256;

/** Asks at an even pace. */
async function load(paths, seconds, viewPaths, views) {
  const times = [];
  let [failed, asked, seen, refusedViews] = [0, 0, 0, 0];
  const open = new Set();
  const track = (promise) => {
    open.add(promise);
    void promise.finally(() => open.delete(promise));
  };
  const began = performance.now();
  for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - began) {
    const due = Math.min(RATE * seconds, Math.floor((RATE * elapsed) / 1000));
    while (asked < due && open.size < MOST_OPEN) {
      track(
        ask(paths[asked++ % paths.length]).then(
          ({ status, ms }) => (status === 200 ? times.push(ms) : failed++),
          () => failed++,
        ),
      );
    }
    while (seen < Math.floor((views * elapsed) / 1000 / seconds)) {
      const path = viewPaths[seen % viewPaths.length];
      track(view(path, 50 + ((seen++ * 97) % 400)).then((status) => status === 200 || refusedViews++));
    }
    await wait(TICK_MS);
  }
  const sendingMs = performance.now() - began;
  await Promise.all(open);
  return { times: times.sort((a, b) => a - b), failed, asked, seen, refusedViews, sendingMs };
}

try {
  const { runs } = JSON.parse((await ask('/api/runs')).text);
  const run = runs.find((one) => one.open)?.address;
  const paths = ['/', '/api/runs', '/api/jobs', '/api/sweeps', '/assets/styles.css', '/api/openapi.json'];
  if (run !== undefined) paths.push(`/api/runs/${run}`);
  const viewPaths = ['/api/jobs/events', ...(run === undefined ? [] : [`/api/runs/${run}/events`])];
  // memory settles under the same load first
  await load(paths, SECONDS, viewPaths, VIEWS);
  await settled();
  const [bytesBefore, descriptorsBefore] = [memory(), descriptors()];
  const cpuBefore = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(' ').slice(13, 15).map(Number);
  const found = await load(paths, SECONDS, viewPaths, VIEWS);
  const cpuAfter = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(' ').slice(13, 15).map(Number);
  await wait(2000);
  const places = await Promise.all(Array.from({ length: PLACES }, () => view('/api/jobs/events', 300)));
  await settled();
  const growth = memory() - bytesBefore;
  const moreDescriptors = descriptors() - descriptorsBefore;
  const { times, failed, asked, seen, refusedViews, sendingMs } = found;
  const p95 = at(times, 0.95);
  const cpuSeconds = (cpuAfter[0] + cpuAfter[1] - cpuBefore[0] - cpuBefore[1]) / 100;
  const free = places.filter((status) => status === 200).length;
  console.log(
    [
      `requests: ${asked} in ${(sendingMs / 1000).toFixed(1)} s (${Math.round((1000 * asked) / sendingMs)} a second), ${failed} failed`,
      `latency: p50 ${at(times, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, p99 ${at(times, 0.99).toFixed(1)} ms, longest ${at(times, 1).toFixed(1)} ms`,
      `live views: ${seen} came and went, ${refusedViews} were told that all places were taken; ${free} of ${PLACES} places free afterwards`,
      `server: ${cpuSeconds.toFixed(1)} CPU seconds, ${(growth / 2 ** 20).toFixed(1)} MiB more memory, ${moreDescriptors} more descriptors`,
    ].join('\n'),
  );
  const isFine =
    failed === 0 &&
    asked >= 0.95 * RATE * SECONDS &&
    p95 <= MOST_P95_MS &&
    growth <= MOST_GROWTH_BYTES &&
    moreDescriptors <= MOST_MORE_DESCRIPTORS &&
    free === PLACES;
  if (!isFine) process.exitCode = 1;
} finally {
  server.kill('SIGTERM');
  agent.destroy();
}
