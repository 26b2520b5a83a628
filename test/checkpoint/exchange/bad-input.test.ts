/** Files from outside that do not fit: one line that names what, and nothing left behind. */
import { readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExchangeFormat } from '../../../src/checkpoint/exchange/formats.js';
import { exportFiles } from '../../../src/checkpoint/exchange/write.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../../src/checkpoint/format.js';
import { gptConfigOf } from '../../../src/config/names.js';
import { UserError } from '../../../src/errors.js';
import { publishDirectory } from '../../../src/io/files.js';
import { type ImportOptions, importCheckpoint } from '../../../src/workflows/exchange/import-checkpoint.js';
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
  it.each([
    // 8 bits of mantissa, cut off
    ['BF16', 1 / 128],
    // 11 bits, rounded to nearest; below 2^-14 steps of 2^-24
    ['F16', 2 ** -11],
    ['F64', 0],
  ] as const)('%s, and says so', (dtype, relative) => {
    const root = temporaryFolder();
    const path = folderOf({ to: 'nanogpt', keepOrigin: true }, root);
    const file = join(path, 'model.safetensors');
    const stored = decodeSafetensors(readFileSync(file)).tensors;
    writeFileSync(file, asType(dtype, [...stored.values()]));
    const { notes, dir } = importCheckpoint({ path, out: join(root, 'run') });
    expect(notes[0]).toMatch(
      new RegExp(
        `^model\\.safetensors: tensor ".*" is ${dtype} and was converted to F32\\. So were \\d+ other`,
      ),
    );
    const changed = notes.join('\n').includes('no longer those of some-run@64');
    expect(changed).toBe(dtype !== 'F64');
    const read = openRun(dir).loadStep('final').parameters;
    expect(read.length).toBe(parameters.length);
    read.forEach((x, i) => {
      expect(Math.abs(x - parameters[i])).toBeLessThanOrEqual(
        Math.abs(x) * relative + (changed ? 2 ** -25 : 0),
      );
    });
  });
});

const WRITE = {
  /** the upper half of a float32 */
  BF16: {
    bytes: 2,
    put: (view: DataView, at: number, x: number) =>
      view.setUint16(at, new Uint32Array(Float32Array.of(x).buffer)[0] >>> 16, true),
  },
  F16: { bytes: 2, put: (view: DataView, at: number, x: number) => view.setUint16(at, half(x), true) },
  F64: { bytes: 8, put: (view: DataView, at: number, x: number) => view.setFloat64(at, x, true) },
} as const;

/** The bits of the nearest IEEE 754 binary16 number, of |x| < 65,504. */
function half(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1)));
  // a carry out of the fraction is the next exponent, which stands beside it
  const fraction = Math.round((size / 2 ** exponent) * 1024);
  return sign | (fraction < 1024 ? fraction : ((exponent + 14) << 10) + fraction);
}

/** A safetensors file of another element type. */
function asType(dtype: keyof typeof WRITE, tensors: readonly Tensor[]): Uint8Array {
  const { bytes: size, put } = WRITE[dtype];
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + size * data.length] };
    end += size * data.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let at = 8 + json.length;
  for (const { data } of tensors) {
    for (const x of data) {
      put(view, at, x);
      at += size;
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

  it.each(['nanogpt', 'hf-gpt2', 'transformer-lens'] as const)(
    'are read with what %s keeps beside them: masks of any type, numbers of positions',
    (to) => {
      const root = temporaryFolder();
      const path = folderOf({ to, keepOrigin: true }, root);
      const names =
        to === 'transformer-lens'
          ? ['blocks.0.attn.mask', 'blocks.0.attn.IGNORE']
          : ['transformer.h.0.attn.bias', 'transformer.h.0.attn.masked_bias', 'transformer.position_ids'];
      const file = join(path, 'model.safetensors');
      const stored = [...decodeSafetensors(readFileSync(file)).tensors.values()];
      writeFileSync(file, withBooleans(encodeSafetensors(stored), names));
      const out = join(root, 'imported');
      const { notes } = importCheckpoint({ path, out, flags: FLAGS });
      expect(notes.join()).not.toContain('attn');
      expect(openRun(out).loadStep('last').parameters).toEqual(parameters);
    },
  );

  it('are refused where positions are rotary, in words', () => {
    const table = { name: 'x', shape: [2], data: new Float32Array(2) };
    const name = 'transformer.h.0.attn.rotary_emb.inv_freq';
    expect(refused({ to: 'nanogpt', tensors: (t) => t.set(name, table) })).toBe(
      `model.safetensors: found the tensor "${name}", which this model does not have. It belongs to rotary positions; sumlens adds learned positions to the embedding.`,
    );
  });
});

/** A file with one more tensor [2, 2] of BOOL for each name. */
function withBooleans(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const length = Number(Buffer.from(bytes).readBigUInt64LE(0));
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as Record<string, unknown>;
  let at = bytes.length - 8 - length;
  for (const name of names) {
    header[name] = { dtype: 'BOOL', shape: [2, 2], data_offsets: [at, at + 4] };
    at += 4;
  }
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([head, json, bytes.subarray(8 + length), Buffer.alloc(4 * names.length, 1)]);
}

describe('an activation function that nothing gives', () => {
  const without = (to: ExchangeFormat, options: Partial<ImportOptions> = {}): Case => ({
    to,
    options,
    json: (name, content) => {
      if (name !== 'config.json') return;
      for (const key of ['activation_function', 'act_fn', 'activation']) Reflect.deleteProperty(content, key);
    },
  });

  it('is asked for, and never taken for the exact gelu, but for nanoGPT, which computes that', () => {
    expect(refused(without('hf-gpt2'))).toBe(
      'the activation function: found nothing that gives it, and GPT-2 takes the approximation "gelu_new" then, which sumlens does not compute, expected gelu or relu. Pass --activation if it was trained with one of them.',
    );
    expect(refused(without('transformer-lens'))).toMatch(
      /^the activation function: found nothing that gives it, as the weights do not show it, expected gelu or relu\./,
    );
    const root = temporaryFolder();
    const path = folderOf(without('nanogpt'), root);
    const { config: made } = importCheckpoint({ path, out: join(root, 'run'), flags: FLAGS });
    expect(made.model.activation).toBe('gelu');
  });

  it.each(['hf-gpt2', 'transformer-lens'] as const)('of %s may be said by --activation', (to) => {
    const root = temporaryFolder();
    const path = folderOf(without(to), root);
    const flags = { ...FLAGS, model: { activation: 'relu' } } as const;
    expect(importCheckpoint({ path, out: join(root, 'run'), flags }).config.model.activation).toBe('relu');
  });
});

describe('weights in several parts', () => {
  const FIRST = 'model-00001-of-00002.safetensors';
  const SECOND = 'model-00002-of-00002.safetensors';
  const INDEX = 'model.safetensors.index.json';

  /** An export whose weights lie in two files beside an index. */
  function parted(edit: (map: Record<string, string>) => void = () => undefined): {
    root: string;
    path: string;
  } {
    const root = temporaryFolder();
    const path = folderOf({ to: 'hf-gpt2', keepOrigin: true }, root);
    const file = join(path, 'model.safetensors');
    const stored = [...decodeSafetensors(readFileSync(file)).tensors.values()];
    const middle = Math.floor(stored.length / 2);
    writeFileSync(join(path, FIRST), encodeSafetensors(stored.slice(0, middle)));
    writeFileSync(join(path, SECOND), encodeSafetensors(stored.slice(middle)));
    const map = Object.fromEntries(stored.map(({ name }, i) => [name, i < middle ? FIRST : SECOND]));
    edit(map);
    writeFileSync(join(path, INDEX), JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }));
    rmSync(file);
    return { root, path };
  }

  const attempt = (root: string, path: string): (() => unknown) => {
    return () => importCheckpoint({ path, out: join(root, 'run'), flags: FLAGS });
  };

  it('are read as one, by the folder or its index', () => {
    const { root, path } = parted();
    for (const [name, source] of [
      ['by-folder', path],
      ['by-index', join(path, INDEX)],
    ] as const) {
      const out = join(root, name);
      importCheckpoint({ path: source, out, flags: FLAGS });
      expect(openRun(out).loadStep('last').parameters).toEqual(parameters);
    }
  });

  it('are refused when one is named alone, missing, or not what the index says', () => {
    const one = parted();
    expect(attempt(one.root, join(one.path, FIRST))).toThrow(
      `${FIRST}: found part 1 of 2, expected all of them. Name the folder that holds ${INDEX} and the parts.`,
    );
    const text = readFileSync(join(one.path, INDEX));
    rmSync(join(one.path, INDEX));
    expect(attempt(one.root, one.path)).toThrow(`found parts such as ${FIRST} without ${INDEX}`);
    writeFileSync(join(one.path, INDEX), text);
    rmSync(join(one.path, SECOND));
    expect(attempt(one.root, one.path)).toThrow(
      `${INDEX}: found 1 of 2 parts, and no ${SECOND}, expected all beside it. Fetch the others too.`,
    );
    const moved = parted((map) => (map['transformer.wte.weight'] = FIRST));
    expect(attempt(moved.root, moved.path)).toThrow(
      `${SECOND}: found the tensor "transformer.wte.weight", which ${INDEX} puts in ${FIRST}. Fetch index and parts from one place.`,
    );
    const fewer = parted((map) => (map['transformer.gone'] = FIRST));
    expect(attempt(fewer.root, fewer.path)).toThrow(`found no tensor "transformer.gone" in ${FIRST}`);
    const outside = parted((map) => (map['transformer.wte.weight'] = '../x.safetensors'));
    expect(attempt(outside.root, outside.path)).toThrow(
      'found "../x.safetensors", expected the name of a .safetensors file beside the index',
    );
    const none = parted();
    writeFileSync(join(none.path, INDEX), '{"weight_map":{}}');
    expect(attempt(none.root, none.path)).toThrow('found 0 parts, expected 1 to 1000.');
  });

  it('that are pickles are refused with the way to convert them', () => {
    const root = temporaryFolder();
    const path = join(root, 'outside');
    publishDirectory(path, [
      { name: 'pytorch_model-00001-of-00002.bin', bytes: 'PK\u0003\u0004' },
      { name: 'pytorch_model.bin.index.json', bytes: '{}' },
    ]);
    expect(attempt(root, path)).toThrow(
      /pytorch_model-00001-of-00002\.bin: found a pickle, .* Convert it where/,
    );
  });
});
