/** Run and report folders as the store and the report writer leave them, for tests of the viewer. Plain writes, no engine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configText } from '../../src/checkpoint/run-files.js';
import { VERDICTS } from '../../src/evidence/verdict.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import { runId } from '../../src/config/names.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { ownIdentity } from '../../src/io/process-identity.js';

export interface SampleRoot {
  readonly root: string;
  readonly checkpointsDir: string;
  readonly reportsDir: string;
  remove(): void;
}

export function sampleRoot(): SampleRoot {
  const root = mkdtempSync(join(tmpdir(), 'sumlens-viewer-'));
  const checkpointsDir = join(root, 'checkpoints');
  const reportsDir = join(root, 'reports');
  mkdirSync(checkpointsDir);
  mkdirSync(reportsDir);
  return {
    root,
    checkpointsDir,
    reportsDir,
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }),
  };
}

export type Tasks = RunConfig['data']['tasks'];

export function sampleConfig(tasks: Tasks, seed: number, regime: 'full' | 'pairs' = 'full'): RunConfig {
  return resolveRunConfig({
    data: { tasks, regime },
    model: { dModel: 16 },
    training: { steps: 8000 },
    seed,
  });
}

/** A smooth learning curve from chance to `end`, its rise at `middle`. */
export function accuracyAt(step: number, middle: number, end = 1): number {
  return 0.1 + (end - 0.1) / (1 + Math.exp(-(step - middle) / 350));
}

/** One evaluation as the trainer writes it. */
export function evalLine(
  step: number,
  accuracies: Readonly<Record<string, number>>,
  held?: Readonly<Record<string, number>>,
): string {
  const cellsOf = (values: Readonly<Record<string, number>>, isHeld: boolean) =>
    Object.entries(values).map(([operation, accuracy]) => ({
      operation,
      arity: 2,
      held: isHeld,
      enumerated: true,
      total: 1000,
      multisets: 55,
      correct: Math.round(1000 * accuracy),
      exact: Math.round(1000 * accuracy),
      lossNats: 0.5,
      divisors: {
        2: Math.round(1000 * Math.min(1, accuracy * 0.6 + 0.4)),
        5: Math.round(1000 * Math.min(1, accuracy * 1.5)),
      },
    }));
  const cells = [...cellsOf(accuracies, false), ...(held === undefined ? [] : cellsOf(held, true))];
  return JSON.stringify({ kind: 'eval', step, cells });
}

export function trainLine(step: number, loss: number | string): string {
  const result = typeof loss === 'number' ? loss * 1.8 : loss;
  const lossByRole = { result, format: 0.01, copy: 0.02 };
  return JSON.stringify({
    kind: 'train',
    step,
    lossNats: loss,
    lossByRole,
    gradNorm: 0.4,
    learningRate: 0.002,
  });
}

export interface SampleRun {
  readonly config: RunConfig;
  /** steps written so far */
  readonly until?: number;
  readonly middle?: number;
  readonly end?: 'solved' | 'budget' | 'diverged' | 'interrupted';
  /** held by this process */
  readonly running?: boolean;
  readonly name?: string;
  /** false: no step is published */
  readonly publishes?: boolean;
  /** highest SUM accuracy reached */
  readonly best?: number;
}

/** Writes one run folder and returns its name. */
export function writeRun(checkpointsDir: string, run: SampleRun): string {
  const { config, until = config.training.steps, middle = 2500, best = 1 } = run;
  const name = run.name ?? runId(config);
  const folder = join(checkpointsDir, name);
  mkdirSync(join(folder, 'steps'), { recursive: true });
  writeFileSync(join(folder, 'config.json'), configText(config));
  const lines: string[] = [];
  for (let step = 50; step <= until; step += 50) {
    const share = accuracyAt(step, middle, best);
    // a little deterministic noise, so that curves look like curves
    const noise = 0.02 * Math.sin(step * 1.7 + config.seed);
    lines.push(trainLine(step, Math.max(0.004, 1.15 * (1 - share) + 0.02 + noise)));
    if (step % 250 === 0) lines.push(evalLine(step, accuracies(config, step, share), heldOut(config, share)));
  }
  writeFileSync(join(folder, 'metrics.jsonl'), lines.map((line) => `${line}\n`).join(''));
  for (let step = 64; step <= until && run.publishes !== false; step *= 2) writeCheckpoint(folder, step);
  if (run.end !== undefined)
    writeFileSync(join(folder, 'end.json'), JSON.stringify({ reason: run.end, step: until }));
  if (run.running === true) {
    const lock = { ...ownIdentity(), generation: 0, text: 'training' };
    writeFileSync(join(folder, 'lock'), JSON.stringify(lock));
  }
  return name;
}

function accuracies(config: RunConfig, step: number, share: number): Record<string, number> {
  return Object.fromEntries(
    config.data.tasks.map((task) => [task, task === 'SUM' ? Math.min(1, share) : accuracyAt(step, 700)]),
  );
}

function heldOut(config: RunConfig, share: number): Record<string, number> | undefined {
  return config.data.regime === 'full' ? undefined : { SUM: 0.1 + 0.8 * share * share };
}

function writeCheckpoint(folder: string, step: number): void {
  const at = join(folder, 'steps', String(step).padStart(6, '0'));
  mkdirSync(at);
  writeFileSync(join(at, 'model.safetensors'), Buffer.alloc(33_000));
  const sha256 = (step * 2654435761).toString(16).padStart(64, '0');
  writeFileSync(
    join(at, 'manifest.json'),
    JSON.stringify({ step, files: { 'model.safetensors': { sizeBytes: 33_000, sha256 } } }),
  );
}

/** Writes a report folder; the page's script says what it could reach. */
export function writeReport(
  reportsDir: string,
  name: string,
  options: { title?: string; body?: string } = {},
): void {
  const folder = join(reportsDir, name);
  mkdirSync(folder, { recursive: true });
  const result = (claim: string, place: number, part?: string) => ({
    claim,
    ...(part === undefined ? {} : { part }),
    verdict: VERDICTS[place],
  });
  const report = {
    schemaVersion: 2,
    title: options.title ?? 'sumlens quick',
    subjects: [1, 2, 3].flatMap((seed) =>
      ['MAX+MED+SUM, full, d=16', 'SUM, full, d=16'].map((label) => ({
        id: `run-${seed}@8000`,
        label,
        seed,
      })),
    ),
    claims: [
      result('C1', 3, 'C1a'),
      result('C1', 3, 'C1b'),
      result('C2', 0, 'C2a'),
      result('C2', 3, 'C2b'),
      result('C3', 1),
      result('C3', 1, 'C3a'),
      result('C4', 2, 'C4'),
    ],
    modules: { 'embedding-pca': {}, ablation: {} },
  };
  writeFileSync(join(folder, 'report.json'), JSON.stringify(report));
  const body = options.body ?? '<h1>Report</h1><p>What was compared, and what it came to.</p>';
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><html lang="en"><title>r</title><body>${body}</body></html>`,
  );
}
