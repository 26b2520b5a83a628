/** The lens against TransformerLens on PyTorch: the same exported model, the same prompts, the same numbers, one thread each. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calibrate } from '../lib/contenders.mjs';
import { figure } from '../lib/figure.mjs';
import { interleave, speedRatio, timed } from '../lib/rounds.mjs';
import { median } from '../lib/statistics.mjs';

const PROMPTS = 1000;
/** A block is at least a whole task, up to seconds of it: fewer rounds than of training steps. */
const MOST_ROUNDS = 9;
/** As in the tests of the lens: of the numbers, over the larger of 1 and their size. */
const TOLERANCE = 1e-4;
const GOALS = { 16: 5, 64: 3 };
const TASKS = ['patching', 'attribution', 'logit lens'];

/** Weights large enough that every part matters: those of a start, matrices enlarged. */
function parametersOf(project, gpt) {
  const parameters = project.initialParameters(gpt, 1);
  for (const { shape, offset, size } of project.parameterTable(gpt).specs) {
    if (shape.length < 2) continue;
    for (let i = offset; i < offset + size; i++) parameters[i] *= 6;
  }
  return parameters;
}

/** One model and 1,000 pairs of prompts, exported to a folder. */
function workload(context, dModel) {
  const { project, native } = context;
  const config = project.resolveRunConfig({
    data: { tasks: ['MAX', 'MED', 'SUM'] },
    model: { dModel, nHeads: dModel / 16, nLayers: 2 },
    seed: 1,
  });
  const gpt = project.gptConfigOf(config);
  const parameters = parametersOf(project, gpt);
  const model = native.createModel(gpt, { parameters }, 'inference');
  const lens = project.openLens(model, config);
  const rng = new project.Rng(1, 'bench:lens');
  const draw = () => lens.prompt(`(SUM ${rng.below(10)} ${rng.below(10)} ${rng.below(10)})`);
  const pairs = Array.from({ length: PROMPTS }, () => ({ clean: draw(), corrupted: draw() }));
  const folder = join(context.folder, `lens-${dModel}`);
  mkdirSync(folder, { recursive: true });
  const origin = { to: 'transformer-lens', run: 'bench', step: 0, end: null, weightsSha256: '', config };
  for (const { name, bytes } of project.exportFiles(origin, parameters).entries) {
    writeFileSync(join(folder, name), bytes);
  }
  const tokensOf = (side) => pairs.map((pair) => [...pair[side].tokens]);
  const answersOf = (side) => pairs.map((pair) => project.answerOf(pair[side]));
  writeFileSync(
    join(folder, 'prompts.json'),
    JSON.stringify({
      clean: tokensOf('clean'),
      corrupted: tokensOf('corrupted'),
      answers: [answersOf('clean'), answersOf('corrupted')],
      stages: project.residualStages(gpt),
    }),
  );
  return { folder, lens, model, pairs, tasks: tasksOf(project, lens, pairs) };
}

/** What is timed: from prompts to numbers, the forward passes with it. @returns by task, a function that gives the numbers */
function tasksOf(project, lens, pairs) {
  const { config } = lens.model;
  const clean = pairs.map((pair) => pair.clean);
  const T = clean[0].tokens.length;
  const cells = [...project.positionCells(config, 'resid_pre', T), ...project.headCells(config)];
  const stages = project.residualStages(config);
  const reads = project.attributionActivations(config.nLayers);
  return {
    /** [cells] mean logit difference */
    patching: () =>
      lens.patch(pairs, cells).values.map((own) => own.reduce((sum, x) => sum + x, 0) / own.length),
    /** [prompts, parts] */
    attribution: () => lens.attribution(lens.run(clean, { capture: reads, keep: 'last' })).values,
    /** [stages, prompts, V] at the last position */
    'logit lens': () => lens.logitLens(lens.run(clean, { capture: stages, keep: 'last' })).values,
  };
}

const flat = (x) => (typeof x === 'number' ? [x] : Array.from(x).flatMap(flat));

/** @throws where theirs are other numbers */
function sameNumbers(task, ours, theirs) {
  if (ours.length !== theirs.length) {
    throw new Error(`${task}: ${ours.length} numbers here, ${theirs.length} there`);
  }
  let most = 0;
  ours.forEach((own, i) => {
    most = Math.max(most, Math.abs(own - theirs[i]) / Math.max(1, Math.abs(theirs[i])));
  });
  if (!(most <= TOLERANCE)) throw new Error(`${task}: numbers differ by ${figure(most)}`);
  return most;
}

async function race(context, task, dModel) {
  const [peer] = await context.peers.transformerLens();
  const { folder, model, tasks } = workload(context, dModel);
  try {
    await peer.ask({ op: 'open', folder });
    const { numbers } = await peer.ask({ op: 'numbers', task });
    const ours = flat(tasks[task]());
    const most = sameNumbers(task, ours, numbers);
    const own = (times) => timed(() => Array.from({ length: times }, tasks[task]));
    const their = (times) => peer.ask({ op: 'run', task, times });
    // ours is warm when it has run for a block: one task takes too little time for its code to be compiled
    own(await calibrate(own, 1));
    const [ownTimes, theirTimes] = [await calibrate(own, 1), await calibrate(their, 1)];
    const rounds = await interleave(
      [
        { name: 'sumlens', run: () => own(ownTimes) },
        { name: peer.name, run: () => their(theirTimes) },
      ],
      { rounds: Math.min(MOST_ROUNDS, context.rounds), warmup: 1 },
    );
    const ms = (name, times) => figure(median(rounds[name].map(({ wallMs }) => wallMs)) / times);
    return {
      ...speedRatio(rounds, ['sumlens', ownTimes], [peer.name, theirTimes]),
      note:
        `${PROMPTS} prompts, two layers: sumlens ${ms('sumlens', ownTimes)} ms, ${peer.name} ${ms(peer.name, theirTimes)} ms; ` +
        `${ours.length} numbers, equal within ${figure(most)}`,
    };
  } finally {
    model.dispose();
  }
}

export const rows = Object.entries(GOALS).flatMap(([dModel, atLeast]) =>
  TASKS.map((task) => ({
    id: `${task} d=${dModel}`,
    group: 'lens',
    measure: `${task === 'patching' ? 'patching grid' : task} over 1,000 prompts, speed over TransformerLens`,
    goal: { atLeast },
    needsPeer: true,
    run: (context) => race(context, task, Number(dModel)),
  })),
);
