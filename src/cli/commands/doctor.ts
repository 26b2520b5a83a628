/** `sumlens doctor`: which engines work here and why the others do not, tfjs-node, and a short self-test. */
import { availableParallelism, cpus } from 'node:os';
import type { Command } from 'commander';
import { ENGINE_NAMES, type Batch, type Engine, type EngineName } from '../../engine/engine.js';
import { engineReport, type EngineReport, openEngine } from '../../engine/registry.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { Rng } from '../../tensor/rng.js';
import { SUMMARIES } from '../terminal/summaries.js';

const SELF_TEST_MS = 5_000;
const REFERENCE_STEPS = 10;
const REFERENCE_MS = 2_000;
/** ten steps agree to about 1e-6 */
const REFERENCE_NATS = 1e-4;
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
    .description(SUMMARIES.doctor.description)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  sumlens doctor')
    .action(async (options: { json?: boolean }) => {
      const engines = await engineReport();
      const report = {
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
        cpu: cpus().at(0)?.model ?? 'unknown',
        threads: availableParallelism(),
        engines,
        auto: (await openEngine('auto', { threads: 1 })).note,
        tfjsNode: tfjsNode(engines),
        selfTest: await selfTests(),
      };
      if (options.json === true) console.log(JSON.stringify(report, null, 2));
      else console.log(describe(report));
      if (report.selfTest.some((test) => !test.passed)) process.exitCode = 1;
    });
}

/** Whether the optional package @tensorflow/tfjs-node loads, as its engine says. */
function tfjsNode(engines: readonly EngineReport[]): { readonly loads: boolean; readonly reason: string } {
  const report = engines.find(({ name }) => name === 'tfjs:tensorflow');
  if (report === undefined) return { loads: false, reason: 'there is no engine on it' };
  return report.available
    ? { loads: true, reason: report.isa }
    : { loads: false, reason: `${report.reason} It is optional.` };
}

/**
 * Trains a tiny model on a fixed copying task with every engine that opens. Ours share the time and must learn; the slow
 * reference on TensorFlow.js takes a few steps, whose losses must be theirs.
 */
async function selfTests(): Promise<SelfTest[]> {
  const opened: Engine[] = [];
  for (const name of ENGINE_NAMES) {
    try {
      opened.push((await openEngine(name, { threads: 1 })).engine);
    } catch {
      // said in the list of engines
    }
  }
  const own = opened.filter((engine) => !isReference(engine)).length;
  let expected: readonly number[] | undefined;
  return opened.map((engine) => {
    const limit = isReference(engine)
      ? { steps: REFERENCE_STEPS, ms: REFERENCE_MS }
      : { steps: Infinity, ms: SELF_TEST_MS / own };
    const test = trainBriefly(engine, limit);
    const summary = {
      engine: engine.name,
      // three digits: the reference may take over a second a step
      stepsPerSecond: Number(((1000 * test.losses.length) / test.elapsedMs).toPrecision(3)),
      firstLossNats: test.losses.at(0) ?? NaN,
      lastLossNats: test.losses.at(-1) ?? NaN,
    };
    const [passed, reason] =
      test.broken !== undefined ? [false, test.broken] : judge(engine, test.losses, expected);
    if (!isReference(engine)) expected ??= test.losses;
    return { ...summary, passed, reason };
  });
}

function isReference({ name }: Engine): boolean {
  return name.startsWith('tfjs:');
}

function judge(
  engine: Engine,
  losses: readonly number[],
  expected: readonly number[] | undefined,
): [passed: boolean, reason: string] {
  if (isReference(engine) && expected !== undefined) {
    const largest = losses.reduce((most, loss, i) => Math.max(most, Math.abs(loss - expected[i])), 0);
    const agrees = largest < REFERENCE_NATS;
    return [agrees, `${losses.length} losses ${agrees ? 'agree' : 'do not agree'} with our kernels`];
  }
  const learned = losses[losses.length - 1] < losses[0] / 2;
  return [learned, learned ? 'the loss fell as it must' : 'the loss did not fall to half'];
}

function trainBriefly(
  engine: Engine,
  limit: { readonly steps: number; readonly ms: number },
): { readonly losses: readonly number[]; readonly elapsedMs: number; readonly broken?: string } {
  const model = engine.createModel(SELF_TEST_MODEL, { seed: 1 }, 'train');
  const begin = performance.now();
  const elapsed = (): number => performance.now() - begin;
  const losses: number[] = [];
  try {
    // one step always: a slow machine must not end without a number
    do {
      const result = model.trainStep(copyBatch(losses.length), ADAMW);
      if (result.kind === 'diverged') {
        const broken = `diverged at step ${losses.length}: ${result.quantity}`;
        return { losses, elapsedMs: elapsed(), broken };
      }
      losses.push(result.lossNats);
    } while (losses.length < limit.steps && elapsed() < limit.ms);
    return { losses, elapsedMs: elapsed() };
  } finally {
    model.dispose();
    engine.dispose();
  }
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
  selfTest: readonly SelfTest[];
}): string {
  const lines = [
    `node            ${report.node} on ${report.platform}`,
    `processor       ${report.cpu}, ${report.threads} threads`,
    '',
    ...report.engines.map((engine) =>
      engine.available
        ? `${engine.name.padEnd(15)} available: ${engine.isa}, kernels ${engine.kernelHash.slice(0, 12)}`
        : `${engine.name.padEnd(15)} not available: ${engine.reason}`,
    ),
    `auto            ${report.auto}`,
    '',
    ...report.selfTest.map(
      (test) =>
        `self-test       ${test.engine}: ${test.passed ? 'passed' : 'FAILED'}, ${test.reason} (${test.firstLossNats.toFixed(3)} to ${test.lastLossNats.toFixed(3)} nats), ${test.stepsPerSecond} steps/s`,
    ),
  ];
  return lines.join('\n');
}
