/**
 * P15: a folder of many runs, one in a hundred damaged, in the viewer: the first list, later ones, the memory of the
 * process, and a reason for every damaged one. The server is a process of its own, so that its time and memory are its own.
 */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { RunSummary } from '../../src/viewer/contract.js';
import { writeReport, sampleConfig, writeRun } from '../viewer/sample-runs.js';
import { endSessions, startSession, until, wait } from './cli-run.js';
import { slowdown } from './slowdown.js';
import { inFolder, must, Tally, type Outcome, type Trial } from './trial.js';

const COLD_CPU_S = 5;
const WARM_P95_MS = 200;
const MOST_MB = 300;
const REQUESTS = 40;
/** one run in so many is damaged */
const DAMAGED_EVERY = 100;

const DAMAGE = [
  (dir: string) => writeFileSync(join(dir, 'config.json'), '{'),
  (dir: string) => rmSync(join(dir, 'config.json')),
  (dir: string) => writeFileSync(join(dir, 'end.json'), '{"reason":"won"}'),
  (dir: string) => writeFileSync(join(dir, 'config.json'), '{"seed":1}\n'),
];

/** @returns names of the damaged ones */
function fill(checkpoints: string, count: number): string[] {
  const damaged: string[] = [];
  for (let seed = 1; seed <= count; seed++) {
    const tasks = (['SUM', 'MAX', 'MED'] as const)[seed % 3];
    const name = writeRun(checkpoints, {
      config: sampleConfig([tasks], seed),
      end: 'budget',
      publishes: false,
    });
    if (seed % DAMAGED_EVERY !== 0) continue;
    DAMAGE[(seed / DAMAGED_EVERY) % DAMAGE.length](join(checkpoints, name));
    damaged.push(name);
  }
  return damaged;
}

interface Answer {
  readonly ms: number;
  readonly text: string;
}

function get(port: number, path: string): Promise<Answer> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    request({ port, path, host: '127.0.0.1' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ ms: performance.now() - began, text: Buffer.concat(chunks).toString() }),
      );
    })
      .on('error', reject)
      .end();
  });
}

/** CPU seconds and peak memory of a process so far (Linux). */
function costOf(pid: number): { readonly cpuS: number; readonly peakMb: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuS: (Number(fields[11]) + Number(fields[12])) / 100, peakMb: Number(peak) / 1024 };
}

interface Measured {
  /** how many times slower than idle the machine was meanwhile */
  readonly machine: number;
  readonly coldCpuS: number;
  /** until every curve is in the list */
  readonly readCpuS: number;
  /** runs in the first list */
  readonly nFirst: number;
  readonly p95Ms: number;
  readonly peakMb: number;
  readonly runs: readonly RunSummary[];
  readonly nReports: number;
}

/** One server from its start to its end. */
async function measure(folder: string): Promise<Measured> {
  const session = startSession(['serve', '--port', '0', '--json', '--quiet'], folder);
  const { child } = session;
  try {
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(() => said.includes('\n') || session.isOver(), 'the viewer');
    const { port } = JSON.parse(said) as { port: number };
    const { pid = 0 } = child;
    const before = costOf(pid).cpuS;
    const first = JSON.parse((await get(port, '/api/runs')).text) as { runs: readonly RunSummary[] };
    const reports = JSON.parse((await get(port, '/api/reports')).text) as { reports: readonly unknown[] };
    const coldCpuS = costOf(pid).cpuS - before;
    // what was too much for the first list comes with later ones
    let runs = first.runs;
    const began = performance.now();
    while (runs.some(({ reading }) => reading === true) && performance.now() - began < 900_000) {
      await wait(500);
      ({ runs } = JSON.parse((await get(port, '/api/runs')).text) as { runs: readonly RunSummary[] });
    }
    const readCpuS = costOf(pid).cpuS - before;
    const times: number[] = [];
    const slower: number[] = [];
    for (let i = 0; i < REQUESTS; i++) {
      times.push((await get(port, '/api/runs')).ms);
      if (i % 10 === 0) slower.push(slowdown());
      // at another place of the pause between two lists each time
      await wait(50 + ((i * 37) % 200));
    }
    times.sort((a, b) => a - b);
    const p95Ms = times[Math.ceil(0.95 * REQUESTS) - 1];
    const { peakMb } = costOf(pid);
    const machine = slower.reduce((a, b) => a + b, 0) / slower.length;
    return {
      machine,
      coldCpuS,
      readCpuS,
      p95Ms,
      peakMb,
      runs,
      nFirst: first.runs.length,
      nReports: reports.reports.length,
    };
  } finally {
    child.kill('SIGTERM');
    await session.done;
  }
}

const textOf = ({ coldCpuS, readCpuS, p95Ms, peakMb, machine }: Measured): string =>
  `${coldCpuS.toFixed(1)} CPU s (all curves ${readCpuS.toFixed(1)}), p95 ${p95Ms.toFixed(0)} ms, ${peakMb.toFixed(0)} MB, machine ${machine.toFixed(1)} times slower than idle`;

export function tryManyRuns(trial: Trial): Promise<Outcome> {
  return inFolder(async (folder) => {
    const tally = new Tally({ ...trial, count: 5 });
    const checkpoints = join(folder, 'checkpoints');
    mkdirSync(checkpoints);
    const damaged = fill(checkpoints, trial.count);
    for (let i = 0; i < trial.count / 10; i++) writeReport(join(folder, 'reports'), `report-${i}`);
    symlinkSync(folder, join(checkpoints, 'out-of-the-root'));
    try {
      const first = await measure(folder);
      const second = await measure(folder);
      for (const [name, found] of [
        ['the first start', first],
        ['the second start', second],
      ] as const) {
        await tally.run(`${name}: time and memory`, () => {
          must(found.coldCpuS <= COLD_CPU_S, `the first list took ${found.coldCpuS.toFixed(1)} CPU s`);
          must(
            found.p95Ms <= WARM_P95_MS * found.machine,
            `95 % of the lists within ${found.p95Ms.toFixed(0)} ms`,
          );
          must(found.peakMb <= MOST_MB, `${found.peakMb.toFixed(0)} MB`);
        });
        await tally.run(`${name}: every run is listed, damaged ones with the reason`, () => {
          const listed = found.runs.filter(({ id }) => id !== 'out-of-the-root');
          must(found.nFirst === found.runs.length, `${found.nFirst} runs are in the first list`);
          must(listed.length === trial.count, `${listed.length} of ${trial.count} runs are listed`);
          const corrupt = found.runs.filter(
            ({ status, reason }) => status === 'corrupt' && reason !== undefined,
          );
          const missing = damaged.filter((name) => !corrupt.some(({ id }) => id === name));
          must(missing.length === 0, `no reason for ${missing.slice(0, 3).join(', ')}`);
          must(found.nReports === Math.ceil(trial.count / 10), `${found.nReports} reports are listed`);
        });
      }
      await tally.run('both starts give the same list', () => {
        must(JSON.stringify(first.runs) === JSON.stringify(second.runs), 'the lists differ');
      });
      return tally.outcome(`first start ${textOf(first)}; second ${textOf(second)}`);
    } finally {
      endSessions();
    }
  });
}
