/**
 * From what a page asks for to a command line. Both the server and the worker come here: a worker runs what a request comes
 * to, never words that lie on disk. Modules are named, never given as files, and checkpoints are those of the folder.
 */
import { join } from 'node:path';
import { REFERENCE } from '../../checkpoint/list.js';
import { configText, isReservedName } from '../../checkpoint/run-files.js';
import { runId } from '../../config/names.js';
import { type DeepPartial, resolveRunConfig } from '../../config/parse.js';
import { getPreset, presetFields, withSteps } from '../../config/presets.js';
import type { RunConfig } from '../../config/run-config.js';
import type { Setting } from '../../config/setting.js';
import { trainCommand } from '../../config/setting-text.js';
import { settingValue } from '../../config/setting-value.js';
import { SETTINGS } from '../../config/settings.js';
import { nearest, printable, unacceptable, UserError } from '../../errors.js';
import { exists } from '../../io/files.js';
import { shellWord } from '../../io/shell-word.js';
import { selectProbes } from '../../workflows/probing/probe-plan.js';
import type {
  CompareRequest,
  FieldValue,
  JobCheck,
  JobRequest,
  PresetRequest,
  ProbeRequest,
  SweepRequest,
  TrainRequest,
} from '../contract/jobs.js';
import { checkpointOf, type Folders, withoutPaths } from './folders.js';
import { PLAN_FILE, sweepOf } from './sweep-plan.js';

export interface PlannedJob extends JobCheck {
  /** of the command line; FILE stands for the path of `file`, CORES for the cores that it is given */
  readonly args: readonly string[];
  /** a file that the arguments name: a configuration, or a plan */
  readonly file?: { readonly name: string; readonly text: string };
  /** more than one core is of use */
  readonly isWide: boolean;
  /** name of the report that it writes */
  readonly report: string | null;
}

export const FILE = '{file}';
export const CORES = '{cores}';
/** Runs named in a list; of a plan of a thousand the number says more. */
const MOST_NAMED = 50;

/** @throws UserError in the words of the command line */
export function planJob(request: JobRequest, folders: Folders): PlannedJob {
  return withoutPaths(folders, () => planned(request, folders));
}

function planned(request: JobRequest, folders: Folders): PlannedJob {
  switch (request.kind) {
    case 'train':
      return planTrain(request, folders);
    case 'preset':
      return planPreset(request, folders);
    case 'probe':
      return planProbe(request, folders);
    case 'compare':
      return planCompare(request, folders);
    case 'sweep':
      return planSweep(request, folders);
  }
}

function planSweep(request: SweepRequest, folders: Folders): PlannedJob {
  const { plan, runs, words, notes } = sweepOf(request, folders);
  const { text } = request;
  const at = text === undefined ? words[0] : FILE;
  return {
    title: `sweep ${plan.name}: ${runs.length} runs`,
    command: shown(['sweep', ...words]),
    runs: [],
    notes,
    args: ['sweep', at, ...words.slice(1), '--jobs', CORES, ...folderArgs(folders)],
    ...(text !== undefined && { file: { name: PLAN_FILE, text } }),
    isWide: true,
    report: plan.name,
  };
}

const folderArgs = ({ checkpointsDir, reportsDir }: Folders): string[] => [
  ...['--checkpoints', checkpointsDir],
  ...['--reports', reportsDir],
];

const shown = (words: readonly string[]): string => ['sumlens', ...words].map(shellWord).join(' ');

function planTrain(request: TrainRequest, folders: Folders): PlannedJob {
  const config = configOfRequest(request);
  const run = runId(config);
  const isThere = exists(join(folders.checkpointsDir, run));
  return {
    title: `train ${run}`,
    command: trainCommand(config),
    runs: [run],
    notes: isThere ? [`${run} is there already: training goes on where it stopped, or ended before.`] : [],
    args: ['train', '--config', FILE, '--threads', CORES, ...folderArgs(folders)],
    file: { name: 'config.json', text: configText(config) },
    isWide: false,
    report: null,
  };
}

/** The configuration that a form comes to: the fields of a preset, then its own. @throws UserError */
export function configOfRequest({ preset, fields = {} }: TrainRequest): RunConfig {
  const base: DeepPartial<RunConfig> = preset === undefined ? {} : presetFields(preset);
  const nested: Record<string, unknown> = { ...base };
  for (const [path, value] of Object.entries(fields)) {
    const row = settingOf(path);
    const [section, key] = row.path.split('.');
    const parsed = valueOf(row, value);
    if (key === undefined) nested[section] = parsed;
    else nested[section] = { ...(nested[section] as object | undefined), [key]: parsed };
  }
  // every field comes from the table of settings; resolveRunConfig checks the values
  return resolveRunConfig(nested);
}

function settingOf(path: string): Setting {
  const known = SETTINGS.filter(({ flag }) => flag !== undefined);
  const row = known.find((one) => one.path === path);
  if (row !== undefined) return row;
  const near = nearest(
    path,
    known.map((one) => one.path),
  );
  throw new UserError(
    `fields.${printable(path)}: unknown field, expected one of the table of settings.${near === undefined ? '' : ` Did you mean ${near}?`}`,
  );
}

function valueOf(row: Setting, value: FieldValue): unknown {
  if (typeof value === 'number') return value;
  return settingValue(row, value, `${row.path} (--${row.flag ?? ''})`);
}

function planPreset({ preset: name, steps }: PresetRequest, folders: Folders): PlannedJob {
  const preset = steps === undefined ? getPreset(name) : withSteps(getPreset(name), steps);
  const words = ['run', name, ...(steps === undefined ? [] : ['--steps', String(steps)]), '--no-serve'];
  return {
    title: `preset ${name}: ${preset.runs.length} runs and their report`,
    command: shown(words),
    runs: preset.runs.map((run) => runId(run)).slice(0, MOST_NAMED),
    notes: reportNotes(name, folders),
    args: [...words, '--threads', CORES, ...folderArgs(folders)],
    isWide: true,
    report: name,
  };
}

function planProbe(request: ProbeRequest, folders: Folders): PlannedJob {
  const { module, checkpoints, series = false } = request;
  selectProbes([module]);
  const name = request.name ?? module;
  const over = countText(checkpoints);
  return planModules(
    {
      ...{ module, checkpoints, series, name },
      title: `${module === 'all' ? 'all modules' : module} over ${over}`,
    },
    folders,
  );
}

/** Checkpoints that may not be compared are shown beside each other all the same: so by `probe all`. */
function planCompare({ checkpoints, series = false, name }: CompareRequest, folders: Folders): PlannedJob {
  const what = name === undefined ? 'measure' : `report ${name}, comparing`;
  return planModules(
    { ...{ module: 'all', checkpoints, series, name }, title: `${what} ${countText(checkpoints)}` },
    folders,
  );
}

const countText = (checkpoints: readonly string[]): string =>
  checkpoints.length === 1 ? checkpoints[0] : `${checkpoints.length} checkpoints`;

/** The run of an address, as the list has it: the shipped ones stand in it without their folder. */
const runOf = (text: string): string => text.replace(/@[^@]*$/, '').replace(new RegExp(`^${REFERENCE}/`), '');

interface ModulesOver {
  readonly module: string;
  readonly checkpoints: readonly string[];
  readonly series: boolean;
  /** of the report; undefined: none */
  readonly name: string | undefined;
  readonly title: string;
}

function planModules(of: ModulesOver, folders: Folders): PlannedJob {
  const { module, checkpoints, series, name, title } = of;
  if (name !== undefined && (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name) || isReservedName(name))) {
    throw unacceptable('name', name, '1 to 64 letters, digits, ".", "-" or "_", the first a letter or digit');
  }
  const found = checkpoints.map((text) => checkpointOf(text, folders.checkpointsDir, 'checkpoints'));
  const options = [
    ...(name === undefined ? ['--no-report'] : ['--name', name]),
    ...(series ? ['--series'] : []),
  ];
  return {
    title,
    command: shown(['probe', ...options, '--', module, ...checkpoints]),
    runs: [...new Set(checkpoints.map(runOf))].slice(0, MOST_NAMED),
    notes: name === undefined ? [] : reportNotes(name, folders),
    args: ['probe', ...options, '--threads', CORES, ...folderArgs(folders), '--', module, ...found],
    isWide: true,
    report: name ?? null,
  };
}

function reportNotes(name: string, { reportsDir }: Folders): string[] {
  return exists(join(reportsDir, name)) ? [`The report ${name} is there already and will be replaced.`] : [];
}
