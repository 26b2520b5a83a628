/**
 * From what a page asks for to a command line. Both the server and the worker come here: a worker runs what a request comes
 * to, never words that lie on disk. Modules are named, never given as files, and checkpoints are those of the folder.
 */
import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseCheckpointAddress } from '../../checkpoint/address.js';
import { configText, isReservedName } from '../../checkpoint/run-files.js';
import { runId } from '../../config/hash.js';
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
import { selectProbes } from '../../workflows/probe-plan.js';
import { bundledPlans, findPlan } from '../../workflows/sweep/bundled.js';
import { expandPlan, resolveFields } from '../../workflows/sweep/expand.js';
import { PLAN_SIZES } from '../../workflows/sweep/plan.js';
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

export interface Folders {
  readonly checkpointsDir: string;
  readonly reportsDir: string;
}

export interface PlannedJob extends JobCheck {
  /** of the command line; CONFIG stands for the file of `config`, CORES for the cores that it is given */
  readonly args: readonly string[];
  /** text of a configuration that the arguments name */
  readonly config?: string;
  /** more than one core is of use */
  readonly isWide: boolean;
  /** name of the report that it writes */
  readonly report: string | null;
}

export const CONFIG = '{config}';
export const CORES = '{cores}';
/** Runs named in a list; of a plan of a thousand the number says more. */
const MOST_NAMED = 50;

/** @throws UserError in the words of the command line */
export function planJob(request: JobRequest, folders: Folders): PlannedJob {
  try {
    return planned(request, folders);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { checkpointsDir, reportsDir } = folders;
    // a page needs no path of this machine
    const message = error.message.replaceAll(checkpointsDir, 'checkpoints').replaceAll(reportsDir, 'reports');
    throw new UserError(message, { cause: error });
  }
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
    args: ['train', '--config', CONFIG, '--threads', CORES, ...folderArgs(folders)],
    config: configText(config),
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
  const found = checkpoints.map((text) => checkpointOf(text, folders.checkpointsDir));
  const options = [
    ...(name === undefined ? ['--no-report'] : ['--name', name]),
    ...(series ? ['--series'] : []),
  ];
  return {
    title,
    command: shown(['probe', ...options, '--', module, ...checkpoints]),
    runs: [...new Set(checkpoints.map((text) => text.replace(/@[^@]*$/, '')))].slice(0, MOST_NAMED),
    notes: name === undefined ? [] : reportNotes(name, folders),
    args: ['probe', ...options, '--threads', CORES, ...folderArgs(folders), '--', module, ...found],
    isWide: true,
    report: name ?? null,
  };
}

/** An address of a run of the folder, as a path; nothing outside of it is opened. */
function checkpointOf(text: string, root: string): string {
  const isPath = text.endsWith('.safetensors') || text.startsWith('/') || text.split(/[/\\]/).includes('..');
  if (isPath || text.startsWith('-') || /[\\\0]/.test(text)) {
    throw unacceptable('checkpoints', text, '<run>, <run>@<step>,<step>, <run>@all or <run>@final');
  }
  const { runDir, steps } = parseCheckpointAddress(text, root);
  const [realRoot, real] = [root, runDir].map((path) => realpathSync(path));
  if (!real.startsWith(realRoot + sep)) {
    throw unacceptable('checkpoints', text, 'a run of the checkpoints folder');
  }
  return steps === 'last' ? real : `${real}@${typeof steps === 'string' ? steps : steps.join(',')}`;
}

function planSweep({ plan: name, size, stopAfter }: SweepRequest, folders: Folders): PlannedJob {
  const plans = bundledPlans();
  if (!plans.includes(name)) {
    const near = nearest(name, plans);
    throw unacceptable(
      'plan',
      name,
      `one of ${plans.join(', ')}`,
      near === undefined ? undefined : `Did you mean ${near}?`,
    );
  }
  const known = PLAN_SIZES.find((one) => one === size);
  if (size !== undefined && known === undefined) throw unacceptable('size', size, PLAN_SIZES.join(' or '));
  const runs = expandPlan(findPlan(name, known), resolveFields(folders.checkpointsDir));
  const words = [
    ...['sweep', name],
    ...(known === undefined ? [] : ['--size', known]),
    ...(stopAfter === undefined ? [] : ['--stop-after', String(stopAfter)]),
  ];
  return {
    title: `sweep ${name}: ${runs.length} runs`,
    command: shown(words),
    runs: [],
    notes: [],
    args: [...words, '--jobs', CORES, ...folderArgs(folders)],
    isWide: true,
    report: name,
  };
}

function reportNotes(name: string, { reportsDir }: Folders): string[] {
  return exists(join(reportsDir, name)) ? [`The report ${name} is there already and will be replaced.`] : [];
}
