/** Training steps against TensorFlow.js, as the project's reference engine uses it: its autodiff, its kernels. */
import { ownContender, stepTimes } from '../lib/contenders.mjs';
import { pinSelf } from '../lib/pin.mjs';
import { NotMeasured, sameLosses } from '../lib/row.mjs';
import { interleave, speedRatio } from '../lib/rounds.mjs';
import { realWorkload } from '../lib/workload.mjs';

/** A step takes seconds: rows for information make do with fewer rounds. */
const MOST_ROUNDS = 5;

async function against(context, backend, dModel) {
  const workload = realWorkload(context.project, dModel, { count: 1 });
  // what a back end starts of its own accord stays on our processor too
  pinSelf(true);
  const { engine } = await context.project.openEngine(`tfjs:${backend}`, { threads: 1 }).catch((error) => {
    throw new NotMeasured(error.message);
  });
  try {
    const own = await ownContender('sumlens', context.native, workload);
    const other = await ownContender(`tfjs ${backend}`, engine, workload);
    sameLosses([own, other].map(({ name, losses }) => [name, losses]));
    const rounds = await interleave([own, other], {
      rounds: Math.min(MOST_ROUNDS, context.rounds),
      warmup: 0,
    });
    own.dispose();
    other.dispose();
    return {
      ...speedRatio(rounds, ['sumlens', own.steps], [other.name, other.steps]),
      note: `${stepTimes(rounds, [own, other])}; losses equal`,
    };
  } finally {
    engine.dispose();
  }
}

export const rows = ['tensorflow', 'wasm', 'cpu'].map((backend) => ({
  id: `tfjs-${backend} d=16`,
  group: 'tfjs',
  measure: `examples/s over tfjs with its ${backend} back end, training data`,
  needsPeer: true,
  run: (context) => against(context, backend, 16),
}));
