/** The printed table: a line a row, with what was compared below it. */
import { figure } from './figure.mjs';
import { goalText } from './row.mjs';

const WIDTH = 22;
/** Share of waiting from which wall times say less than processor times. */
const BUSY = 0.05;

export function headerLines(header) {
  return [
    `${header.cpu}, ${header.cpus} CPUs, ${header.memoryGiB} GiB, load ${header.load.toFixed(1)}; Node ${header.node}; commit ${header.commit}`,
    `${header.engine}; kernels ${header.kernelHash.slice(0, 12)} by ${header.compiledBy} ${header.flags}`,
    `One-thread contenders share processor ${header.oneThreadOnCpu}. Median [quartiles] of ${header.rounds} interleaved rounds, by wall time; then by processor time.`,
    '',
  ];
}

const spread = ({ median, q1, q3 }) => `${figure(median)} [${figure(q1)}, ${figure(q3)}]`;

export function rowLines(result) {
  const head = `${result.status.padEnd(15)} ${result.id.padEnd(WIDTH)}`;
  if (result.status === 'not measured') return [`${head} ${result.reason}`];
  const cpu = result.cpu === undefined ? '' : `   cpu ${spread(result.cpu)}`;
  const lines = [
    `${head} ${spread(result.wall).padEnd(24)} ${goalText(result.goal).padEnd(9)}${cpu}`,
    `${''.padEnd(16)}${result.measure}`,
    `${''.padEnd(16)}${result.note}`,
  ];
  if (result.waited > BUSY) {
    const percent = Math.round(100 * result.waited);
    lines.push(`${''.padEnd(16)}busy machine: contenders waited for the processor ${percent} % of the time`);
  }
  return lines;
}

export function summaryLine(results, allowMissingPeers, minutes) {
  const count = (status) => results.filter((row) => row.status === status).length;
  const failed = results.some(
    (row) =>
      row.goal !== undefined &&
      (row.status === 'missed' ||
        (row.status === 'not measured' && !(allowMissingPeers && row.missingPeer === true))),
  );
  const parts = ['met', 'missed', 'not measured', 'for information'].map((s) => `${count(s)} ${s}`);
  return { failed, line: `${parts.join(', ')}; ${minutes.toFixed(1)} minutes` };
}
