/** `sumlens run`: the main job with its progress, summary and viewer. */
import type { Command } from 'commander';
import { PROBES } from '../../../probes/index.js';
import { getPreset, PRESET_NAMES, presets, withSteps } from '../../config/presets.js';
import { distinguishingLabels, runId } from '../../config/names.js';
import type { RunConfig } from '../../config/run-config.js';
import { decidedInWords } from '../../evidence/plan-verdicts.js';
import { openEngine } from '../../engine/registry.js';
import { packageVersion } from '../../io/package-root.js';
import type { Report } from '../../report/schema.js';
import { startMemorySampler } from '../../jobs/memory.js';
import {
  type FailedRun,
  InterruptedRunError,
  mainJob,
  type MainJobResult,
  NothingTrainedError,
  summarize,
} from '../../workflows/main-job.js';
import type { RunProgress, TrainRunsProgress } from '../../workflows/train-runs.js';
import { conditionNames } from '../terminal/colors.js';
import { bar, createDisplay, duration, probingLine, sparkline } from '../terminal/display.js';
import {
  addCommonFlags,
  engineFlag,
  type ParsedOptions,
  switchValue,
  threadsFlag,
  wholeFlag,
} from '../flags/flags.js';
import { addFolderFlags, foldersOf } from '../flags/folders.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { serve, untilStopped } from './serve.js';
import { claimLines, padded, percent, summaryTable } from '../terminal/table.js';
import { SUMMARIES } from '../terminal/summaries.js';
import { addWordFlags, commandLine, wordsOf } from '../flags/words.js';

/** The plan whose results come with the package, and the presets beside whose reports its verdicts stand. */
const SHIPPED_PLAN = 'paper';
const SHIPPED_PLAN_BESIDE: readonly string[] = ['quick', 'standard'];

export function registerRun(program: Command): void {
  const command = program
    .command('run')
    .argument(
      '[preset]',
      PRESET_NAMES.map((name) => `${name}: ${presets[name].description}`).join('  '),
      'quick',
    )
    .description(SUMMARIES.run.description)
    .option('--steps <n>', 'updates of every run, instead of those of the preset')
    .option('--no-serve', 'exit after the report, without a viewer')
    .option('--open', 'open the viewer in the default browser')
    .addHelpText('after', '\nExample:\n  sumlens run quick --no-serve');
  addWordFlags(addFolderFlags(addCommonFlags(command))).action(runCommand);
}

async function runCommand(presetName: string, options: ParsedOptions): Promise<void> {
  const begin = performance.now();
  const steps = wholeFlag(options, 'steps', [1, 100_000_000]);
  const preset = steps === undefined ? getPreset(presetName) : withSteps(getPreset(presetName), steps);
  const words = wordsOf(options);
  const folders = foldersOf(options);
  const engine = engineFlag(options);
  const parallel = threadsFlag(options);
  const json = switchValue(options, 'json');
  const quiet = switchValue(options, 'quiet');
  const wantsViewer = options.serve !== false && !json;

  // a wrong engine is said before anything is trained
  const { engine: opened, note } = await openEngine(engine, { threads: 1 });
  opened.dispose();
  const display = createDisplay(quiet);
  display.log(
    `sumlens run ${presetName}: ${preset.runs.length} runs, ${parallel} at a time. Engine: ${note}`,
  );

  const memory = startMemorySampler();
  const interrupt = interruptSignal();
  const viewer = wantsViewer
    ? await serve({ ...folders, ...(options.open === true ? { open: true } : {}) })
    : undefined;
  const curves = new Curves();
  const nameOf = runNames(preset.runs);
  let result: MainJobResult;
  try {
    result = await mainJob({
      name: presetName,
      ...words,
      command: commandLine(
        ['run', presetName, ...(steps === undefined ? [] : ['--steps', String(steps)])],
        [],
        options,
      ),
      // its runs are those of the claims, in small: what the plan of them came to is told beside
      beside: SHIPPED_PLAN_BESIDE.includes(presetName) ? SHIPPED_PLAN : undefined,
      preset,
      probes: PROBES,
      engine,
      parallel,
      ...folders,
      version: packageVersion(),
      signal: interrupt.signal,
      onTraining: (progress) => {
        curves.add(progress.current);
        if (progress.current.state === 'finished') display.log(finishedLine(progress, curves, nameOf));
        display.update(
          () => trainingBlock(progress, curves, nameOf),
          // the probing that follows takes some of the time
          () => ({ share: 0.9 * progress.share, etaMs: progress.etaMs }),
        );
      },
      onProbing: (progress) =>
        display.update(
          () => [`${bar(progress.done / progress.total)} ${probingLine(progress)}`],
          () => ({ share: 0.9 + (0.1 * progress.done) / progress.total }),
        ),
    });
  } catch (error) {
    display.end();
    await viewer?.close();
    if (error instanceof NothingTrainedError) {
      reportNothing(error, json);
      return;
    }
    if (error instanceof InterruptedRunError) display.log(error.message);
    throw error;
  } finally {
    memory.stop();
    interrupt.release();
  }
  display.end();

  const elapsedMs = performance.now() - begin;
  const peakBytes = memory.peakTreeRssBytes();
  const { report, pagePath, failed, failures, passedOver } = result;
  const rows = summarize(report);
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ report: pagePath, conditions: rows, failed, elapsedMs, peakBytes }, null, 2)}\n`,
    );
  } else {
    console.log(`\n${summaryTable(rows)}\n\n${claimLines(report.claims)}\n`);
    if (report.beside !== undefined) console.log(`${shippedLine(report.beside)}\n`);
    const peak = peakBytes === undefined ? '' : `, peak memory ${(peakBytes / 1e6).toFixed(0)} MB`;
    console.log(`report: ${pagePath}\ntook ${duration(elapsedMs)}${peak}`);
  }
  printFailed(failed);
  for (const { subject, reason } of passedOver) console.error(`${subject} was left out: ${reason}`);
  for (const { module, subject, reason } of failures)
    console.error(`module ${module} failed${subject === undefined ? '' : ` on ${subject}`}: ${reason}`);
  if (failed.length + failures.length + passedOver.length > 0) process.exitCode = 1;
  if (viewer !== undefined) {
    console.log(`viewer: ${viewer.url}  (Ctrl-C ends it)`);
    await untilStopped(viewer);
  }
}

function shippedLine({ plan, runs, finished, parts }: NonNullable<Report['beside']>): string {
  return `shipped plan ${plan}, not these runs (${finished} of ${runs} runs): ${decidedInWords(parts) || 'no claim decided yet'}; reports/${plan}/index.html`;
}

function printFailed(failed: readonly FailedRun[]): void {
  for (const { run, reason } of failed) console.error(`run ${run} failed: ${reason}`);
}

/** What is said when no run could be trained: each run's own reason, as a report of none. */
function reportNothing({ failed }: NothingTrainedError, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify({ report: null, conditions: [], failed }, null, 2)}\n`);
  printFailed(failed);
  process.exitCode = 1;
}

/** SUM accuracy of each run over its evaluations, for the small curves on the terminal. */
class Curves {
  private readonly values = new Map<string, { step: number; accuracy: number }[]>();

  add({ run, step, accuracy }: RunProgress): void {
    const value = accuracy.SUM ?? Object.values(accuracy).at(0);
    if (value === undefined) return;
    const points = this.values.get(run) ?? [];
    if (points.at(-1)?.accuracy !== value) points.push({ step, accuracy: value });
    this.values.set(run, points);
  }

  line(run: string): string {
    return sparkline((this.values.get(run) ?? []).map((point) => point.accuracy));
  }
}

type NameOf = (run: RunProgress) => string;

/** `SUM, pairs, d=16 seed 1`, with the colour of the condition. */
function runNames(configs: readonly RunConfig[]): NameOf {
  const labels = distinguishingLabels(configs);
  const named = conditionNames(labels, process.stderr);
  const byRun = new Map(configs.map((config, i) => [runId(config), named(labels[i])]));
  return ({ run, config }) => `${byRun.get(run) ?? run} seed ${config.seed}`;
}

function trainingBlock(progress: TrainRunsProgress, curves: Curves, nameOf: NameOf): string[] {
  const { runs, finished, share, tokensPerSecond, etaMs } = progress;
  const rate = `${Math.round(tokensPerSecond / 1000)} ktok/s`;
  const eta = etaMs === undefined ? '' : `, ETA ${duration(etaMs)}`;
  return [
    `${bar(share)} ${percent(share)} trained, ${finished} of ${runs.length} runs, ${rate}${eta}`,
    ...runs.filter((run) => run.state === 'training').map((run) => runLine(run, curves, nameOf)),
  ];
}

function runLine(run: RunProgress, curves: Curves, nameOf: NameOf): string {
  const accuracy = Object.entries(run.accuracy).map(([name, value]) => `${name} ${percent(value)}`);
  const loss = Number.isFinite(run.lossNats) ? run.lossNats.toFixed(3) : '-';
  return `  ${padded(nameOf(run), 34)} step ${String(run.step).padStart(5)}/${run.steps}  loss ${loss} nats  ${accuracy.join(' ')}  |${curves.line(run.run)}|`;
}

function finishedLine(
  { current, finished, runs }: TrainRunsProgress,
  curves: Curves,
  nameOf: NameOf,
): string {
  const accuracy = Object.entries(current.accuracy).map(([name, value]) => `${name} ${percent(value)}`);
  const place = `${String(finished).padStart(String(runs.length).length)}/${runs.length}`;
  return `${place}  ${nameOf(current)}: ${accuracy.join(', ')}  |${curves.line(current.run)}|`;
}
