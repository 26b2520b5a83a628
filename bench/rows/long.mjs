/** Rows that take minutes each: time to 98 % accuracy against PyTorch, and the preset `quick` from start to report. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { figure } from '../lib/figure.mjs';
import { N_CPUS, pinSelf } from '../lib/pin.mjs';
import { ROOT } from '../lib/project.mjs';
import { timed } from '../lib/rounds.mjs';
import { summary } from '../lib/statistics.mjs';
import { dumpWorkload, OwnRun } from '../lib/workload.mjs';

const SEEDS = [1, 2, 3];
const ACCURACY = 0.98;
/** Updates between two looks at the accuracy, which are not timed. */
const EVERY = 100;

/** All depth-1 prompts of the run, with a target at the result only. */
function questionsOf(project, config) {
  const { cells } = project.createEvaluationSet(config.data, { chunkTokens: 8192, final: true });
  const isResult = project.ROLES.indexOf('result');
  return cells.flatMap(({ batches }) =>
    batches.map(({ tokens, targets, roles, offsets }) => ({
      tokens,
      offsets,
      roles,
      targets: targets.map((target, i) => (roles[i] === isResult ? target : -1)),
    })),
  );
}

function accuracyOf(model, questions) {
  const width = model.config.dVocab;
  let right = 0;
  let total = 0;
  for (const batch of questions) {
    const { logits } = model.forward(batch);
    const wanted = batch.targets.filter((target) => target >= 0);
    wanted.forEach((target, row) => {
      const own = logits.subarray(row * width, (row + 1) * width);
      if (own.indexOf(Math.max(...own)) === target) right++;
    });
    total += wanted.length;
  }
  return right / total;
}

/** Our own run on the same batches. */
function ownRace(context, workload, questions, seed) {
  const own = new OwnRun(context.native, workload, seed);
  const spent = { wallMs: 0, cpuMs: 0 };
  let accuracy = 0;
  while (own.at < workload.batches.length && accuracy < ACCURACY) {
    const block = timed(() => {
      for (let i = 0; i < EVERY; i++) {
        own.options = { ...workload.options, learningRate: workload.rates[own.at] };
        own.step();
      }
    });
    spent.wallMs += block.wallMs;
    spent.cpuMs += block.cpuMs;
    accuracy = accuracyOf(own.model, questions);
  }
  own.dispose();
  return { steps: own.at, accuracy, ...spent };
}

async function timeToAccuracy(context) {
  const { project } = context;
  const peers = await context.peers.torch();
  const wall = [];
  const cpu = [];
  const notes = [];
  for (const seed of SEEDS) {
    const config = project
      .getPreset('quick')
      .runs.find((run) => run.seed === seed && run.data.tasks.length === 3);
    const { steps, batchSize } = config.training;
    const generator = project.createGenerator(config.data, seed);
    const batches = Array.from({ length: steps }, (_, step) => generator.batch(step, batchSize));
    const schedule = project.scheduleOf(config);
    const rates = batches.map((_, step) => project.learningRateAt(schedule, step + 1));
    const gpt = project.gptConfigOf(config);
    const workload = { gpt, batches, rates, options: config.optimizer };
    const questions = questionsOf(project, config);
    const folder = join(context.folder, `race-${seed}`);
    dumpWorkload(project, folder, workload, seed);
    dumpWorkload(
      project,
      join(folder, 'questions'),
      { gpt, batches: questions, options: config.optimizer },
      seed,
    );

    const own = ownRace(context, workload, questions, seed);
    const theirs = [];
    for (const peer of peers) {
      const request = {
        op: 'race',
        folder,
        questions: join(folder, 'questions'),
        every: EVERY,
        accuracy: ACCURACY,
      };
      theirs.push({ name: peer.name, ...(await peer.ask(request)) });
    }
    const slow = [{ name: 'sumlens', ...own }, ...theirs].find(({ accuracy }) => accuracy < ACCURACY);
    if (slow !== undefined) {
      throw new Error(`seed ${seed}: ${slow.name} reached ${slow.accuracy} only, in ${slow.steps} updates.`);
    }
    const best = (kind) => Math.min(...theirs.map((each) => each[kind]));
    wall.push(best('wallMs') / own.wallMs);
    cpu.push(best('cpuMs') / own.cpuMs);
    const told = ({ name, steps: n, wallMs }) => `${name} ${n} updates in ${figure(wallMs / 1000)} s`;
    notes.push(`seed ${seed}: ${[{ name: 'sumlens', ...own }, ...theirs].map(told).join(', ')}`);
  }
  return { wall: summary(wall), cpu: summary(cpu), note: notes.join('; ') };
}

/** From the command to the written report, in folders of its own. */
async function quick(context) {
  const folder = (name) => {
    const path = join(context.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const args = ['run', 'quick', '--no-serve', '--quiet', '--engine', 'native'];
  const folders = ['--checkpoints', folder('checkpoints'), '--reports', folder('reports')];
  pinSelf(false);
  const begin = performance.now();
  const code = await new Promise((resolve, reject) => {
    const main = join(ROOT, 'dist/src/cli/main.js');
    const child = spawn(process.execPath, [main, ...args, ...folders], { stdio: 'ignore' });
    child.on('error', reject);
    child.on('close', resolve);
  });
  const seconds = (performance.now() - begin) / 1000;
  pinSelf(true);
  if (code !== 0)
    throw new Error(`sumlens run quick ended with exit code ${code}. Run "npm run build" first.`);
  return { wall: summary([seconds]), note: `one run from command to report, ${N_CPUS} processors` };
}

export const rows = [
  {
    id: 'time-to-98',
    group: 'long',
    long: true,
    measure: 'time of PyTorch over ours to 98 % on MAX+MED+SUM, preset quick, three seeds',
    goal: { atLeast: 8 },
    needsPeer: true,
    run: timeToAccuracy,
  },
  {
    id: 'quick',
    group: 'long',
    long: true,
    measure: 'seconds of the preset quick',
    goal: { atMost: 180 },
    run: quick,
  },
];
