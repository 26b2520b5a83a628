/** Runs on a data file in comparisons, labels, claims and notes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { companyFindings } from '../../../probes/learning/company.js';
import { PROBES } from '../../../probes/index.js';
import { withDataFile } from '../../../src/config/data-file-fields.js';
import { conditionLabel, distinguishingLabels } from '../../../src/config/names.js';
import { resolveRunConfig } from '../../../src/config/parse.js';
import type { RunConfig } from '../../../src/config/run-config.js';
import { decideClaims } from '../../../src/evidence/decide.js';
import { evidenceOf } from '../../../src/evidence/evidence.js';
import { createGenerator } from '../../../src/listops/sampling/generate.js';
import { fileNote } from '../../../src/listops/sampling/data-notes.js';
import type { EvalRow } from '../../../src/train/metrics.js';
import { comparabilityNotes } from '../../../src/workflows/probing/comparable.js';
import { designOf } from '../../../src/workflows/probing/design.js';
import { lineNotes } from '../../../src/workflows/reports/line-notes.js';
import type { CheckpointRef } from '../../../src/workflows/probing/probe-plan.js';
import { madeSubject } from '../../helpers/made-subject.js';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-unlike-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function configOf(name: string, labels: string, seed = 1): RunConfig {
  const path = join(folder, name);
  writeFileSync(
    path,
    Array.from(labels)
      .map((label, i) => `${label}\t[SM ${label} 0 ${'0 '.repeat(i)}]\n`)
      .join(''),
  );
  return resolveRunConfig(withDataFile({ seed, data: { format: 'direct' } }, { path }));
}

const first = configOf('first.tsv', '123456');
const renamed = configOf('renamed.tsv', '123456', 2);
const second = configOf('second.tsv', '123457');
const generated = resolveRunConfig({ data: { tasks: ['SUM'], format: 'direct', operands: [2, 7] } });
const refOf = (config: RunConfig, id: string): CheckpointRef =>
  ({ config, subject: { id } }) as unknown as CheckpointRef;

describe('runs on a data file', () => {
  it('are compared within one content, whatever the name of the file, and with nothing else', () => {
    const keyOf = (config: RunConfig) => designOf(config, 'budget', true).comparable;
    expect(keyOf(renamed)).toBe(keyOf(first));
    expect(new Set([first, second, generated].map(keyOf)).size).toBe(3);
    expect(keyOf({ ...generated, seed: 5 })).toBe(keyOf(generated));
    const notes = comparabilityNotes([refOf(first, 'a@1'), refOf(second, 'b@1'), refOf(generated, 'c@1')]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(
      /^Examples are 6 lines of first\.tsv \(SHA-256 \w{12}\) and 6 lines of second\.tsv \(SHA-256 \w{12}\) and generated: different learning problems/,
    );
    expect(comparabilityNotes([refOf(first, 'a@1'), refOf(renamed, 'b@1')])).toEqual([]);
  });

  it('have labels with the name, and with the hash where names do not tell them apart', () => {
    expect(conditionLabel(first)).toBe('SUM, lines of first.tsv, d=16');
    const { file } = second.data;
    const namesake: RunConfig = {
      ...second,
      data: { ...second.data, ...(file !== undefined && { file: { ...file, name: 'first.tsv' } }) },
    };
    expect(distinguishingLabels([first, namesake])[0]).toMatch(
      /^SUM, lines of first\.tsv, d=16, .*sha256=\w{12}\.\.\.$/,
    );
  });

  it('do not count in claims, which are about generated examples', () => {
    expect(designOf(first, 'budget', true).generated).toBe(false);
    expect(designOf(generated, 'budget', true).generated).toBe(true);
    const decided = (isGenerated: boolean, seeds: readonly number[]) => {
      const subjects = seeds.flatMap((seed) =>
        (['pairs', 'full'] as const).flatMap((regime) =>
          ([['SUM'], ['MAX', 'MED', 'SUM']] as const).map((tasks) =>
            madeSubject({ tasks, seed, regime, design: { generated: isGenerated } }),
          ),
        ),
      );
      const evidence = evidenceOf(subjects, [], new Map());
      return { claims: decideClaims(evidence), company: companyFindings(evidence) };
    };
    const none = decided(true, []);
    expect(decided(false, [1, 2, 3])).toEqual(none);
    const some = decided(true, [1, 2, 3]);
    expect(some.claims).not.toEqual(none.claims);
    expect(some.company).toHaveLength(1);
  });

  it('are for every module but memorization, which says why', () => {
    const answers = Object.fromEntries(PROBES.map((probe) => [probe.name, probe.isCompatible?.(first)]));
    expect(answers).toMatchObject({ 'embedding-pca': true, ablation: true, 'parity-probe': true });
    expect(answers['memorization']).toContain(
      'its examples are lines of first.tsv: whole lines were held out',
    );
    expect(() => createGenerator(first.data, 1)).toThrow('data.file: found lines of first.tsv');
  });

  it('are described in notes of the report', () => {
    expect(fileNote(generated.data)).toBeUndefined();
    expect(fileNote(first.data)).toMatch(
      /^Examples are 6 of 6 lines of first\.tsv \(SHA-256 \w{64}\); every label was computed again modulo 10 with MED of an even count mean-truncated\. Held out of training: 10 % of the distinct expressions/,
    );
    const score = {
      operation: 'all',
      held: true,
      total: 10,
      correct: 4,
      exact: 4,
      low: 0.17,
      high: 0.69,
      lossNats: 1,
      chance: 2,
      chanceNats: 2,
    };
    const row: EvalRow = { kind: 'eval', step: 7, cells: [], lines: [score, { ...score, held: false }] };
    expect(lineNotes('r', [row])).toEqual([
      'r at step 7, held-out lines right by outermost operation (95 % Wilson interval, the most frequent label): all 4 of 10 = 40.0 % (17.0 % to 69.0 %; 20.0 %).',
    ]);
    expect(lineNotes('r', [{ kind: 'eval', step: 7, cells: [] }])).toEqual([]);
  });
});
