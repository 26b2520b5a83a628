/** Export then import gives the same bytes, for every format and every kind of model. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXCHANGE_FORMATS, FORMATS, type ExchangeFormat } from '../../../src/checkpoint/exchange/formats.js';
import { modelFile } from '../../../src/checkpoint/exchange/publish.js';
import { exportFiles } from '../../../src/checkpoint/exchange/write.js';
import { decodeSafetensors } from '../../../src/checkpoint/format.js';
import { openRun } from '../../../src/checkpoint/store.js';
import { gptConfigOf } from '../../../src/config/names.js';
import type { RunConfig } from '../../../src/config/run-config.js';
import { publishDirectory } from '../../../src/io/files.js';
import { parameterTable } from '../../../src/model/parameters.js';
import { importCheckpoint } from '../../../src/workflows/exchange/import-checkpoint.js';
import { temporaryFolder } from '../../io/temporary.js';
import { VARIANTS, originOf, smallConfig, someParameters } from './runs.js';

function exported(config: RunConfig, parameters: Float32Array, to: ExchangeFormat, folder: string): string {
  const path = join(folder, `to-${to}`);
  publishDirectory(path, exportFiles(originOf(config, parameters, to), parameters).entries);
  return path;
}

describe.each(EXCHANGE_FORMATS)('export to %s and import', (to) => {
  const expressible = VARIANTS.filter(
    ([, model]) => FORMATS[to].refusal(gptConfigOf(smallConfig(model))) === undefined,
  );

  it('expresses all kinds of models, GPT2LMHeadModel all but one', () => {
    expect(VARIANTS.length - expressible.length).toBe(to === 'hf-gpt2' ? 1 : 0);
  });

  it.each(expressible)('gives the same bytes: %s', (_, model) => {
    const folder = temporaryFolder();
    const config = smallConfig(model);
    const parameters = someParameters(config);
    const path = exported(config, parameters, to, folder);
    const { dir, step } = importCheckpoint({ path, out: join(folder, 'again') });
    const store = openRun(dir);
    expect(store.config).toEqual(config);
    expect(store.verify()).toEqual([]);
    expect(step).toBe(64);
    expect(store.loadStep('final').parameters).toEqual(parameters);
    const stored = readFileSync(join(dir, 'steps', '000064', 'model.safetensors'));
    expect(stored.equals(modelFile(config, parameters).bytes)).toBe(true);
  });

  it.each(expressible)('writes every parameter: %s', (_, model) => {
    const gpt = gptConfigOf(smallConfig(model));
    const table = parameterTable(gpt);
    const written = new Map(table.specs.map(({ name, size }) => [name, new Uint8Array(size)]));
    for (const { source, shape, at, twin } of FORMATS[to].tensors(gpt)) {
      if (source === undefined || twin === 'implied') continue;
      const size = shape.reduce((product, n) => product * n, 1);
      for (let i = 0; i < size; i++) (written.get(source) as Uint8Array)[at === undefined ? i : at(i)]++;
    }
    for (const [name, counts] of written) expect(counts.includes(0), name).toBe(false);
  });

  it('writes only files that can be read back as they are', () => {
    const folder = temporaryFolder();
    const config = smallConfig();
    const path = exported(config, someParameters(config), to, folder);
    expect(readdirSync(path)).toEqual(
      [
        'config.json',
        'model.safetensors',
        'sumlens.json',
        'vocabulary.json',
        ...(to === 'hf-gpt2' ? ['tokenizer.json', 'tokenizer_config.json', 'vocab.json'] : []),
      ].sort(),
    );
    const { notes } = decodeSafetensors(readFileSync(join(path, 'model.safetensors')));
    expect(notes).toEqual([]);
    if (to !== 'hf-gpt2') return;
    const tokenizer: unknown = JSON.parse(readFileSync(join(path, 'tokenizer_config.json'), 'utf8'));
    // a tokenizer's default has token_type_ids too, which GPT-2 would add to the embedding
    expect(tokenizer).toMatchObject({ model_input_names: ['input_ids', 'attention_mask'] });
  });
});
