/** One checkpoint written as a folder of another program's files. The formats are in src/checkpoint/exchange. */
import { resolve } from 'node:path';
import type { EndReason } from '../../checkpoint/store.js';
import { openRun } from '../../checkpoint/store.js';
import type { ExchangeFormat } from '../../checkpoint/exchange/formats.js';
import { modelFile } from '../../checkpoint/exchange/publish.js';
import { exportFiles } from '../../checkpoint/exchange/write.js';
import { RunError, UserError, errorCode, printable } from '../../errors.js';
import { exists, publishDirectory } from '../../io/files.js';
import type { Checkpoint } from '../library.js';

export interface ExportedCheckpoint {
  /** absolute */
  readonly dir: string;
  readonly files: readonly string[];
  /** what a reader of the files should know, one sentence each */
  readonly notes: readonly string[];
}

/**
 * @param out - a directory that does not exist; it appears whole
 * @throws UserError when the format cannot express the model, or `out` exists
 */
export function exportCheckpoint(
  checkpoint: Checkpoint,
  to: ExchangeFormat,
  out: string,
): ExportedCheckpoint {
  const { config, parameters, subject } = checkpoint;
  const bad = parameters.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    throw new RunError(`${subject.id}: parameter ${bad} is ${parameters[bad]}, expected finite numbers.`);
  }
  const { entries, notes } = exportFiles(
    {
      to,
      run: subject.run,
      step: subject.step,
      end: endOf(checkpoint),
      weightsSha256: modelFile(config, parameters).sha256,
      config,
    },
    parameters,
  );
  const dir = resolve(out);
  publishNew(dir, () => publishDirectory(dir, entries));
  return { dir, files: entries.map(({ name }) => name), notes: [...checkpoint.notes, ...notes] };
}

/** How the run ended if this is its last checkpoint, else null. */
function endOf({ source, subject }: Checkpoint): EndReason | null {
  if (!subject.final || source.kind !== 'run') return null;
  return openRun(source.dir).end()?.reason ?? null;
}

const taken = (dir: string): UserError =>
  new UserError(
    `--out: found ${printable(dir, 300)}, which exists already, expected a new folder. Name another one.`,
  );

/** @throws UserError when there is something */
export function checkNew(dir: string): void {
  if (exists(dir)) throw taken(dir);
}

/** Publishes a directory that must not exist, which is the user's to mend when it does. */
export function publishNew(dir: string, publish: () => void): void {
  checkNew(dir);
  try {
    publish();
  } catch (error) {
    // another process made it at the same moment
    if (errorCode(error) === 'EEXIST' || errorCode(error) === 'ENOTEMPTY') throw taken(dir);
    throw error;
  }
}
