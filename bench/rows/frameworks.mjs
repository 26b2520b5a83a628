/** Training steps against PyTorch and JAX: the same model, parameters, batches and optimizer, one thread each. */
import { fastest, raceAgainst, stepTimes } from '../lib/contenders.mjs';
import { speedRatio } from '../lib/rounds.mjs';
import { denseWorkload, realWorkload } from '../lib/workload.mjs';

/** Against the fastest of the peers. */
async function race(context, label, workload, peers) {
  const { rounds, contenders } = await raceAgainst(context, label, workload, peers);
  const [own, ...others] = contenders;
  const rival = fastest(rounds, others);
  return {
    ...speedRatio(rounds, [own.name, own.steps], [rival.name, rival.steps]),
    note: `${stepTimes(rounds, contenders)}; against ${rival.name}; losses equal`,
    details: { notes: others.map(({ name, note }) => `${name}: ${note}`) },
  };
}

const TORCH_GOALS = { 16: 6, 32: 2.8, 64: 2.8, 128: 1.5 };
const JAX_GOAL = 2;

export const rows = [
  ...[16, 32, 64, 128].map((dModel) => ({
    id: `pytorch d=${dModel}`,
    group: 'pytorch',
    measure: 'tokens/s over PyTorch, 64 sequences of 64, loss on all',
    goal: { atLeast: TORCH_GOALS[dModel] },
    needsPeer: true,
    run: async (context) =>
      race(context, `dense-${dModel}`, denseWorkload(context.project, dModel), await context.peers.torch()),
  })),
  {
    id: 'pytorch-real d=32',
    group: 'pytorch',
    measure: 'examples/s over PyTorch on the training data, padded to the longest of the batch',
    goal: { atLeast: 12 },
    needsPeer: true,
    run: async (context) =>
      race(context, 'real-32', realWorkload(context.project, 32), await context.peers.torch()),
  },
  ...[16, 32, 64].map((dModel) => ({
    id: `jax d=${dModel}`,
    group: 'jax',
    measure: 'tokens/s over JAX jit, 64 sequences of 64, loss on all',
    goal: { atLeast: JAX_GOAL },
    needsPeer: true,
    run: async (context) =>
      race(context, `dense-${dModel}`, denseWorkload(context.project, dModel), await context.peers.jax()),
  })),
];
