/** Changing something through the API: who may, notes, the trash, the table of observations, and problems in words. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownIdentity } from '../../../src/io/process-identity.js';
import { verifyPaths } from '../../../src/workflows/verify/verify.js';
import { sampleConfig, writeReport, writeRun } from '../sample-runs.js';
import {
  type Answer,
  change as changeAt,
  detailOf,
  send as sendTo,
  type Sent,
  testViewer,
  type TestViewer,
} from '../test-viewer.js';

let viewer: TestViewer;
let run = '';

const send = (path: string, sent?: Sent): Promise<Answer> => sendTo(viewer.viewer, path, sent);
const bearer = (): Record<string, string> => ({ Authorization: `Bearer ${viewer.viewer.token}` });
const change = (path: string, method: string, body: unknown): Promise<Answer> =>
  changeAt(viewer.viewer, path, method, body);

beforeAll(async () => {
  viewer = await testViewer(({ checkpointsDir, reportsDir, root }) => {
    run = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), end: 'budget', until: 500 });
    writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 2), name: 'busy', running: true, until: 100 });
    writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 3), name: 'doomed', end: 'budget', until: 100 });
    writeRun(join(checkpointsDir, 'exp'), {
      config: sampleConfig(['SUM'], 4),
      name: 'inner',
      end: 'budget',
      until: 100,
    });
    symlinkSync('doomed', join(checkpointsDir, 'link'));
    const outside = join(root, 'outside');
    mkdirSync(outside);
    writeReport(reportsDir, 'quick');
    writeReport(reportsDir, 'gone');
    writeReport(reportsDir, 'sweeping');
    writeFileSync(
      join(reportsDir, 'sweeping', 'sweep.lock'),
      JSON.stringify({ ...ownIdentity(), token: 'x', text: 'the sweep' }),
    );
  });
});
afterAll(() => viewer.stop());

describe('who may change something', () => {
  const notes = { tags: ['a'], note: '' };
  const path = (): string => `/api/runs/${run}/notes`;
  const origin = (): string => viewer.viewer.url.slice(0, -1);
  const cookie = async (): Promise<string> => {
    const [first] = (await send('/')).headers['set-cookie'] ?? [];
    return first.split(';')[0];
  };

  it('a page brings a cookie that no script reads and no other site sends', async () => {
    const [set] = (await send('/')).headers['set-cookie'] ?? [];
    expect(set).toBe(
      `sumlens-${viewer.viewer.port}=${viewer.viewer.token}; Path=/; HttpOnly; SameSite=Strict`,
    );
    const again = await send('/', { headers: { Cookie: await cookie() } });
    expect(again.headers['set-cookie']).toBeUndefined();
  });

  it('a page of the viewer may, by its cookie and its origin', async () => {
    const headers = { Cookie: await cookie(), Origin: origin() };
    expect((await send(path(), { method: 'PUT', body: notes, headers })).status).toBe(200);
  });

  it('a program may, by its bearer', async () => {
    expect((await change(path(), 'PUT', notes)).status).toBe(200);
  });

  it.each([
    ['nothing', () => ({})],
    ['an origin alone', () => ({ Origin: origin() })],
    ['a cookie without an origin', async () => ({ Cookie: await cookie() })],
    [
      'a wrong cookie',
      () => ({ Cookie: `sumlens-${viewer.viewer.port}=${'x'.repeat(32)}`, Origin: origin() }),
    ],
    [
      'the cookie of another viewer',
      () => ({ Cookie: `sumlens-1=${viewer.viewer.token}`, Origin: origin() }),
    ],
    ['a wrong bearer', () => ({ Authorization: `Bearer ${'x'.repeat(32)}` })],
    ['the token as a password', () => ({ Authorization: `Basic ${viewer.viewer.token}` })],
    ['another origin', async () => ({ Cookie: await cookie(), Origin: 'http://evil.example' })],
    [
      'another site',
      async () => ({ Cookie: await cookie(), Origin: origin(), 'Sec-Fetch-Site': 'cross-site' }),
    ],
    [
      'a name that is no site',
      async () => ({ Cookie: await cookie(), Origin: origin(), 'Sec-Fetch-Site': 'none' }),
    ],
  ] as const)('%s may not', async (_, headersOf) => {
    const answer = await send(path(), {
      method: 'PUT',
      body: notes,
      headers: await Promise.resolve(headersOf()),
    });
    expect(answer.status).toBe(403);
    expect(answer.type).toMatch(/^application\/problem\+json/);
  });

  it.each([
    ['a form', 'application/x-www-form-urlencoded', 415],
    ['text', 'text/plain', 415],
    ['a part', 'multipart/form-data; boundary=x', 415],
    ['JSON of another kind', 'application/json-patch+json', 415],
    ['two kinds', 'application/json, text/plain', 415],
  ])('%s is not read', async (_, type, status) => {
    const headers = { ...bearer(), 'Content-Type': type };
    expect((await send(path(), { method: 'PUT', body: notes, headers })).status).toBe(status);
  });

  it.each([
    ['no JSON', '{', 'the body'],
    ['a doubled key', '{"tags":[],"tags":[],"note":""}', 'the body'],
    ['a key of the prototype', '{"tags":[],"note":"","__proto__":{}}', 'the body'],
    ['another field', { ...notes, other: 1 }, 'the body'],
    ['a number for a note', { tags: [], note: 1 }, 'note'],
    ['a tag too many', { tags: Array.from({ length: 17 }, (_, i) => `t${i}`), note: '' }, 'tags'],
    ['an empty tag', { tags: [' '], note: '' }, 'tags.0'],
    ['deep nesting', `${'['.repeat(200)}${']'.repeat(200)}`, 'the body'],
  ])('%s is refused in words', async (_, body, field) => {
    const answer = await send(path(), { method: 'PUT', body, headers: bearer() });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ type: 'about:blank', title: 'Not understood', status: 400 });
    expect(detailOf(answer).startsWith(field)).toBe(true);
    expect(detailOf(answer)).not.toContain('\n');
  });

  it('a body of more than 64 KiB is not read', async () => {
    const answer = await send(path(), {
      method: 'PUT',
      body: { tags: [], note: 'x'.repeat(70_000) },
      headers: bearer(),
    });
    expect(answer.status).toBe(413);
  });
});

describe('PUT /api/runs/:id/notes', () => {
  it('keeps tags and note, which the list shows, and takes them away again', async () => {
    const before = readFileSync(join(viewer.checkpointsDir, run, 'config.json'));
    const answer = await change(`/api/runs/${run}/notes`, 'PUT', {
      tags: ['good', 'good', '<b>'],
      note: 'two\nlines',
    });
    expect(answer.body).toEqual({ tags: ['good', '<b>'], note: 'two\nlines' });
    const listed = async (): Promise<unknown> => {
      const { runs } = (await send('/api/runs')).body as { runs: readonly { id: string }[] };
      return runs.find(({ id }) => id === run);
    };
    expect(await listed()).toMatchObject({ tags: ['good', '<b>'], note: 'two\nlines' });
    expect(readFileSync(join(viewer.checkpointsDir, run, 'config.json'))).toEqual(before);
    await change(`/api/runs/${run}/notes`, 'PUT', { tags: [], note: '' });
    expect(await listed()).not.toHaveProperty('tags');
    expect(existsSync(join(viewer.checkpointsDir, run, 'notes.json'))).toBe(false);
  });

  it('is nothing that verify complains of', async () => {
    const findings = (): unknown[] =>
      verifyPaths([join(viewer.checkpointsDir, run)], () => undefined).findings as unknown[];
    const without = findings();
    await change(`/api/runs/${run}/notes`, 'PUT', { tags: ['x'], note: '' });
    expect(findings()).toEqual(without);
  });

  it('writes nothing where there is no such run', async () => {
    const answer = await change('/api/runs/none/notes', 'PUT', { tags: ['x'], note: '' });
    expect(answer.status).toBe(404);
  });
});

describe('DELETE', () => {
  it('wants the name of what goes', async () => {
    for (const body of [{ confirm: 'other' }, { confirm: `${run} ` }]) {
      const answer = await change(`/api/runs/${run}`, 'DELETE', body);
      expect([answer.status, detailOf(answer)]).toEqual([
        409,
        'confirm: expected the name of what is deleted, as the list shows it.',
      ]);
    }
    expect((await change(`/api/runs/${run}`, 'DELETE', {})).status).toBe(400);
    expect(existsSync(join(viewer.checkpointsDir, run))).toBe(true);
  });

  it('refuses a run that somebody trains, and says who', async () => {
    const answer = await change('/api/runs/busy', 'DELETE', { confirm: 'busy' });
    expect(answer.status).toBe(409);
    expect(detailOf(answer)).toContain(`busy is in use by process ${process.pid}`);
    expect(existsSync(join(viewer.checkpointsDir, 'busy', 'config.json'))).toBe(true);
  });

  it('refuses a link', async () => {
    const answer = await change('/api/runs/link', 'DELETE', { confirm: 'link' });
    expect(detailOf(answer)).toMatch(/^link is a link/);
    expect(existsSync(join(viewer.checkpointsDir, 'doomed'))).toBe(true);
  });

  it('moves a run whole into the trash, from where it can come back', async () => {
    const answer = await change('/api/runs/doomed', 'DELETE', { confirm: 'doomed' });
    const { trash } = answer.body as { trash: string };
    expect(trash).toMatch(/^\.trash\/doomed-/);
    expect(existsSync(join(viewer.checkpointsDir, 'doomed'))).toBe(false);
    expect(readdirSync(join(viewer.checkpointsDir, trash)).sort()).toEqual(
      ['config.json', 'end.json', 'metrics.jsonl', 'steps'].sort(),
    );
    const { runs } = (await send('/api/runs')).body as { runs: readonly { id: string }[] };
    expect(runs.map(({ id }) => id)).not.toContain('doomed');
  });

  it('moves a run of a nested folder', async () => {
    const answer = await change('/api/runs/exp=2Finner', 'DELETE', { confirm: 'exp/inner' });
    expect(answer.status).toBe(200);
    expect(existsSync(join(viewer.checkpointsDir, 'exp', 'inner'))).toBe(false);
  });

  it('moves a report, unless a sweep writes it', async () => {
    expect((await change('/api/reports/sweeping', 'DELETE', { confirm: 'sweeping' })).status).toBe(409);
    const answer = await change('/api/reports/gone', 'DELETE', { confirm: 'gone' });
    expect(answer.status).toBe(200);
    expect(existsSync(join(viewer.reportsDir, 'gone'))).toBe(false);
  });
});

describe('GET /api/reports/:name/observations.csv', () => {
  it('says in the words of the command line what is wrong with a report', async () => {
    const answer = await send('/api/reports/quick/observations.csv');
    expect(answer.status).toBe(400);
    expect(detailOf(answer)).toMatch(/^quick\/report\.json: /);
    expect(detailOf(answer)).not.toContain(viewer.root);
  });
});
