/**
 * From what a user types to checkpoints that are loaded and verified. A damaged one among several is named and the
 * others go on; a name that means nothing is the user's to mend and ends the command.
 */
import { basename, dirname, resolve } from 'node:path';
import {
  loadWeightsFile,
  openRun,
  parseCheckpointAddress,
  selectSteps,
  type LoadedStep,
  type RunStore,
} from '../../checkpoint/store.js';
import { conditionId, conditionLabel, gptConfigOf } from '../../config/names.js';
import type { RunConfig } from '../../config/run-config.js';
import { errorMessage, printable, UserError } from '../../errors.js';
import { exists } from '../../io/files.js';
import { parameterTable } from '../../model/parameters.js';
import { designOf } from './design.js';
import { type CheckpointRef, checkpointRef } from './probe-plan.js';

export interface DamagedSubject {
  /** as far as it is known: `<run>@<step>`, or what the user wrote */
  readonly subject: string;
  readonly reason: string;
}

export interface FoundSubjects {
  readonly refs: readonly CheckpointRef[];
  readonly damaged: readonly DamagedSubject[];
  /** damaged steps in whose place an earlier one of the same run is among `refs` */
  readonly passedOver: readonly DamagedSubject[];
  /** sentences worth showing, such as a conversion */
  readonly notes: readonly string[];
}

/**
 * @param texts - addresses of src/checkpoint/address.ts, or `.safetensors` files
 * @param root - the checkpoints folder
 * @param fileConfig - configuration of the `.safetensors` files
 * @throws UserError for a name that means nothing
 */
export function findSubjects(texts: readonly string[], root: string, fileConfig?: RunConfig): FoundSubjects {
  const refs: CheckpointRef[] = [];
  const damaged: DamagedSubject[] = [];
  const passedOver: DamagedSubject[] = [];
  const notes: string[] = [];
  const seen = new Set<string>();
  const attempt = (subject: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (error instanceof UserError) throw error;
      damaged.push({ subject, reason: errorMessage(error) });
    }
  };
  for (const text of texts) {
    attempt(text, () => {
      if (text.endsWith('.safetensors')) {
        const found = fileRef(text, fileConfig);
        refs.push(found.ref);
        notes.push(...found.notes);
        return;
      }
      const { runDir, steps } = parseCheckpointAddress(text, root);
      const store = openRun(runDir);
      const last = steps === 'last' ? store.loadStep('last') : undefined;
      if (last !== undefined) passedOver.push(...passedOverOf(store, last));
      for (const step of last === undefined ? selectSteps(store, steps) : [last.step]) {
        const id = `${store.name}@${step}`;
        if (seen.has(`${runDir}@${step}`)) continue;
        seen.add(`${runDir}@${step}`);
        attempt(id, () => {
          // the report reads it too
          store.readSessions();
          refs.push(checkpointRef(store, step));
        });
      }
    });
  }
  const seenReasons = new Set<string>();
  const once = passedOver.filter(({ reason }) => !seenReasons.has(reason) && seenReasons.add(reason));
  return { refs, damaged, passedOver: once, notes: [...new Set(notes)] };
}

/** The steps that a `last` stands in for, as a reader of the report or of the terminal is told. */
export function passedOverOf(store: RunStore, { step, passedOver }: LoadedStep): DamagedSubject[] {
  return passedOver.map((damaged) => ({
    subject: `${store.name}@${damaged.step}`,
    reason: `${damaged.reason} Step ${step} is used in its place.`,
  }));
}

/** A file by itself: its configuration is what the user says, and its step the end of that training. */
function fileRef(
  text: string,
  config: RunConfig | undefined,
): { ref: CheckpointRef; notes: readonly string[] } {
  const path = resolve(text);
  if (!exists(path))
    throw new UserError(
      `checkpoint "${printable(text, 200)}": found no such file, expected a .safetensors file.`,
    );
  if (config === undefined) {
    throw new UserError(
      `checkpoint "${printable(text, 200)}": found no configuration for a file by itself. Add --config <file>, such as the config.json of its run.`,
    );
  }
  const { weightsSha256, notes } = loadWeightsFile(path, config);
  const stem = basename(path, '.safetensors');
  // `model.safetensors` is what every folder calls it
  const run = stem === 'model' ? basename(dirname(path)) : stem;
  const { steps } = config.training;
  return {
    notes: notes.map((note) => `${printable(text, 200)}: ${note}`),
    ref: {
      source: { kind: 'file', path },
      config,
      subject: {
        id: `${run}@${steps}`,
        run,
        step: steps,
        seed: config.seed,
        condition: conditionId(config),
        label: conditionLabel(config),
        parameters: parameterTable(gptConfigOf(config)).nParameters,
        weightsSha256,
        final: true,
        accuracy: null,
        design: designOf(config, 'budget', false),
      },
    },
  };
}
