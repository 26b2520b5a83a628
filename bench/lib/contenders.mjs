/** Contenders of a training step: each does a block of about BLOCK_MS and says how long it took. */
import { join } from 'node:path';
import { figure } from './figure.mjs';
import { sameLosses } from './row.mjs';
import { interleave, timed } from './rounds.mjs';
import { median } from './statistics.mjs';
import { dumpWorkload, OwnRun } from './workload.mjs';

/** Blocks of equal length: a busy machine interrupts a longer one more often. */
export const BLOCK_MS = 120;
/** Steps whose losses are compared before anything is timed. */
export const CHECK_STEPS = 4;

/**
 * Steps that take about BLOCK_MS: a multiple of `turn`, the number of batches where they differ, so that every block of
 * every contender does the same work.
 * @param run - does n steps and says {wallMs, cpuMs}
 */
export async function calibrate(run, turn) {
  await run(turn);
  const { cpuMs } = await run(turn);
  return turn * Math.max(1, Math.round(BLOCK_MS / Math.max(cpuMs, 1e-3)));
}

/** Our engine. The losses of its first steps are in `losses`. */
export async function ownContender(name, engine, workload) {
  const own = new OwnRun(engine, workload);
  const losses = Array.from({ length: CHECK_STEPS }, () => own.step());
  const run = (n) => timed(() => own.steps(n));
  const steps = await calibrate(run, workload.turn);
  return { name, losses, steps, run: () => run(steps), dispose: () => own.dispose() };
}

/** A framework in its own process, on the files of the same workload. */
export async function peerContender(peer, folder, { turn }) {
  const { losses, note } = await peer.ask({ op: 'prepare', name: folder, folder, check: CHECK_STEPS });
  const run = (steps) => peer.ask({ op: 'run', name: folder, steps });
  const steps = await calibrate(run, turn);
  return { name: peer.name, losses, steps, run: () => run(steps), note, dispose: () => undefined };
}

/** Ours against every peer on one workload. @returns rounds and contenders, losses compared */
export async function raceAgainst(context, label, workload, peers) {
  const folder = join(context.folder, label.replace(/[^a-z0-9]+/gi, '-'));
  dumpWorkload(context.project, folder, workload);
  const own = await ownContender('sumlens', context.native, workload);
  const contenders = [own];
  for (const peer of peers) contenders.push(await peerContender(peer, folder, workload));
  sameLosses(contenders.map(({ name, losses }) => [name, losses]));
  const rounds = await interleave(contenders, { rounds: context.rounds });
  own.dispose();
  return { rounds, contenders };
}

/** Median wall milliseconds of one step. */
export const stepMs = (rounds, { name, steps }, kind = 'wallMs') =>
  median(rounds[name].map((time) => time[kind])) / steps;

/** `sumlens 2.64 ms, PyTorch 1.13.0 30.1 ms` */
export function stepTimes(rounds, contenders) {
  return contenders.map((each) => `${each.name} ${figure(stepMs(rounds, each))} ms`).join(', ');
}

/** The contender with the shortest step. */
export function fastest(rounds, contenders) {
  return contenders.reduce((best, each) => (stepMs(rounds, each) < stepMs(rounds, best) ? each : best));
}
