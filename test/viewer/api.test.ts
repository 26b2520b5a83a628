/** The published description of the API against the routes that there are and against what they answer. */
import type { Express } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { packageRoot } from '../../src/io/package-root.js';
import { changesOf, openApiPath, OPERATIONS } from '../../src/viewer/api/operations.js';
import { problemSchema } from '../../src/viewer/api/schemas.js';
import { createApp } from '../../src/viewer/http/app.js';
import { diskDeps } from '../../src/viewer/disk/disk-deps.js';
import { sampleConfig, writeReport, writeRun } from './sample-runs.js';
import { change, send, testViewer, type TestViewer } from './test-viewer.js';

let viewer: TestViewer;
let run = '';

beforeAll(async () => {
  viewer = await testViewer(({ checkpointsDir, reportsDir }) => {
    run = writeRun(checkpointsDir, { config: sampleConfig(['MAX', 'SUM'], 1), end: 'budget', until: 500 });
    writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 2), name: 'broken' });
    writeFileSync(join(checkpointsDir, 'broken', 'config.json'), '{');
    writeReport(reportsDir, 'quick');
    writeReport(reportsDir, 'made');
    const example = join(packageRoot(), 'reports', 'example', 'report.json');
    copyFileSync(example, join(reportsDir, 'made', 'report.json'));
  });
});
afterAll(() => viewer.stop());

interface Layer {
  readonly route?: {
    readonly path: string | readonly string[];
    readonly methods: Readonly<Record<string, boolean>>;
  };
  readonly handle?: { readonly stack?: readonly Layer[] };
}

/** `GET /api/runs/{id}` of every route of an application. */
function routesOf(app: Express): string[] {
  const visit = (layers: readonly Layer[]): string[] =>
    layers.flatMap(({ route, handle }) =>
      route === undefined
        ? visit(handle?.stack ?? [])
        : Object.keys(route.methods).flatMap((method) =>
            [route.path].flat().map((path) => `${method.toUpperCase()} ${openApiPath(path)}`),
          ),
    );
  return visit((app as unknown as { readonly router: { readonly stack: readonly Layer[] } }).router.stack);
}

/** Names of parameters are of no account. */
const shape = (text: string): string => text.replace(/\{\w+\}/g, '{}');

describe('the table of operations', () => {
  it('has exactly the routes of the API', () => {
    const deps = diskDeps({
      checkpointsDir: viewer.checkpointsDir,
      reportsDir: viewer.reportsDir,
      assets: new Map(),
      hosts: () => [],
      bases: [],
      token: '',
      isTokenDemanded: false,
      cookieName: () => 'x',
      log: () => undefined,
    });
    const routes = routesOf(createApp(deps).app).filter((route) => route.includes(' /api'));
    const table = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
    expect(routes.map(shape).sort()).toEqual(table.map(shape).sort());
  });

  it('lets the guard know the changes, and nothing beside them', () => {
    expect(changesOf('/api/runs/x')).toEqual(['DELETE']);
    expect(changesOf('/api/jobs')).toEqual(['POST']);
    for (const path of [
      '/api/runs',
      '/',
      '/api/jobs?x=1',
      '/api/runs/x/',
      '/api/runs/../notes',
      '/api/runs/x/y/notes',
    ])
      expect(changesOf(path), path).toEqual([]);
  });
});

describe('GET /api/openapi.json', () => {
  it('describes every operation, and leaves nothing open that it points at', async () => {
    const { body, status, type } = await send(viewer.viewer, '/api/openapi.json');
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8']);
    const { openapi, paths } = body as { openapi: string; paths: Record<string, Record<string, unknown>> };
    expect(openapi).toBe('3.1.0');
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort());
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map((one) => (one as { operationId: string }).operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = target
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], body);
      expect(found, target).toBeDefined();
    }
  });
});

describe('answers', () => {
  /** Where a parameter leads in these folders. */
  const filled = (path: string): string =>
    path
      .replace('{run}', run)
      .replace('{step}', 'last')
      .replace('{report}', 'made')
      .replace('{sweep}', 'none')
      .replace('{job}', 'none')
      .replace('{step}', 'last');
  const schemaOf = (method: string, path: string): z.ZodType => {
    const row = OPERATIONS.find((one) => one.method === method && one.path === path);
    if (row?.answer.kind !== 'json') throw new Error(`${path} does not answer with JSON`);
    return row.answer.schema;
  };
  // answers to a query: compare/compare.test.ts
  const reads = OPERATIONS.filter(
    ({ method, path, answer, query }) =>
      method === 'GET' && answer.kind === 'json' && query === undefined && !/\{(job|sweep|step)\}/.test(path),
  );

  it.each(reads.map(({ path }) => path))('GET %s has the described shape and nothing else', async (path) => {
    const { status, body } = await send(viewer.viewer, filled(path));
    expect(status).toBe(200);
    const found = schemaOf('GET', path).safeParse(body);
    expect(found.success ? '' : found.error.message).toBe('');
  });

  it('changes answer as described, or with a problem', async () => {
    for (const { method, path } of OPERATIONS.filter((one) => one.method !== 'GET')) {
      const { status, body, type } = await change(viewer.viewer, filled(path), method, { unknown: 1 });
      expect([status, type], path).toEqual([
        status === 404 ? 404 : 400,
        'application/problem+json; charset=utf-8',
      ]);
      expect(problemSchema.safeParse(body).success).toBe(true);
    }
    const notes = await change(viewer.viewer, `/api/runs/${run}/notes`, 'PUT', { tags: ['x'], note: 'y' });
    expect(schemaOf('PUT', '/api/runs/{run}/notes').safeParse(notes.body).success).toBe(true);
    const runs = await send(viewer.viewer, '/api/runs');
    expect(schemaOf('GET', '/api/runs').safeParse(runs.body).success).toBe(true);
    const check = await change(viewer.viewer, '/api/jobs/check', 'POST', { kind: 'train' });
    expect(schemaOf('POST', '/api/jobs/check').safeParse(check.body).success).toBe(true);
  });

  it('the observations of a report are the table that "report --csv" writes', async () => {
    const { status, text, type, headers } = await send(viewer.viewer, '/api/reports/made/observations.csv');
    expect([status, type]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(headers['content-disposition']).toBe('attachment; filename="made.csv"');
    const [head, ...rows] = text.trim().split('\n');
    expect(head).toMatch(/^subject,run,step,seed,/);
    expect(rows.length).toBeGreaterThan(10);
  });
});
