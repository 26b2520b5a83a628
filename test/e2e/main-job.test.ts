/** The main job as a user runs it: train, probe, report, start again, change a weight. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOrOpenRun, openRun } from '../../src/checkpoint/store.js';
import { hasLearned } from '../../src/evidence/conditions.js';
import { VERDICT } from '../../src/evidence/verdict.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../src/model/parameters.js';
import { gptConfigOf } from '../../src/config/names.js';
import { parseReport } from '../../src/report/parse-report.js';
import { NO_BROWSER, openBrowser, watchedPage } from '../helpers/browser.js';
import { runCli, withFolder } from '../helpers/cli.js';
import { itNeeding } from '../helpers/needs.js';

function newest(folder: string, name: string): Uint8Array {
  return readFileSync(join(folder, 'reports', 'smoke', name));
}

describe('sumlens run smoke --no-serve', () => {
  let page: Uint8Array | undefined;
  it('trains, probes and reports; a second start gives the same bytes and trains nothing', async () => {
    await withFolder((folder) => {
      const first = runCli(['run', 'smoke', '--no-serve'], folder);
      expect(first.code, first.stderr).toBe(0);
      expect(first.stdout).toContain('learned SUM');
      expect(first.stdout).toMatch(/report: .*index\.html/);
      expect(first.stdout).toMatch(/peak memory \d+ MB/);
      const runs = readdirSync(join(folder, 'checkpoints'));
      expect(runs).toHaveLength(4);

      const report = parseReport(newest(folder, 'report.json'), 'report.json');
      expect(Object.keys(report.modules)).toEqual(
        expect.arrayContaining(['ablation', 'embedding-pca', 'learning']),
      );
      expect(Object.values(report.modules).map((module) => module.status)).toEqual(
        Object.values(report.modules).map(() => 'ok'),
      );
      // 60 steps teach nothing, and the report must say so
      expect(report.subjects.map((subject) => hasLearned(subject))).toEqual([false, false, false, false]);
      const statements = report.modules['embedding-pca'].findings.map(({ statement }) => statement);
      expect(statements.filter((text) => text.includes(', not learned: '))).not.toEqual([]);
      const verdicts = report.claims.map(({ verdict }) => verdict);
      expect(verdicts.length).toBeGreaterThan(4);
      expect([...new Set(verdicts)]).toEqual([VERDICT.tooFew]);

      const metrics = readFileSync(join(folder, 'checkpoints', runs[0], 'metrics.jsonl'), 'utf8');
      const json = newest(folder, 'report.json');
      page = newest(folder, 'index.html');
      const second = runCli(['run', 'smoke', '--no-serve', '--json'], folder);
      expect(second.code, second.stderr).toBe(0);
      const summary = JSON.parse(second.stdout) as { conditions: { seeds: number }[] };
      expect(summary.conditions.map((row) => row.seeds)).toEqual([2, 2]);
      expect(newest(folder, 'report.json')).toEqual(json);
      expect(newest(folder, 'index.html')).toEqual(page);
      expect(readFileSync(join(folder, 'checkpoints', runs[0], 'metrics.jsonl'), 'utf8')).toBe(metrics);
      expect(existsSync(join(folder, 'checkpoints', runs[0], 'lock'))).toBe(false);
    });
  }, 150_000);

  itNeeding(NO_BROWSER, 'writes a page on which every chart is drawn', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'index.html');
      if (page === undefined) throw new Error('The test before this one wrote no page.');
      writeFileSync(path, page);
      await everyChartIsDrawn(path);
    });
  });

  it('changes hash, result and report when one weight of a copied checkpoint is changed', async () => {
    await withFolder((folder) => {
      const train = [
        'train',
        '--tasks',
        'SUM',
        '--d-model',
        '8',
        '--layers',
        '1',
        '--steps',
        '20',
        '--batch',
        '8',
      ];
      expect(runCli(train, folder).code).toBe(0);
      const [run] = readdirSync(join(folder, 'checkpoints'));
      const original = openRun(join(folder, 'checkpoints', run));
      const { step, parameters } = original.loadStep('last');

      // in place: refused, as the manifest no longer fits
      cpSync(join(folder, 'checkpoints'), join(folder, 'tampered'), { recursive: true });
      const stepDirectory = readdirSync(join(folder, 'tampered', run, 'steps')).at(-1) ?? '';
      const weights = join(folder, 'tampered', run, 'steps', stepDirectory, 'model.safetensors');
      const bytes = readFileSync(weights);
      bytes[bytes.length - 3] ^= 1;
      writeFileSync(weights, bytes);
      const refused = runCli(
        ['probe', 'embedding-pca', `${run}@${step}`, '--checkpoints', 'tampered'],
        folder,
      );
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('model.safetensors');

      // as a run of its own, through the library
      const config = original.config;
      const copy = createOrOpenRun(join(folder, 'copies'), config);
      const changed = parameters.slice();
      const view = parameterView(parameterTable(gptConfigOf(config)), changed, TOKEN_EMBEDDING);
      // number tokens follow the specials: the last row of the table may be an operation, so every digit row is moved
      view[view.length >> 2] += 0.5;
      copy.publishStep(step, changed);
      const probe = (checkpoints: string, name: string): string => {
        const result = runCli(
          ['probe', 'embedding-pca', `${run}@${step}`, '--checkpoints', checkpoints, '--name', name],
          folder,
        );
        expect(result.code, result.stderr).toBe(0);
        return readFileSync(join(folder, 'reports', name, 'report.json'), 'utf8');
      };
      const a = parseReport(Buffer.from(probe('checkpoints', 'original')), 'a');
      const b = parseReport(Buffer.from(probe('copies', 'changed')), 'b');
      expect(b.subjects[0].weightsSha256).not.toBe(a.subjects[0].weightsSha256);
      const numbers = ({ observations }: typeof a) =>
        observations.filter(({ statistic }) => statistic.startsWith('embedding-pca/'));
      expect(numbers(b)).toHaveLength(numbers(a).length);
      expect(numbers(b)).not.toEqual(numbers(a));
      expect(readFileSync(join(folder, 'reports', 'changed', 'index.html'))).not.toEqual(
        readFileSync(join(folder, 'reports', 'original', 'index.html')),
      );
    });
  });
});

/** Opens the page with the network off: no problem, no request, every chart drawn with a mark in its plot area. */
async function everyChartIsDrawn(path: string): Promise<void> {
  const browser = await openBrowser();
  try {
    const { page, problems, requests } = await watchedPage(browser);
    await page.goto(`file://${path}`);
    // those below "More" too
    await page.evaluate(`document.querySelectorAll('details.more').forEach((more) => (more.open = true))`);
    // charts are drawn as they come near, and the page grows with them
    for (let y = 0; y <= (await page.evaluate<number>('document.documentElement.scrollHeight')); y += 600) {
      await page.evaluate(`window.scrollTo(0, ${y})`);
      await page.waitForTimeout(60);
    }
    // waitForFunction would need eval, which the page's policy forbids
    const isDrawn = 'window.sumlensReport.ready.drawn === window.sumlensReport.ready.total';
    for (let i = 0; i < 200 && !(await page.evaluate<boolean>(isDrawn)); i++) await page.waitForTimeout(50);
    expect(await page.evaluate<boolean>(isDrawn), 'all charts are drawn within 10 s').toBe(true);
    const ready = await page.evaluate<{ failed: number; total: number }>('window.sumlensReport.ready');
    expect(ready.failed).toBe(0);
    expect(ready.total).toBeGreaterThan(8);
    const empty = await page.evaluate<string[]>(`
      [...document.querySelectorAll('svg.marks')].flatMap((svg) => {
        const frame = svg.getBoundingClientRect();
        const marks = [...svg.querySelectorAll('.mark-symbol path, .mark-rect path, .mark-line path, .mark-area path, .mark-rule line, .mark-text text')];
        const inside = marks.some((mark) => {
          const box = mark.getBoundingClientRect();
          return box.width + box.height > 0 && box.left >= frame.left - 1 && box.right <= frame.right + 1;
        });
        return inside ? [] : [svg.getAttribute('aria-label') ?? 'unnamed'];
      })`);
    expect(empty, 'charts without a mark').toEqual([]);
    expect(problems).toEqual([]);
    expect(requests).toEqual([]);
  } finally {
    await browser.close();
  }
}
