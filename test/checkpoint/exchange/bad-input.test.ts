/** Files from outside that do not fit: one line that names what, and nothing left behind. */
import { readFileSync, readdirSync, writeFileSync, mkdirSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExchangeFormat } from '../../../src/checkpoint/exchange/formats.js';
import { exportFiles } from '../../../src/checkpoint/exchange/write.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../../src/checkpoint/format.js';
import { gptConfigOf } from '../../../src/config/hash.js';
import { UserError } from '../../../src/errors.js';
import { publishDirectory } from '../../../src/io/files.js';
import { type ImportOptions, importCheckpoint } from '../../../src/workflows/import-checkpoint.js';
import { openRun } from '../../../src/checkpoint/store.js';
import { temporaryFolder } from '../../io/temporary.js';
import { originOf, smallConfig, someParameters } from './runs.js';

interface Case {
  readonly to: ExchangeFormat;
  /** keep the configuration that export writes; default: a model from elsewhere */
  readonly keepOrigin?: boolean;
  readonly tensors?: (tensors: Map<string, Tensor>) => void;
  readonly json?: (name: string, content: Record<string, unknown>) => void;
  readonly options?: Partial<ImportOptions>;
}

const config = smallConfig({ nHeads: 2 });
const parameters = someParameters(config);
const FLAGS = { data: { tasks: ['MAX', 'SUM'] } } as const;

/** An export, changed, as a folder. */
function folderOf({ to, keepOrigin, tensors, json }: Case, root: string): string {
  const { entries } = exportFiles(originOf(config, parameters, to), parameters);
  const kept = entries.filter(({ name }) => keepOrigin === true || name !== 'sumlens.json');
  const changed = kept.map(({ name, bytes }) => {
    if (typeof bytes !== 'string') {
      if (tensors === undefined) return { name, bytes };
      const stored = new Map(decodeSafetensors(bytes).tensors);
      tensors(stored);
      return {
        name,
        bytes: encodeSafetensors([...stored].map(([key, tensor]) => ({ ...tensor, name: key }))),
      };
    }
    const content = JSON.parse(bytes) as Record<string, unknown>;
    json?.(name, content);
    return { name, bytes: JSON.stringify(content) };
  });
  const path = join(root, 'outside');
  publishDirectory(path, changed);
  return path;
}

/** The message of the refusal; the run directory and whatever else may be half written must not be there. */
function refused(wrong: Case): string {
  const root = temporaryFolder();
  const path = folderOf(wrong, root);
  mkdirSync(join(root, 'checkpoints'));
  const out = join(root, 'checkpoints', 'imported');
  let message = '';
  try {
    importCheckpoint({ path, out, flags: FLAGS, ...wrong.options });
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    message = (error as Error).message;
  }
  expect(message).not.toBe('');
  expect(message).not.toContain('\n');
  expect(readdirSync(join(root, 'checkpoints'))).toEqual([]);
  return message;
}

const change =
  (name: string, edit: (tensor: Tensor) => Tensor) =>
  (tensors: Map<string, Tensor>): void => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`the export has no ${name}`);
    tensors.set(name, edit(tensor));
  };

const stoi = (edit: (ids: Record<string, number>) => void): NonNullable<Case['json']> => {
  return (name, content) => {
    if (name !== 'vocabulary.json') return;
    edit(content['stoi'] as Record<string, number>);
  };
};

describe('import refuses', () => {
  it('a missing, an unknown and a wrongly shaped tensor, by name', () => {
    expect(refused({ to: 'nanogpt', tensors: (t) => t.delete('transformer.h.1.ln_1.weight') })).toBe(
      'model.safetensors: found no tensor "transformer.h.1.ln_1.weight" [12], expected one.',
    );
    const extra = { name: 'x', shape: [1], data: new Float32Array(1) };
    expect(refused({ to: 'hf-gpt2', tensors: (t) => t.set('transformer.h.0.ln_1.wieght', extra) })).toBe(
      'model.safetensors: found the tensor "transformer.h.0.ln_1.wieght", which this model does not have.',
    );
    const name = 'blocks.0.attn.W_O';
    expect(
      refused({ to: 'transformer-lens', tensors: change(name, (t) => ({ ...t, shape: [2, 12, 6] })) }),
    ).toBe('model.safetensors: tensor "blocks.0.attn.W_O": found shape [2, 12, 6], expected [2, 6, 12].');
  });

  it('linear weights the other way round, saying whose way that is', () => {
    const mlp = 'transformer.h.0.mlp.c_proj.weight';
    expect(refused({ to: 'hf-gpt2', tensors: change(mlp, (t) => ({ ...t, shape: [12, 48] })) })).toContain(
      `tensor "${mlp}": found shape [12, 48], expected [48, 12]. It is transposed: nanoGPT stores [out, in], Hugging Face`,
    );
    const untransposed = (tensors: Map<string, Tensor>): void => {
      const flip = (t: Tensor): Tensor => ({ ...t, shape: [...t.shape].reverse() });
      for (const name of tensors.keys())
        if (/(attn|mlp)\.c_.*weight$/.test(name)) change(name, flip)(tensors);
    };
    expect(refused({ to: 'hf-gpt2', tensors: untransposed })).toBe(
      'model.safetensors: found the tensors of nanogpt, but config.json says hf-gpt2. The linear weights are transposed: nanoGPT stores [out, in], Hugging Face GPT-2 [in, out].',
    );
  });

  it('numbers that are not finite', () => {
    const nan = (t: Tensor): Tensor => ({ ...t, data: t.data.map((x, i) => (i === 5 ? NaN : x)) });
    expect(refused({ to: 'nanogpt', tensors: change('transformer.wpe.weight', nan) })).toBe(
      'model.safetensors: tensor "transformer.wpe.weight": found NaN, expected finite numbers.',
    );
  });

  it('a configuration that disagrees with the weights, naming both', () => {
    const wrong = (to: ExchangeFormat, edit: (content: Record<string, unknown>) => void): string =>
      refused({ to, json: (name, content) => name === 'config.json' && edit(content) });
    expect(wrong('hf-gpt2', (c) => (c['n_layer'] = 2))).toBe(
      'config.json, n_layer: found 2 for nLayers, but the blocks among the tensors says 3.',
    );
    expect(wrong('nanogpt', (c) => (c['model_args'] = { n_embd: 16 }))).toBe(
      'config.json, model_args, n_embd: found 16 for dModel, but the shape of transformer.wte.weight says 12.',
    );
    expect(wrong('nanogpt', (c) => (c['model_args'] = { n_layer: '3' }))).toBe(
      'config.json, model_args, n_layer: found "3", expected a whole number above 0.',
    );
    expect(wrong('nanogpt', (c) => (c['model_args'] = { n_head: 2, use_rmsnorm: true }))).toBe(
      'config.json, model_args, use_rmsnorm: found true, expected false. The models of sumlens have no such setting.',
    );
    expect(wrong('nanogpt', (c) => (c['model_args'] = {}))).toContain('the number of heads: found nothing');
    expect(wrong('hf-gpt2', (c) => (c['activation_function'] = 'gelu_new'))).toBe(
      'config.json, activation_function: found "gelu_new", expected gelu or relu. "gelu_new" is an approximation that sumlens does not compute.',
    );
    expect(wrong('transformer-lens', (c) => (c['normalization_type'] = 'LNPre'))).toBe(
      'config.json, normalization_type: found "LNPre", expected "LN". Save it without folding: fold_ln=False.',
    );
    expect(wrong('hf-gpt2', (c) => (c['layer_norm_epsilon'] = 1e-6))).toContain('expected 0.00001');
    expect(refused({ to: 'nanogpt', options: { flags: { ...FLAGS, model: { nLayers: 5 } } } })).toBe(
      'the command line: found 5 for nLayers, but the blocks among the tensors says 3.',
    );
  });

  it('what the exported configuration does not have: a bias, copies that differ', () => {
    const bias = (to: ExchangeFormat, name: string): string => {
      const root = temporaryFolder();
      const plain = smallConfig({ nHeads: 2, bias: false, shareBlocks: true });
      const { entries } = exportFiles(originOf(plain, someParameters(plain), to), someParameters(plain));
      const edited = entries.map((entry) => {
        if (entry.name !== 'model.safetensors') return entry;
        const stored = new Map(decodeSafetensors(entry.bytes as Uint8Array).tensors);
        change(name, (t) => ({ ...t, data: t.data.map((x, i) => (i === 1 ? 0.5 : x)) }))(stored);
        return { ...entry, bytes: encodeSafetensors([...stored.values()]) };
      });
      publishDirectory(join(root, 'outside'), edited);
      try {
        importCheckpoint({ path: join(root, 'outside'), out: join(root, 'run') });
      } catch (error) {
        return (error as Error).message;
      }
      return 'was imported';
    };
    expect(bias('hf-gpt2', 'transformer.ln_f.bias')).toBe(
      'model.safetensors: tensor "transformer.ln_f.bias": found 0.5 at element 1, expected zeros, as the configuration has no such bias.',
    );
    expect(bias('transformer-lens', 'blocks.2.mlp.W_in')).toMatch(
      /tensor "blocks\.2\.mlp\.W_in" differs from "blocks\.0\.mlp\.W_in" at element 1 .* one parameter for both/,
    );
    expect(bias('nanogpt', 'lm_head.weight')).toContain('differs from "transformer.wte.weight"');
  });

  it('a vocabulary with holes, duplicates, ids without a row, strange tokens or no numbers', () => {
    const vocabulary = (edit: (ids: Record<string, number>) => void): string =>
      refused({ to: 'nanogpt', json: stoi(edit) });
    expect(vocabulary((ids) => delete ids['PROD'])).toMatch(
      /^vocabulary\.json: found no token with the id 15, expected one for each of the 24 rows .* such as unused15\.$/,
    );
    expect(vocabulary((ids) => (ids['PROD'] = 3))).toContain('found the id 3 for "=" and "PROD"');
    expect(vocabulary((ids) => (ids['PROD'] = 24))).toContain('PROD: found the id 24, expected at most 23');
    expect(vocabulary((ids) => (ids['PROD'] = 1.5))).toContain('PROD: found 1.5, expected an id');
    const renamed = (from: string, to: string): string =>
      vocabulary((ids) => {
        ids[to] = ids[from];
        Reflect.deleteProperty(ids, from);
      });
    expect(renamed('PROD', '[SUM')).toContain('found the token "[SUM", expected s e > = ( )');
    expect(renamed('0', 'zero')).toContain('found no numbers, expected 0, 1, ... without a gap');
    expect(renamed('1', 'one')).toContain('found the numbers 0 to 0');
    expect(renamed('2', '7')).toContain('found the number 3 but no 2');
    expect(renamed('(', 'open')).toBe(
      'vocabulary.json: found no token "(", expected one for each of s e ( ) 0 1 2 3 4. Name the row that stands for it.',
    );
    expect(renamed('SUM', 'ADD')).toContain('found no token "SUM", expected one, as --tasks MAX+SUM');
    expect(renamed('>', 'arrow')).toContain('found no token ">", expected one');
  });

  it('a vocabulary that nothing gives, and tasks that nothing gives', () => {
    const root = temporaryFolder();
    const path = join(folderOf({ to: 'nanogpt' }, root), 'model.safetensors');
    const out = join(root, 'run');
    expect(() => importCheckpoint({ path, out, flags: { ...FLAGS, model: { nHeads: 2 } } })).toThrow(
      /^the vocabulary: found no vocabulary\.json.* Pass --vocabulary/,
    );
    expect(() => importCheckpoint({ path: join(root, 'outside'), out })).toThrow(/^--tasks: found nothing/);
  });

  it('a pickle, with the way to convert it', () => {
    const root = temporaryFolder();
    const pickles = {
      'ckpt.pt': Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0),
      'renamed.safetensors': Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0),
      'old.safetensors': Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9),
    };
    for (const [name, bytes] of Object.entries(pickles)) {
      writeFileSync(join(root, name), bytes);
      expect(() => importCheckpoint({ path: join(root, name), out: join(root, 'run') })).toThrow(
        /found a pickle, which can run code when it is read, expected safetensors\. Convert it/,
      );
    }
    mkdirSync(join(root, 'folder'));
    copyFileSync(join(root, 'ckpt.pt'), join(root, 'folder', 'pytorch_model.bin'));
    expect(() => importCheckpoint({ path: join(root, 'folder'), out: join(root, 'run') })).toThrow(
      /pytorch_model\.bin: found a pickle/,
    );
  });

  it('what is no checkpoint at all', () => {
    const root = temporaryFolder();
    const out = join(root, 'run');
    const attempt =
      (path: string): (() => unknown) =>
      () =>
        importCheckpoint({ path: join(root, path), out });
    expect(attempt('nothing')).toThrow('found nothing there, expected a folder or a safetensors file.');
    mkdirSync(join(root, 'empty'));
    expect(attempt('empty')).toThrow('found no model.safetensors, expected one.');
    writeFileSync(join(root, 'short.safetensors'), 'abc');
    expect(attempt('short.safetensors')).toThrow(UserError);
    const other = encodeSafetensors([{ name: 'conv.weight', shape: [1], data: new Float32Array(1) }]);
    writeFileSync(join(root, 'other.safetensors'), other);
    expect(attempt('other.safetensors')).toThrow(/found conv\.weight, expected the tensors of nanoGPT/);
    writeFileSync(join(root, 'empty', 'model.safetensors'), other);
    writeFileSync(join(root, 'empty', 'sumlens.json'), '{"version":1,"version":1}');
    expect(attempt('empty')).toThrow(/found the key "version" twice/);
    writeFileSync(join(root, 'empty', 'sumlens.json'), '{"version":2}');
    expect(attempt('empty')).toThrow('sumlens.json, version: found 2, expected 1. Update sumlens.');
  });

  it('a folder that is there already, and leaves it as it is', () => {
    const root = temporaryFolder();
    const path = folderOf({ to: 'nanogpt', keepOrigin: true }, root);
    const out = join(root, 'there');
    mkdirSync(out);
    writeFileSync(join(out, 'mine.txt'), 'mine');
    expect(() => importCheckpoint({ path, out })).toThrow(/^--out: found .*there, which exists already/);
    expect(readdirSync(out)).toEqual(['mine.txt']);
    expect(() => importCheckpoint({ path, out: join(root, '-rf') })).toThrow(/run name: found "-rf"/);
  });
});

describe('import converts', () => {
  it('F16 and BF16, and says so', () => {
    const root = temporaryFolder();
    const path = folderOf({ to: 'nanogpt', keepOrigin: true }, root);
    const file = join(path, 'model.safetensors');
    const stored = decodeSafetensors(readFileSync(file)).tensors;
    writeFileSync(file, asBfloat16([...stored.values()]));
    const { notes, dir } = importCheckpoint({ path, out: join(root, 'run') });
    expect(notes[0]).toMatch(
      /^model\.safetensors: tensor ".*" is BF16 and was converted to F32\. So were \d+ other/,
    );
    expect(notes.join('\n')).toContain('no longer those of some-run@64');
    const read = openRun(dir).loadStep('final').parameters;
    expect(read.length).toBe(parameters.length);
    // 8 bits of mantissa
    read.forEach((x, i) => expect(Math.abs(x - parameters[i])).toBeLessThanOrEqual(Math.abs(x) / 128));
  });
});

/** A safetensors file of the upper halves of float32 numbers. */
function asBfloat16(tensors: readonly Tensor[]): Uint8Array {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: 'BF16', shape, data_offsets: [at, at + 2 * data.length] };
    at += 2 * data.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + at);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let to = 8 + json.length;
  for (const { data } of tensors) {
    const bits = new Uint32Array(data.slice().buffer);
    for (const word of bits) {
      view.setUint16(to, word >>> 16, true);
      to += 2;
    }
  }
  return bytes;
}

describe('export refuses', () => {
  it('a bias at the head for Hugging Face GPT-2, with the formats that have one', () => {
    const biased = smallConfig({ tied: false, unembeddingBias: true });
    expect(gptConfigOf(biased).unembeddingBias).toBe(true);
    const arena = someParameters(biased);
    expect(() => exportFiles(originOf(biased, arena, 'hf-gpt2'), arena)).toThrow(
      '--to: found hf-gpt2, but GPT2LMHeadModel has no bias at its head, and this model has one. Export it to nanogpt or transformer-lens.',
    );
  });
});

describe('weights as other programs wrap them', () => {
  it.each(['module.', '_orig_mod.', 'module._orig_mod.', '_orig_mod.module.'])(
    'are read under names that begin with %s',
    (prefix) => {
      const root = temporaryFolder();
      const path = folderOf(
        {
          to: 'nanogpt',
          tensors: (tensors) => {
            const entries = [...tensors];
            tensors.clear();
            for (const [name, tensor] of entries) tensors.set(`${prefix}${name}`, tensor);
          },
        },
        root,
      );
      const out = join(root, 'imported');
      importCheckpoint({ path, out, flags: FLAGS });
      expect(openRun(out).loadStep('last').parameters).toEqual(parameters);
    },
  );

  it('in several parts are refused by one line that says how to join them', () => {
    const path = join(temporaryFolder(), 'outside');
    publishDirectory(path, [
      { name: 'model-00001-of-00002.safetensors', bytes: 'x' },
      { name: 'model-00002-of-00002.safetensors', bytes: 'x' },
      { name: 'model.safetensors.index.json', bytes: '{}' },
    ]);
    expect(() => importCheckpoint({ path, out: join(path, 'out'), flags: FLAGS })).toThrow(
      /: found weights in 2 parts, expected one model\.safetensors\. Join them where they are: python3 /,
    );
  });
});
