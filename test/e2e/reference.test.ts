/** The runs that ship: complete, verified, as their card says, and what the present code trains. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/native/load.js';
import { itNeeding } from '../helpers/needs.js';
import { openRun } from '../../src/checkpoint/store.js';
import { configSha256 } from '../../src/config/names.js';
import { getPreset } from '../../src/config/presets.js';
import { packageRoot } from '../../src/io/package-root.js';
import { parseReport } from '../../src/report/parse-report.js';
import { referenceTable, withTable } from '../../src/setup/reference-table.mjs';
import { accuracyByOperation } from '../../src/train/learned.js';
import { parseMetricRows } from '../../src/train/metrics.js';
import { trainRun } from '../../src/train/train-run.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');
const RUNS = readdirSync(REFERENCE).sort();
const STEPS = [0, 64, 256, 1024, 4096, 16_000];

function sizeBytes(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeBytes(join(path, name)), 0);
}

describe('checkpoints/reference', () => {
  it.each(RUNS)('%s verifies, holds its steps and nothing to resume from', (run) => {
    const store = openRun(join(REFERENCE, run));
    expect(store.verify()).toEqual([]);
    expect(store.steps()).toEqual(STEPS);
    expect(readdirSync(store.dir).sort()).toEqual([
      'config.json',
      'end.json',
      'metrics.jsonl',
      'sessions.jsonl',
      'steps',
    ]);
    expect(readFileSync(join(store.dir, 'sessions.jsonl'), 'utf8')).not.toMatch(/time|host|version/);
  });

  it('is two conditions of the preset quick on the same three seeds, all of which learned, under 8 MB', () => {
    const preset = new Map(getPreset('quick').runs.map((config) => [configSha256(config), config]));
    const seeds: Record<string, number[]> = {};
    for (const run of RUNS) {
      const { config } = openRun(join(REFERENCE, run));
      expect(preset.has(configSha256(config)), run).toBe(true);
      const tasks = config.data.tasks.join('+');
      seeds[tasks] = [...(seeds[tasks] ?? []), config.seed].sort((a, b) => a - b);
      const rows = parseMetricRows(openRun(join(REFERENCE, run)).readMetrics(), run);
      const last = rows.filter((row) => row.kind === 'eval').at(-1);
      if (last === undefined) throw new Error(`${run} was never evaluated`);
      expect(accuracyByOperation(last)['SUM'], run).toBeGreaterThanOrEqual(0.99);
    }
    expect(Object.keys(seeds).sort()).toEqual(['MAX+MED+SUM', 'SUM']);
    expect(seeds['SUM']).toHaveLength(3);
    expect(seeds['MAX+MED+SUM']).toEqual(seeds['SUM']);
    expect(sizeBytes(REFERENCE)).toBeLessThan(8_000_000);
  });

  it('has the numbers of its card', () => {
    const card = readFileSync(join(packageRoot(), 'docs', 'model-card.md'), 'utf8');
    const squeezed = (text: string): string => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
    expect(squeezed(card)).toBe(squeezed(withTable(card, referenceTable(REFERENCE))));
  });

  const addon = loadAddon();
  const noNative = addon.kind === 'loaded' ? undefined : `engine native: ${addon.reason}`;
  itNeeding(noNative, 'begins as the present code trains it, byte for byte', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sumlens-reference-'));
    try {
      const [run] = RUNS;
      const { config } = openRun(join(REFERENCE, run));
      const stop = new AbortController();
      const outcome = await trainRun(config, {
        root: folder,
        engine: 'native',
        threads: 1,
        signal: stop.signal,
        onProgress: ({ step }) => {
          if (step > 64) stop.abort();
        },
      });
      expect(outcome.reason).toBe('interrupted');
      for (const step of ['000000', '000064']) {
        const file = join('steps', step, 'model.safetensors');
        // another kernel gives other bytes: then the runs are made again with "npm run make:reference"
        expect(
          readFileSync(join(outcome.dir, file)).equals(readFileSync(join(REFERENCE, run, file))),
          file,
        ).toBe(true);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is what the example report is about', () => {
    const path = join(packageRoot(), 'reports', 'example', 'report.json');
    const report = parseReport(readFileSync(path), path);
    const weights = RUNS.map((run) => openRun(join(REFERENCE, run)).loadStep('final').weightsSha256);
    expect(report.subjects.map(({ weightsSha256 }) => weightsSha256).sort()).toEqual(weights.sort());
    for (const [name, module] of Object.entries(report.modules)) expect(module.status, name).toBe('ok');
    expect(statSync(join(packageRoot(), 'reports', 'example', 'index.html')).size).toBeLessThan(3_000_000);
  });
});
