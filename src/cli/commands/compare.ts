/** `sumlens compare`: every module over two or more checkpoints, conditions side by side. */
import type { Command } from 'commander';
import { PROBES } from '../../../probes/index.js';
import { UserError } from '../../errors.js';
import { checkComparable } from '../../workflows/probing/comparable.js';
import type { CheckpointRef } from '../../workflows/probing/probe-plan.js';
import type { ParsedOptions } from '../flags/flags.js';
import { addProbingFlags, CHECKPOINTS_HELP, runProbing } from '../probing/probing.js';
import { SUMMARIES } from '../terminal/summaries.js';

const EXAMPLES = `
Seeds of one condition are replicates; steps of one run are a series. With one seed a condition no interval is given.
Runs of the same conditions that lie beside those given count: without them, or --subset, claims about them have no verdict.

Examples:
  sumlens compare <run-a> <run-b>
  sumlens compare checkpoints/sum-pairs-* checkpoints/max-med-sum-pairs-* --name pairs
  sumlens compare <run>@all --series`;

export function registerCompare(program: Command): void {
  const command = program
    .command('compare')
    .argument('[checkpoints...]', CHECKPOINTS_HELP)
    .description(SUMMARIES.compare.description)
    .addHelpText('after', EXAMPLES);
  addProbingFlags(command).action(async (texts: string[], options: ParsedOptions) => {
    const task = {
      command: ['compare'],
      name: 'compare',
      texts,
      probes: PROBES.map((probe) => ({ probe })),
      sideBySide: true,
      check: checkCheckpoints,
    };
    await runProbing(task, options);
  });
}

function checkCheckpoints(refs: readonly CheckpointRef[]): void {
  if (refs.length < 2)
    throw new UserError(
      `compare: found ${refs.length === 0 ? 'no checkpoint' : 'one checkpoint'}, expected two or more. For one, use "sumlens probe all".`,
    );
  checkComparable(refs);
}
