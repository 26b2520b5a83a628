import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dataFileRequest, runAndFileOf } from '../../../src/cli/flags/data-file-flags.js';
import { sampleAnswers } from '../../../src/cli/sample/sample-answers.js';
import { sampleLines } from '../../../src/cli/sample/sample-lines.js';
import { withDataFile } from '../../../src/config/data-file-fields.js';
import { gptConfigOf } from '../../../src/config/names.js';
import { resolveRunConfig } from '../../../src/config/parse.js';
import { openEngine } from '../../../src/engine/registry.js';
import { UserError } from '../../../src/errors.js';
import { readLinesOf } from '../../../src/listops/files/data-file.js';
import { train } from '../../../src/train/train.js';
import { loadCheckpoint } from '../../../src/workflows/library.js';
import {
  PUBLIC_FILE,
  PUBLIC_LINES,
  evaluatePublic,
  standardText,
  words,
} from '../../listops/files/public-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-sample-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'some.tsv');
const rows = PUBLIC_LINES.filter(({ expression }) => words(expression).length < 20).slice(0, 100);
writeFileSync(path, rows.map(({ label, expression }) => `${label}\t${expression}\n`).join(''));

const tiny = {
  model: { dModel: 8, nLayers: 1 },
  optimizer: { warmupSteps: 5 },
  training: { steps: 20, batchSize: 8, evaluateEvery: 20 },
} as const;
const noEnvironment = {};

describe('sampleLines', () => {
  const { data, seed } = resolveRunConfig(withDataFile({ data: { format: 'direct' } }, { path }));
  const lines = readLinesOf(data, path);

  it('shows lines as the model sees them, under their number in the file', () => {
    const text = sampleLines(data, lines, { count: 4, seed, json: false });
    expect(text).toMatch(
      /^some\.tsv: 100 of 100 lines, every label computed again and right; longest \d+ tokens\n/,
    );
    expect(text).toContain('90 lines are trained on, 10 held out (hold-out seed 1)\n');
    const shown = [...text.matchAll(/^line (\d+) {2}s (.*) = (\d) e$/gm)];
    expect(shown).toHaveLength(4);
    for (const [, number, expression, result] of shown) {
      const row = rows[Number(number) - 1];
      expect(expression).toBe(standardText(row.expression));
      expect(Number(result)).toBe(evaluatePublic(row.expression));
    }
    expect(text).not.toMatch(/NaN|undefined/);
  });

  it('prints one JSON document with the same facts', () => {
    const document = JSON.parse(sampleLines(data, lines, { count: 4, seed, json: true })) as {
      trained: number;
      examples: { line: number; tokens: string[]; roles: (string | null)[] }[];
      operations: { operation: string; trained: number; held: number; counts: number[] }[];
    };
    expect(document.trained).toBe(90);
    expect(document.examples).toHaveLength(4);
    for (const { roles } of document.examples) expect(roles.slice(-2)).toEqual(['result', 'format']);
    const total = document.operations.reduce((sum, { trained, held }) => sum + trained + held, 0);
    expect(total).toBe(100);
  });
});

describe('sampleAnswers', () => {
  async function ask(
    fields: Parameters<typeof train>[0],
    own: boolean,
    file: string | undefined,
  ): Promise<string> {
    const { dir } = await train(fields, {
      root: folder,
      engine: 'wasm',
      ...(own && { dataFile: path }),
    });
    const checkpoint = loadCheckpoint(dir);
    const { engine } = await openEngine('wasm', { threads: 1 });
    try {
      const { config, parameters } = checkpoint;
      const model = engine.createModel(gptConfigOf(config), { parameters }, 'inference');
      const request = file === undefined ? undefined : { path: file };
      return await sampleAnswers(checkpoint, model, {
        count: 3,
        json: false,
        request,
        medianOfEven: undefined,
      });
    } finally {
      engine.dispose();
    }
  }

  it('asks a run held-out lines of its own file, and wants that file', async () => {
    const fields = { ...tiny, data: { format: 'direct' } } as const;
    const text = await ask(fields, true, path);
    expect(text.match(/^line \d+, held out {2}s \(/gm)).toHaveLength(3);
    expect(text.match(/^ {5}(right|wrong): /gm)).toHaveLength(3);
    expect(text).toMatch(/held out {2}all +\d+\/10 /);
    expect(text).toMatch(/trained +all +\d+\/90 /);
    await expect(ask(fields, true, undefined)).rejects.toThrow('--data: found no file, expected some.tsv');
    await expect(ask(fields, true, PUBLIC_FILE)).rejects.toThrow(/found 397 of 2000 lines longer than/);
  });

  it('asks a run on a file every line of another one, and says so', async () => {
    const fields = { ...tiny, data: { format: 'direct' } } as const;
    const other = join(folder, 'other.tsv');
    writeFileSync(other, '3\t[MAX 1 3 ]\n1\t[MIN 1 3 ]\n');
    const text = await ask(fields, true, other);
    expect(text).toMatch(/of the file {2}all +\d+\/2 /);
    expect(text).not.toContain('held out');
    expect(text).toMatch(/\nThis is not some\.tsv, on which the run was trained: every line is asked/);
  });

  it('asks a run on generated examples new ones, or the lines of any file that fit', async () => {
    const fields = { ...tiny, data: { tasks: ['MAX'], format: 'direct' } } as const;
    const plain = await ask(fields, false, undefined);
    expect(plain.match(/^ +\d {2}s \(MAX .*\) =$/gm)).toHaveLength(3);
    const text = await ask(fields, false, path);
    expect(text).toMatch(/of the file {2}all +\d+\/100 /);
    expect(text).not.toContain('held out');
    await expect(ask(fields, false, PUBLIC_FILE)).rejects.toThrow(
      /found 397 of 2000 lines longer than the 64 tokens of this model, expected none\. Leave them out with --max-tokens 64\./,
    );
    await expect(ask({ ...fields, data: { ...fields.data, modulus: 7 } }, false, path)).rejects.toThrow(
      UserError,
    );
  });
});

describe('runAndFileOf', () => {
  it('makes a configuration of --data and its flags, from the environment too', () => {
    const options = { data: path, format: 'direct', maxTokens: '20', heldFraction: '0.25' };
    const { config, dataFile } = runAndFileOf(options, noEnvironment);
    expect(dataFile).toBe(path);
    expect(config.data.file).toMatchObject({ maxTokens: 20, heldFraction: 0.25, lines: 100 });
    const variables = { SUMLENS_DATA: path, SUMLENS_MAX_TOKENS: '20', SUMLENS_HELD_FRACTION: '0.25' };
    expect(runAndFileOf({ format: 'direct' }, variables)).toEqual({ config, dataFile });
    expect(runAndFileOf({}, noEnvironment).dataFile).toBeUndefined();
  });

  it('refuses flags of a file without one, and a stored configuration without its file', () => {
    expect(() => dataFileRequest({ maxTokens: '20' }, noEnvironment)).toThrow(
      '--max-tokens: found 20 without --data, expected a file with it.',
    );
    expect(() => dataFileRequest({ data: path, maxTokens: 'many' }, noEnvironment)).toThrow(
      '--max-tokens: found "many"',
    );
    const { config } = runAndFileOf({ data: path, format: 'direct' }, noEnvironment);
    const stored = join(folder, 'config.json');
    writeFileSync(stored, JSON.stringify(config));
    expect(() => runAndFileOf({ config: stored }, noEnvironment)).toThrow(
      '--data: found no file, expected some.tsv that data.file of the configuration names.',
    );
    expect(runAndFileOf({ config: stored, data: path }, noEnvironment).config).toEqual(config);
  });
});
