/** The engine against itself: two threads against one, WASM against native, two runs side by side against one. */
import { join } from 'node:path';
import { avx2Engine } from '../lib/avx2.mjs';
import { ownContender, stepTimes } from '../lib/contenders.mjs';
import { startPeer } from '../lib/peer.mjs';
import { N_CPUS, pinSelf } from '../lib/pin.mjs';
import { BUNDLE, ROOT } from '../lib/project.mjs';
import { NotMeasured, sameLosses } from '../lib/row.mjs';
import { interleave, speedRatio } from '../lib/rounds.mjs';
import { summary } from '../lib/statistics.mjs';
import { realWorkload } from '../lib/workload.mjs';

async function compareEngines(context, workload, names, engines) {
  const contenders = [];
  for (const [i, engine] of engines.entries()) {
    contenders.push(await ownContender(names[i], engine, workload));
  }
  sameLosses(contenders.map(({ name, losses }) => [name, losses]));
  const rounds = await interleave(contenders, { rounds: context.rounds });
  for (const each of contenders) each.dispose();
  const [a, b] = contenders;
  const found = speedRatio(rounds, [a.name, a.steps], [b.name, b.steps]);
  return { ...found, note: `${stepTimes(rounds, contenders)}; losses equal` };
}

async function twoThreads(context, dModel) {
  if (N_CPUS === 1) throw new NotMeasured('this process may use one processor only.');
  const { engine } = await context.project.openEngine('native', { threads: 2 });
  pinSelf(false);
  try {
    const found = await compareEngines(
      context,
      realWorkload(context.project, dModel, { count: 4 }),
      ['2 threads', '1 thread'],
      [engine, context.native],
    );
    // two threads use the time of two processors: that ratio says nothing
    return { ...found, cpu: undefined, waited: undefined };
  } finally {
    pinSelf(true);
    engine.dispose();
  }
}

async function wasm(context, dModel, native = context.native) {
  const { engine } = await context.project.openEngine('wasm', { threads: 1 });
  try {
    const workload = realWorkload(context.project, dModel, { count: 4 });
    return await compareEngines(context, workload, ['wasm', 'native'], [engine, native]);
  } finally {
    engine.dispose();
  }
}

/** Whole runs: each child makes its batches and trains on them. */
async function sideBySide(context, dModel) {
  if (N_CPUS === 1) throw new NotMeasured('this process may use one processor only.');
  const child = join(ROOT, 'bench/children/train.mjs');
  pinSelf(false);
  const peers = [1, 2].map((seed) =>
    startPeer(process.execPath, [child, BUNDLE, String(dModel), String(seed)]),
  );
  pinSelf(true);
  try {
    const ask = (peer, ms) => peer.ask({ op: 'train', ms });
    for (const peer of peers) await ask(peer, 300);
    const ms = 250;
    const rate = ({ steps, wallMs }) => steps / wallMs;
    const ratiosFound = [];
    for (let round = 0; round < context.rounds; round++) {
      const alone = rate(await ask(peers[round % 2], ms));
      const both = await Promise.all(peers.map((peer) => ask(peer, ms)));
      ratiosFound.push((rate(both[0]) + rate(both[1])) / alone);
    }
    return {
      wall: summary(ratiosFound),
      note: 'steps/s of two processes together over one alone, data included',
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.close()));
  }
}

export const rows = [
  ...[64, 128].map((dModel) => ({
    id: `threads d=${dModel}`,
    group: 'threads',
    measure: 'speed of a training step with two threads over one',
    goal: { atLeast: 1.8 },
    run: (context) => twoThreads(context, dModel),
  })),
  ...[16, 64].map((dModel) => ({
    id: `side-by-side d=${dModel}`,
    group: 'threads',
    measure: 'two runs at once over one run',
    goal: { atLeast: 1.9 },
    run: (context) => sideBySide(context, dModel),
  })),
  ...[16, 32, 64, 128].map((dModel) => ({
    id: `wasm d=${dModel}`,
    group: 'wasm',
    measure: 'speed of a training step on WASM over native',
    goal: { atLeast: 0.3 },
    run: (context) => wasm(context, dModel),
  })),
  ...[16, 32, 64, 128].map((dModel) => ({
    id: `wasm-avx2 d=${dModel}`,
    group: 'wasm',
    measure: 'the same over the native kernels of processors without AVX-512',
    run: (context) => wasm(context, dModel, avx2Engine(context.project)),
  })),
];
