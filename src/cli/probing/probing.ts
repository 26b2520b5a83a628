/** What `probe` and `compare` share: flags, finding the checkpoints, progress, and what is printed at the end. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { isReservedName } from '../../checkpoint/run-files.js';
import { resolveRunConfig } from '../../config/parse.js';
import type { RunConfig } from '../../config/run-config.js';
import { RunError, unacceptable, UserError } from '../../errors.js';
import { packageVersion } from '../../io/package-root.js';
import { differencesOf } from '../../evidence/summaries.js';
import { evidenceOfReport } from '../../report/evidence-of-report.js';
import { differenceName, ranked } from '../../report/marks/forest.js';
import { reportJson } from '../../report/report-json.js';
import type { Report } from '../../report/schema.js';
import type { ProbeChoice, ProbeProgress } from '../../workflows/probing/probe-checkpoints.js';
import { probeAndReport } from '../../workflows/probing/probe-job.js';
import type { CheckpointRef } from '../../workflows/probing/probe-plan.js';
import { findNotGiven, type NotGiven } from '../../workflows/probing/not-given.js';
import { findSubjects } from '../../workflows/probing/subjects.js';
import { conditionNames } from '../terminal/colors.js';
import { createDisplay, measuringPace, probingLine } from '../terminal/display.js';
import {
  addCommonFlags,
  engineFlag,
  flagValue,
  parseNumber,
  type ParsedOptions,
  readConfigFile,
  switchValue,
  threadsFlag,
} from '../flags/flags.js';
import { addFolderFlags, foldersOf } from '../flags/folders.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { failureLines, measureOnly, printMeasured } from './measure-only.js';
import { claimLines, formatTable, shortNumber } from '../terminal/table.js';
import { addWordFlags, commandLine, wordsOf } from '../flags/words.js';

export const CHECKPOINTS_HELP =
  '<run>, <run>@<step>,<step>, <run>@all, <run>@final, a path of one, or a .safetensors file with --config';

export function addProbingFlags(command: Command): Command {
  return addWordFlags(addFolderFlags(addCommonFlags(command)))
    .addOption(new Option('--name <name>', 'folder of the report, below reports/'))
    .option('--config <file>', 'configuration of .safetensors files, such as the config.json of their run')
    .option(
      '--subset',
      'runs of the same conditions are left out on purpose: the numbers are shown, no verdict is claimed',
    )
    .option('--series', 'cheaper options, for many steps of a run')
    .option('--no-report', 'measure what is not known yet, keep it for later reports, and write none')
    .option(
      '--time-limit <seconds>',
      'how long a module may stay silent (default: 120; to load a file of your own: 20)',
    )
    .option(
      '--module-limit <seconds>',
      'how long a module may measure in all (default: as long as it takes)',
    );
}

export interface ProbingTask {
  /** of the command line that makes the report again: `probe all` */
  readonly command: readonly string[];
  /** of the report's folder and title, unless --name is given */
  readonly name: string;
  readonly texts: readonly string[];
  readonly probes: readonly ProbeChoice[];
  readonly sideBySide: boolean;
  /** throws when the checkpoints do not suit the command */
  readonly check?: (refs: readonly CheckpointRef[]) => void;
}

/** Probes, reports, prints; the exit code is 1 when anything was left out because it failed. */
export async function runProbing(task: ProbingTask, options: ParsedOptions): Promise<void> {
  const { checkpointsDir, reportsDir } = foldersOf(options);
  const name = reportName(options['name'], task.name);
  const timeLimitMs = timeLimit(options);
  const engine = engineFlag(options);
  const parallel = threadsFlag(options);
  const found = findSubjects(task.texts, checkpointsDir, fileConfig(options));
  const { refs, notes } = found;
  // an earlier step of a run beside the last ones of others is a result, but not the one that was asked for
  const damaged = [...found.damaged, ...found.passedOver];
  // nothing is left to go on with
  if (refs.length === 0 && damaged.length > 0) throw new RunError(damaged[0].reason);
  task.check?.(refs);
  const { title = `sumlens ${name}`, notes: authorNotes } = wordsOf(options);
  const notGiven = findNotGiven({ refs, texts: task.texts, root: checkpointsDir });
  const subset = switchValue(options, 'subset');
  const display = createDisplay(switchValue(options, 'quiet'));
  for (const note of notes) display.log(note);
  const interrupt = interruptSignal();
  const pace = measuringPace();
  const request = {
    probes: task.probes,
    engine,
    parallel,
    series: switchValue(options, 'series'),
    timeLimitMs,
    moduleLimitMs: secondsFlag(options, 'module-limit'),
    signal: interrupt.signal,
    onProgress: (progress: ProbeProgress): void => {
      const share = pace(progress);
      display.update(
        () => [probingLine(progress)],
        () => share,
      );
    },
  };
  try {
    if (switchValue(options, 'no-report')) {
      const measured = await measureOnly({ ...request, refs, reportsDir });
      display.end();
      printMeasured(measured, damaged, switchValue(options, 'json'));
      return;
    }
    const result = await probeAndReport({
      ...request,
      title,
      notes: authorNotes,
      command: commandLine(task.command, refs, options),
      notGiven,
      subset,
      name,
      refs,
      damaged,
      reportsDir,
      version: packageVersion(),
      kind: 'comparison',
    });
    display.end();
    if (switchValue(options, 'json')) process.stdout.write(reportJson(result.report));
    else {
      const tables = [claimLines(result.report.claims), ...differenceLines(result.report)];
      console.log(`${tables.join('\n\n')}\n\nreport: ${join(result.reportDir, 'index.html')}`);
    }
    if (notGiven.size > 0 && !subset) console.error(notGivenText(notGiven));
    for (const { subject, reason } of [...damaged, ...result.copies])
      console.error(`${subject} was left out: ${reason}`);
    for (const line of failureLines(result.failures)) console.error(line);
    if (damaged.length + result.failures.length > 0) process.exitCode = 1;
  } finally {
    display.end();
    interrupt.release();
  }
}

/** The report names the runs; here it is said how many, and what to do. */
function notGivenText(notGiven: NotGiven): string {
  const names = [...notGiven.values()].flat();
  const [first] = names;
  const which = names.length === 1 ? `1 run (${first})` : `${names.length} runs (${first}, ...)`;
  return `not given: ${which} of the same conditions. Claims about them have no verdict: give these runs too, or say --subset.`;
}

/** Differences that fit a terminal; the report holds all. */
const MOST_DIFFERENCES = 15;

/** A table of the largest differences between conditions, when there are any. */
function differenceLines(report: Report): string[] {
  const evidence = evidenceOfReport(report);
  const all = [...evidence.statistics]
    .filter(([, info]) => info.detail !== true)
    .flatMap(([id]) => differencesOf(evidence, id));
  const largest = [...ranked(all), ...all.filter(({ spreads }) => spreads === undefined)];
  const named = conditionNames(evidence.conditions.map(({ label }) => label));
  const rows = largest
    .slice(0, MOST_DIFFERENCES)
    .map((one) => [
      `${differenceName(one)}: ${named(one.a.label)} minus ${named(one.b.label)}`,
      shortNumber(one.estimate),
      one.interval === undefined
        ? 'none: one seed, or equal values'
        : `[${shortNumber(one.interval.low)}, ${shortNumber(one.interval.high)}]`,
      shortNumber(one.p?.p),
    ]);
  if (rows.length === 0) return [];
  const table = formatTable(['difference', 'estimate', '95 % interval', 'p'], rows);
  const left = all.length - rows.length;
  return [
    left > 0
      ? `${table}\nthe ${rows.length} largest of ${all.length} differences, in spreads of one seed`
      : table,
  ];
}

function fileConfig(options: ParsedOptions): RunConfig | undefined {
  const found = flagValue(options, 'config');
  if (found === undefined) return undefined;
  const path = String(found.value);
  return resolveRunConfig(readConfigFile(path), path);
}

/** Milliseconds of --time-limit; undefined: the default of what it limits. */
export function timeLimit(options: ParsedOptions): number | undefined {
  return secondsFlag(options, 'time-limit');
}

function secondsFlag(options: ParsedOptions, name: 'time-limit' | 'module-limit'): number | undefined {
  const found = flagValue(options, name);
  if (found === undefined) return undefined;
  const seconds = parseNumber(found.value, found.field);
  if (seconds < 0.1 || seconds > 86_400)
    throw unacceptable(found.field, seconds, 'a number of seconds from 0.1 to 86400');
  return seconds * 1000;
}

/** A report's folder name: letters, digits, dot, dash and underscore. */
function reportName(given: unknown, fallback: string): string {
  if (given === undefined) return fallback;
  if (typeof given === 'string' && /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(given) && !isReservedName(given))
    return given;
  throw new UserError(
    `--name: found ${JSON.stringify(given)}, expected 1 to 64 letters, digits, ".", "-" or "_", the first a letter or digit, and no name of a device such as CON.`,
  );
}
