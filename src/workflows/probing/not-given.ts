/**
 * No selection of runs in silence: runs of the conditions under study that lie beside those given. Only names and config.json
 * are read. What is found becomes rows of the table, from which claims are decided, and a note that names the runs.
 */
import { dirname, join } from 'node:path';
import { REFERENCE } from '../../checkpoint/list.js';
import { parseCheckpointAddress } from '../../checkpoint/store.js';
import { conditionId, runId } from '../../config/names.js';
import { parseRunConfig } from '../../config/parse.js';
import type { RunConfig } from '../../config/run-config.js';
import { NOT_GIVEN, SUBSET } from '../../evidence/decide.js';
import type { Observation } from '../../evidence/statistic.js';
import { exists, isDirectory, listDirectory, readText } from '../../io/files.js';
import { parseJsonStrict } from '../../io/json.js';
import type { Subject } from '../../report/schema.js';
import type { CheckpointRef } from './probe-plan.js';

/** condition -> names of its runs that were not given, in order */
export type NotGiven = ReadonlyMap<string, readonly string[]>;

/** Folders with more entries than this are not looked through to the end. */
export const MOST_ENTRIES = 20_000;
const MOST_CONFIG_BYTES = 1 << 20;
const MOST_NAMED = 12;

export interface Given {
  readonly refs: readonly CheckpointRef[];
  /** what the user wrote: runs that could not be read were given too */
  readonly texts: readonly string[];
  /** the checkpoints folder */
  readonly root: string;
}

/**
 * Looks through the checkpoints folder, the runs that ship, and the folders that the given runs lie in. A copy of a given run,
 * by its id, is not counted; nor is anything whose config.json cannot be read.
 */
export function findNotGiven({ refs, texts, root }: Given): NotGiven {
  const conditions = new Set(refs.map(({ subject }) => subject.condition));
  const outlines = new Set(refs.map(({ config }) => outlineOf(config)));
  const seen = new Set(refs.map(({ config }) => runId(config)));
  const dirs = new Set([
    ...refs.flatMap(({ source }) => (source.kind === 'run' ? [source.dir] : [])),
    ...texts
      .filter((text) => !text.endsWith('.safetensors'))
      .map((text) => parseCheckpointAddress(text, root).runDir),
  ]);
  const folders = new Set([root, join(root, REFERENCE), ...[...dirs].map((dir) => dirname(dir))]);
  const found = new Map<string, string[]>();
  for (const folder of folders) {
    for (const name of entriesOf(folder)) {
      const dir = join(folder, name);
      if (name.startsWith('.') || dirs.has(dir)) continue;
      const config = configOf(dir, outlines);
      if (config === undefined) continue;
      const [id, condition] = [runId(config), conditionId(config)];
      if (!conditions.has(condition) || seen.has(id)) continue;
      seen.add(id);
      found.set(condition, [...(found.get(condition) ?? []), name]);
    }
  }
  return new Map([...found].map(([condition, names]) => [condition, names.sort()]));
}

function entriesOf(folder: string): string[] {
  try {
    return isDirectory(folder) ? listDirectory(folder).slice(0, MOST_ENTRIES) : [];
  } catch {
    // a folder that may not be listed hides its runs from everybody
    return [];
  }
}

/** What tells most conditions apart without a check of the whole configuration. */
function outlineOf({ data, model, training }: RunConfig): string {
  return JSON.stringify([data.tasks, data.regime, model.dModel, training.steps]);
}

function configOf(dir: string, outlines: ReadonlySet<string>): RunConfig | undefined {
  const path = join(dir, 'config.json');
  try {
    if (!exists(path)) return undefined;
    const stored = parseJsonStrict(readText(path, MOST_CONFIG_BYTES), {
      where: path,
    }) as RunConfig;
    return outlines.has(outlineOf(stored)) ? parseRunConfig(stored, path) : undefined;
  } catch {
    return undefined;
  }
}

/** The rows: how many, at the first subject of each condition; and that the choice was on purpose, at the first of all. */
export function notGivenRows(
  subjects: readonly Subject[],
  notGiven: NotGiven,
  subset: boolean,
): Observation[] {
  const counts = [...notGiven].flatMap(([condition, names]): Observation[] => {
    const first = subjects.find((subject) => subject.condition === condition);
    return first === undefined
      ? []
      : [{ subject: first.id, statistic: NOT_GIVEN, scope: {}, value: names.length }];
  });
  const [first] = subjects;
  return [
    ...counts,
    ...(subset && subjects.length > 0 ? [{ subject: first.id, statistic: SUBSET, scope: {}, value: 1 }] : []),
  ];
}

/** Sentences that name the runs, by condition. */
export function notGivenNotes(subjects: readonly Subject[], notGiven: NotGiven, subset: boolean): string[] {
  const notes = [...notGiven].map(([condition, names]) => {
    const label = subjects.find((subject) => subject.condition === condition)?.label ?? condition;
    const more = names.length - MOST_NAMED;
    const named = names.slice(0, MOST_NAMED).join(', ');
    const count = names.length === 1 ? '1 run' : `${names.length} runs`;
    return `Not given: ${count} of ${label}: ${named}${more > 0 ? ` and ${more} more` : ''}.`;
  });
  const choice = 'The runs were chosen on purpose: no verdict is claimed from them.';
  return [...notes.sort(), ...(subset ? [choice] : [])];
}
