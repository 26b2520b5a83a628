/** `sumlens train`: one run, from flags to checkpoints/<run>/. */
import type { Command } from 'commander';
import { runId } from '../../config/names.js';
import { RunError, UserError } from '../../errors.js';
import { canonicalJson } from '../../io/json.js';
import { type RunOutcome, type TrainRunsProgress, trainRuns } from '../../workflows/train-runs.js';
import { addDataFileFlags, fileLine, runAndFileOf } from '../flags/data-file-flags.js';
import { bar, createDisplay, duration } from '../terminal/display.js';
import {
  type ParsedOptions,
  addCommonFlags,
  addRunFlags,
  engineFlag,
  flagValue,
  parseNumber,
  runFieldsOf,
  switchValue,
  wholeFlag,
} from '../flags/flags.js';
import { addFolderFlags, foldersOf } from '../flags/folders.js';
import { addInitFlags, initFieldsOf } from '../flags/init-flags.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { linesTable } from '../terminal/lines-table.js';
import { SUMMARIES } from '../terminal/summaries.js';

const EXAMPLES = `
Examples:
  sumlens train --tasks MAX+MED+SUM --seed 1
  sumlens train --tasks SUM --regime pairs --steps 16000 --d-model 32
  sumlens train --phases MAX+MED:4000,SUM:4000 --phase-schedule re-warmed
  sumlens train --tasks SUM --init-from <run>@final --init numbers
  sumlens train --data test_d20s.tsv --max-tokens 128 --format direct --steps 2000
  sumlens train --config checkpoints/<run>/config.json --out elsewhere

The same configuration goes on where it stopped and is never trained twice; --out trains it again elsewhere.
Every flag can be given as an environment variable: SUMLENS_D_MODEL=32.`;

/** Adds the command to the program. */
export function registerTrain(program: Command): void {
  const command = program
    .command('train')
    .description(SUMMARIES.train.description)
    .option('--out <folder>', 'directory of the run (default: checkpoints/<run>)')
    .option('--allow-engine-change', 'go on although the engine or its kernels changed')
    .option('--save-every <seconds>', 'time between resume checkpoints (default: 30)')
    .addHelpText('after', EXAMPLES);
  addInitFlags(addDataFileFlags(addRunFlags(addFolderFlags(addCommonFlags(command))))).action(
    (options: ParsedOptions) => train(options),
  );
}

async function train(options: ParsedOptions): Promise<void> {
  const root = foldersOf(options).checkpointsDir;
  const { fields, initFrom } = initFieldsOf(runFieldsOf(options), options, root);
  const { config, dataFile } = runAndFileOf(options, undefined, fields);
  const engine = engineFlag(options);
  const threads = wholeFlag(options, 'threads', [1, 256]) ?? 1;
  const resumeEveryMs = saveEvery(options);
  const out = flagValue(options, 'out')?.value;
  const asJson = switchValue(options, 'json');
  const display = createDisplay(switchValue(options, 'quiet'));
  if (config.data.file !== undefined) display.log(fileLine(config.data.file));
  const interrupt = interruptSignal();
  let isEstimated = false;
  try {
    const [outcome] = await trainRuns({
      configs: [config],
      dataFile,
      initFrom,
      root,
      engine,
      threads,
      resumeEveryMs,
      allowEngineChange: switchValue(options, 'allow-engine-change'),
      signal: interrupt.signal,
      onProgress: (progress) => {
        const { estimateMs, step, steps } = progress.current;
        if (estimateMs !== undefined && !isEstimated) {
          isEstimated = true;
          const time = duration(estimateMs);
          display.log(`engine ${engine}: about ${time} for ${steps - step} updates, evaluations not counted`);
        }
        if (progress.current.state === 'training') {
          display.update(
            () => [progressText(progress)],
            () => ({ share: progress.share, etaMs: progress.etaMs }),
          );
        }
      },
      ...(typeof out === 'string' && { out }),
    });
    display.end();
    report(outcome, { asJson, say: (text) => display.log(text), exitCode: interrupt.exitCode() });
  } finally {
    display.end();
    interrupt.release();
  }
}

function saveEvery(options: ParsedOptions): number | undefined {
  const found = flagValue(options, 'save-every');
  if (found === undefined) return undefined;
  const seconds = parseNumber(found.value, found.field);
  if (seconds <= 0)
    throw new UserError(`${found.field}: found ${seconds}, expected a number of seconds above 0.`);
  return seconds * 1000;
}

/** One line about the run at work. */
export function progressText({ current, etaMs }: TrainRunsProgress): string {
  const { step, steps, lossNats, accuracy, tokensPerSecond } = current;
  const parts = [`${bar(step / steps)} ${step}/${steps}`];
  if (Number.isFinite(lossNats)) parts.push(`loss ${lossNats.toFixed(3)}`);
  if (Object.keys(accuracy).length > 0) parts.push(accuracyText(accuracy));
  if (tokensPerSecond > 0) parts.push(`${rate(tokensPerSecond)} tokens/s`);
  if (etaMs !== undefined) parts.push(`${duration(etaMs)} left`);
  return parts.join('  ');
}

/** Prints how the run ended and sets the exit code. @throws what the child failed with */
function report(
  outcome: RunOutcome,
  to: {
    readonly asJson: boolean;
    readonly say: (text: string) => void;
    readonly exitCode: number | undefined;
  },
): void {
  if (outcome.kind === 'failed') {
    throw outcome.userError ? new UserError(outcome.message) : new RunError(outcome.message);
  }
  if (outcome.kind === 'interrupted') {
    const { run, killed = false } = outcome;
    const where = killed ? 'from its last resume point' : 'where it stopped';
    to.say(
      `Interrupted${killed ? ' in the middle of an update' : ''}. ${run} goes on ${where} when the same command is given again.`,
    );
    if (to.asJson) printJson({ run, reason: 'interrupted' });
    process.exitCode = to.exitCode ?? (outcome.signal === 'SIGTERM' ? 143 : 130);
    return;
  }
  const { outcome: answer } = outcome;
  if (to.asJson) printJson({ ...answer, run: runId(outcome.config) });
  else {
    for (const note of answer.notes) to.say(note);
    const what = answer.already ? 'was trained before' : 'is trained';
    process.stdout.write(`${outcome.run} ${what}: ${answer.reason} at step ${answer.step}\n`);
    const accuracy = accuracyText(answer.accuracy);
    const asked = answer.lines === undefined ? '' : ' on one operation and numbers alone';
    if (accuracy !== '') process.stdout.write(`accuracy${asked}  ${accuracy}\n`);
    if (answer.lines !== undefined) process.stdout.write(`${linesTable(answer.lines)}\n`);
    process.stdout.write(`${answer.dir}\n`);
  }
  // a diverged run is a result, but not the one that was asked for
  if (answer.reason === 'diverged') process.exitCode = 1;
}

function printJson(value: unknown): void {
  process.stdout.write(`${canonicalJson(value)}\n`);
}

/** `950`, `12.3k`, `1.2M` */
function rate(perSecond: number): string {
  if (perSecond < 1000) return String(Math.round(perSecond));
  return perSecond < 1e6 ? `${(perSecond / 1e3).toFixed(1)}k` : `${(perSecond / 1e6).toFixed(1)}M`;
}

/** `MAX 0.99 SUM 0.31`; nothing before the first evaluation */
function accuracyText(accuracy: Readonly<Record<string, number>>): string {
  return Object.entries(accuracy)
    .map(([operation, value]) => `${operation} ${value.toFixed(2)}`)
    .join(' ');
}
