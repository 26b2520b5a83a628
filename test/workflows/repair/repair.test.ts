/**
 * Each kind of damage: `verify` finds it, `repair` mends it without losing anything, `verify` is content, and training goes on to
 * the bytes of a run that nothing happened to.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type FindingKind, openRun } from '../../../src/checkpoint/store.js';
import { resolveRunConfig } from '../../../src/config/parse.js';
import type { Engine, Model } from '../../../src/engine/engine.js';
import { canonicalJson } from '../../../src/io/json.js';
import { ownIdentity, ownOrigin } from '../../../src/io/process-identity.js';
import { sha256Hex } from '../../../src/io/sha256.js';
import { trainRun } from '../../../src/train/train-run.js';
import { applyRepair } from '../../../src/workflows/repair/apply.js';
import { type Action, planRepair, type RepairPlan } from '../../../src/workflows/repair/plan.js';
import { verifyPaths } from '../../../src/workflows/verify/verify.js';
import { temporaryFolder } from '../../io/temporary.js';

/** Where to stop the training at work. */
const stop: { at: number; controller: AbortController } = { at: Infinity, controller: new AbortController() };
vi.mock('../../../src/engine/registry.js', async (original) => {
  const real = await original<typeof import('../../../src/engine/registry.js')>();
  return {
    ...real,
    openEngine: async (...args: Parameters<typeof real.openEngine>) => {
      const { engine, note } = await real.openEngine(...args);
      const createModel: Engine['createModel'] = (...from) => {
        const model: Model = engine.createModel(...from);
        const step = model.trainStep.bind(model);
        let done = 0;
        model.trainStep = (...batch) => {
          if (++done === stop.at) stop.controller.abort();
          return step(...batch);
        };
        return model;
      };
      const { name, isa, kernelHash, threads } = engine;
      return {
        engine: { name, isa, kernelHash, threads, createModel, dispose: () => engine.dispose() },
        note,
      };
    },
  };
});

const CONFIG = resolveRunConfig({
  data: { tasks: ['SUM'], modulus: 4 },
  model: { dModel: 8, nLayers: 1, nCtx: 16 },
  training: { steps: 300, batchSize: 4, evaluateEvery: 100 },
  optimizer: { warmupSteps: 10 },
});

async function train(root: string, stopAfter = Infinity): Promise<string> {
  stop.at = stopAfter;
  stop.controller = new AbortController();
  const options = {
    root,
    engine: 'wasm',
    threads: 1,
    resumeEveryMs: 0,
    signal: stop.controller.signal,
  } as const;
  return (await trainRun(CONFIG, options)).dir;
}

let kept = '';
let deadPid = 0;
beforeAll(async () => {
  kept = fs.mkdtempSync(join(temporaryRoot(), 'sumlens-repair-'));
  await train(join(kept, 'whole'));
  // resume points at 200 and 280
  await train(join(kept, 'stopped'), 200);
  await train(join(kept, 'stopped'), 80);
  fs.cpSync(join(kept, 'stopped'), join(kept, 'finished'), { recursive: true });
  await train(join(kept, 'finished'));
  deadPid = spawnSync(process.execPath, ['-e', '0']).pid;
  return () => fs.rmSync(kept, { recursive: true });
}, 300_000);

function temporaryRoot(): string {
  return process.env['TMPDIR'] ?? '/tmp';
}

/** Everything that has to be equal: not sessions and times, and of the resume points the last. */
function bytesOf(dir: string): Map<string, string> {
  const names = ['config.json', 'metrics.jsonl', 'end.json'];
  for (const step of fs.readdirSync(join(dir, 'steps')))
    for (const name of fs.readdirSync(join(dir, 'steps', step))) names.push(join('steps', step, name));
  for (const name of ['model.safetensors', 'optimizer.safetensors'])
    names.push(join('resume', '000300', name));
  return new Map(names.map((name) => [name, sha256Hex(fs.readFileSync(join(dir, name)))]));
}

const whole = (): Map<string, string> => {
  const root = join(kept, 'whole');
  return bytesOf(join(root, fs.readdirSync(root)[0]));
};

/** A copy of the finished run, or of the one that was stopped, in a folder of its own. */
function copyOf(which: 'finished' | 'stopped'): { root: string; dir: string } {
  const root = join(temporaryFolder(), 'checkpoints');
  fs.cpSync(join(kept, which), root, { recursive: true });
  return { root, dir: join(root, fs.readdirSync(root)[0]) };
}

function flip(path: string, from = 9): void {
  const bytes = fs.readFileSync(path);
  bytes[bytes.length - from] ^= 1;
  fs.writeFileSync(path, bytes);
}

const kindsOf = (root: string): FindingKind[] => verifyPaths([root]).findings.map(({ kind }) => kind);
const errorsOf = (root: string): string[] =>
  verifyPaths([root])
    .findings.filter(({ level }) => level === 'error')
    .map(({ kind, problem }) => `${kind}: ${problem}`);

function plan(root: string, retrain = false): RepairPlan {
  return planRepair(verifyPaths([root]), retrain);
}

function repair(root: string, retrain = false): { kinds: Action['kind'][]; left: FindingKind[] } {
  const planned = plan(root, retrain);
  const { done, failed } = applyRepair(planned);
  expect(failed).toEqual([]);
  return { kinds: done.map(({ kind }) => kind), left: planned.left.map(({ kind }) => kind) };
}

const newestResume = (dir: string): string =>
  join(dir, 'resume', fs.readdirSync(join(dir, 'resume')).sort().at(-1) ?? '');
const step = (dir: string, number: string): string => join(dir, 'steps', number);

interface Damage {
  readonly of: 'finished' | 'stopped';
  readonly make: (dir: string) => void;
  readonly found: readonly FindingKind[];
  readonly done: readonly Action['kind'][];
  readonly retrain?: boolean;
  /** what lies in .damaged/ afterwards */
  readonly aside?: readonly string[];
}

const leftover = (name: string): string => `.tmp-${name}-${ownOrigin()}-${deadPid}-0123456789ab`;

const DAMAGES: Readonly<Record<string, Damage>> = {
  'what a crash was writing, in every folder': {
    of: 'stopped',
    make: (dir) => {
      for (const part of ['.', 'steps', 'resume']) {
        fs.mkdirSync(join(dir, part, leftover('000256')));
        fs.writeFileSync(join(dir, part, leftover('000256'), 'model.safetensors'), 'half');
      }
    },
    found: ['leftover', 'leftover', 'leftover'],
    done: ['sweep', 'sweep', 'sweep'],
  },
  'a resume point that a crash left moved aside': {
    of: 'stopped',
    make: (dir) =>
      fs.renameSync(newestResume(dir), join(dir, 'resume', `.old-${basename(newestResume(dir))}`)),
    found: ['leftover'],
    done: ['sweep'],
  },
  'the lock of a process that has ended': {
    of: 'stopped',
    make: (dir) =>
      fs.writeFileSync(
        join(dir, 'lock'),
        canonicalJson({
          ...ownIdentity(),
          host: hostname(),
          pid: deadPid,
          started: undefined,
          token: 'x',
          text: 'training',
        }),
      ),
    found: ['stale-lock'],
    done: ['unlock'],
  },
  'torn tails of metrics and timing': {
    of: 'stopped',
    make: (dir) => {
      fs.appendFileSync(join(dir, 'metrics.jsonl'), '{"kind":"train","st');
      fs.appendFileSync(join(dir, 'timing.jsonl'), '\u0000\u0000\n\u0000');
    },
    found: ['torn-tail', 'torn-tail'],
    done: ['cut-tail', 'cut-tail'],
    aside: ['metrics.jsonl-tail', 'timing.jsonl-tail'],
  },
  'a torn tail behind the rows of a finished run': {
    of: 'finished',
    make: (dir) => fs.appendFileSync(join(dir, 'metrics.jsonl'), '{"kind'),
    found: ['torn-tail'],
    done: ['cut-tail'],
    aside: ['metrics.jsonl-tail'],
  },
  'a bit of the newest resume point': {
    of: 'stopped',
    make: (dir) => flip(join(newestResume(dir), 'optimizer.safetensors')),
    found: ['damaged-resume'],
    done: ['move-resume'],
  },
  'a manifest, which the next one proves': {
    of: 'stopped',
    make: (dir) => flip(join(step(dir, '000064'), 'manifest.json')),
    found: ['damaged-manifest'],
    done: ['restore-manifest'],
  },
  'the manifest of the first step, gone': {
    of: 'finished',
    make: (dir) => fs.rmSync(join(step(dir, '000000'), 'manifest.json')),
    found: ['damaged-manifest'],
    done: ['restore-manifest'],
  },
  'a bit of the weights of a step, trained again': {
    of: 'stopped',
    make: (dir) => flip(join(step(dir, '000064'), 'model.safetensors')),
    found: ['damaged-step'],
    done: ['move-step', 'move-resume', 'move-resume', 'move-file'],
    retrain: true,
    aside: [
      'end.json',
      expect.stringMatching(/^resume-/) as string,
      expect.stringMatching(/^resume-/) as string,
      'steps-000064',
    ],
  },
  'manifest and weights of a step, trained again': {
    of: 'finished',
    make: (dir) => {
      flip(join(step(dir, '000064'), 'model.safetensors'));
      fs.writeFileSync(join(step(dir, '000064'), 'manifest.json'), '{}');
    },
    found: ['damaged-manifest'],
    done: ['move-step', 'move-resume', 'move-resume', 'move-file'],
    retrain: true,
  },
  'the last step of a finished run, trained again': {
    of: 'finished',
    make: (dir) => flip(join(step(dir, '000300'), 'model.safetensors')),
    found: ['damaged-step'],
    done: ['move-step', 'move-resume', 'move-file'],
    retrain: true,
  },
  'a digit of the metrics of a finished run, trained again': {
    of: 'finished',
    make: (dir) => {
      const path = join(dir, 'metrics.jsonl');
      fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace('"correct":', '"correct":1'));
    },
    found: ['lost-rows', 'lost-rows', 'damaged-log'],
    done: ['move-file', 'move-resume', 'move-resume', 'move-file'],
    retrain: true,
    aside: [
      'end.json',
      'metrics.jsonl',
      expect.stringMatching(/^resume-/) as string,
      expect.stringMatching(/^resume-/) as string,
    ],
  },
};

describe('a run that nothing happened to', () => {
  it('has no findings, and repair does nothing', () => {
    for (const which of ['finished', 'stopped'] as const) {
      const { root } = copyOf(which);
      expect(kindsOf(root)).toEqual([]);
      expect(plan(root)).toEqual({ runs: [], others: [], left: [], held: [] });
    }
  });
});

describe('repair mends', () => {
  it.each(Object.entries(DAMAGES))(
    '%s',
    async (_, { of, make, found, done, retrain = false, aside }) => {
      const { root, dir } = copyOf(of);
      make(dir);
      expect(kindsOf(root)).toEqual(found);
      const before = bytesBelow(dir);
      plan(root, retrain);
      // a plan changes nothing
      expect(bytesBelow(dir)).toEqual(before);
      expect(repair(root, retrain)).toEqual({ kinds: done, left: [] });
      // of a run that is to be trained again the chain has a gap until then
      if (!retrain) expect(kindsOf(root)).toEqual([]);
      if (aside !== undefined) expect(fs.readdirSync(join(dir, '.damaged')).sort()).toEqual(aside);
      await train(root);
      expect(kindsOf(root)).toEqual([]);
      expect(bytesOf(dir)).toEqual(whole());
      expect(plan(root).runs).toEqual([]);
    },
    300_000,
  );

  it('a damaged step in the middle without training: the others stay what they were, and readers are told', async () => {
    const { root, dir } = copyOf('stopped');
    flip(join(step(dir, '000064'), 'model.safetensors'));
    const damaged = fs.readFileSync(join(step(dir, '000064'), 'model.safetensors'));
    expect(repair(root)).toEqual({ kinds: ['move-step'], left: [] });
    expect(fs.readFileSync(join(dir, '.damaged', 'steps-000064', 'model.safetensors'))).toEqual(damaged);
    expect(errorsOf(root)).toEqual([]);
    expect(kindsOf(root)).toEqual(['moved-aside']);
    expect(openRun(dir).steps()).toEqual([0, 256]);
    expect(openRun(dir).loadStep(256).step).toBe(256);
    await train(root);
    expect(kindsOf(root)).toEqual(['moved-aside']);
    const found = bytesOf(dir);
    for (const [name, sha256] of whole())
      if (!name.startsWith('steps/000064')) expect(found.get(name)).toBe(sha256);
    // and it may still be computed again later
    expect(repair(root, true).kinds).toEqual(['move-resume', 'move-resume', 'move-file']);
    await train(root);
    expect(bytesOf(dir)).toEqual(whole());
    expect(kindsOf(root)).toEqual([]);
  }, 300_000);

  it('the last step of a run that has not ended: what stands in for it is named', () => {
    const { root, dir } = copyOf('stopped');
    flip(join(step(dir, '000256'), 'model.safetensors'));
    expect(repair(root)).toEqual({ kinds: ['move-step'], left: [] });
    const { step: found, passedOver } = openRun(dir).loadStep('last');
    expect(found).toBe(64);
    expect(passedOver).toEqual([
      {
        step: 256,
        reason: expect.stringMatching(/steps\/000256: was damaged and moved aside by repair\.$/) as string,
      },
    ]);
  });

  it('cached measurements, which are moved out of the way', () => {
    const folder = temporaryFolder();
    const module = join(folder, '.cache', 'embedding-pca');
    fs.mkdirSync(module, { recursive: true });
    const entry = (value: number): string =>
      `${JSON.stringify({ sha256: sha256Hex(JSON.stringify({ value })), measurement: { value } })}\n`;
    fs.writeFileSync(join(module, 'a.json'), entry(1));
    fs.writeFileSync(join(module, 'b.json'), entry(1).replace('"value":1', '"value":2'));
    fs.writeFileSync(join(module, leftover('c.json')), 'half');
    expect(kindsOf(folder)).toEqual(['leftover', 'damaged-cache']);
    expect(repair(folder)).toEqual({ kinds: ['sweep', 'move-cache-entry'], left: [] });
    expect(kindsOf(folder)).toEqual([]);
    expect(fs.readdirSync(module)).toEqual(['a.json']);
    expect(fs.readdirSync(join(folder, '.cache', '.damaged'))).toHaveLength(1);
  });
});

/** Every file below a folder and its hash. */
function bytesBelow(dir: string): string[] {
  return (fs.readdirSync(dir, { recursive: true }) as string[])
    .map((name) => join(dir, name))
    .filter((path) => fs.statSync(path).isFile())
    .map((path) => `${path} ${sha256Hex(fs.readFileSync(path))}`)
    .sort();
}

describe('repair leaves alone', () => {
  it('a run that a live process holds, whatever is wrong with it', () => {
    const { root, dir } = copyOf('stopped');
    flip(join(step(dir, '000064'), 'model.safetensors'));
    const release = openRun(dir).lock('training');
    const before = bytesBelow(dir);
    const planned = plan(root);
    expect(planned.held).toMatchObject([{ kind: 'live-lock' }]);
    expect(planned.runs).toEqual([]);
    applyRepair(planned);
    expect(bytesBelow(dir)).toEqual(before);
    release();
    // and one that a process took after the plan was made
    const late = plan(root);
    expect(late.runs).toHaveLength(1);
    const again = openRun(dir).lock('training');
    const { done, failed } = applyRepair(late);
    expect(done).toEqual([]);
    expect(failed).toEqual([expect.stringMatching(/lock is held by process \d+/)]);
    again();
  });

  it.each([
    [
      'the last step of a finished run',
      'damaged-step',
      (dir: string) => flip(join(step(dir, '000300'), 'model.safetensors')),
    ],
    ['rows of a finished run', 'damaged-log', (dir: string) => fs.rmSync(join(dir, 'metrics.jsonl'))],
    ['the configuration', 'damaged-config', (dir: string) => flip(join(dir, 'config.json'), 20)],
    [
      'a step served under two names',
      'shared-weights',
      (dir: string) => {
        const manifest = join(step(dir, '000300'), 'manifest.json');
        const weights = fs.readFileSync(join(step(dir, '000256'), 'model.safetensors'));
        const content = JSON.parse(fs.readFileSync(manifest, 'utf8')) as { files: Record<string, unknown> };
        content.files = { 'model.safetensors': { sizeBytes: weights.length, sha256: sha256Hex(weights) } };
        fs.writeFileSync(manifest, `${canonicalJson(content)}\n`);
        fs.writeFileSync(join(step(dir, '000300'), 'model.safetensors'), weights);
      },
    ],
  ] as const)('%s, which it cannot mend without training, and says so', (_, kind, make) => {
    const { root, dir } = copyOf('finished');
    make(dir);
    expect(kindsOf(root)).toContain(kind);
    const before = bytesBelow(dir);
    const { kinds, left } = repair(root);
    expect(kinds).toEqual([]);
    expect(left).toContain(kind);
    expect(bytesBelow(dir)).toEqual(before);
    for (const found of plan(root).left) expect(found.remedy).toMatch(/again|--retrain/);
  });
});
