/**
 * Writes what the engine computes, for PyTorch to compute again: node test/pytorch/dump.mjs <new folder>
 *
 * For every step of every run in checkpoints/reference: logits at every position of 24 examples of its data, and greedy
 * answers to their prompts. For the last steps, and for untrained models that differ in what the formats of `export`
 * have to express: the exported folders, every activation and what the lens says. index.json says what lies where; numbers are
 * little-endian float32. The build in dist/ is used.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { exportFiles } from '../../dist/src/checkpoint/exchange/write.js';
import { EXCHANGE_FORMATS, FORMATS } from '../../dist/src/checkpoint/exchange/formats.js';
import { modelFile } from '../../dist/src/checkpoint/exchange/publish.js';
import { listRuns, openRun } from '../../dist/src/checkpoint/store.js';
import { gptConfigOf } from '../../dist/src/config/names.js';
import { resolveRunConfig } from '../../dist/src/config/parse.js';
import { openEngine } from '../../dist/src/engine/registry.js';
import { publishDirectory } from '../../dist/src/io/files.js';
import { createGenerator } from '../../dist/src/listops/sampling/generate.js';
import { vocabularyOf } from '../../dist/src/listops/language/tokenizer.js';
import { activationNames } from '../../dist/src/model/activations.js';
import { initialParameters } from '../../dist/src/model/init.js';
import { parameterTable } from '../../dist/src/model/parameters.js';
import { Rng } from '../../dist/src/tensor/rng.js';
import { lensOf } from './dump-lens.mjs';

const EXAMPLES = 24;
const MAX_NEW = 16;
const root = resolve(dirname(new URL(import.meta.url).pathname), '..', '..');
const out = resolve(process.argv[2] ?? 'pytorch-dump');
mkdirSync(out, { recursive: true });

const { engine, note } = await openEngine('auto', { threads: 1 });

/** Writes numbers and returns the file's name. */
function writeNumbers(name, numbers) {
  writeFileSync(join(out, name), new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  return name;
}

/** Examples laid end to end, every position with a target so that every logit is computed. */
function batchOf(config) {
  const generator = createGenerator(config.data, 12345);
  const examples = Array.from({ length: EXAMPLES }, (_, i) => generator.example(i).tokens);
  const offsets = [0];
  for (const tokens of examples) offsets.push(offsets[offsets.length - 1] + tokens.length);
  const tokens = Int32Array.from(examples.flatMap((example) => [...example]));
  const none = new Int32Array(tokens.length).fill(-1);
  return {
    batch: { tokens, targets: new Int32Array(tokens.length), roles: none, offsets: Int32Array.from(offsets) },
    examples,
  };
}

/** Logits, greedy answers and, when asked for, activations of one model. */
function computed(id, config, parameters, { captured }) {
  const gpt = gptConfigOf(config);
  const vocab = vocabularyOf(config.data, config.vocabulary);
  const { batch, examples } = batchOf(config);
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const names = captured ? activationNames(gpt) : [];
  const { logits, activations } = model.forward(batch, { capture: names });
  const separator = config.data.format === 'direct' ? vocab.equals : vocab.arrow;
  const prompts = examples.map((tokens) => tokens.slice(0, tokens.indexOf(separator) + 1));
  const answers = model.generate(prompts, { maxNewTokens: MAX_NEW, stopToken: vocab.end });
  const lens = captured ? lensOf(model, config) : [];
  model.dispose();
  const file = id.replaceAll(/[^A-Za-z0-9.-]/g, '-');
  return {
    id,
    config: gpt,
    tokens: [...batch.tokens],
    offsets: [...batch.offsets],
    texts: [...batch.tokens].map((token) => vocab.tokens[token]),
    logits: writeNumbers(`${file}.logits`, logits),
    prompts: prompts.map((prompt) => [...prompt]),
    answers: answers.map((answer) => [...answer]),
    stopToken: vocab.end,
    maxNewTokens: MAX_NEW,
    lens,
    activations: Object.fromEntries(
      names.map((name) => [name, writeNumbers(`${file}.${name}`, activations.get(name))]),
    ),
  };
}

/** The same model in every format that can express it. */
function exported(id, config, parameters) {
  const { sha256 } = modelFile(config, parameters);
  const folders = {};
  for (const to of EXCHANGE_FORMATS) {
    if (FORMATS[to].refusal(gptConfigOf(config)) !== undefined) continue;
    const origin = { to, run: 'dump', step: 0, end: null, weightsSha256: sha256, config };
    folders[to] = `${id.replaceAll(/[^A-Za-z0-9.-]/g, '-')}-to-${to}`;
    publishDirectory(join(out, folders[to]), exportFiles(origin, parameters).entries);
  }
  return folders;
}

const checkpoints = [];
const exports = [];
for (const { name, dir } of listRuns(join(root, 'checkpoints', 'reference'))) {
  const store = openRun(dir);
  for (const step of store.steps()) {
    const { parameters } = store.loadStep(step);
    const id = `${name}@${step}`;
    const weights = join(dir, 'steps', String(step).padStart(6, '0'), 'model.safetensors');
    checkpoints.push({ ...computed(id, store.config, parameters, { captured: false }), weights });
    if (step === store.lastStep) {
      const folders = exported(id, store.config, parameters);
      exports.push({ ...computed(id, store.config, parameters, { captured: true }), folders });
    }
  }
}

const VARIANTS = {
  untied: { tied: false },
  'no bias': { bias: false },
  'untied, no bias, two heads, relu': { tied: false, bias: false, nHeads: 2, activation: 'relu' },
  'shared block': { shareBlocks: true, nLayers: 3 },
  'four heads, odd feed-forward width': { nHeads: 4, dMlp: 31 },
  'no bias at queries, keys and values': { qkvBias: false },
  'bias at the head': { tied: false, unembeddingBias: true },
};
for (const [name, model] of Object.entries(VARIANTS)) {
  const config = resolveRunConfig({ data: { tasks: ['MAX', 'SUM'] }, model: { dModel: 24, ...model } });
  const gpt = gptConfigOf(config);
  const parameters = initialParameters(gpt, 7);
  const rng = new Rng(7, 'pytorch-dump');
  for (const { offset, size } of parameterTable(gpt).specs) {
    for (let i = offset; i < offset + size; i++) parameters[i] += 0.3 * rng.normal();
  }
  const folders = exported(name, config, parameters);
  exports.push({ ...computed(name, config, parameters, { captured: true }), folders });
}

engine.dispose();
writeFileSync(join(out, 'index.json'), JSON.stringify({ note, checkpoints, exports }));
console.log(`${note}: ${checkpoints.length} checkpoints, ${exports.length} exported models`);
