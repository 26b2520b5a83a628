/** Capturing every activation against the forward passes that keep none, or those that training needs. */
import { modelFiles, trainForwardProgram } from '../lib/compile.mjs';
import { startPeer } from '../lib/peer.mjs';
import { ONE_CPU } from '../lib/pin.mjs';
import { interleave, ratios, timed } from '../lib/rounds.mjs';
import { figure } from '../lib/figure.mjs';
import { median } from '../lib/statistics.mjs';
import { realWorkload } from '../lib/workload.mjs';

const EXAMPLES = 1000;
/** Examples that go through the model together. */
const TOGETHER = 125;

/** Starts it on all examples as one batch: it cuts them into chunks that fit the cache, whatever the batch. */
function startTrainForward(context, gpt, batches) {
  return startPeer(trainForwardProgram(), modelFiles(context, gpt, concatenate(batches)), { cpu: ONE_CPU });
}

function concatenate(batches) {
  const tokens = batches.flatMap((batch) => [...batch.tokens]);
  const targets = batches.flatMap((batch) => [...batch.targets]);
  const offsets = [0];
  for (const batch of batches) {
    const from = offsets.at(-1);
    for (let s = 1; s < batch.offsets.length; s++) offsets.push(from + batch.offsets[s]);
  }
  return { tokens, targets, offsets: Int32Array.from(offsets) };
}

/** @param other - `training forward` or `inference forward` */
async function capture(context, dModel, other) {
  const { project, native } = context;
  const { gpt, batches } = realWorkload(project, dModel, {
    count: EXAMPLES / TOGETHER,
    size: TOGETHER,
    loss: 'all',
  });
  const model = native.createModel(gpt, { seed: 1 }, 'inference');
  const names = project.activationNames(gpt);
  const peer = other === 'training forward' ? startTrainForward(context, gpt, batches) : undefined;
  try {
    const targets = batches.reduce(
      (sum, batch) => sum + batch.targets.filter((target) => target >= 0).length,
      0,
    );
    const mean = (results) =>
      results.reduce((sum, { losses }) => sum + losses.reduce((nats, loss) => nats + loss, 0), 0) / targets;
    const plain = mean(batches.map((batch) => model.forward(batch)));
    const captured = mean(batches.map((batch) => model.forward(batch, { capture: names })));
    if (captured !== plain) throw new Error(`losses differ: with capture ${captured}, without ${plain}`);
    const first = await peer?.ask({ turns: 1 });
    if (first !== undefined && Math.abs(first.lossNats - plain) > 1e-5) {
      throw new Error(`losses differ: training forward ${first.lossNats}, inference forward ${plain}`);
    }
    const forward = (options) => timed(() => batches.forEach((batch) => model.forward(batch, options)));
    const rounds = await interleave(
      [
        { name: 'capture', run: () => forward({ capture: names }) },
        { name: other, run: () => (peer === undefined ? forward({}) : peer.ask({ turns: 1 })) },
      ],
      { rounds: context.rounds },
    );
    const ms = (name) => figure(median(rounds[name].map(({ wallMs }) => wallMs)));
    const time = (name) => ({ of: name, value: (value) => value });
    return {
      ...ratios(rounds, time('capture'), time(other)),
      note:
        `${EXAMPLES} examples in batches of ${TOGETHER}, ${names.length} activations, loss on all: ${ms('capture')} ms against ` +
        `${ms(other)} ms; losses equal`,
    };
  } finally {
    model.dispose();
    await peer?.close();
  }
}

export const rows = [
  {
    id: 'capture training',
    group: 'capture',
    measure: 'time of capturing every activation over the training forward, d=32',
    goal: { atMost: 1.5 },
    run: (context) => capture(context, 32, 'training forward'),
  },
  {
    id: 'capture inference',
    group: 'capture',
    measure: 'time of capturing every activation over the inference forward, d=32',
    goal: { atMost: 3 },
    run: (context) => capture(context, 32, 'inference forward'),
  },
];
