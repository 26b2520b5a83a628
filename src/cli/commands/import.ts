/** `sumlens import`: a checkpoint of nanoGPT, Hugging Face transformers or TransformerLens as a run directory. */
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../errors.js';
import { canonicalJson } from '../../io/json.js';
import { accuracyByOperation } from '../../train/learned.js';
import { evaluateImport, prepareImport, publishImport } from '../../workflows/exchange/import-checkpoint.js';
import {
  type ParsedOptions,
  addRunFlags,
  engineFlag,
  flagFields,
  flagValue,
  readConfigFile,
  switchValue,
} from '../flags/flags.js';
import { addFolderFlags, foldersOf } from '../flags/folders.js';
import { SUMMARIES } from '../terminal/summaries.js';

const EXAMPLE = `
A folder that export wrote needs nothing more. A model trained elsewhere needs its vocabulary (the ids of our tokens as
JSON, such as nanoGPT's meta {"stoi": {"s": 0, "SUM": 1, ...}}), the operations it was trained on, and where config.json
does not say it, --heads and --activation. Only safetensors and JSON are read.

Examples:
  sumlens import exports/sum-gpt2 --out checkpoints/sum-again
  sumlens import model.safetensors --vocabulary meta.json --tasks SUM --heads 4 --steps 5000 --out checkpoints/elsewhere`;

export function registerImport(program: Command): void {
  const command = program
    .command('import')
    .description(SUMMARIES.import.description)
    .argument('<folder or file>', 'folder with model.safetensors and config.json, or a safetensors file')
    .option('--out <folder>', 'new run directory (default: checkpoints/<name>-imported)')
    .option('--model-config <file>', "the other program's configuration: n_layer, n_head, n_embd, ...")
    .option('--vocabulary <file>', 'JSON with the ids of the tokens: {"stoi": {...}}, {...} or a list')
    .option('--engine <name>', 'that evaluates it (default: auto)')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'no messages')
    .addHelpText('after', EXAMPLE);
  addRunFlags(addFolderFlags(command)).action((path: string, options: ParsedOptions) =>
    runImport(path, options),
  );
}

async function runImport(path: string, options: ParsedOptions): Promise<void> {
  const text = (flag: string): string | undefined => {
    const value = flagValue(options, flag)?.value;
    return typeof value === 'string' ? value : undefined;
  };
  const config = text('config');
  const out = text('out') ?? join(foldersOf(options).checkpointsDir, defaultName(path));
  const engine = engineFlag(options);
  const prepared = prepareImport({
    path,
    out,
    modelConfig: text('model-config'),
    vocabulary: text('vocabulary'),
    file: config === undefined ? undefined : readConfigFile(config),
    flags: flagFields(options),
  });
  const evaluation = await evaluateImport(prepared, engine);
  publishImport(prepared, evaluation);
  const { dir, run, step, format, config: made, weightsSha256 } = prepared;
  const accuracy = evaluation === undefined ? undefined : accuracyByOperation(evaluation.row);
  const notes =
    accuracy === undefined
      ? prepared.notes
      : [...prepared.notes, `Accuracy of greedy answers: ${accuracyText(accuracy)}.`];
  if (!switchValue(options, 'quiet')) for (const note of notes) process.stderr.write(`${note}\n`);
  process.stdout.write(
    switchValue(options, 'json')
      ? `${canonicalJson({ run, step, dir, from: format, accuracy, config: made, weightsSha256, notes })}\n`
      : `${dir}\n`,
  );
}

/** The folder's or file's name, with what a run is not named with replaced. */
function defaultName(path: string): string {
  const stem = basename(path.replace(/[/\\]+$/, '')).replace(/\.safetensors$/, '');
  const name = stem.replace(/[^A-Za-z0-9._+-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  if (name === '')
    throw new UserError('--out: found nothing to name the run by, expected a folder. Pass --out.');
  return `${name.slice(0, 80)}-imported`;
}

/** `MAX 99.8 %, SUM 10.0 %` */
const accuracyText = (accuracy: Readonly<Record<string, number>>): string =>
  Object.entries(accuracy)
    .map(([operation, share]) => `${operation} ${(100 * share).toFixed(1)} %`)
    .join(', ');
