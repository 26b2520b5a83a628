/** `sumlens sample`: registers the command; the text is made by sample.ts. */
import type { Command } from 'commander';
import {
  addDataFlags,
  flagFields,
  mergeFields,
  type ParsedOptions,
  presetOf,
  switchValue,
  wholeFlag,
} from './flags.js';
import { resolveRunConfig } from '../config/parse.js';
import { sampleCommand } from './sample.js';

export function registerSample(program: Command): void {
  const command = program
    .command('sample')
    .description(
      'Print examples with their reductions and roles, digit frequencies, mutual information and the leak report.',
    )
    .option('--count <n>', 'examples to print (default: 5)')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExample:\n  sumlens sample --tasks MAX+SUM --depth 2 --regime pairs --count 3\n  sumlens sample --preset authors --regime ordered-triples',
    );
  addDataFlags(command).action((options: ParsedOptions) => {
    const fields = mergeFields({ data: presetOf(options).data }, flagFields(options));
    const { data, seed } = resolveRunConfig({ ...fields, model: { nCtx: 4096 } });
    const count = wholeFlag(options, 'count', [1, 1000]) ?? 5;
    process.stdout.write(`${sampleCommand(data, { count, seed, json: switchValue(options, 'json') })}\n`);
  });
}
