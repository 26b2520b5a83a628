/** Peak memory of training over what it has to hold. */
import { join } from 'node:path';
import { startPeer } from '../lib/peer.mjs';
import { BUNDLE, ROOT } from '../lib/project.mjs';
import { median, summary } from '../lib/statistics.mjs';

async function memory(context, dModel) {
  const child = join(ROOT, 'bench/children/memory.mjs');
  const found = [];
  for (let i = 0; i < context.rounds; i++) {
    const peer = startPeer(process.execPath, [child, BUNDLE, String(dModel)]);
    found.push(await peer.ask({}));
    await peer.close();
  }
  const MiB = (key) => (median(found.map((each) => each[key])) / 2 ** 20).toFixed(1);
  return {
    wall: summary(found.map((each) => each.grownBytes / (each.stateBytes + each.workBytes + each.dataBytes))),
    note:
      `resident memory grew by ${MiB('grownBytes')} MiB: state ${MiB('stateBytes')}, work arena ${MiB('workBytes')}, ` +
      `data ${MiB('dataBytes')} MiB`,
  };
}

export const rows = [
  {
    id: 'memory d=128',
    group: 'memory',
    measure: 'growth of peak resident memory in training / (state + work arena + data)',
    goal: { atMost: 1.2 },
    run: (context) => memory(context, 128),
  },
];
