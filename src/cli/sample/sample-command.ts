/** `sumlens sample`: registers the command; the text is made by sample.ts. */
import type { Command } from 'commander';
import { withDataFile } from '../../config/data-file-fields.js';
import { resolveRunConfig } from '../../config/parse.js';
import { openEngine } from '../../engine/registry.js';
import { UserError } from '../../errors.js';
import { readLinesOf } from '../../listops/files/data-file.js';
import { MEDIAN_OF_EVEN } from '../../listops/language/operations.js';
import { gptConfigOf } from '../../config/names.js';
import { MAX_CONTEXT } from '../../model/gpt-config.js';
import { loadCheckpoint } from '../../workflows/library.js';
import { addDataFileFlags, dataFileRequest } from '../flags/data-file-flags.js';
import {
  addDataFlags,
  engineFlag,
  flagFields,
  mergeFields,
  type ParsedOptions,
  presetOf,
  switchValue,
  wholeFlag,
} from '../flags/flags.js';
import { foldersOf } from '../flags/folders.js';
import { sampleAnswers } from './sample-answers.js';
import { sampleLines } from './sample-lines.js';
import { sampleCommand } from './sample.js';
import { SUMMARIES } from '../terminal/summaries.js';

export function registerSample(program: Command): void {
  const command = program
    .command('sample')
    .argument('[checkpoint]', 'show its greedy answers; with --data on lines of a file')
    .description(SUMMARIES.sample.description)
    .option('--count <n>', 'examples to print (default: 5)')
    .option('--json', 'one JSON document on stdout')
    .option('--engine <name>', 'of the answers (default: auto)')
    .option('--checkpoints <folder>', 'folder of runs (default: checkpoints)')
    .addHelpText(
      'after',
      '\nExample:\n  sumlens sample --tasks MAX+SUM --depth 2 --regime pairs --count 3\n  sumlens sample --preset authors --regime ordered-triples\n  sumlens sample --data test_d20s.tsv --format direct\n  sumlens sample <run> --data test_d20s.tsv --max-tokens 64',
    );
  addDataFileFlags(addDataFlags(command)).action(
    async (address: string | undefined, options: ParsedOptions) => {
      process.stdout.write(
        `${address === undefined ? dataText(options) : await answerText(address, options)}\n`,
      );
    },
  );
}

function shown(options: ParsedOptions): { count: number; json: boolean } {
  return { count: wholeFlag(options, 'count', [1, 1000]) ?? 5, json: switchValue(options, 'json') };
}

function dataText(options: ParsedOptions): string {
  const fields = {
    ...mergeFields({ data: presetOf(options).data }, flagFields(options)),
    model: { nCtx: MAX_CONTEXT },
  };
  const request = dataFileRequest(options);
  if (request === undefined) {
    const { data, seed } = resolveRunConfig(fields);
    return sampleCommand(data, { ...shown(options), seed });
  }
  const { data, seed } = resolveRunConfig(withDataFile(fields, request));
  return sampleLines(data, readLinesOf(data, request.path), { ...shown(options), seed });
}

async function answerText(address: string, options: ParsedOptions): Promise<string> {
  const { data = {}, ...others } = flagFields(options);
  const { medianOfEven, ...rest } = data;
  const given = [...Object.keys(rest), ...Object.keys(others)];
  if (given.length > 0) {
    throw new UserError(
      `sample: found ${given.join(', ')} beside a checkpoint, expected none of them: the examples are those of the run, or of --data.`,
    );
  }
  const rule = MEDIAN_OF_EVEN.find((name) => name === medianOfEven);
  if (medianOfEven !== undefined && rule === undefined) resolveRunConfig({ data: { medianOfEven } });
  const checkpoint = loadCheckpoint(address, { root: foldersOf(options).checkpointsDir });
  for (const note of checkpoint.notes) process.stderr.write(`${note}\n`);
  const { engine } = await openEngine(engineFlag(options), { threads: 1 });
  try {
    const { config, parameters } = checkpoint;
    const model = engine.createModel(gptConfigOf(config), { parameters }, 'inference');
    return await sampleAnswers(checkpoint, model, {
      ...shown(options),
      request: dataFileRequest(options),
      medianOfEven: rule,
    });
  } finally {
    engine.dispose();
  }
}
