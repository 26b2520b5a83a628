/** The playground in the viewer: the route of its weights, and its page in Chromium. */
import { appendFileSync, cpSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { readPlaygroundDocument } from '../../src/playground/document.js';
import { checkpointSchema } from '../../src/viewer/api/schemas.js';
import { loadCheckpoint } from '../../src/workflows/library.js';
import { NO_BROWSER, openBrowser } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { MIXED, SUM_ONLY } from '../playground/documents.js';
import { send, testViewer, type TestViewer } from './test-viewer.js';

const STEP = 'steps/016000';
let viewer: TestViewer;

beforeAll(async () => {
  viewer = await testViewer(({ checkpointsDir, root }) => {
    const reference = join(packageRoot(), 'checkpoints', 'reference');
    for (const run of [MIXED, SUM_ONLY])
      cpSync(join(reference, run), join(checkpointsDir, run), { recursive: true });
    for (const name of ['x-damaged', 'x-linked'])
      cpSync(join(reference, MIXED), join(checkpointsDir, name), { recursive: true });
    appendFileSync(join(checkpointsDir, 'x-damaged', STEP, 'model.safetensors'), 'x');
    cpSync(join(checkpointsDir, 'x-linked', STEP), join(root, 'elsewhere'), { recursive: true });
    rmSync(join(checkpointsDir, 'x-linked', STEP), { recursive: true });
    symlinkSync(join(root, 'elsewhere'), join(checkpointsDir, 'x-linked', STEP));
  });
});
afterAll(() => viewer.stop());

describe('GET /api/checkpoints/{run}/{step}', () => {
  it('gives the configuration and the weights of a checkpoint, bit by bit', async () => {
    for (const step of ['last', '16000']) {
      const { status, body } = await send(viewer.viewer, `/api/checkpoints/${MIXED}/${step}`);
      expect(status).toBe(200);
      expect(checkpointSchema.safeParse(body).error?.message).toBeUndefined();
      const { name, parameters, config } = readPlaygroundDocument(body);
      const expected = loadCheckpoint(MIXED, { root: viewer.checkpointsDir });
      expect(name).toBe(`${MIXED}@16000`);
      expect(config).toEqual(expected.config);
      expect(Buffer.from(parameters.buffer).equals(Buffer.from(expected.parameters.buffer))).toBe(true);
    }
  });

  it('refuses what is not there, damaged or elsewhere in one line, without a path', async () => {
    for (const path of [`${MIXED}/17`, `${MIXED}/1e3`, 'none/last', 'x-linked/16000', 'x-linked/last']) {
      const { status, text } = await send(viewer.viewer, `/api/checkpoints/${path}`);
      expect([status, path]).toEqual([404, path]);
      expect(text).not.toContain(viewer.root);
    }
    const { status, text } = await send(viewer.viewer, '/api/checkpoints/x-damaged/16000');
    expect(status).toBe(400);
    expect(text).toContain('found it damaged, expected files as its manifest says');
    expect(text).not.toContain(viewer.root);
  });
});

describeNeeding(NO_BROWSER, 'the page /playground', () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await openBrowser()));
  afterAll(() => browser.close());

  it('answers with two runs side by side, keeps its state in the address, and asks no other host', async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(viewer.viewer.url)) problems.push(request.url());
    });
    /** Each opens by itself. */
    const both = async (): Promise<void> => {
      for (const place of [0, 1]) await page.locator('.pg-model').nth(place).locator('.pg-written').waitFor();
    };
    await page.goto(`${viewer.viewer.url}playground`);
    const words = page.locator('.pg-model').first().locator('.pg-written .pg-word');
    await both();
    expect((await words.allInnerTexts()).join(' ')).toBe('s ( SUM 7 3 6 ) > 6 e');
    expect(await page.locator('.pg-model h3').allInnerTexts()).toEqual([
      'MAX+MED+SUM, pairs, d=16',
      'SUM, pairs, d=16',
    ]);
    await page.getByRole('button', { name: 'layer 1 attention' }).first().click();
    await page.getByRole('button', { name: /^layer 1 attention switched off/ }).waitFor();
    const changed = (await words.allInnerTexts()).join(' ');
    await page.reload();
    await both();
    expect((await words.allInnerTexts()).join(' ')).toBe(changed);
    // to another page and back
    await page.getByRole('link', { name: 'Reports', exact: true }).click();
    await page.goBack();
    await page.getByRole('button', { name: /^layer 1 attention switched off/ }).waitFor();
    expect(problems).toEqual([]);
    await page.goto(`${viewer.viewer.url}playground#model=..%2F..%2Fapi&model=x-damaged`);
    await page.reload();
    await page.locator('.pg-model .pg-problem').nth(1).waitFor();
    expect(await page.locator('.pg-model .pg-problem').allInnerTexts()).toEqual([
      'model: found "../../api", expected a run or <run>@<step>.',
      'checkpoint "x-damaged@16000": found it damaged, expected files as its manifest says. "sumlens verify" says what is wrong.',
    ]);
    await page.close();
  });
});
