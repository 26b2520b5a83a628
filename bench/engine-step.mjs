/**
 * Training steps of every engine side by side: `node bench/engine-step.mjs [--threads 1,2] [--d 16,32,64]`.
 * Batches are 64 ragged sequences of 11-15 tokens (13 on average), vocabulary 45, 2 layers, 1 head. `completion`: loss on
 * the last two tokens, as in `s ( SUM 7 3 6 ) > 6 e`; `all`: on every token. First the engines must agree on one loss;
 * then 20 rounds of alternating blocks: median and quartiles of wall time, the least processor time (which a busy machine
 * disturbs less), and speed as a ratio.
 */
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROUNDS = 20;
const OPTIONS = { learningRate: 2e-3, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.01, clip: 1 };

const flag = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return (at === -1 ? fallback : process.argv[at + 1]).split(',').map(Number);
};

async function load() {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const outfile = join(ROOT, 'build/bench-engine.mjs');
  await build({
    stdin: {
      contents: `export { openEngine } from './src/engine/registry.js'; export { Rng } from './src/tensor/rng.js';`,
      resolveDir: ROOT,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
  return import(pathToFileURL(outfile).href);
}

/** 16 batches, so that lengths differ from step to step. */
function makeBatches(Rng, loss) {
  return Array.from({ length: 16 }, (_, index) => {
    const rng = new Rng(1, 'bench', index);
    const tokens = [];
    const targets = [];
    const offsets = [0];
    for (let s = 0; s < 64; s++) {
      const T = 11 + rng.below(5);
      for (let t = 0; t < T; t++) {
        tokens.push(rng.below(45));
        const hasTarget = loss === 'all' ? t < T - 1 : t === T - 2 || t === T - 3;
        targets.push(hasTarget ? rng.below(45) : -1);
      }
      offsets.push(tokens.length);
    }
    return {
      tokens: Int32Array.from(tokens),
      targets: Int32Array.from(targets),
      roles: Int32Array.from(targets, (target) => (target < 0 ? -1 : 0)),
      offsets: Int32Array.from(offsets),
    };
  });
}

const quantile = (sorted, q) => sorted[Math.round(q * (sorted.length - 1))];

const { openEngine, Rng } = await load();
console.log(`${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.version}`);
const engines = [];
for (const threads of flag('threads', '1')) {
  engines.push([`native t=${threads}`, (await openEngine('native', { threads })).engine]);
}
engines.push(['wasm', (await openEngine('wasm', { threads: 1 })).engine]);

for (const dModel of flag('d', '16,32,64')) {
  for (const loss of ['completion', 'all']) {
    const config = {
      dVocab: 45,
      nCtx: 32,
      dModel,
      nLayers: 2,
      nHeads: 1,
      dMlp: 4 * dModel,
      activation: 'gelu',
      bias: true,
      tied: true,
      shareBlocks: false,
      qkvBias: true,
      unembeddingBias: false,
      residualInit: 'scaled',
    };
    const batches = makeBatches(Rng, loss);
    const models = engines.map(([, engine]) => engine.createModel(config, { seed: 1 }, 'train'));
    const losses = models.map((model) => model.computeGradients(batches[0]).lossNats);
    if (losses.some((x) => !(Math.abs(x - losses[0]) < 1e-5))) throw new Error(`losses differ: ${losses}`);
    const perBlock = Math.max(5, Math.round(4096 / (dModel * dModel)) * 10);
    const times = models.map(() => []);
    const cpuTimes = models.map(() => Infinity);
    for (let round = -2; round < ROUNDS; round++) {
      models.forEach((model, m) => {
        const cpu = process.cpuUsage();
        const begin = performance.now();
        for (let i = 0; i < perBlock; i++) model.trainStep(batches[i % batches.length], OPTIONS);
        if (round < 0) return;
        times[m].push((performance.now() - begin) / perBlock);
        const used = process.cpuUsage(cpu);
        cpuTimes[m] = Math.min(cpuTimes[m], (used.user + used.system) / 1000 / perBlock);
      });
    }
    const tokens = batches.reduce((sum, batch) => sum + batch.tokens.length, 0) / batches.length;
    const medians = times.map((list) => {
      list.sort((a, b) => a - b);
      return quantile(list, 0.5);
    });
    engines.forEach(([name], m) => {
      const [low, high] = [quantile(times[m], 0.25), quantile(times[m], 0.75)];
      console.log(
        `step::${name}:d=${dModel},loss=${loss}  ${medians[m].toFixed(3)} ms [${low.toFixed(3)}, ${high.toFixed(3)}]` +
          `  cpu ${cpuTimes[m].toFixed(3)} ms  ${(tokens / medians[m]).toFixed(0)} ktok/s  by cpu time relative to ${engines[0][0]}: ${(cpuTimes[0] / cpuTimes[m]).toFixed(2)}`,
      );
    });
    models.forEach((model) => model.dispose());
  }
}
engines.forEach(([, engine]) => engine.dispose());
