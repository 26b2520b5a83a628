/** A verified checkpoint of a listed run as the playground gets it. Reads below the run's own folder only. */
import { listSteps } from '../../checkpoint/run-files.js';
import { openRun } from '../../checkpoint/store.js';
import { RunError, UserError } from '../../errors.js';
import { type PlaygroundDocument, playgroundDocument } from '../../playground/document.js';
import { containedPath } from './contained.js';
import type { RunSummary } from '../contract.js';
import { type Folder, pathOf } from './folders.js';

const FILES = ['model.safetensors', 'manifest.json'] as const;

/**
 * @param which - a step, or the last that there is
 * @returns undefined where there is none, or where a link leads elsewhere
 * @throws UserError for one that is damaged or too large
 */
export async function checkpointDocument(
  folder: Folder,
  { id, address, label }: RunSummary,
  which: number | 'last',
): Promise<PlaygroundDocument | undefined> {
  if ((await containedPath(folder.root, ...folder.parts, 'steps')) === undefined) return undefined;
  const step = which === 'last' ? listSteps(pathOf(folder), 'steps').at(-1) : which;
  if (step === undefined) return undefined;
  for (const file of FILES) {
    const parts = [...folder.parts, 'steps', String(step).padStart(6, '0'), file];
    if ((await containedPath(folder.root, ...parts)) === undefined) return undefined;
  }
  try {
    const store = openRun(pathOf(folder));
    const { parameters, weightsSha256 } = store.loadStep(step);
    const { config } = store;
    return playgroundDocument({ name: `${address}@${step}`, label, step, config, weightsSha256, parameters });
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    // its own words name folders of this machine
    throw new UserError(
      `checkpoint "${id}@${step}": found it damaged, expected files as its manifest says. "sumlens verify" says what is wrong.`,
    );
  }
}
