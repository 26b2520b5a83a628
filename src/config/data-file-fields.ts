/** Completes the fields of a run by what a data file decides: operations, shapes, and which lines are kept. */
import { UserError, unacceptable } from '../errors.js';
import {
  type DataFile,
  differingFileFields,
  readDataBytes,
  readDataFile,
} from '../listops/files/data-file.js';
import {
  DEFAULT_HELD_FRACTION,
  checkHeldFraction,
  checkMaxTokens,
} from '../listops/files/data-file-config.js';
import { countLonger, describeLines, sequenceLength } from '../listops/files/line-data.js';
import { DEFAULT_RUN } from './defaults.js';
import { type DeepPartial, resolveRunConfig } from './parse.js';
import type { RunConfig } from './run-config.js';

export interface DataFileRequest {
  readonly path: string;
  /** leave longer lines out; default: those of `data.file`, else none may be longer than nCtx */
  readonly maxTokens?: number | undefined;
  readonly heldFraction?: number | undefined;
}

/** Decided by the file, so that no flag may say otherwise. */
const DECIDED = ['tasks', 'depth', 'operands', 'nesting'] as const;

/**
 * Reads the file and fills in what it decides. Median rule: mean-truncated unless given, as the public data have it.
 * nCtx: the default, or maxTokens where that is larger. A complete `data.file` in the fields must be this file.
 * @throws UserError
 */
export function withDataFile(
  fields: DeepPartial<RunConfig>,
  request: DataFileRequest,
): DeepPartial<RunConfig> {
  // a file that is not there is said before what else is wrong
  const bytes = readDataBytes(request.path);
  const given = fields.data ?? {};
  const stored = given.file ?? {};
  const isStored = stored.sha256 !== undefined;
  for (const key of DECIDED) {
    if (isStored || given[key] === undefined) continue;
    throw unacceptable(`--${key}`, given[key], 'nothing with --data', 'The lines of the file decide it.');
  }
  const maxTokens = request.maxTokens ?? stored.maxTokens;
  if (maxTokens !== undefined) checkMaxTokens('--max-tokens', maxTokens);
  const heldFraction = request.heldFraction ?? stored.heldFraction ?? DEFAULT_HELD_FRACTION;
  checkHeldFraction('--held-fraction', heldFraction);
  // checks the rules that reading depends on
  const { data } = resolveRunConfig({
    data: {
      ...(given.modulus !== undefined && { modulus: given.modulus }),
      ...(given.format !== undefined && { format: given.format }),
      medianOfEven: given.medianOfEven ?? 'mean-truncated',
      operands: [2, 2],
    },
  });
  const nCtx = fields.model?.nCtx ?? Math.max(DEFAULT_RUN.model.nCtx, maxTokens ?? 0);

  const file = readDataFile(request.path, data, bytes);
  const selection = { modulus: data.modulus, format: data.format, maxTokens, heldFraction };
  if (maxTokens === undefined) refuseLonger(file, data.format, nCtx);
  const decided = describeLines(file.lines, file, selection);
  if (isStored) {
    // the fields of a stored configuration are complete, and checked with it
    const differing = differingFileFields(given as RunConfig['data'], decided);
    if (differing.length > 0) {
      throw new UserError(
        `--data: ${file.name} is not the file of the configuration: ${differing.join(', ')}. ` +
          `Give that file with the same settings, or leave data.file out of the configuration.`,
      );
    }
  }
  return {
    ...fields,
    model: { ...fields.model, nCtx },
    data: { ...given, ...decided, medianOfEven: data.medianOfEven },
  };
}

function refuseLonger({ name, lines }: DataFile, format: RunConfig['data']['format'], nCtx: number): void {
  const longer = countLonger(lines, format, nCtx);
  if (longer === 0) return;
  let longest = 0;
  for (let i = 0; i < lines.labels.length; i++) longest = Math.max(longest, sequenceLength(lines, i, format));
  throw new UserError(
    `--data: ${name}: found ${longer} of ${lines.nLines} lines longer than --n-ctx ${nCtx} (the longest has ${longest} ` +
      `tokens in the format ${format}), expected none. Leave them out with --max-tokens ${nCtx}, or raise --n-ctx.`,
  );
}
