/**
 * A checkpoint of another program made into a run directory, from which verify, probe, compare and report read like from
 * any other. Its configuration is what the exporting sumlens wrote beside it, or what the user says of its training.
 */
import { basename, resolve } from 'node:path';
import type { ExchangeFormat } from '../../checkpoint/exchange/formats.js';
import type { Origin } from '../../checkpoint/exchange/origin.js';
import { modelFile, publishImportedRun } from '../../checkpoint/exchange/publish.js';
import { type ReadExchange, type WantedModel, readExchange } from '../../checkpoint/exchange/read.js';
import { findExchange } from '../../checkpoint/exchange/find.js';
import {
  type ForeignVocabulary,
  parseVocabularyFile,
  reorderVocabulary,
} from '../../checkpoint/exchange/vocabulary-file.js';
import { type EndReason, checkRunName } from '../../checkpoint/store.js';
import { gptConfigOf } from '../../config/names.js';
import { type DeepPartial, resolveRunConfig } from '../../config/parse.js';
import type { RunConfig } from '../../config/run-config.js';
import { openEngine } from '../../engine/registry.js';
import { UserError, printable } from '../../errors.js';
import { readBytes } from '../../io/files.js';
import type { Json } from '../../io/json.js';
import { sha256Hex } from '../../io/sha256.js';
import { vocabularyOf } from '../../listops/language/tokenizer.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { parameterTable } from '../../model/parameters.js';
import { createEvaluationSet } from '../../train/evaluation-set.js';
import { evaluate } from '../../train/evaluate.js';
import type { EvalRow } from '../../train/metrics.js';
import { type EngineChoice, evaluationChunk } from '../../train/train-run.js';
import { checkNew, publishNew } from './export-checkpoint.js';

export interface ImportOptions {
  /** folder, or safetensors file */
  readonly path: string;
  /** run directory to make; it must not exist */
  readonly out: string;
  /** JSON with the other program's names; default: config.json in the folder */
  readonly modelConfig?: string | undefined;
  /** JSON with the ids of our tokens; default: vocabulary.json, vocab.json or tokenizer.json in the folder */
  readonly vocabulary?: string | undefined;
  /** fields of the run's configuration: of a file, and above it of flags */
  readonly file?: DeepPartial<RunConfig> | undefined;
  readonly flags?: DeepPartial<RunConfig> | undefined;
}

export interface ImportedCheckpoint {
  /** absolute */
  readonly dir: string;
  readonly run: string;
  readonly step: number;
  readonly format: ExchangeFormat;
  readonly config: RunConfig;
  /** of model.safetensors in the run */
  readonly weightsSha256: string;
  readonly notes: readonly string[];
}

/** An import that was read and checked; nothing is written yet. */
export interface PreparedImport extends ImportedCheckpoint {
  /** [arenaSize] float32 in parameterTable layout of the configuration's model */
  readonly parameters: Float32Array;
  readonly end: EndReason | undefined;
  /** of sessions.jsonl */
  readonly source: Readonly<Record<string, Json>>;
}

/** @throws UserError naming the file, tensor, token or field that does not fit; nothing is left behind */
export function importCheckpoint(options: ImportOptions): ImportedCheckpoint {
  const prepared = prepareImport(options);
  publishImport(prepared);
  return prepared;
}

/** @throws UserError as importCheckpoint */
export function prepareImport(options: ImportOptions): PreparedImport {
  const dir = resolve(options.out);
  const run = basename(dir);
  checkRunName(run);
  checkNew(dir);
  const found = findExchange(options.path, options);
  const read = readExchange(found, wantedModels(options));
  const { origin, format } = read;
  const known = knownConfig(options, origin);
  const vocabulary = vocabularyFor(read, found.vocabulary, known);
  const { config: gpt, parameters } = reorderVocabulary(read.config, read.parameters, vocabulary.ids);
  const config = configOf(options, known, gpt, vocabulary);
  const { sha256 } = modelFile(config, parameters);
  const notes = [...read.notes, ...notesOf(config, vocabulary, origin, sha256)];
  return {
    ...{ dir, run, format, config, parameters, notes },
    step: origin?.step ?? config.training.steps,
    weightsSha256: sha256,
    end: origin === undefined ? 'budget' : (origin.end ?? undefined),
    source: {
      file: basename(found.weights),
      sha256: sha256OfParts(found.parts),
      ...(origin !== undefined && {
        run: origin.run,
        step: origin.step,
        weightsUnchanged: origin.weightsSha256 === sha256,
      }),
    },
  };
}

/** Of the file, or of the list of parts with theirs. */
function sha256OfParts(parts: readonly string[]): string {
  const hashes = parts.map((part) => sha256Hex(readBytes(part)));
  return parts.length === 1
    ? hashes[0]
    : sha256Hex(parts.map((part, i) => `${hashes[i]}  ${basename(part)}\n`).join(''));
}

/** Makes the run directory. @param evaluation - row of metrics.jsonl */
export function publishImport(prepared: PreparedImport, evaluation?: ImportEvaluation): void {
  const { dir, config, step, end, parameters, format, source } = prepared;
  const session = { engine: 'imported', isa: format, kernelHash: '', imported: source };
  publishNew(dir, () =>
    publishImportedRun(dir, {
      ...{ config, step, end, parameters },
      session: evaluation === undefined ? session : { ...session, evaluatedWith: evaluation.engine },
      metrics: evaluation === undefined ? [] : [evaluation.row],
    }),
  );
}

export interface ImportEvaluation {
  readonly row: EvalRow;
  /** name and kernel hash */
  readonly engine: string;
}

/** Beyond this an evaluation takes minutes. */
const MOST_EVALUATED_PARAMETERS = 5_000_000;

/** Greedy answers to the prompts that a training of this configuration is evaluated on; undefined: not done here. */
export async function evaluateImport(
  { config, parameters, step }: PreparedImport,
  engineName: EngineChoice = 'auto',
): Promise<ImportEvaluation | undefined> {
  const gpt = gptConfigOf(config);
  const { nParameters } = parameterTable(gpt);
  // lines of a file are not part of a checkpoint
  if (config.data.file !== undefined || nParameters > MOST_EVALUATED_PARAMETERS) return undefined;
  const { engine } = await openEngine(engineName, { threads: 1 });
  try {
    const model = engine.createModel(gpt, { parameters }, 'inference');
    const set = createEvaluationSet(config.data, { chunkTokens: evaluationChunk(nParameters), final: true });
    const row = await evaluate(model, set, step, () => new Promise((done) => setImmediate(done)));
    return { row, engine: `${engine.name} ${engine.kernelHash.slice(0, 12)}` };
  } finally {
    engine.dispose();
  }
}

/** What is known of the configuration before the weights are read: the export's, then a file's, then flags'. */
function knownConfig(options: ImportOptions, origin: Origin | undefined): DeepPartial<RunConfig> {
  const parts = [origin?.config, options.file, options.flags].filter((part) => part !== undefined);
  return parts.reduce<DeepPartial<RunConfig>>(
    (all, part) => ({
      ...all,
      ...part,
      data: { ...all.data, ...part.data },
      model: { ...all.model, ...part.model },
      optimizer: { ...all.optimizer, ...part.optimizer },
      training: { ...all.training, ...part.training },
    }),
    {},
  );
}

function wantedModels({ file, flags }: ImportOptions): WantedModel[] {
  return [
    ...(flags?.model === undefined ? [] : [{ fields: flags.model, from: 'the command line' }]),
    ...(file?.model === undefined ? [] : [{ fields: file.model, from: '--config' }]),
  ];
}

/** The rows of the vocabulary in our order. @throws UserError when nothing says what they mean */
function vocabularyFor(
  read: ReadExchange,
  file: string | undefined,
  known: DeepPartial<RunConfig>,
): ForeignVocabulary {
  const { modulus, notation } = known.data ?? {};
  const isKnown = modulus !== undefined && (known.vocabulary !== undefined || notation === 'authors');
  const ours = isKnown ? vocabularyOf({ modulus, notation }, known.vocabulary) : undefined;
  const { dVocab } = read.config;
  if (file !== undefined) {
    const found = parseVocabularyFile(readBytes(file), basename(file), dVocab, ours);
    if (modulus !== undefined && modulus !== found.ours.modulus) {
      throw new UserError(
        `--modulus: found ${modulus}, but ${printable(basename(file))} has the numbers 0 to ${found.ours.modulus - 1}.`,
      );
    }
    return found;
  }
  if (ours === undefined) {
    throw new UserError(
      'the vocabulary: found no vocabulary.json, expected the ids of the tokens. Pass --vocabulary <file> such as {"stoi": {"s": 0, "e": 1, "(": 2, ...}}.',
    );
  }
  if (ours.size !== dVocab) {
    throw new UserError(
      `the vocabulary: found ${dVocab} rows in the embedding, expected ${ours.size} as in the configuration. Pass --vocabulary <file>.`,
    );
  }
  return { ours, ids: Int32Array.from({ length: dVocab }, (_, id) => id), added: [] };
}

/** The whole configuration of the run. */
function configOf(
  { vocabulary: given }: ImportOptions,
  known: DeepPartial<RunConfig>,
  gpt: GptConfig,
  { ours, added }: ForeignVocabulary,
): RunConfig {
  if (known.data?.tasks === undefined) {
    throw new UserError(
      '--tasks: found nothing, expected the operations it was trained on, such as MAX+SUM: the weights do not say.',
    );
  }
  const { dModel, nLayers, nHeads, dMlp, activation, bias, tied, shareBlocks, nCtx } = gpt;
  const model = {
    ...known.model,
    ...{ dModel, nLayers, nHeads, dMlp, activation, bias, tied, shareBlocks, nCtx },
    ...(gpt.qkvBias !== bias && { qkvBias: gpt.qkvBias }),
    ...(gpt.unembeddingBias && { unembeddingBias: true }),
  };
  const config = resolveRunConfig({
    ...known,
    data: {
      ...known.data,
      modulus: ours.modulus,
      ...(ours.notation !== 'standard' && { notation: ours.notation }),
    },
    model,
    ...(ours.notation === 'standard' && { vocabulary: ours.operations }),
  });
  const where = given === undefined ? 'the vocabulary' : printable(basename(given));
  const arrow = ours.tokens[config.data.format === 'direct' ? ours.equals : ours.arrow];
  const lacking = [...config.data.tasks.map((task) => ours.tokens[ours.operationToken(task)]), arrow];
  const token = lacking.find((candidate) => added.includes(candidate));
  if (token !== undefined) {
    throw new UserError(
      `${where}: found no token "${token}", expected one, as --tasks ${config.data.tasks.join('+')} in --format ${config.data.format} uses it.`,
    );
  }
  const { dVocab } = gptConfigOf(config);
  if (dVocab !== gpt.dVocab) {
    throw new UserError(`${where}: found ${gpt.dVocab} tokens, expected ${dVocab} as in the configuration.`);
  }
  return config;
}

function notesOf(
  config: RunConfig,
  { added }: ForeignVocabulary,
  origin: Origin | undefined,
  sha256: string,
): string[] {
  const notes: string[] = [];
  if (added.length > 0) {
    notes.push(
      `The vocabulary lacked ${added.join(' ')}: these tokens have a row of zeros, and so the logit 0.`,
    );
  }
  if (origin === undefined) {
    notes.push(
      `Data and training are what was said, else defaults (${config.data.tasks.join('+')}, ${config.data.format}, ${config.training.steps} steps): the weights do not show them.`,
    );
  } else {
    const same = origin.weightsSha256 === sha256;
    notes.push(
      same
        ? `The weights are those of ${printable(origin.run)}@${origin.step}.`
        : `The weights are no longer those of ${printable(origin.run)}@${origin.step}: they were changed after the export.`,
    );
  }
  return notes;
}
