/** Training as a library call: one run in this process. Many runs, and children, are workflows/train-runs.ts. */
import { withDataFile } from '../config/data-file-fields.js';
import { type DeepPartial, resolveRunConfig } from '../config/parse.js';
import type { RunConfig } from '../config/run-config.js';
import { withInit } from './init-source.js';
import { type TrainOptions, type TrainOutcome, trainRun } from './train-run.js';

/**
 * Trains one run; fields that are not given have their defaults (config/defaults.ts). A finished run returns at once, an
 * interrupted one goes on. With `dataFile` the examples are its lines; `data.file.maxTokens` and
 * `data.file.heldFraction` may be given. With `initFrom` it starts from that checkpoint; `init.what` may be given.
 * @param options - default: the folder `checkpoints`, the fastest engine there is, one thread
 * @throws UserError naming the field that is not acceptable
 */
export async function train(
  config: DeepPartial<RunConfig> = {},
  options: Partial<TrainOptions> = {},
): Promise<TrainOutcome> {
  const { dataFile, initFrom, root = 'checkpoints' } = options;
  const withLines = dataFile === undefined ? config : withDataFile(config, { path: dataFile });
  const fields = initFrom === undefined ? withLines : withInit(withLines, { from: initFrom }, root);
  return trainRun(resolveRunConfig(fields), { root, engine: 'auto', threads: 1, ...options });
}
