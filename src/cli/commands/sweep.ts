/** `sumlens sweep`: the runs of a plan, one a core, with a live table; and what they would cost. */
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { usableCores } from '../../jobs/cores.js';
import { conditionLabel } from '../../config/names.js';
import { nearest, unacceptable, UserError } from '../../errors.js';
import { grouped } from '../../evidence/results.js';
import { toCsv } from '../../evidence/table.js';
import { isDirectory, makeDirectory, readText, writeFileDurably } from '../../io/files.js';
import { canonicalJson } from '../../io/json.js';
import { packageVersion } from '../../io/package-root.js';
import { renderReport } from '../../report/page.js';
import { reportJson } from '../../report/report-json.js';
import { loadReportRuntime } from '../../report/write.js';
import { VERDICTS_FILE } from '../../workflows/plan-verdicts.js';
import { type LearnedTable, type SweepProgress } from '../../workflows/sweep/board.js';
import { bundledPlans, findPlan, planFile } from '../../workflows/sweep/bundled.js';
import type { PlanCost } from '../../workflows/sweep/plan/cost.js';
import { CALIBRATION_SECONDS, dryRun } from '../../workflows/sweep/plan/dry-run.js';
import { expandPlan, resolveFields, type SweepRun } from '../../workflows/sweep/plan/expand.js';
import { planVerdictsOf } from '../../workflows/sweep/results/findings.js';
import { KEEPS } from '../../workflows/sweep/keep.js';
import { type Choice, chooseValue, type Chosen } from '../../workflows/sweep/plan/choose.js';
import { type Plan, PLAN_SIZES } from '../../workflows/sweep/plan/plan.js';
import { reportOfResults } from '../../workflows/sweep/results/report.js';
import { standingNotes, standingOf } from '../../workflows/sweep/results/standing.js';
import type { ResultLine } from '../../workflows/sweep/results/result-line.js';
import { checkQueueUrl } from '../../workflows/sweep/queue/connection.js';
import { MOST_QUEUED, openSubmitter, type Submitter } from '../../workflows/sweep/queue/submit.js';
import { RESULTS_FILE } from '../../workflows/sweep/results/results-file.js';
import { collectShards, runsOfShard, type Shard } from '../../workflows/sweep/results/shards.js';
import { slurmScript } from '../../workflows/sweep/slurm.js';
import { resultsOfPlan, runSweep, type SweepOutcome, sweepResults } from '../../workflows/sweep/sweep.js';
import { bar, createDisplay, duration } from '../terminal/display.js';
import {
  addCommonFlags,
  engineFlag,
  flagValue,
  type ParsedOptions,
  parseNumber,
  switchValue,
  wholeFlag,
} from '../flags/flags.js';
import { addFolderFlags, foldersOf } from '../flags/folders.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { claimLines, formatTable, percent } from '../terminal/table.js';
import { SUMMARIES } from '../terminal/summaries.js';

const HELP = `
A plan names a base configuration, arms, axes and seeds; every arm is trained at every point of the axes with every seed:

  name: my-sweep
  base: { training.steps: 8000 }
  arms:
    sum: { data.tasks: [SUM] }
    joint: { data.tasks: [MAX, MED, SUM] }
  axes: { model.dModel: [8, 16] }
  seeds: 101..105
  modules: [embedding-pca]
  claims: [C2]

Each finished run is one line of reports/<name>/results.jsonl, written at once. The same command goes on from there at any
time; a run with a line is never trained again. docs/sweeps.md describes plans in full.

Examples:
  sumlens sweep thresholds --dry-run
  sumlens sweep thresholds --size small --stop-after 30
  sumlens sweep plan.yaml --jobs 4 --keep none
  sumlens sweep plan.yaml --slurm sweep.sbatch --shards 32         then: sbatch sweep.sbatch
  sumlens sweep paper --size paper --name paper --report-only      the report again, from results.jsonl alone
  sumlens sweep plan.yaml --queue redis://:password@host:6379      with "sumlens worker --queue ..." on any machines`;

export function registerSweep(program: Command): void {
  const command = program
    .command('sweep')
    .argument('<plan>', `${bundledPlans().join(', ')}, or a file of one's own`)
    .description(SUMMARIES.sweep.description)
    .option(
      '--size <size>',
      `${PLAN_SIZES.join(' or ')}, where the plan has sizes (default: the first it has)`,
    )
    .option('--dry-run', 'show runs, parameters, core-hours and the verdicts in reach; train nothing')
    .option('--report-only', 'train nothing: write the report from the results that are there')
    .option('--jobs <n>', 'runs at a time (default: the cores of this machine)')
    .option('--keep <what>', `checkpoints that stay: ${KEEPS.join(', ')} (default: all)`)
    .option('--retries <n>', 'further attempts at a run that fails (default: 2)')
    .option('--stop-after <minutes>', 'stop then; the same command goes on')
    .option('--queue <url>', 'let workers train: the URL of a Redis or PostgreSQL server')
    .option('--slurm <file>', 'write the SLURM array script of the sweep; train nothing')
    .option('--shards <n>', 'with --slurm: tasks of the array (default: one for each run, at most 64)')
    .option('--shard <i/n>', 'train part i of n, from 0; --report-only collects the results')
    .option('--name <name>', 'folder of the results below reports (default: the name of the plan)')
    .addHelpText('after', HELP);
  addFolderFlags(addCommonFlags(command)).action(sweepCommand);
}

interface Request {
  readonly plan: Plan;
  readonly planFile: string;
  readonly name: string;
  readonly runs: readonly SweepRun[];
  readonly jobs: number;
}

async function sweepCommand(planName: string, options: ParsedOptions): Promise<void> {
  const plan = findPlan(planName, choiceFlag(options, 'size', PLAN_SIZES));
  const request: Request = {
    plan,
    planFile: planFile(planName),
    name: nameFlag(options) ?? plan.name,
    runs: expandPlan(plan, resolveFields(foldersOf(options).checkpointsDir)),
    jobs: wholeFlag(options, 'jobs', [1, 1024]) ?? wholeFlag(options, 'threads', [1, 1024]) ?? usableCores(),
  };
  const interrupt = interruptSignal();
  try {
    if (switchValue(options, 'dry-run')) await showPlan(request, options, interrupt.signal);
    else if (switchValue(options, 'report-only')) reportAgain(request, options);
    else if (flagValue(options, 'slurm') !== undefined) writeSlurm(planName, request, options);
    else await sweep(request, options, interrupt);
  } finally {
    interrupt.release();
  }
}

async function showPlan(
  { plan, name, runs, jobs }: Request,
  options: ParsedOptions,
  signal: AbortSignal,
): Promise<void> {
  const { reportsDir } = foldersOf(options);
  const results = resultsOfPlan(runs, sweepResults(reportsDir, name));
  const display = createDisplay(switchValue(options, 'quiet'));
  display.log(`timing this machine for ${CALIBRATION_SECONDS} s`);
  const found = await dryRun(runs, results, plan.claims, engineFlag(options), signal);
  process.stdout.write(
    switchValue(options, 'json')
      ? `${JSON.stringify({ plan: plan.name, jobs, ...found }, null, 2)}\n`
      : dryRunText(plan, found, jobs),
  );
}

function dryRunText(plan: Plan, found: PlanCost, jobs: number): string {
  const range = (low: number, high: number): string =>
    low === high ? grouped(low) : `${grouped(low)}..${grouped(high)}`;
  const hasParts = found.rows.some(({ part }) => part !== '');
  const table = formatTable(
    [...(hasParts ? ['part'] : []), 'arm', 'runs', 'left', 'parameters', 'steps', 'core-hours'],
    found.rows.map((row) => [
      ...(hasParts ? [row.part] : []),
      row.arm,
      String(row.runs),
      String(row.left),
      range(row.fewestParameters, row.mostParameters),
      range(row.fewestSteps, row.mostSteps),
      row.coreHours.toFixed(3),
    ]),
  );
  const wall = duration((found.coreHours / Math.min(jobs, Math.max(1, found.left))) * 3.6e6);
  const claims =
    found.claims.length === 0
      ? ''
      : `\n${formatTable(
          ['claim', 'in reach', 'why'],
          found.claims.map(({ claim, reachable, why }) => [claim, reachable ? 'yes' : 'no', why]),
        )}\n`;
  return (
    `${plan.name}: ${plan.description}\n\n${table}\n\n` +
    `${grouped(found.runs)} runs, ${grouped(found.left)} left: at most ${found.coreHours.toFixed(2)} core-hours, ${wall} at ${jobs} at a time\n${claims}`
  );
}

async function sweep(
  request: Request,
  options: ParsedOptions,
  interrupt: ReturnType<typeof interruptSignal>,
): Promise<void> {
  const { name, runs, jobs } = request;
  const shard = shardFlag(options);
  const begin = performance.now();
  const stop = new AbortController();
  const minutes = stopAfter(options);
  const timer = minutes === undefined ? undefined : setTimeout(() => stop.abort(), minutes * 60_000);
  const display = createDisplay(switchValue(options, 'quiet'));
  let last: { readonly progress: SweepProgress; readonly tables: () => readonly LearnedTable[] } | undefined;
  const signal = AbortSignal.any([interrupt.signal, stop.signal]);
  let opened: Submitter | undefined;
  let outcome: SweepOutcome;
  try {
    const submitter = await submitterOf(name, options, signal, (text) => display.log(text));
    opened = submitter;
    outcome = await runSweep({
      name,
      runs,
      ...foldersOf(options),
      engine: engineFlag(options),
      shard,
      // a queue takes what is ready; its workers say how many are trained at a time
      parallel: submitter === undefined ? jobs : MOST_QUEUED,
      ...(submitter !== undefined && {
        attempt: (run, config, onProgress) => submitter.attempt(run, config, onProgress),
      }),
      retries: wholeFlag(options, 'retries', [0, 100]) ?? 2,
      keep: choiceFlag(options, 'keep', KEEPS) ?? 'all',
      signal,
      onProgress: (progress, tables) => {
        last = { progress, tables };
        display.update(
          () => [...progressLines(progress), '', ...tables().flatMap(tableLines)],
          () => ({ share: progress.share, etaMs: progress.etaMs }),
        );
      },
      onResult: (run, line, progress) => display.log(resultLine(run, line, progress)),
      onNote: (text) => display.log(text),
    });
  } finally {
    clearTimeout(timer);
    await opened?.close();
    display.end();
  }
  const { results, failed, interrupted, resultsPath } = outcome;
  const own = shard === undefined ? runs.length : runsOfShard(runs, shard).length;
  const isOurStop = interrupted && !interrupt.signal.aborted;
  if (switchValue(options, 'json')) {
    const summary = { results: resultsPath, runs: own, finished: results.size, failed, interrupted };
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  } else {
    const tables = (last?.tables() ?? []).flatMap(tableLines);
    if (tables.length > 0) process.stdout.write(`${tables.join('\n')}\n\n`);
    process.stdout.write(
      `${results.size} of ${own} runs finished${failed.length > 0 ? `, ${failed.length} failed` : ''}; took ${duration(performance.now() - begin)}\nresults: ${resultsPath}\n`,
    );
  }
  if (results.size > 0 && shard === undefined) reportSweep(request, results, dirname(resultsPath), options);
  for (const { run, reason } of failed) console.error(`run ${run} failed: ${reason}`);
  if (interrupted) {
    const why = isOurStop ? `Stopped after ${minutes ?? ''} minutes` : 'Interrupted';
    console.error(`${why}. The same command goes on from here.`);
  }
  if (interrupt.signal.aborted) process.exitCode = interrupt.exitCode();
  else if (failed.length > 0) process.exitCode = 1;
}

/** The report of what has a result, without a checkpoint. */
function reportAgain(request: Request, options: ParsedOptions): void {
  const folder = join(foldersOf(options).reportsDir, request.name);
  const collected = collectShards(folder);
  if (collected > 0) console.error(`collected ${collected} results of shards`);
  const results = resultsOfPlan(request.runs, sweepResults(dirname(folder), request.name));
  if (results.size === 0) {
    throw new UserError(
      `--report-only: found no result of the plan ${request.plan.name} in ${join(folder, RESULTS_FILE)}, expected at least one. Leave --report-only out, or name the folder with --name.`,
    );
  }
  if (switchValue(options, 'json')) {
    const summary = {
      results: join(folder, RESULTS_FILE),
      runs: request.runs.length,
      finished: results.size,
    };
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  } else process.stdout.write(`${results.size} of ${request.runs.length} runs finished\n`);
  reportSweep(request, results, folder, options);
}

/** The page, the report, the table of observations and the plan beside results.jsonl, and the claims in the terminal. */
function reportSweep(
  { plan, name, planFile: file, runs }: Request,
  results: ReadonlyMap<string, ResultLine>,
  folder: string,
  options: ParsedOptions,
): void {
  const standing = standingOf(runs, results);
  const notes = standingNotes(name, standing);
  const report = reportOfResults([...results.values()], {
    title: `sumlens sweep ${name}`,
    version: packageVersion(),
    notes: notes.join('\n'),
  });
  const verdicts = planVerdictsOf(name, report.claims, standing);
  makeDirectory(join(folder, PLANS));
  writeFileDurably(join(folder, PLANS, basename(file)), readText(file));
  writeFileDurably(join(folder, VERDICTS_FILE), `${canonicalJson(verdicts)}\n`);
  writeFileDurably(join(folder, 'report.json'), reportJson(report));
  writeFileDurably(join(folder, 'observations.csv.gz'), gzipSync(toCsv(report), { level: 9 }));
  writeFileDurably(join(folder, 'index.html'), renderReport(report, loadReportRuntime()));
  if (switchValue(options, 'json')) return;
  const choice =
    plan.choose === undefined
      ? ''
      : `${choiceText(plan.choose, chooseValue(plan.choose, runs, results))}\n\n`;
  process.stdout.write(
    `\n${plan.description}\n\n${[...notes, ''].join('\n')}${choice}${claimLines(report.claims)}\n\nreport: ${join(folder, 'index.html')}\n`,
  );
}

/** What a plan chooses, and why. */
function choiceText({ field, operation }: Choice, { candidates, value }: Chosen): string {
  const table = formatTable(
    [field, `learned ${operation}`, 'smaller of the last two accuracies, mean', 'runs'],
    candidates.map((one) => [
      one.value,
      String(one.learned),
      percent(one.accuracy),
      `${one.finished} of ${one.runs}`,
    ]),
  );
  const said = value === undefined ? 'not chosen before every run is finished' : `chosen: ${value}`;
  return `${table}\n\n${field} ${said} (most runs that learned; of equals the greatest mean; of equals the first)`;
}

/** Most tasks of an array that nobody asked for. */
const MOST_TASKS = 64;

function writeSlurm(planName: string, { name, runs }: Request, options: ParsedOptions): void {
  const file = String(flagValue(options, 'slurm')?.value);
  if (isDirectory(file)) throw unacceptable('--slurm', file, 'a file, not a directory', 'Add a file name.');
  const shards = wholeFlag(options, 'shards', [1, 10_000]) ?? Math.min(MOST_TASKS, runs.length);
  if (shards > runs.length) {
    throw new UserError(
      `--shards: found ${shards}, expected at most the ${runs.length} runs of the plan. Ask for fewer.`,
    );
  }
  const { checkpointsDir, reportsDir } = foldersOf(options);
  const size = flagValue(options, 'size');
  const keep = choiceFlag(options, 'keep', KEEPS);
  const common = [
    process.execPath,
    process.argv[1],
    'sweep',
    planName,
    ...(size === undefined ? [] : ['--size', String(size.value)]),
    ...['--name', name, '--checkpoints', checkpointsDir, '--reports', reportsDir],
  ];
  const script = slurmScript({
    name,
    shards,
    folder: process.cwd(),
    command: [...common, ...(keep === undefined ? [] : ['--keep', keep]), '--quiet'],
    collect: [...common, '--report-only'],
  });
  writeFileDurably(file, script);
  if (!switchValue(options, 'quiet'))
    console.error(`${file}: ${shards} tasks of ${runs.length} runs. Submit it with sbatch.`);
}

/** `--shard 3/32` */
function shardFlag(options: ParsedOptions): Shard | undefined {
  const found = flagValue(options, 'shard');
  if (found === undefined) return undefined;
  const [, index, of] = /^(\d{1,5})\/(\d{1,5})$/.exec(String(found.value)) ?? [];
  if (index !== undefined && of !== undefined && Number(index) < Number(of)) {
    if (flagValue(options, 'queue') === undefined) return { index: Number(index), of: Number(of) };
    throw new UserError('--shard: found with --queue, expected one of them. Leave one out.');
  }
  throw unacceptable(found.field, found.value, 'a part and the number of parts, such as 0/32 to 31/32');
}

/** Folder of the plans beside their results. */
const PLANS = 'plans';

async function submitterOf(
  name: string,
  options: ParsedOptions,
  signal: AbortSignal,
  onNote: (text: string) => void,
): Promise<Submitter | undefined> {
  const queue = flagValue(options, 'queue');
  if (queue === undefined) return undefined;
  return openSubmitter({ url: checkQueueUrl(String(queue.value)), sweep: name, signal, onNote });
}

/** Lines shown of runs at work. */
const MOST_SHOWN = 32;

function progressLines({ total, finished, failed, share, etaMs, working }: SweepProgress): string[] {
  const eta = etaMs === undefined ? '' : `, ETA ${duration(etaMs)}`;
  return [
    `${bar(share)} ${percent(share)} trained, ${finished} of ${total} runs${failed > 0 ? `, ${failed} failed` : ''}${eta}`,
    ...working
      .filter(({ step }, i) => step > 0 || i < MOST_SHOWN)
      .slice(0, MOST_SHOWN)
      .map(({ run, step, steps, lossNats, accuracy }) => {
        const loss = Number.isFinite(lossNats) ? lossNats.toFixed(3) : '-';
        const right = Object.entries(accuracy).map(([operation, value]) => `${operation} ${percent(value)}`);
        return `  ${runLabel(run).padEnd(40)} step ${String(step).padStart(5)}/${steps}  loss ${loss} nats  ${right.join(' ')}`;
      }),
  ];
}

const runLabel = ({ places, config }: SweepRun): string =>
  `${places[0].arm}, ${conditionLabel(config)} seed ${config.seed}`;

function resultLine(
  run: SweepRun,
  { end, evaluations, seconds }: ResultLine,
  progress: SweepProgress,
): string {
  const right = Object.entries(evaluations.at(-1)?.trained ?? {}).map(
    ([operation, [correct, total]]) => `${operation} ${percent(correct / total)}`,
  );
  const place = `${String(progress.finished).padStart(String(progress.total).length)}/${progress.total}`;
  return `${place}  ${runLabel(run)}: ${end.reason} at ${end.step}, ${right.join(', ')}, ${seconds.toFixed(0)} s`;
}

/** Runs that learned, of those that finished, by parameters. */
function tableLines({ operation, sizes, rows }: LearnedTable): string[] {
  const text = formatTable(
    [`learned ${operation}`, ...sizes.map(grouped)],
    rows.map(({ name, cells }) => [
      name,
      ...cells.map((cell) => (cell === undefined ? '-' : `${cell.learned}/${cell.runs}`)),
    ]),
  );
  return [...text.split('\n'), ''];
}

function nameFlag(options: ParsedOptions): string | undefined {
  const found = flagValue(options, 'name');
  if (found === undefined) return undefined;
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(String(found.value))) return String(found.value);
  throw unacceptable(
    found.field,
    found.value,
    '1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit',
  );
}

function stopAfter(options: ParsedOptions): number | undefined {
  const found = flagValue(options, 'stop-after');
  if (found === undefined) return undefined;
  const minutes = parseNumber(found.value, found.field);
  // a timer holds no more than 2^31 ms
  if (minutes > 0 && minutes <= 35_000) return minutes;
  throw new UserError(
    `${found.field}: found ${minutes}, expected a number of minutes above 0 and up to 35000.`,
  );
}

function choiceFlag<const T extends readonly string[]>(
  options: ParsedOptions,
  flag: string,
  allowed: T,
): T[number] | undefined {
  const found = flagValue(options, flag);
  if (found === undefined) return undefined;
  const value = String(found.value);
  const known = allowed.find((one) => one === value);
  if (known !== undefined) return known;
  const near = nearest(value, allowed);
  throw unacceptable(
    found.field,
    value,
    `one of ${allowed.join(', ')}`,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
}
