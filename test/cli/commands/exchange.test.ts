/** `export` and `import` as commands: what is printed where, exit codes, and what other commands make of an import. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/io/package-root.js';
import { runCli, withFolder } from '../../helpers/cli.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');
const RUN = readdirSync(REFERENCE).find((name) => name.startsWith('sum-')) ?? 'no reference run';
const STEP =
  readdirSync(join(REFERENCE, RUN, 'steps'))
    .sort()
    .at(-1) ?? '';
const CHECKPOINT = join(REFERENCE, RUN);

/** Right answers and prompts of each cell of an evaluation row. */
function cellsOf(line: string): unknown {
  const row = JSON.parse(line) as { kind: string; step: number; cells: { correct: number; total: number }[] };
  return { step: row.step, cells: row.cells.map(({ correct, total }) => ({ correct, total })) };
}

describe('export and import', () => {
  it.each(['nanogpt', 'hf-gpt2', 'transformer-lens'])('bring a checkpoint to %s and back', async (to) => {
    await withFolder((folder) => {
      const exported = runCli(['export', CHECKPOINT, '--to', to, '--out', 'there', '--json'], folder);
      expect(exported.code, exported.stderr).toBe(0);
      expect(JSON.parse(exported.stdout)).toMatchObject({ to, dir: join(folder, 'there') });
      const imported = runCli(['import', 'there', '--json'], folder);
      expect(imported.code, imported.stderr).toBe(0);
      const answer = JSON.parse(imported.stdout) as { run: string; step: number };
      expect(answer).toMatchObject({ run: 'there-imported', step: Number(STEP), from: to });
      expect(imported.stderr).toMatch(new RegExp(`^The weights are those of ${RUN}@${Number(STEP)}\\.\n`));
      expect(imported.stderr).toContain('Accuracy of greedy answers: SUM ');
      // the same answers as at the end of training, whatever engine gave them
      const last = readFileSync(join(CHECKPOINT, 'metrics.jsonl'), 'utf8').trim().split('\n').at(-1) ?? '';
      const evaluated = readFileSync(join(folder, 'checkpoints', answer.run, 'metrics.jsonl'), 'utf8');
      expect(cellsOf(evaluated)).toEqual(cellsOf(last));
      const weights = (run: string): Buffer => readFileSync(join(run, 'steps', STEP, 'model.safetensors'));
      expect(weights(join(folder, 'checkpoints', answer.run)).equals(weights(CHECKPOINT))).toBe(true);
    });
  });

  it('make a run that a probe takes like any other, and the report says that it was imported', async () => {
    await withFolder((folder) => {
      runCli(['export', CHECKPOINT, '--to', 'hf-gpt2', '--out', 'there', '--quiet'], folder);
      expect(runCli(['import', 'there', '--quiet'], folder).stderr).toBe('');
      const args = ['probe', 'embedding-pca', 'there-imported', '--name', 'r', '--quiet'];
      const { code, stderr } = runCli(args, folder);
      expect(code, stderr).toBe(0);
      const report = readFileSync(join(folder, 'reports', 'r', 'report.json'), 'utf8');
      expect(report).toContain('"there-imported":["imported (hf-gpt2)');
      expect(report).toContain('not trained here, and not counted among what was learned: there-imported.');
      expect(JSON.parse(report)).toMatchObject({ subjects: [{ run: 'there-imported', final: true }] });
    });
  });

  it('refuse with one line and exit code 2, and leave nothing', async () => {
    await withFolder((folder) => {
      writeFileSync(join(folder, 'model.pt'), 'PK\u0003\u0004');
      const cases: readonly (readonly [string[], string])[] = [
        [['export', CHECKPOINT, '--to', 'nanogptt'], 'Did you mean nanogpt?'],
        [['export', CHECKPOINT], '--to: found nothing'],
        [['export', 'no-such-run', '--to', 'nanogpt'], 'no-such-run'],
        [['export', CHECKPOINT, '--to', 'nanogpt', '--out', '.'], 'exists already'],
        [['export', `${CHECKPOINT}@all`, '--to', 'nanogpt'], 'expected one'],
        [['import', 'model.pt'], 'found a pickle'],
        [['import', 'nothing'], 'found nothing there'],
        [['import', CHECKPOINT], 'model.safetensors'],
        [['import'], 'folder or file'],
      ];
      for (const [args, words] of cases) {
        const { code, stdout, stderr } = runCli(args, folder);
        expect(stderr.trim().split('\n'), args.join(' ')).toHaveLength(1);
        expect(stderr).toContain(words);
        expect(stdout).toBe('');
        expect(code).toBe(2);
      }
      expect(readdirSync(folder)).toEqual(['model.pt']);
      expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
    });
  });
});
