/** Modules as data: typed results of one checkpoint, and a report's numbers as rows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fromCsv, toCsv } from '../../../src/evidence/table.js';
import { packageRoot } from '../../../src/io/package-root.js';
import { parseReport } from '../../../src/report/parse-report.js';
import { loadCheckpoint } from '../../../src/workflows/library.js';
import { measureModule, observations } from '../../../src/workflows/probing/module-results.js';

const RUN = join(packageRoot(), 'checkpoints', 'reference', 'sum-pairs-d16-s1-45202e910ba4');

it('a module measured by name has the type of its results, and takes its own options only', async () => {
  const checkpoint = loadCheckpoint(`${RUN}@final`);
  const few = { engine: 'wasm', options: { promptsPerTemplate: 8 } } as const;
  const { operations } = await measureModule('attribution', checkpoint, few);
  expect(operations.map(({ operation }) => operation)).toEqual(['SUM']);
  const [{ prompts, trained }] = operations;
  expect(prompts).toBe(16);
  const heads = trained.heads.flat().reduce((sum, nats) => sum + nats, 0);
  const layers = trained.feedForward.reduce((sum, nats) => sum + nats, 0);
  const sum = trained.embedding + trained.position + heads + layers + trained.biases;
  expect(sum).toBeCloseTo(trained.margin, 4);
  await expect(measureModule('attribution', checkpoint, { options: { prompts: 8 } })).rejects.toThrow(
    'option of attribution: found "prompts", expected one of promptsPerTemplate',
  );
  const small = {
    ...checkpoint,
    config: { ...checkpoint.config, data: { ...checkpoint.config.data, modulus: 5 } },
  };
  await expect(measureModule('parity-probe', small)).rejects.toThrow(
    /does not apply to .* at least 6 numbers/,
  );
});

it("a report's numbers are rows with their checkpoint, and the same in its table", () => {
  const file = join(packageRoot(), 'reports', 'example', 'report.json');
  const report = parseReport(readFileSync(file), 'report');
  const rows = observations(report);
  expect(rows).toHaveLength(report.observations.length);
  for (const [i, { subject, statistic, value }] of rows.entries()) {
    expect([subject.id, statistic, value]).toEqual([
      report.observations[i].subject,
      report.observations[i].statistic,
      report.observations[i].value,
    ]);
  }
  const again = fromCsv(toCsv(report), 'table');
  expect(again.observations).toEqual(report.observations);
  expect(() => observations({ ...report, subjects: [] })).toThrow(/which is no subject/);
});
