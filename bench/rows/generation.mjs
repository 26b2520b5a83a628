/** Generation with the key/value cache against recomputing, and what evaluation costs of a run. */
import { interleave, speedRatio, waitedShare, timed, timedAsync } from '../lib/rounds.mjs';
import { figure } from '../lib/figure.mjs';
import { median, summary } from '../lib/statistics.mjs';
import { depthTwo, OPTIONS } from '../lib/workload.mjs';

const PROMPTS = 256;
const NEW_TOKENS = 40;

/** Greedy decoding with one forward pass over the whole sequences for each new token. */
function recompute(model, prompts) {
  const sequences = prompts.map((prompt) => Int32Array.from({ length: prompt.length + NEW_TOKENS }));
  sequences.forEach((sequence, s) => sequence.set(prompts[s]));
  const width = model.config.dVocab;
  for (let made = 0; made < NEW_TOKENS; made++) {
    const parts = sequences.map((sequence, s) => sequence.subarray(0, prompts[s].length + made));
    const { logits } = model.forward(lastTargets(parts));
    sequences.forEach((sequence, s) => {
      let best = 0;
      for (let v = 1; v < width; v++) if (logits[s * width + v] > logits[s * width + best]) best = v;
      sequence[prompts[s].length + made] = best;
    });
  }
  return sequences.map((sequence, s) => sequence.subarray(prompts[s].length));
}

/** A batch that asks for the logits of each sequence's last token. */
function lastTargets(parts) {
  const offsets = new Int32Array(parts.length + 1);
  parts.forEach((part, s) => (offsets[s + 1] = offsets[s] + part.length));
  const tokens = new Int32Array(offsets[parts.length]);
  const targets = new Int32Array(tokens.length).fill(-1);
  parts.forEach((part, s) => {
    tokens.set(part, offsets[s]);
    targets[offsets[s + 1] - 1] = 0;
  });
  return { tokens, targets, roles: new Int32Array(tokens.length).fill(-1), offsets };
}

async function generation(context, dModel) {
  const { project, native } = context;
  const config = depthTwo(project, dModel);
  const generator = project.createGenerator(config.data, config.seed);
  const prompts = Array.from({ length: PROMPTS }, (_, i) => {
    const { tokens, promptLength } = generator.example(i);
    return tokens.slice(0, promptLength);
  });
  const model = native.createModel(project.gptConfigOf(config), { seed: 1 }, 'inference');
  try {
    const cached = () => model.generate(prompts, { maxNewTokens: NEW_TOKENS });
    const plain = recompute(model, prompts);
    cached().forEach((tokens, s) => {
      if (String(tokens) !== String(plain[s]))
        throw new Error(`prompt ${s + 1}: the two ways generate different tokens`);
    });
    const contenders = [
      { name: 'cache', steps: 1, run: () => timed(cached) },
      { name: 'recomputing', steps: 1, run: () => timed(() => recompute(model, prompts)) },
    ];
    const rounds = await interleave(contenders, { rounds: context.rounds, warmup: 1 });
    const ms = (name) => figure(median(rounds[name].map(({ wallMs }) => wallMs)));
    return {
      ...speedRatio(rounds, ['cache', 1], ['recomputing', 1]),
      note: `${PROMPTS} prompts, ${NEW_TOKENS} new tokens each: ${ms('cache')} ms against ${ms('recomputing')} ms; tokens equal`,
    };
  } finally {
    model.dispose();
  }
}

/** Steps timed in a round. */
const STEPS = 200;

/** Share of a whole run: its evaluations on the way and its larger last one over steps and evaluations together. */
async function evaluationShare(context, config) {
  const { project, native } = context;
  const gpt = project.gptConfigOf(config);
  const { steps, evaluateEvery, batchSize } = config.training;
  const model = native.createModel(gpt, { seed: config.seed }, 'train');
  const generator = project.createGenerator(config.data, config.seed);
  const chunkTokens = project.evaluationChunk(project.parameterTable(gpt).nParameters);
  const build = (final) => project.createEvaluationSet(config.data, { chunkTokens, final });
  const evaluate = (set) => timedAsync(() => project.evaluate(model, set, 0, () => Promise.resolve()));
  let step = 0;
  const train = () =>
    timed(() => {
      for (let i = 0; i < STEPS; i++) model.trainStep(generator.batch(step++, batchSize), OPTIONS);
    });
  // as in a run, the prompts are made at the first evaluation
  while (step < evaluateEvery) train();
  let set;
  let finalSet;
  let buildMs = timed(() => (set = build(false))).cpuMs;
  if (config.data.depth > 1) buildMs += timed(() => (finalSet = build(true))).cpuMs;
  try {
    const rounds = await interleave(
      [
        { name: 'train', run: train },
        { name: 'evaluate', run: () => evaluate(set) },
      ],
      { rounds: context.rounds },
    );
    const last = finalSet === undefined ? undefined : (await evaluate(finalSet)).cpuMs;
    const evaluations = Math.ceil(steps / evaluateEvery);
    const share = (kind) =>
      summary(
        rounds.train.map((time, i) => {
          const one = rounds.evaluate[i][kind];
          const evaluating = (evaluations - 1) * one + (last ?? one) + buildMs;
          return evaluating / (evaluating + (steps * time[kind]) / STEPS);
        }),
      );
    const ms = (name) => median(rounds[name].map(({ wallMs }) => wallMs));
    return {
      wall: share('wallMs'),
      cpu: share('cpuMs'),
      waited: waitedShare(rounds),
      note:
        `${steps} steps of ${figure(ms('train') / STEPS)} ms with their data, ${evaluations} evaluations of ` +
        `${figure(ms('evaluate'))} ms${last === undefined ? '' : `, the last ${figure(last)} ms`}`,
    };
  } finally {
    model.dispose();
  }
}

export const rows = [
  {
    id: 'generate',
    group: 'generate',
    measure: 'greedy generation with key/value cache over recomputing, 256 prompts, d=32',
    goal: { atLeast: 5 },
    run: (context) => generation(context, 32),
  },
  {
    id: 'evaluation depth=1',
    group: 'evaluation',
    measure: "evaluation's share of the time of a run of the preset quick",
    goal: { atMost: 0.05 },
    run: (context) => evaluationShare(context, context.project.getPreset('quick').runs[0]),
  },
  {
    id: 'evaluation depth=2',
    group: 'evaluation',
    measure: "evaluation's share of the time of a depth-2 run of the preset standard",
    goal: { atMost: 0.05 },
    run: (context) =>
      evaluationShare(
        context,
        context.project.getPreset('standard').runs.find(({ data }) => data.depth === 2),
      ),
  },
];
