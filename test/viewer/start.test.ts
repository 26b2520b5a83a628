import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunError, UserError } from '../../src/errors.js';
import { DEFAULT_PORT, startViewer } from '../../src/viewer/start.js';
import { testViewer, type TestViewer } from './test-viewer.js';

let viewer: TestViewer;
const blockers: Server[] = [];

beforeAll(async () => {
  viewer = await testViewer(() => undefined);
});
afterAll(async () => {
  for (const server of blockers) server.close();
  await viewer.stop();
});

/** Takes a port, or finds that somebody else has it: either way it is taken. */
async function take(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen(port, '127.0.0.1', () => {
      blockers.push(server);
      resolve();
    });
  });
}

describe('startViewer', () => {
  const options = (more: { port?: number; assetsDir?: string } = {}) => ({
    checkpointsDir: viewer.checkpointsDir,
    reportsDir: viewer.reportsDir,
    assetsDir: viewer.assetsDir,
    log: () => undefined,
    ...more,
  });

  it('refuses a port that is taken when it was named', async () => {
    const { port } = viewer.viewer;
    const error = await startViewer(options({ port })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toBe(
      `--port: found ${port}, which another program uses; expected a free port. Leave --port out to take the next free one.`,
    );
  });

  it('takes the next free port when none was named', async () => {
    await take(DEFAULT_PORT);
    const started = await startViewer(options());
    try {
      expect(started.port).toBeGreaterThan(DEFAULT_PORT);
      expect(started.url).toBe(`http://127.0.0.1:${started.port}/`);
      expect((await fetch(started.url)).status).toBe(200);
    } finally {
      await started.close();
    }
  });

  it.each([-1, 65_536, 1.5, Number.NaN])('refuses the port %s', async (port) => {
    await expect(startViewer(options({ port }))).rejects.toThrow(/^--port: .*from 0 to 65535/);
  });

  it('says how to build the front end when it is missing', async () => {
    const assetsDir = mkdtempSync(join(tmpdir(), 'sumlens-empty-'));
    const error = await startViewer(options({ assetsDir, port: 0 })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RunError);
    expect((error as Error).message).toBe(
      'The viewer\'s page index.html was not found. Run "npm run build".',
    );
  });

  it('serves empty lists where there is no folder yet', async () => {
    const missing = {
      checkpointsDir: join(viewer.root, 'none'),
      reportsDir: join(viewer.root, 'none-either'),
    };
    const started = await startViewer({ ...options({ port: 0 }), ...missing });
    try {
      expect(await (await fetch(`${started.url}api/runs`)).json()).toEqual({ runs: [], conditions: [] });
      expect(await (await fetch(`${started.url}api/reports`)).json()).toEqual({ reports: [] });
    } finally {
      await started.close();
    }
  });
});
