/** `sumlens export`: one checkpoint as files for nanoGPT, Hugging Face transformers or TransformerLens. */
import type { Command } from 'commander';
import { EXCHANGE_FORMATS, type ExchangeFormat } from '../../checkpoint/exchange/formats.js';
import { UserError, nearest, unacceptable } from '../../errors.js';
import { canonicalJson } from '../../io/json.js';
import { exportCheckpoint } from '../../workflows/exchange/export-checkpoint.js';
import { loadCheckpoint } from '../../workflows/library.js';
import { type ParsedOptions, flagValue, runConfigOf, switchValue } from '../flags/flags.js';
import { addFolderFlags, foldersOf } from '../flags/folders.js';
import { SUMMARIES } from '../terminal/summaries.js';

const EXAMPLE = `
nanogpt           nanoGPT's names and model_args
hf-gpt2           GPT2LMHeadModel.from_pretrained(folder), with a tokenizer
transformer-lens  state dictionary and configuration of HookedTransformer

Each folder holds model.safetensors, config.json, vocabulary.json and sumlens.json, from which import makes the same run
again. How to load them: docs/files.md.

Example:
  sumlens export checkpoints/reference/sum-pairs-d16-s1-45202e910ba4 --to hf-gpt2 --out sum-gpt2`;

export function registerExport(program: Command): void {
  const command = program
    .command('export')
    .description(SUMMARIES.export.description)
    .argument('<checkpoint>', '<run>, <run>@<step>, or a .safetensors file with --config')
    .option('--to <format>', EXCHANGE_FORMATS.join(', '))
    .option('--out <folder>', 'new folder (default: exports/<run>-<step>-<format>)')
    .option('--config <file>', 'configuration of a .safetensors file')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'no messages')
    .addHelpText('after', EXAMPLE);
  addFolderFlags(command).action((address: string, options: ParsedOptions) => runExport(address, options));
}

function runExport(address: string, options: ParsedOptions): void {
  const to = formatFlag(options);
  const config =
    flagValue(options, 'config') === undefined ? undefined : runConfigOf({ config: options.config });
  const checkpoint = loadCheckpoint(address, {
    root: foldersOf(options).checkpointsDir,
    ...(config !== undefined && { config }),
  });
  const { run, step } = checkpoint.subject;
  const out = flagValue(options, 'out')?.value;
  const { dir, files, notes } = exportCheckpoint(
    checkpoint,
    to,
    typeof out === 'string' ? out : `exports/${run}-${step}-${to}`,
  );
  if (!switchValue(options, 'quiet')) for (const note of notes) process.stderr.write(`${note}\n`);
  process.stdout.write(
    switchValue(options, 'json')
      ? `${canonicalJson({ checkpoint: checkpoint.subject.id, dir, files, notes, to })}\n`
      : `${dir}\n`,
  );
}

function formatFlag(options: ParsedOptions): ExchangeFormat {
  const found = flagValue(options, 'to');
  const allowed = `one of ${EXCHANGE_FORMATS.join(', ')}`;
  if (found === undefined) throw new UserError(`--to: found nothing, expected ${allowed}.`);
  const format = EXCHANGE_FORMATS.find((name) => name === found.value);
  if (format !== undefined) return format;
  const near = nearest(String(found.value), EXCHANGE_FORMATS);
  throw unacceptable(
    found.field,
    found.value,
    allowed,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
}
