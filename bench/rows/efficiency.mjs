/** Executed multiply FLOP/s of a training step over what the core can do at most. */
import { spawnSync } from 'node:child_process';
import { countFlopsProgram, modelFiles, peakProgram } from '../lib/compile.mjs';
import { trainingFlops } from '../lib/flops.mjs';
import { NotMeasured } from '../lib/row.mjs';
import { avx2Engine } from '../lib/avx2.mjs';
import { BLOCK_MS, ownContender } from '../lib/contenders.mjs';
import { startPeer, ONE_THREAD } from '../lib/peer.mjs';
import { ONE_CPU } from '../lib/pin.mjs';
import { interleave, waitedShare } from '../lib/rounds.mjs';
import { median, summary } from '../lib/statistics.mjs';
import { realWorkload } from '../lib/workload.mjs';

const GOALS = { 128: 0.85, 64: 0.78, 32: 0.62, 16: 0.5 };
/** A loop without loads is not a fair limit for anything that reads its numbers. */
const FMA_SHARE = 0.9;

async function openPeak(isa, env) {
  const peer = startPeer(peakProgram(), [], { env: { ...ONE_THREAD, ...env }, cpu: ONE_CPU });
  const about = await peer.ask({ op: 'about' });
  if (!about.sgemm) {
    await peer.close();
    throw new NotMeasured('libopenblas.so.0 was not found. Install libopenblas0.');
  }
  const contender = (name, of) => ({ name, run: () => peer.ask({ op: 'run', of, ms: BLOCK_MS }) });
  const bits = isa.includes('AVX-512') ? 512 : 256;
  return {
    peer,
    about,
    contenders: [
      contender('fma', `fma${bits}`),
      contender('sgemm', 'sgemm'),
      // for information: what a product could do at most
      contender('tile', `tile${bits}`),
    ],
  };
}

/** Ratio of our rate to the larger of the two peaks, in each round. */
function ofPeak(rounds, own, flops, kind) {
  const rate = (time) => time.flops / time[kind];
  return summary(
    rounds.sumlens.map((time, i) => {
      const fma = FMA_SHARE * rate(rounds.fma[i]);
      const peak = Math.max(fma, rate(rounds.sgemm[i]));
      return (flops * own.steps) / time[kind] / peak;
    }),
  );
}

/** What the kernels ask of gemm() in one step over what the formula counts; undefined where it cannot be counted. */
function countedOverFormula(context, { gpt, batches: [batch] }) {
  try {
    const { stdout } = spawnSync(countFlopsProgram(), modelFiles(context, gpt, batch), { encoding: 'utf8' });
    return Number(stdout) / trainingFlops(gpt, batch) || undefined;
  } catch {
    return undefined;
  }
}

async function measure(context, dModel, avx2Only) {
  // a block of all batches takes about as long at every width
  const workload = realWorkload(context.project, dModel, { count: dModel < 128 ? 8 : 4 });
  const flops =
    workload.batches.reduce((sum, batch) => sum + trainingFlops(workload.gpt, batch), 0) /
    workload.batches.length;
  const counted = countedOverFormula(context, workload);
  const engine = avx2Only ? avx2Engine(context.project) : context.native;
  const peak = await openPeak(engine.isa, avx2Only ? { OPENBLAS_CORETYPE: 'Haswell' } : {});
  try {
    const own = await ownContender('sumlens', engine, workload);
    const rounds = await interleave([own, ...peak.contenders], { rounds: context.rounds });
    own.dispose();
    const gflops = (times, work) => median(times.map((t) => (work ?? t.flops) / t.cpuMs / 1e6)).toFixed(1);
    const excess = counted === undefined ? '' : `; products in the kernels / formula ${counted.toFixed(3)}`;
    return {
      wall: ofPeak(rounds, own, flops, 'wallMs'),
      cpu: ofPeak(rounds, own, flops, 'cpuMs'),
      waited: waitedShare(rounds),
      note:
        `${gflops(rounds.sumlens, flops * own.steps)} GFLOP/s; FMA loop ${gflops(rounds.fma)} x ${FMA_SHARE}, ` +
        `fed from the first cache ${gflops(rounds.tile)}, ` +
        `sgemm ${gflops(rounds.sgemm)} (OpenBLAS, ${peak.about.core} kernels)${excess}`,
      details: { flopsOfAStep: flops, countedOverFormula: counted, openblas: peak.about },
    };
  } finally {
    await peak.peer.close();
  }
}

export const rows = [128, 64, 32, 16].flatMap((dModel) => [
  {
    id: `efficiency d=${dModel}`,
    group: 'efficiency',
    measure: 'multiply FLOP/s of a training step / peak of the core',
    goal: { atLeast: GOALS[dModel] },
    run: (context) => measure(context, dModel, false),
  },
  {
    id: `efficiency-avx2 d=${dModel}`,
    group: 'efficiency',
    measure: 'the same with AVX2 only: our kernels, the FMA loop and OpenBLAS',
    run: (context) => measure(context, dModel, true),
  },
]);
