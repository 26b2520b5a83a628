import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createOrOpenRun,
  listRuns,
  openRun,
  parseCheckpointAddress,
  resolveCheckpoints,
  type RunStore,
} from '../../src/checkpoint/store.js';
import { gptConfigOf, runId } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { TrainingState } from '../../src/engine/engine.js';
import { RunError, UserError } from '../../src/errors.js';
import { withFileSystem } from '../../src/io/files.js';
import { sha256Hex } from '../../src/io/sha256.js';
import { initialParameters } from '../../src/model/init.js';
import { parameterTable } from '../../src/model/parameters.js';
import { Crash, FaultyFileSystem, walk } from '../io/faulty-file-system.js';
import { tryFlips } from '../faults/flips.js';
import { tryTails } from '../faults/tails.js';
import { ownOrigin } from '../../src/io/process-identity.js';
import { temporaryFolder } from '../io/temporary.js';

const CONFIG = resolveRunConfig({
  data: { tasks: ['SUM'], operands: [2, 2] },
  model: { dModel: 2, dMlp: 2, nLayers: 1, nCtx: 16 },
  training: { steps: 256 },
});

const weights = (seed: number, config: RunConfig = CONFIG): Float32Array =>
  initialParameters(gptConfigOf(config), seed);

function stateAt(step: number): TrainingState {
  const scaled = (factor: number): Float32Array => weights(step + 1).map((x) => x * factor);
  return { parameters: weights(step), m: scaled(0.5), v: scaled(2), step };
}

function runWithSteps(root: string, steps: readonly number[] = [0, 64, 256]): RunStore {
  const store = createOrOpenRun(root, CONFIG);
  for (const step of steps) store.publishStep(step, weights(step));
  return store;
}

/** relative path -> content, of everything below a folder but what starts with a dot */
function snapshot(folder: string): Map<string, string> {
  return new Map(
    walk(folder).map((path) => [path.slice(folder.length + 1), fs.readFileSync(path, 'latin1')]),
  );
}

describe('createOrOpenRun', () => {
  it('creates a directory named by the id with the canonical configuration, and opens it again', () => {
    const root = join(temporaryFolder(), 'checkpoints');
    const store = createOrOpenRun(root, CONFIG);
    expect(store.dir).toBe(join(root, runId(CONFIG)));
    expect(fs.readdirSync(store.dir)).toEqual(['config.json']);
    expect(createOrOpenRun(root, CONFIG).dir).toBe(store.dir);
    expect(openRun(store.dir).config).toEqual(CONFIG);
  });

  it('uses --out, fills an empty folder there, and refuses one that holds something else', () => {
    const root = temporaryFolder();
    const out = join(root, 'again');
    fs.mkdirSync(out);
    expect(createOrOpenRun(root, CONFIG, { out }).dir).toBe(out);
    expect(openRun(out).id).toBe(runId(CONFIG));
    fs.mkdirSync(join(root, 'mine'));
    fs.writeFileSync(join(root, 'mine', 'notes.txt'), 'x');
    expect(() => createOrOpenRun(root, CONFIG, { out: join(root, 'mine') })).toThrow(/found no config\.json/);
    expect(fs.readdirSync(join(root, 'mine'))).toEqual(['notes.txt']);
  });

  it('lists the fields that differ when the folder holds another run', () => {
    const root = temporaryFolder();
    const out = join(root, 'run');
    createOrOpenRun(root, CONFIG, { out });
    const other = resolveRunConfig({ ...CONFIG, training: { ...CONFIG.training, steps: 512 }, seed: 3 });
    expect(() => createOrOpenRun(root, other, { out })).toThrow(UserError);
    expect(() => createOrOpenRun(root, other, { out })).toThrow(
      /run holds a run with training\.steps 256 instead of 512, seed 1 instead of 3\. Choose another folder with --out/,
    );
  });

  it.each([
    '..',
    'a\nb',
    'CON',
    'nul.txt',
    '-rf',
    '.hidden',
    'x'.repeat(300),
    'a b',
    'ends.',
    '<img onerror>',
    'é',
  ])('refuses the run name %j', (name) => {
    const root = temporaryFolder();
    const out = `${root}/${name}`;
    expect(() => createOrOpenRun(root, CONFIG, { out: name === '..' ? '/' : out })).toThrow(
      /^run name: found ".*", expected 1 to 100 letters, digits/,
    );
    expect(fs.readdirSync(root)).toEqual([]);
  });
});

describe('publishStep and loadStep', () => {
  it('gives the weights back, with the hash of the file', () => {
    const store = runWithSteps(temporaryFolder());
    expect(store.steps()).toEqual([0, 64, 256]);
    expect(store.lastStep).toBe(256);
    const loaded = openRun(store.dir).loadStep(64);
    expect(loaded.parameters).toEqual(weights(64));
    const file = fs.readFileSync(join(store.dir, 'steps', '000064', 'model.safetensors'));
    expect(loaded.weightsSha256).toBe(sha256Hex(file));
    expect(store.verify()).toEqual([]);
  });

  it('writes the same bytes for the same run in another folder', () => {
    const a = runWithSteps(temporaryFolder());
    const b = runWithSteps(temporaryFolder());
    expect(snapshot(a.dir)).toEqual(snapshot(b.dir));
  });

  it('changes nothing when a step is published again, and refuses other weights for it', () => {
    const store = runWithSteps(temporaryFolder());
    const before = snapshot(store.dir);
    store.publishStep(64, weights(64));
    expect(() => store.publishStep(64, weights(65))).toThrow(/holds other weights than this run computed/);
    expect(snapshot(store.dir)).toEqual(before);
  });

  it('replaces a damaged step when it is computed again', () => {
    const store = runWithSteps(temporaryFolder());
    const before = snapshot(store.dir);
    fs.writeFileSync(join(store.dir, 'steps', '000064', 'model.safetensors'), 'x');
    expect(store.verify()).toHaveLength(1);
    store.publishStep(64, weights(64));
    expect(snapshot(store.dir)).toEqual(before);
  });

  it('orders steps by number, also beyond six digits', () => {
    const store = runWithSteps(temporaryFolder(), [0, 999_999, 1_000_000, 20_000_000]);
    expect(store.steps()).toEqual([0, 999_999, 1_000_000, 20_000_000]);
    expect(store.loadStep('last').step).toBe(20_000_000);
  });

  it('finds a step that was swapped for another, moved in, or served under two names', () => {
    const store = runWithSteps(temporaryFolder());
    const directory = (step: string): string => join(store.dir, 'steps', step);
    fs.rmSync(directory('000064'), { recursive: true });
    fs.cpSync(directory('000000'), directory('000064'), { recursive: true });
    expect(() => store.loadStep(64)).toThrow(/steps\/000064\/manifest\.json: step: found 0, expected 64\./);

    const another = runWithSteps(temporaryFolder(), [0]);
    another.publishStep(64, weights(1000));
    fs.rmSync(directory('000064'), { recursive: true });
    fs.cpSync(join(another.dir, 'steps', '000064'), directory('000064'), { recursive: true });
    // the step itself is whole, but the next one does not follow from it
    expect(() => store.loadStep(256)).toThrow(/its manifest names another parent than step 64/);

    const twins = runWithSteps(temporaryFolder(), [0]);
    twins.publishStep(64, weights(0));
    expect(twins.verify()).toEqual([expect.stringMatching(/steps 0 and 64 hold the same weights/)]);
  });

  it('refuses weights of another configuration', () => {
    const store = runWithSteps(temporaryFolder());
    const root = temporaryFolder();
    const other = createOrOpenRun(root, resolveRunConfig({ ...CONFIG, seed: 2 }));
    fs.cpSync(join(store.dir, 'steps'), join(other.dir, 'steps'), { recursive: true });
    expect(() => other.loadStep(0)).toThrow(/manifest\.json: configSha256: found/);
  });

  it('falls back to the last step that verifies, and says so', () => {
    const store = runWithSteps(temporaryFolder());
    fs.truncateSync(join(store.dir, 'steps', '000256', 'model.safetensors'), 100);
    expect(store.loadStep('last').step).toBe(64);
    expect(store.notes).toEqual([
      expect.stringMatching(/000256\/model\.safetensors: found 100 bytes, expected \d+/),
    ]);
    expect(() => store.loadStep(256)).toThrow(RunError);
    expect(() => store.loadStep(65)).toThrow(/@65: found no such checkpoint, expected one of 0, 64, 256\.$/);
  });
});

describe('corruption', () => {
  it('finds each of 300 flipped bits on load, falls back and says so', async () => {
    expect(await tryFlips({ seed: 1, count: 300 })).toMatchObject({ tried: 300, held: 300, broken: [] });
  });

  it('finds every single flipped bit of config.json', () => {
    const store = runWithSteps(temporaryFolder(), [0]);
    const path = join(store.dir, 'config.json');
    const good = fs.readFileSync(path);
    for (let bit = 0; bit < 8 * good.length; bit += 3) {
      const bad = Buffer.from(good);
      bad[bit >> 3] ^= 1 << (bit & 7);
      fs.writeFileSync(path, bad);
      expect(() => openRun(store.dir), `bit ${bit}`).toThrow(/config\.json/);
    }
  });
});

describe('publishResume and latestResume', () => {
  it('gives the whole state back, bit by bit, with what the trainer added', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    expect(store.latestResume()).toBeUndefined();
    const state = stateAt(77);
    state.m[0] = -0;
    store.publishResume(77, state, { elapsedMs: 5, list: [1, 'x', null] });
    const resumed = openRun(store.dir).latestResume();
    const moments = fs.readFileSync(join(store.dir, 'resume', '000077', 'optimizer.safetensors'));
    expect(resumed).toEqual({
      ...{ step: 77, state, metricsBytes: 0, notes: [], momentsSha256: sha256Hex(moments) },
      extra: { elapsedMs: 5, list: [1, 'x', null] },
    });
    expect(Object.is(resumed?.state.m[0], -0)).toBe(true);
  });

  it('keeps the newest two, and those of a run that went back', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    for (const step of [10, 20, 30]) store.publishResume(step, stateAt(step), null);
    expect(fs.readdirSync(join(store.dir, 'resume'))).toEqual(['000020', '000030']);
    fs.rmSync(join(store.dir, 'resume', '000030', 'manifest.json'));
    expect(store.latestResume()?.step).toBe(20);
    store.publishResume(25, stateAt(25), null);
    expect(fs.readdirSync(join(store.dir, 'resume'))).toEqual(['000020', '000025']);
    store.publishResume(25, stateAt(25), 'again');
    expect(store.latestResume()?.extra).toBe('again');
  });

  it('reports every damaged point when none is left', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    store.publishResume(10, stateAt(10), null);
    fs.rmSync(join(store.dir, 'resume', '000010', 'optimizer.safetensors'));
    expect(store.latestResume()).toBeUndefined();
    expect(store.notes).toEqual([expect.stringMatching(/optimizer\.safetensors: it does not exist/)]);
  });

  it('never leaves less than one good point after a crash at any operation', () => {
    const prepare = (): RunStore => {
      const store = createOrOpenRun(temporaryFolder(), CONFIG);
      store.appendMetrics({ kind: 'train', step: 20 });
      for (const step of [10, 20]) store.publishResume(step, stateAt(step), null);
      return store;
    };
    const counting = new FaultyFileSystem({ kind: 'none' });
    const first = prepare();
    withFileSystem(counting, () => first.publishResume(30, stateAt(30), null));
    for (let at = 0; at < counting.operations; at++) {
      for (const when of ['before', 'after', 'torn'] as const) {
        const store = prepare();
        const faulty = new FaultyFileSystem({ kind: 'crash', at, when });
        expect(() => withFileSystem(faulty, () => store.publishResume(30, stateAt(30), null))).toThrow(Crash);
        faulty.settle(store.dir);
        const reopened = openRun(store.dir);
        const release = reopened.lock();
        const resumed = reopened.latestResume();
        expect([20, 30]).toContain(resumed?.step);
        expect(resumed?.state).toEqual(stateAt(resumed?.step ?? -1));
        reopened.publishResume(40, stateAt(40), null);
        expect(fs.readdirSync(join(store.dir, 'resume')).filter((name) => name.startsWith('.'))).toEqual([]);
        release();
      }
    }
  });
});

describe('lock', () => {
  it('refuses a second writer and names the first', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    const release = store.lock('training');
    expect(() => openRun(store.dir).lock('training', { waitMs: 0 })).toThrow(
      new RegExp(`lock is held by process ${process.pid} on `),
    );
    release();
    openRun(store.dir).lock()();
  });

  it('takes over from a dead process, repairs torn logs and removes what a crash left', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    store.appendMetrics({ kind: 'train', step: 1 });
    const pid = spawnSync(process.execPath, ['-e', '0']).pid;
    fs.writeFileSync(join(store.dir, 'lock'), JSON.stringify({ host: hostname(), pid, text: 'x' }));
    fs.appendFileSync(join(store.dir, 'metrics.jsonl'), '{"kind":"tr');
    fs.mkdirSync(join(store.dir, 'steps', `.tmp-000064-${ownOrigin()}-${pid}-0123456789ab`), {
      recursive: true,
    });
    expect(store.readMetrics()).toEqual([{ kind: 'train', step: 1 }]);
    const release = store.lock();
    store.appendMetrics({ kind: 'train', step: 2, lossNats: NaN });
    expect(store.readMetrics()).toEqual([
      { kind: 'train', step: 1 },
      { kind: 'train', step: 2, lossNats: 'NaN' },
    ]);
    expect(fs.readdirSync(join(store.dir, 'steps'))).toEqual([]);
    release();
  });

  it('publishes nothing once another process took over', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    store.lock();
    fs.writeFileSync(join(store.dir, 'lock'), 'someone else');
    expect(() => store.publishStep(0, weights(0))).toThrow(/another one took over/);
    expect(() => store.publishResume(0, stateAt(0), null)).toThrow(/another one took over/);
    expect(() => store.writeEnd({ reason: 'budget', step: 0 })).toThrow(/another one took over/);
    expect(store.steps()).toEqual([]);
  });
});

describe('logs and end', () => {
  it('drops rows after a step from metrics and timing', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    for (const step of [1, 2, 3]) {
      store.appendMetrics({ kind: 'train', step });
      store.appendTiming({ step, elapsedMs: step });
    }
    store.dropMetricsAfter(2);
    expect(store.readMetrics()).toHaveLength(2);
    expect(store.readTiming()).toHaveLength(2);
    fs.appendFileSync(join(store.dir, 'metrics.jsonl'), 'garbage\n{"step":3}\n');
    expect(() => store.readMetrics()).toThrow(/metrics\.jsonl: line 3 is not JSON/);
    store.dropMetricsAfter(2);
    expect(store.readMetrics()).toHaveLength(2);
  });

  it('refuses to drop rows that belong before the resume point because of a damaged line', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    store.appendMetrics({ kind: 'train', step: 1 });
    fs.appendFileSync(join(store.dir, 'metrics.jsonl'), 'garbage\n{"step":2}\n');
    const before = fs.readFileSync(join(store.dir, 'metrics.jsonl'), 'utf8');
    expect(() => store.dropMetricsAfter(2)).toThrow(/metrics\.jsonl: line 2 is not JSON/);
    expect(fs.readFileSync(join(store.dir, 'metrics.jsonl'), 'utf8')).toBe(before);
  });

  it('keeps the end, forgets it when the run goes on, and refuses a damaged one', () => {
    const store = runWithSteps(temporaryFolder());
    store.appendSession({ engine: 'native' });
    expect(store.readSessions()).toEqual([{ engine: 'native' }]);
    expect(store.end()).toBeUndefined();
    expect(() => store.loadStep('final')).toThrow(/@final: the run has not ended/);
    store.writeEnd({ reason: 'interrupted', step: 70 });
    expect(() => store.loadStep('final')).toThrow(/@final: the run has not ended/);
    store.clearEnd();
    expect(store.end()).toBeUndefined();
    store.writeEnd({ reason: 'budget', step: 256, note: 'x' });
    expect(store.end()).toMatchObject({ reason: 'budget', step: 256, note: 'x' });
    expect(store.loadStep('final').step).toBe(256);
    expect(store.verify()).toEqual([]);
    fs.writeFileSync(join(store.dir, 'end.json'), '{"reason":"tired","step":1}');
    expect(() => store.end()).toThrow(/end\.json: expected \{reason: solved \| budget/);
    expect(store.verify()).toHaveLength(1);
  });
});

describe('metrics.jsonl', () => {
  const path = (store: RunStore): string => join(store.dir, 'metrics.jsonl');
  const rowsTo = (store: RunStore, last: number, first = 1): void => {
    for (let step = first; step <= last; step++) store.appendMetrics({ kind: 'train', step, lossNats: 2 });
  };

  it('of a finished run is refused when a number was changed, rows were cut or it is gone', () => {
    for (const change of [
      (text: string) => text.replace('"lossNats":2', '"lossNats":1'),
      (text: string) => `${text.split('\n').slice(0, 3).join('\n')}\n`,
      (text: string) => `${text}{"kind":"train","step":9,"lossNats":2}\n`,
      () => undefined,
    ]) {
      const store = createOrOpenRun(temporaryFolder(), CONFIG);
      rowsTo(store, 8);
      store.writeEnd({ reason: 'budget', step: 8 });
      expect(store.readMetrics()).toHaveLength(8);
      const changed = change(fs.readFileSync(path(store), 'utf8'));
      if (changed === undefined) fs.rmSync(path(store));
      else fs.writeFileSync(path(store), changed);
      expect(() => store.readMetrics()).toThrow(
        /metrics\.jsonl: found SHA-256 .* of end\.json: it was changed or cut after the run ended\./,
      );
      expect(store.verify()).toContainEqual(expect.stringMatching(/it was changed or cut/));
    }
  });

  it('of a run of an older version is read, unless its last rows are missing', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    rowsTo(store, 8);
    fs.writeFileSync(join(store.dir, 'end.json'), '{"reason":"budget","step":8}\n');
    expect(store.readMetrics()).toHaveLength(8);
    const lines = fs.readFileSync(path(store), 'utf8').split('\n');
    fs.writeFileSync(path(store), `${lines.slice(0, 5).join('\n')}\n`);
    expect(() => store.readMetrics()).toThrow(/the last row is of step 5, expected 8/);
    fs.rmSync(path(store));
    expect(() => store.readMetrics()).toThrow(/the last row is of step none, expected 8/);
  });

  it('must hold what it held at a resume point: else an earlier one is taken', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    rowsTo(store, 10);
    store.publishResume(10, stateAt(10), null);
    const tenRows = fs.statSync(path(store)).size;
    rowsTo(store, 20, 11);
    store.publishResume(20, stateAt(20), null);
    expect(store.latestResume()).toMatchObject({ step: 20, notes: [] });
    // row 15 is lost
    const lines = fs.readFileSync(path(store), 'utf8').split('\n');
    fs.writeFileSync(path(store), lines.filter((line) => !line.includes('"step":15,')).join('\n'));
    const resume = store.latestResume();
    expect(resume).toMatchObject({
      step: 10,
      metricsBytes: tenRows,
      notes: [
        expect.stringMatching(
          /000020: metrics\.jsonl no longer holds the rows that were written before it\./,
        ),
      ],
    });
    store.dropMetricsAfter(10, resume?.metricsBytes);
    expect(store.readMetrics()).toHaveLength(10);
    fs.rmSync(path(store));
    expect(store.latestResume()).toBeUndefined();
  });

  it('loses nothing and goes on, whatever a crash left behind the last row', async () => {
    expect(await tryTails({ seed: 1, count: 40 })).toMatchObject({ tried: 40, held: 40, broken: [] });
  });

  it('is not appended to once another process took over', () => {
    const store = createOrOpenRun(temporaryFolder(), CONFIG);
    store.lock();
    rowsTo(store, 1);
    fs.writeFileSync(join(store.dir, 'lock'), 'someone else');
    expect(() => rowsTo(store, 2, 2)).toThrow(/another one took over/);
    expect(store.readMetrics()).toHaveLength(1);
  });
});

describe('listRuns', () => {
  it('lists every run with its state, the damaged ones with the reason', () => {
    const root = temporaryFolder();
    const make = (name: string): RunStore => createOrOpenRun(root, CONFIG, { out: join(root, name) });
    make('finished').writeEnd({ reason: 'budget', step: 256 });
    make('broken-off').writeEnd({ reason: 'interrupted', step: 3 });
    make('stopped');
    const release = make('running').lock();
    fs.writeFileSync(join(make('damaged').dir, 'config.json'), '{');
    fs.mkdirSync(join(root, 'empty'));
    fs.writeFileSync(join(root, 'README.md'), 'x');
    fs.mkdirSync(join(root, '.tmp-x-1-0'));
    createOrOpenRun(root, CONFIG, { out: join(root, 'reference', 'shipped') });
    expect(listRuns(root).map(({ name, status }) => `${name}: ${status}`)).toEqual([
      'broken-off: interrupted',
      'damaged: corrupt',
      'empty: corrupt',
      'finished: budget',
      'running: running',
      'shipped: stopped',
      'stopped: stopped',
    ]);
    const reasons = listRuns(root).flatMap(({ reason }) => reason ?? []);
    expect(reasons).toEqual([
      expect.stringMatching(/damaged\/config\.json: is not acceptable JSON at line 1, column 2/),
      expect.stringMatching(/empty: found no config\.json/),
    ]);
    release();
    expect(listRuns(join(root, 'nowhere'))).toEqual([]);
  });
});

describe('checkpoint addresses', () => {
  it('understands every form', () => {
    const root = temporaryFolder();
    const store = runWithSteps(root);
    const run = store.name;
    const runDir = store.dir;
    expect(parseCheckpointAddress(run, root)).toEqual({ runDir, steps: 'last' });
    expect(parseCheckpointAddress(`${run}@0`, root)).toEqual({ runDir, steps: [0] });
    expect(parseCheckpointAddress(`${run}@256,64,64`, root)).toEqual({ runDir, steps: [64, 256] });
    expect(parseCheckpointAddress(`${run}@all`, root)).toEqual({ runDir, steps: 'all' });
    expect(parseCheckpointAddress(`${run}@final`, root)).toEqual({ runDir, steps: 'final' });
    expect(parseCheckpointAddress(runDir, '/nowhere')).toEqual({ runDir, steps: 'last' });
    expect(parseCheckpointAddress(`${runDir}@64`, '/nowhere')).toEqual({ runDir, steps: [64] });
    expect(parseCheckpointAddress(join(runDir, 'steps', '000064'), root)).toEqual({ runDir, steps: [64] });
  });

  it('resolves addresses to checkpoints without repetition', () => {
    const root = temporaryFolder();
    const { name } = runWithSteps(root);
    const found = resolveCheckpoints([name, `${name}@0,256`, `${name}@all`], root);
    expect(found.map(({ step }) => step)).toEqual([256, 0, 64]);
  });

  it('names the nearest run, the steps there are and the forms allowed', () => {
    const root = temporaryFolder();
    const { name } = runWithSteps(root);
    const near = `${name.slice(0, -1)}x`;
    expect(() => parseCheckpointAddress(near, root)).toThrow(
      new RegExp(`found no such run.*Did you mean ${name}\\?$`),
    );
    expect(() => parseCheckpointAddress('sum', root)).toThrow(new RegExp(`Did you mean ${name}\\?$`));
    expect(() => parseCheckpointAddress('x', join(root, 'none'))).toThrow(
      /holds no runs: train one first\.$/,
    );
    for (const bad of ['x', '-1', '1.5', '', '1,', '0x10', '1e3']) {
      expect(() => parseCheckpointAddress(`${name}@${bad}`, root)).toThrow(
        /expected steps such as 0 or 64,1024/,
      );
    }
    expect(() => resolveCheckpoints([`${name}@65`], root)).toThrow(
      /@65: found no such checkpoint, expected one of 0, 64, 256\.$/,
    );
    for (const bad of ['', '.', '..', '../..', 'a\0b', '@', '\n']) {
      expect(() => parseCheckpointAddress(bad, root)).toThrow(UserError);
    }
  });
});

describe('arena layout', () => {
  it('keeps the gaps between tensors zero', () => {
    const store = runWithSteps(temporaryFolder(), [0]);
    const table = parameterTable(gptConfigOf(CONFIG));
    const { parameters } = store.loadStep(0);
    const inTensor = new Uint8Array(table.arenaSize);
    for (const { offset, size } of table.specs) inTensor.fill(1, offset, offset + size);
    expect(parameters.filter((value, i) => inTensor[i] === 0 && value !== 0)).toHaveLength(0);
  });
});
