/**
 * The whole job: two small runs are trained and looked into, one page is written. Ours in this process on the native engine,
 * theirs a plain script on PyTorch, TransformerLens and scikit-learn (peers/job_torch.py). Both find the same numbers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure } from '../lib/figure.mjs';
import { interleave, speedRatio, timed } from '../lib/rounds.mjs';
import { sameLosses } from '../lib/row.mjs';
import { median } from '../lib/statistics.mjs';
import { dumpWorkload, OPTIONS, OwnRun } from '../lib/workload.mjs';

const STEPS = 8000;
const PROMPTS = 512;
const FOLDS = 5;
const CHECK_STEPS = 4;
/** A block is the whole job. */
const MOST_ROUNDS = 2;
const RUNS = { 'MAX+MED+SUM': ['MAX', 'MED', 'SUM'], SUM: ['SUM'] };
const WAYS = ['zero', 'mean', 'resample'];
/** of numbers over the larger of 1 and their size; a probe's accuracy may differ by a prompt at its border */
const TOLERANCE = { ablation: 1e-4, pca: 1e-4, probes: 1.5 / PROMPTS };

/** One run's model, batches and prompts. */
function makeRun(project, tasks) {
  const config = project.resolveRunConfig({ data: { tasks }, model: { dModel: 16, nLayers: 2 }, seed: 1 });
  const generator = project.createGenerator(config.data, config.seed);
  const batches = Array.from({ length: STEPS }, (_, step) => {
    const { tokens, targets, roles, offsets } = generator.batch(step, 64);
    return { tokens, targets, roles, offsets };
  });
  const gpt = project.gptConfigOf(config);
  return { config, workload: { gpt, batches, options: OPTIONS, turn: 1 } };
}

/** What both sides ask: the same prompts, folds, parts. */
function questions(project, lens) {
  const rng = new project.Rng(1, 'bench:job');
  const operands = Array.from({ length: PROMPTS }, () => [rng.below(10), rng.below(10), rng.below(10)]);
  const groups = operands.map((own) => [...own].sort().join(' '));
  return {
    prompts: operands.map((own) => lens.prompt(`(SUM ${own.join(' ')})`)),
    parity: Int32Array.from(operands, ([a, b, c]) => ((a + b + c) % 10) % 2),
    folds: project.groupFolds(groups, FOLDS, rng),
  };
}

const hookOf = (name) =>
  name.replace(/(attn_out|mlp_out|resid_\w+)$/, 'hook_$1').replace('attn.z', 'attn.hook_z');

/** Cross-entropy of a token in a row of logits, nats. */
function lossOf(logits, from, count, token) {
  let most = -Infinity;
  for (let i = from; i < from + count; i++) most = Math.max(most, logits[i]);
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += Math.exp(logits[i] - most);
  return Math.log(sum) + most - logits[from + token];
}

/** Ours: everything from a model's parameters to its numbers. */
function look(context, { config }, parameters) {
  const { project, native } = context;
  const model = native.createModel(project.gptConfigOf(config), { parameters }, 'inference');
  try {
    const lens = project.openLens(model, config);
    const { dModel, dVocab } = model.config;
    const { prompts, parity, folds } = questions(project, lens);
    const answers = prompts.map((prompt) => project.answerOf(prompt));
    const parts = project.listComponents(model.config);
    const ablation = WAYS.flatMap((by) =>
      parts.map((part) => {
        const { logits } = lens.ablate(prompts, { parts: [part], by, keep: 'last' });
        const sum = answers.reduce(
          (total, answer, p) => total + lossOf(logits, p * dVocab, dVocab, answer),
          0,
        );
        return sum / prompts.length;
      }),
    );
    const { firstNumber, modulus } = lens.vocabulary;
    const table = project.parameterTable(model.config).byName.get('transformer.wte.weight');
    const from = table.offset + firstNumber * dModel;
    const embedding = Float64Array.from(parameters.subarray(from, from + modulus * dModel));
    const { explainedVarianceRatio, scores } = project.fitPca({
      rows: modulus,
      cols: dModel,
      data: embedding,
    });
    const plane = Array.from({ length: modulus }, (_, n) =>
      [0, 1].map((k) => Math.abs(scores.data[n * scores.cols + k])),
    );
    const stages = project.residualStages(model.config);
    const { activations } = lens.run(prompts, { capture: stages, keep: 'last' });
    const counts = { fits: 0, notConverged: 0, mostIterations: 0 };
    const probes = stages.map(
      (stage) =>
        project.askGrouped(activations.get(stage), dModel, folds, { classes: [parity] }, counts).accuracy[0],
    );
    if (counts.notConverged > 0) throw new Error(`${counts.notConverged} probes did not converge`);
    return { ablation, pca: [...explainedVarianceRatio.slice(0, 5), ...plane.flat()], probes };
  } finally {
    model.dispose();
  }
}

/** @returns the trained arena */
function train(context, { workload }) {
  const own = new OwnRun(context.native, workload);
  own.steps(STEPS);
  const parameters = own.model.getParameters();
  own.dispose();
  return parameters;
}

function wholeJob(context, runs, out) {
  const found = Object.values(runs).map((run) => look(context, run, train(context, run)));
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'report.json'), JSON.stringify(found));
  const rows = Object.keys(runs).flatMap((name, r) =>
    Object.entries(found[r]).map(
      ([kind, values]) =>
        `<tr><th>${name} ${kind}</th>${values.map((x) => `<td>${x.toFixed(4)}</td>`).join('')}</tr>`,
    ),
  );
  writeFileSync(
    join(out, 'report.html'),
    `<!doctype html><title>Two runs</title><table>${rows.join('')}</table>`,
  );
}

/** Files of the job for the other side. @returns [runs] folders of their workloads */
function dump(context, runs, folder) {
  const { project, native } = context;
  const names = Object.keys(runs);
  names.forEach((name) => dumpWorkload(project, join(folder, name), runs[name].workload));
  const { config } = runs[names[0]];
  const gpt = project.gptConfigOf(config);
  const parameters = project.initialParameters(gpt, 1);
  const model = native.createModel(gpt, { parameters }, 'inference');
  const lens = project.openLens(model, config);
  const { prompts, parity, folds } = questions(project, lens);
  const origin = { to: 'transformer-lens', run: 'bench', step: 0, end: null, weightsSha256: '', config };
  const { entries } = project.exportFiles(origin, parameters);
  const { bytes } = entries.find(({ name }) => name === 'config.json');
  writeFileSync(
    join(folder, 'job.json'),
    JSON.stringify({
      runs: names,
      steps: STEPS,
      settings: JSON.parse(Buffer.from(bytes).toString()),
      tokens: prompts.map(({ tokens }) => [...tokens]),
      answers: prompts.map((prompt) => project.answerOf(prompt)),
      parity: [...parity],
      folds: folds.map(({ train: rows, held }) => ({ train: [...rows], held: [...held] })),
      parts: project
        .listComponents(gpt)
        .map(({ sites }) => sites.map(({ at, ...rest }) => ({ at: hookOf(at), ...rest }))),
      numbers: [lens.vocabulary.firstNumber, lens.vocabulary.modulus],
      stages: project.residualStages(gpt).map(hookOf),
      out: join(folder, 'theirs'),
    }),
  );
  model.dispose();
}

/** @throws where the numbers of the same weights are not the same */
function sameFindings(ours, theirs) {
  const most = {};
  ours.forEach((one, r) => {
    for (const [kind, tolerance] of Object.entries(TOLERANCE)) {
      const [a, b] = [one[kind], theirs[r][kind]];
      if (a.length !== b.length) throw new Error(`${kind}: ${a.length} numbers here, ${b.length} there`);
      const worst = Math.max(...a.map((x, i) => Math.abs(x - b[i]) / Math.max(1, Math.abs(b[i]))));
      if (!(worst <= tolerance)) throw new Error(`${kind}: numbers differ by ${figure(worst)}`);
      most[kind] = Math.max(most[kind] ?? 0, worst);
    }
  });
  return Object.entries(most)
    .map(([kind, worst]) => `${kind} ${figure(worst)}`)
    .join(', ');
}

async function race(context) {
  const [peer] = await context.peers.job();
  const folder = join(context.folder, 'job');
  mkdirSync(folder, { recursive: true });
  const runs = Object.fromEntries(
    Object.entries(RUNS).map(([name, tasks]) => [name, makeRun(context.project, tasks)]),
  );
  dump(context, runs, folder);
  const { losses } = await peer.ask({ op: 'open', folder, check: CHECK_STEPS });
  const arenas = Object.values(runs).map((run, r) => {
    const own = new OwnRun(context.native, run.workload);
    const steps = Array.from({ length: CHECK_STEPS }, () => own.step());
    own.dispose();
    sameLosses([
      ['sumlens', steps],
      [peer.name, losses[r]],
    ]);
    return train(context, run);
  });
  const folders = arenas.map((parameters, r) => {
    const at = join(folder, `trained-${r}`);
    dumpWorkload(context.project, at, { ...Object.values(runs)[r].workload, batches: [] });
    writeFileSync(join(at, 'parameters.f32'), parameters);
    return at;
  });
  const { found } = await peer.ask({ op: 'look', folders });
  const ours = Object.values(runs).map((run, r) => look(context, run, arenas[r]));
  const equal = sameFindings(ours, found);
  const rounds = await interleave(
    [
      { name: 'sumlens', run: () => timed(() => wholeJob(context, runs, join(folder, 'ours'))) },
      { name: peer.name, run: () => peer.ask({ op: 'run' }) },
    ],
    { rounds: Math.min(MOST_ROUNDS, context.rounds), warmup: 1 },
  );
  const seconds = (name) => figure(median(rounds[name].map(({ wallMs }) => wallMs)) / 1000);
  return {
    ...speedRatio(rounds, ['sumlens', 1], [peer.name, 1]),
    note:
      `two runs of ${STEPS} steps, ${PROMPTS} prompts: sumlens ${seconds('sumlens')} s, ${peer.name} ${seconds(peer.name)} s; ` +
      `numbers equal within: ${equal}`,
  };
}

export const rows = [
  {
    id: 'whole job',
    group: 'job',
    measure:
      'two runs trained, ablated three ways, PCA, parity probes, a page: speed over a plain script in Python',
    goal: { atLeast: 8 },
    needsPeer: true,
    run: race,
  },
];
