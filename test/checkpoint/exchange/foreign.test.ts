/** Checkpoints that nanoGPT's, Hugging Face's and TransformerLens's own code wrote give PyTorch's logits after import. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExchangeFormat } from '../../../src/checkpoint/exchange/formats.js';
import { openRun } from '../../../src/checkpoint/store.js';
import { gptConfigOf } from '../../../src/config/names.js';
import { openEngine } from '../../../src/engine/registry.js';
import { encode, vocabularyOf } from '../../../src/listops/language/tokenizer.js';
import { OPERATION_NAMES } from '../../../src/listops/language/operations.js';
import { importCheckpoint } from '../../../src/workflows/exchange/import-checkpoint.js';
import { expectClose } from '../../helpers/close.js';
import { temporaryFolder } from '../../io/temporary.js';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const VOCABULARY = join(FIXTURES, 'nanogpt', 'meta.json');

interface Expected {
  readonly texts: readonly string[];
  readonly tokens: readonly string[];
  readonly logits: string;
}

function expectedOf(folder: string): Expected & { readonly values: Float32Array } {
  const expected = JSON.parse(readFileSync(join(FIXTURES, folder, 'expected.json'), 'utf8')) as Expected;
  const bytes = Buffer.from(expected.logits, 'base64');
  return { ...expected, values: new Float32Array(new Uint8Array(bytes).buffer) };
}

const FOREIGN: readonly (readonly [folder: ExchangeFormat, model: object])[] = [
  ['nanogpt', { nLayers: 2, nHeads: 2, bias: false, tied: true, activation: 'gelu', dMlp: 32 }],
  ['hf-gpt2', { nLayers: 2, nHeads: 2, bias: true, tied: false, activation: 'relu', dMlp: 32 }],
  ['transformer-lens', { nHeads: 2, bias: true, tied: false, unembeddingBias: true, dMlp: 24 }],
];

describe.each(FOREIGN)('import of a checkpoint of %s', (folder, model) => {
  const imported = (): ReturnType<typeof importCheckpoint> =>
    importCheckpoint({
      path: join(FIXTURES, folder),
      out: join(temporaryFolder(), 'elsewhere'),
      vocabulary: VOCABULARY,
      flags: { data: { tasks: ['MAX', 'SUM'] }, training: { steps: 5000 } },
    });

  it('reads the model off tensors and config.json', () => {
    const { config, format, step } = imported();
    expect(format).toBe(folder);
    expect(step).toBe(5000);
    expect(config.model).toMatchObject({ dModel: 8, nCtx: 20, ...model });
    expect(config.data.modulus).toBe(3);
    expect(config.vocabulary).toEqual([...OPERATION_NAMES, 'pad']);
  });

  it("gives PyTorch's logits, with the tokens in our order and 0 for those it never had", async () => {
    const { dir, config } = imported();
    const store = openRun(dir);
    expect(store.verify()).toEqual([]);
    const { parameters } = store.loadStep('final');
    const vocab = vocabularyOf(config.data, config.vocabulary);
    const { texts, tokens: theirs, values } = expectedOf(folder);
    const sequences = texts.map((text) => encode(text, vocab));
    const offsets = [0];
    for (const tokens of sequences) offsets.push(offsets[offsets.length - 1] + tokens.length);
    const all = Int32Array.from(sequences.flatMap((tokens) => [...tokens]));
    const { engine } = await openEngine('wasm', { threads: 1 });
    const { logits } = engine.createModel(gptConfigOf(config), { parameters }, 'inference').forward({
      tokens: all,
      targets: new Int32Array(all.length),
      roles: new Int32Array(all.length).fill(-1),
      offsets: Int32Array.from(offsets),
    });
    engine.dispose();
    const places = theirs.map((token) => vocab.tokens.indexOf(token));
    const same = Float32Array.from({ length: values.length }, (_, i) => {
      const [position, token] = [Math.floor(i / theirs.length), i % theirs.length];
      return logits[position * vocab.size + places[token]];
    });
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(1);
    // greatest difference measured: 2.1e-6
    expectClose(same, values, { rtol: 0, atol: 1e-4 }, 'logits');
    const added = vocab.tokens.flatMap((token, id) => (theirs.includes(token) ? [] : [id]));
    expect(added.length).toBe(vocab.size - theirs.length);
    for (let position = 0; position < all.length; position++) {
      for (const id of added) expect(logits[position * vocab.size + id]).toBe(0);
    }
  });

  it('says what the vocabulary lacked, and that data and training are hearsay', () => {
    const { notes } = imported();
    expect(notes.join('\n')).toMatch(/lacked = MIN MED .*logit 0/);
    expect(notes.join('\n')).toContain('the weights do not show them');
  });

  it('takes the file by itself when flags say what it does not show', () => {
    const { config } = importCheckpoint({
      path: join(FIXTURES, folder, 'model.safetensors'),
      out: join(temporaryFolder(), 'alone'),
      vocabulary: VOCABULARY,
      flags: {
        data: { tasks: ['SUM'] },
        model: { nHeads: 2, activation: folder === 'hf-gpt2' ? 'relu' : 'gelu' },
      },
    });
    expect(config.model).toMatchObject(model);
  });
});
