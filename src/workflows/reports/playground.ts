/** The playground that a page carries: checkpoints by their addresses, with the program that runs them. */
import { UserError, unacceptable } from '../../errors.js';
import { type PlaygroundDocument, playgroundDocument } from '../../playground/document.js';
import { MAX_PAGE_BYTES, MAX_PAGE_MODELS, type PagePlayground } from '../../report/page/playground.js';
import { loadPlaygroundRuntime } from '../../report/write.js';
import { labelRefs } from './build-report.js';
import { type Checkpoint, loadCheckpoints } from '../library.js';

/**
 * @param addresses - as for loadCheckpoints
 * @param root - the checkpoints folder
 * @throws UserError for more checkpoints than a page may have, or none
 */
export function pagePlayground(addresses: readonly string[], root: string): PagePlayground {
  const found = addresses.flatMap((address) => loadCheckpoints(address, { root }));
  if (found.length === 0 || found.length > MAX_PAGE_MODELS) {
    throw unacceptable(
      '--playground',
      `${found.length} checkpoints`,
      `one or ${MAX_PAGE_MODELS}`,
      'Name a step, such as <run>@4096, to take one of a run.',
    );
  }
  const labels = labelRefs(found).map(({ subject }) => subject.label);
  return {
    ...loadPlaygroundRuntime(),
    models: found.map((checkpoint, i) => documentOf(checkpoint, labels[i])),
  };
}

function documentOf({ subject, config, parameters }: Checkpoint, label: string): PlaygroundDocument {
  return playgroundDocument({
    name: subject.id,
    label,
    step: subject.step,
    config,
    weightsSha256: subject.weightsSha256,
    parameters,
  });
}

/** @throws UserError for a page that is too large */
export function checkPageSize(page: string, where: string): void {
  const bytes = Buffer.byteLength(page);
  if (bytes <= MAX_PAGE_BYTES) return;
  throw new UserError(
    `--playground: found a page of ${(bytes / 1e6).toFixed(1)} MB (${where}), expected at most ${MAX_PAGE_BYTES / 1e6} MB. ` +
      'Name one checkpoint, or a smaller model.',
  );
}
