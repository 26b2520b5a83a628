/** `sumlens inspect`: one expression asked of one or more checkpoints, and what happens inside. */
import type { Command } from 'commander';
import { UserError, nearest, unacceptable } from '../../errors.js';
import { canonicalJson } from '../../io/json.js';
import { ABLATIONS, type Ablation } from '../../lens/ablate.js';
import { type Inspection, inspect, notTrained } from '../../workflows/inspect.js';
import { openModel } from '../../workflows/library.js';
import { engineFlag, flagValue, type ParsedOptions, switchValue } from '../flags/flags.js';
import { foldersOf } from '../flags/folders.js';
import { inspectionText, paintFor } from '../terminal/inspect-text.js';
import { SUMMARIES } from '../terminal/summaries.js';

const EXAMPLE = `
Positions, stages and parts are counted from 0. Parts: attn, mlp, all, L0.attn, L0.H1, L1.mlp. Means and donors come from
64 expressions of the same form. The expression may go on: "(SUM (MAX 7 3) 6) > (SUM 7".

Example:
  sumlens inspect <run> "(SUM 7 3 6)" --patch "(SUM 7 4 6)" --ablate L0.attn`;

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description(SUMMARIES.inspect.description)
    .argument('<checkpoint...>', '<run> or <run>@<step>, one or more, and then the expression in quotes')
    .option('--patch <expression>', 'put the activations of this one in, place by place')
    .option('--ablate <parts>', 'answer again without these parts, joined with ","')
    .option('--by <method>', `what takes their place: ${ABLATIONS.join(', ')} (default: mean)`)
    .option('--json', 'one JSON document on stdout')
    .option('--engine <name>', 'default: auto')
    .option('--checkpoints <folder>', 'folder of runs (default: checkpoints)')
    .addHelpText('after', EXAMPLE)
    .action((words: string[], options: ParsedOptions) => runInspect(words, options));
}

async function runInspect(words: readonly string[], options: ParsedOptions): Promise<void> {
  const [addresses, expression] = [words.slice(0, -1), words.at(-1) ?? ''];
  if (addresses.length === 0) {
    throw new UserError(
      `inspect: found "${expression}" alone, expected a checkpoint and an expression in quotes, such as <run> "(SUM 7 3 6)".`,
    );
  }
  const by = methodFlag(options);
  const [patch, ablate] = [textFlag(options, 'patch'), textFlag(options, 'ablate')];
  const engine = engineFlag(options);
  const found: { checkpoint: string; notes: readonly string[]; inspection: Inspection }[] = [];
  for (const address of addresses) {
    const model = await openModel(address, { root: foldersOf(options).checkpointsDir, engine });
    try {
      const { subject, config, notes } = model.checkpoint;
      const inspection = inspect(model, expression, {
        by,
        ...(patch === undefined ? {} : { patch }),
        ...(ablate === undefined ? {} : { ablate: ablate.split(',').map((part) => part.trim()) }),
      });
      const outside = notTrained(subject.run, config.data, model.prompt(expression).expression);
      found.push({ checkpoint: subject.id, notes: [...notes, ...outside], inspection });
    } finally {
      model.dispose();
    }
  }
  for (const note of found.flatMap(({ notes }) => notes)) process.stderr.write(`${note}\n`);
  if (switchValue(options, 'json')) {
    process.stdout.write(
      `${canonicalJson(found.map(({ checkpoint, inspection }) => ({ checkpoint, ...inspection })))}\n`,
    );
    return;
  }
  const paint = paintFor(process.stdout, process.env);
  const texts = found.map(({ checkpoint, inspection }) => inspectionText(checkpoint, inspection, paint));
  process.stdout.write(`${texts.join(`\n\n${'='.repeat(79)}\n\n`)}\n`);
}

function textFlag(options: ParsedOptions, name: string): string | undefined {
  const value = flagValue(options, name)?.value;
  return typeof value === 'string' ? value : undefined;
}

function methodFlag(options: ParsedOptions): Ablation {
  const found = flagValue(options, 'by');
  if (found === undefined) return 'mean';
  const method = ABLATIONS.find((name) => name === found.value);
  if (method !== undefined) return method;
  const near = nearest(String(found.value), ABLATIONS);
  const remedy = near === undefined ? undefined : `Did you mean ${near}?`;
  throw unacceptable(found.field, found.value, `one of ${ABLATIONS.join(', ')}`, remedy);
}
