/** `sumlens doctor`: which engines work here and why the others do not, tfjs-node, and a short self-test. */
import { availableParallelism, cpus } from 'node:os';
import type { Command } from 'commander';
import { ENGINE_NAMES, type Batch, type EngineName } from '../engine/engine.js';
import { engineReport, openEngine } from '../engine/registry.js';
import { errorCode, errorMessage } from '../errors.js';
import type { GptConfig } from '../model/gpt-config.js';
import { Rng } from '../tensor/rng.js';

const SELF_TEST_MS = 5_000;
const SELF_TEST_MODEL: GptConfig = {
  dVocab: 32,
  nCtx: 16,
  dModel: 16,
  nLayers: 2,
  nHeads: 1,
  dMlp: 64,
  activation: 'gelu',
  bias: true,
  tied: true,
  shareBlocks: false,
  qkvBias: true,
  unembeddingBias: false,
  residualInit: 'scaled',
};
const ADAMW = { learningRate: 2e-3, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.01, clip: 1 };

export interface SelfTest {
  readonly engine: EngineName;
  readonly stepsPerSecond: number;
  readonly firstLossNats: number;
  readonly lastLossNats: number;
  readonly passed: boolean;
  readonly reason: string;
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'Show which engine is used and why, whether tfjs-node loads, and train for five seconds as a self-test.',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  sumlens doctor')
    .action(async (options: { json?: boolean }) => {
      const report = {
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
        cpu: cpus().at(0)?.model ?? 'unknown',
        threads: availableParallelism(),
        engines: await engineReport(),
        auto: (await openEngine('auto', { threads: 1 })).note,
        tfjsNode: await tfjsNode(),
        selfTest: await selfTests(),
      };
      if (options.json === true) console.log(JSON.stringify(report, null, 2));
      else console.log(describe(report));
      if (report.selfTest.some((test) => !test.passed)) process.exitCode = 1;
    });
}

/** Whether the optional package loads; both ways in which it fails are told apart. */
export async function tfjsNode(): Promise<{ readonly loads: boolean; readonly reason: string }> {
  const name = '@tensorflow/tfjs-node';
  try {
    const module = (await import(name)) as { version?: { 'tfjs-core'?: string } };
    return { loads: true, reason: `tfjs-core ${module.version?.['tfjs-core'] ?? 'of unknown version'}` };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
      const missing = errorMessage(error).includes(name);
      return missing
        ? {
            loads: false,
            reason: 'not installed: npm skipped it, as its own install step (a download) failed. Optional.',
          }
        : { loads: false, reason: `installed but incomplete: ${firstLine(error)}` };
    }
    return {
      loads: false,
      reason: `installed but broken, its native library is missing: ${firstLine(error)}`,
    };
  }
}

function firstLine(error: unknown): string {
  return errorMessage(error).trim().split('\n')[0];
}

/** Trains a tiny model on a fixed copying task with every engine that opens; the time is shared among them. */
async function selfTests(): Promise<SelfTest[]> {
  const opened = [];
  for (const name of ENGINE_NAMES) {
    try {
      opened.push((await openEngine(name, { threads: 1 })).engine);
    } catch {
      // said in the list of engines
    }
  }
  const tests: SelfTest[] = [];
  for (const engine of opened) {
    const model = engine.createModel(SELF_TEST_MODEL, { seed: 1 }, 'train');
    const until = performance.now() + SELF_TEST_MS / opened.length;
    const begin = performance.now();
    let first = NaN;
    let last = NaN;
    let steps = 0;
    let broken: string | undefined;
    while (performance.now() < until && broken === undefined) {
      const result = model.trainStep(copyBatch(steps), ADAMW);
      if (result.kind === 'diverged') broken = `diverged at step ${steps}: ${result.quantity}`;
      else {
        last = result.lossNats;
        if (steps === 0) first = last;
        steps++;
      }
    }
    const elapsedMs = performance.now() - begin;
    model.dispose();
    engine.dispose();
    const learned = last < first / 2;
    tests.push({
      engine: engine.name,
      stepsPerSecond: Math.round((1000 * steps) / elapsedMs),
      firstLossNats: first,
      lastLossNats: last,
      passed: broken === undefined && learned,
      reason: broken ?? (learned ? 'the loss fell as it must' : 'the loss did not fall to half'),
    });
  }
  return tests;
}

/** 32 sequences of eight tokens whose second half repeats the first. */
function copyBatch(step: number): Batch {
  const [n, half] = [32, 4];
  const rng = new Rng(1, 'doctor', step);
  const length = 2 * half;
  const tokens = new Int32Array(n * length);
  const targets = new Int32Array(n * length).fill(-1);
  for (let s = 0; s < n; s++) {
    for (let t = 0; t < half; t++) {
      tokens[s * length + t] = tokens[s * length + half + t] = rng.below(8);
    }
    for (let t = half - 1; t < length - 1; t++) targets[s * length + t] = tokens[s * length + t + 1];
  }
  const offsets = Int32Array.from({ length: n + 1 }, (_, s) => s * length);
  return { tokens, targets, roles: new Int32Array(n * length).fill(-1), offsets };
}

function describe(report: {
  node: string;
  platform: string;
  cpu: string;
  threads: number;
  engines: Awaited<ReturnType<typeof engineReport>>;
  auto: string;
  tfjsNode: Awaited<ReturnType<typeof tfjsNode>>;
  selfTest: readonly SelfTest[];
}): string {
  const lines = [
    `node       ${report.node} on ${report.platform}`,
    `processor  ${report.cpu}, ${report.threads} threads`,
    '',
    ...report.engines.map((engine) =>
      engine.available
        ? `${engine.name.padEnd(10)} available: ${engine.isa}, kernels ${engine.kernelHash.slice(0, 12)}`
        : `${engine.name.padEnd(10)} not available: ${engine.reason}`,
    ),
    `auto       ${report.auto}`,
    `tfjs-node  ${report.tfjsNode.loads ? 'loads' : 'does not load'}: ${report.tfjsNode.reason}`,
    '',
    ...report.selfTest.map(
      (test) =>
        `self-test  ${test.engine}: ${test.passed ? 'passed' : 'FAILED'}, ${test.reason} (${test.firstLossNats.toFixed(3)} to ${test.lastLossNats.toFixed(3)} nats), ${test.stepsPerSecond} steps/s`,
    ),
  ];
  return lines.join('\n');
}
