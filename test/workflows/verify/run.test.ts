import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOrOpenRun, type FindingKind, openRun } from '../../../src/checkpoint/store.js';
import { resolveRunConfig } from '../../../src/config/parse.js';
import { gptConfigOf } from '../../../src/config/names.js';
import { canonicalJson } from '../../../src/io/json.js';
import { packageRoot } from '../../../src/io/package-root.js';
import { sha256Hex } from '../../../src/io/sha256.js';
import { parameterTable } from '../../../src/model/parameters.js';
import { learningRates } from '../../../src/train/schedule.js';
import { farthest } from '../../../src/workflows/verify/run.js';
import { verifyPaths } from '../../../src/workflows/verify/verify.js';
import { temporaryFolder } from '../../io/temporary.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');
const RUN = fs.readdirSync(REFERENCE).find((name) => name.startsWith('sum-')) ?? 'no reference run';

function copyOf(name = 'run'): { root: string; dir: string } {
  const root = temporaryFolder();
  const dir = join(root, name);
  fs.cpSync(join(REFERENCE, RUN), dir, { recursive: true });
  return { root, dir };
}

const found = (root: string): { kind: FindingKind; problem: string }[] =>
  verifyPaths([root]).findings.map(({ kind, problem }) => ({ kind, problem }));

interface Row {
  kind: string;
  step: number;
  cells?: { correct: number; exact: number; total: number }[];
}

/** Rows edited, and the end made to agree with their hash: what only the rows themselves can tell. */
function withRows(
  edit: (rows: Row[]) => Row[],
  end: Record<string, unknown> = {},
): { kind: string; problem: string }[] {
  const { root, dir } = copyOf();
  const path = join(dir, 'metrics.jsonl');
  const lines = fs.readFileSync(path, 'utf8').trim().split('\n');
  const text = edit(lines.map((line) => JSON.parse(line) as Row))
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('');
  fs.writeFileSync(path, text);
  const stored = JSON.parse(fs.readFileSync(join(dir, 'end.json'), 'utf8')) as object;
  const changed = { ...stored, ...end, metricsSha256: sha256Hex(text) };
  fs.writeFileSync(join(dir, 'end.json'), `${canonicalJson(changed)}\n`);
  return found(root);
}

describe('rows of a finished run', () => {
  it('are accepted as they were written', () => {
    expect(withRows((rows) => rows)).toEqual([]);
  });

  it.each([
    [
      'twice',
      (rows: Row[]) => [...rows.slice(0, 9), rows[8], ...rows.slice(9)],
      {},
      /line 10: found a .* row of step/,
    ],
    [
      'out of order',
      (rows: Row[]) => [rows[1], rows[0], ...rows.slice(2)],
      {},
      /line 2: found a .* after one of step/,
    ],
    [
      'with more right than asked',
      (rows: Row[]) =>
        rows.map((row) =>
          row.kind === 'eval'
            ? { ...row, cells: row.cells?.map((c) => ({ ...c, correct: c.total + 1 })) }
            : row,
        ) as Row[],
      {},
      /whole completions and \d+ results right of \d+, expected exact <= correct <= total/,
    ],
    [
      'without the last evaluation',
      (rows: Row[]) => rows.filter(({ kind, step }) => kind !== 'eval' || step < 16000),
      {},
      /the last evaluation is of step 15500, expected 16000/,
    ],
    [
      'of a run said to be solved',
      (rows: Row[]) => rows,
      { reason: 'solved' },
      /expected so, as end\.json says "solved"/,
    ],
    [
      'of a run said to have diverged',
      (rows: Row[]) => rows,
      { reason: 'diverged' },
      /expected diverged as in end\.json/,
    ],
    [
      'past the end of the plan',
      (rows: Row[]) => [...rows, { ...rows[rows.length - 1], step: 99_000 }],
      {},
      /found a row of step 99000, expected at most 16000/,
    ],
  ])('are refused %s', (_, edit, end, words) => {
    const findings = withRows(edit, end);
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(['wrong-rows']));
    expect(findings[0].problem).toMatch(words);
  });
});

describe('weights that no training could have reached', () => {
  it('are found although every hash fits: the end under an early name, all numbers a little changed', () => {
    const source = openRun(join(REFERENCE, RUN));
    const publish = (early: (parameters: Float32Array) => Float32Array): string => {
      const root = temporaryFolder();
      const store = createOrOpenRun(root, source.config);
      const final = source.loadStep('final').parameters;
      store.publishStep(0, source.loadStep(0).parameters);
      store.publishStep(64, early(final));
      store.publishStep(256, source.loadStep(256).parameters);
      return root;
    };
    const table = parameterTable(gptConfigOf(source.config));
    const changed = (parameters: Float32Array): Float32Array => {
      const copy = parameters.slice();
      for (const { offset, size } of table.specs)
        for (let i = offset; i < offset + size; i++) copy[i] *= 1.001;
      return copy;
    };
    const findings = found(publish(changed));
    expect(findings).toMatchObject([{ kind: 'too-far' }]);
    expect(findings[0].problem).toMatch(
      /^step 64 lies [\d.]+ from step 0, expected at most [\d.]+, the farthest that 64 updates go/,
    );
    expect(found(publish(() => source.loadStep(64).parameters))).toEqual([]);
  });
});

describe('farthest', () => {
  const config = resolveRunConfig({
    data: { tasks: ['SUM'] },
    training: { steps: 400 },
    optimizer: { warmupSteps: 20, weightDecay: 0 },
  });

  /** AdamW on one number, as PyTorch defines it. */
  function walk(gradients: readonly number[]): number {
    const { beta1, beta2, eps } = config.optimizer;
    const rate = learningRates(config);
    let [m, v, x] = [0, 0, 0];
    gradients.forEach((g, i) => {
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const t = i + 1;
      x -= (rate(t) * (m / (1 - beta1 ** t))) / (Math.sqrt(v / (1 - beta2 ** t)) + eps);
    });
    return Math.abs(x);
  }

  it('is never less than AdamW goes: gradients constant, growing, at random, one alone', () => {
    const { beta1, beta2 } = config.optimizer;
    for (const n of [1, 2, 5, 20, 100, 400]) {
      const most = farthest(config, { from: 0, to: n, nParameters: 1, norm: 0 });
      const series: ((i: number) => number)[] = [
        () => 1,
        (i) => (beta2 / beta1) ** (i / 4),
        (i) => (i === n - 1 ? 1 : 1e-6),
        (i) => Math.sin(i * i),
        (i) => 1.02 ** i,
        (i) => 1.05 ** i,
      ];
      for (const gradient of series)
        expect(walk(Array.from({ length: n }, (_, i) => gradient(i)))).toBeLessThanOrEqual(most);
      // and no empty promise: constant gradients alone go more than a quarter of it
      expect(walk(Array.from({ length: n }, () => 1))).toBeGreaterThan(most / 4);
    }
  });

  it('adds weight decay, and begins where it is told', () => {
    const way = { from: 0, to: 300, nParameters: 1, norm: 0 };
    const decayed = resolveRunConfig({ ...config, optimizer: { ...config.optimizer, weightDecay: 0.1 } });
    expect(farthest(decayed, { ...way, norm: 10 })).toBeGreaterThan(farthest(config, way));
    expect(farthest(config, { ...way, nParameters: 100 })).toBeCloseTo(10 * farthest(config, way), 8);
    const parts = farthest(config, { ...way, to: 100 }) + farthest(config, { ...way, from: 100 });
    expect(parts).toBeCloseTo(farthest(config, way), 8);
  });
});

describe('a tree', () => {
  it('is walked into folders of folders; a link to a run is named and not followed', () => {
    const root = temporaryFolder();
    const deep = join(root, 'checkpoints', 'experiment', 'more');
    fs.cpSync(join(REFERENCE, RUN), join(deep, 'a'), { recursive: true });
    fs.cpSync(join(REFERENCE, RUN), join(root, 'checkpoints', 'b'), { recursive: true });
    fs.symlinkSync(join(deep, 'a'), join(root, 'checkpoints', 'inside'));
    fs.symlinkSync(join(REFERENCE, RUN), join(root, 'checkpoints', 'outside'));
    const { runs, findings } = verifyPaths([root]);
    expect(runs.map((dir) => dir.slice(root.length))).toEqual([
      '/checkpoints/b',
      '/checkpoints/experiment/more/a',
    ]);
    expect(findings).toMatchObject([
      { kind: 'link', level: 'note', problem: expect.stringMatching(/: it was not followed\.$/) as string },
      {
        kind: 'link',
        level: 'note',
        problem: expect.stringContaining('which is not in this tree') as string,
      },
    ]);
  });

  it('does not lead out of a run: weights that are a link elsewhere are not read', () => {
    const { root, dir } = copyOf();
    const weights = join(dir, 'steps', '000064', 'model.safetensors');
    fs.rmSync(weights);
    fs.symlinkSync(join(REFERENCE, RUN, 'steps', '000064', 'model.safetensors'), weights);
    expect(verifyPaths([root]).findings).toMatchObject([{ kind: 'link', level: 'error', path: weights }]);
    fs.rmSync(weights);
    fs.copyFileSync(join(REFERENCE, RUN, 'steps', '000064', 'model.safetensors'), join(root, 'kept'));
    fs.symlinkSync('../../../kept', weights);
    expect(found(root)).toEqual([]);
  });

  it('names a run that lost its config.json, a configuration of another run, and files that nothing lists', () => {
    const lost = copyOf();
    fs.rmSync(join(lost.dir, 'config.json'));
    expect(found(lost.root)).toMatchObject([{ kind: 'damaged-config' }]);
    const other = copyOf(RUN.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')));
    expect(found(other.root)).toMatchObject([
      { kind: 'damaged-config', problem: expect.stringContaining('one of them was changed') as string },
    ]);
    const more = copyOf();
    fs.writeFileSync(join(more.dir, 'steps', '000064', 'notes.txt'), 'x');
    fs.mkdirSync(join(more.dir, 'steps', '64'));
    expect(found(more.root).map(({ kind }) => kind)).toEqual(['stray', 'stray']);
    const chain = copyOf();
    fs.rmSync(join(chain.dir, 'steps', '000256'), { recursive: true });
    expect(found(chain.root)).toMatchObject([
      { kind: 'broken-chain', problem: expect.stringContaining('another parent than step 64') as string },
    ]);
  });
});
