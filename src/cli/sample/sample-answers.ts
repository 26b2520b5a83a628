/** Text of `sumlens sample <checkpoint>`: what the model answers, beside the true completion. */
import type { Model } from '../../engine/engine.js';
import { UserError } from '../../errors.js';
import { canonicalJson } from '../../io/json.js';
import type { DataConfig } from '../../listops/data-config.js';
import { type DataFile, readDataFile, readLinesOf } from '../../listops/files/data-file.js';
import { checkMaxTokens } from '../../listops/files/data-file-config.js';
import { createGenerator } from '../../listops/sampling/generate.js';
import {
  type LineSource,
  countLonger,
  createLineSource,
  describeLines,
} from '../../listops/files/line-data.js';
import {
  AUTHORS_OPERATIONS,
  type Vocabulary,
  decode,
  vocabularyOf,
} from '../../listops/language/tokenizer.js';
import type { MedianOfEven } from '../../listops/language/operations.js';
import type { AnnotatedSequence } from '../../listops/language/sequence.js';
import { createLineEvaluation, scoreLines } from '../../train/line-evaluation.js';
import type { LineScore } from '../../train/metrics.js';
import type { Checkpoint } from '../../workflows/library.js';
import type { DataFileRequest } from '../../config/data-file-fields.js';
import { linesTable } from '../terminal/lines-table.js';

/** Tokens of one forward pass. */
const CHUNK_TOKENS = 4096;

export interface AnswerOptions {
  readonly count: number;
  readonly json: boolean;
  readonly request: DataFileRequest | undefined;
  /** of a file that the run was not trained on; default mean-truncated */
  readonly medianOfEven: MedianOfEven | undefined;
}

interface Asked {
  /** `line 17, held out`, or the number of the example */
  readonly name: string;
  readonly sequence: AnnotatedSequence;
}

/** @returns the text to print, without a newline at its end; with `json` one JSON document */
export async function sampleAnswers(
  { config, subject, notes }: Checkpoint,
  model: Model,
  options: AnswerOptions,
): Promise<string> {
  const { count, json } = options;
  const source = lineSource(config.data, config.seed, model.config.nCtx, options);
  const vocab = vocabularyOf(config.data, config.vocabulary);
  const asked = source === undefined ? generated(config.data, count) : fromFile(source, count);
  const answers = answersOf(model, asked, vocab);
  const scores =
    source === undefined
      ? undefined
      : await scoreLines(model, createLineEvaluation(source, CHUNK_TOKENS), () => Promise.resolve());
  const shown = asked.map(({ name, sequence }, i) => {
    const { tokens, promptLength } = sequence;
    const expected = tokens.subarray(promptLength);
    const isExact =
      expected.length === answers[i].length && expected.every((token, t) => token === answers[i][t]);
    return {
      name,
      prompt: decode(tokens.subarray(0, promptLength), vocab),
      expected: decode(expected, vocab),
      answer: decode(answers[i], vocab),
      right: isExact,
    };
  });
  if (json)
    return canonicalJson({
      checkpoint: subject.id,
      examples: shown,
      ...(scores && { lines: scores }),
      ...(notes.length > 0 && { notes }),
    });
  const own = config.data.file;
  const isOwn = own !== undefined && own.sha256 === source?.data.file?.sha256;
  return [
    `${subject.id}: greedy answers`,
    ...shown.flatMap(({ name, prompt, expected, answer, right }) => [
      `${name}  ${prompt}`,
      `     ${right ? 'right' : 'wrong'}: ${answer}${right ? '' : `   expected: ${expected}`}`,
    ]),
    ...(scores === undefined ? [] : ['', scoresText(scores, isOwn)]),
    ...(own === undefined || isOwn
      ? []
      : [
          `This is not ${own.name}, on which the run was trained: every line is asked, also one that stands in both files.`,
        ]),
  ].join('\n');
}

function scoresText(scores: readonly LineScore[], isOwn: boolean): string {
  return linesTable(scores, isOwn ? 'trained' : 'of the file');
}

/**
 * The lines to ask: of the run's own file, or of any other whose operations the model knows.
 * @throws UserError
 */
function lineSource(
  data: DataConfig,
  seed: number,
  nCtx: number,
  { request, medianOfEven }: AnswerOptions,
): LineSource | undefined {
  const own = data.file;
  if (request === undefined) {
    return own === undefined ? undefined : createLineSource(data, readLinesOf(data, undefined), seed);
  }
  const usual = own === undefined ? 'mean-truncated' : data.medianOfEven;
  const rules = { modulus: data.modulus, medianOfEven: medianOfEven ?? usual };
  const found = readDataFile(request.path, rules);
  if (found.sha256 === own?.sha256) return createLineSource(data, found.lines, seed);
  const { maxTokens } = request;
  if (maxTokens !== undefined) checkMaxTokens('--max-tokens', maxTokens);
  refuseLonger(found, data, Math.min(nCtx, maxTokens ?? nCtx), maxTokens !== undefined);
  const selection = { ...data, maxTokens, heldFraction: 0 };
  const { fixedSize: _size, window: _window, ...kept } = data;
  const fields = describeLines(found.lines, found, selection);
  const unknown = fields.tasks.find(
    (task) => data.notation === 'authors' && !AUTHORS_OPERATIONS.includes(task),
  );
  if (unknown !== undefined) {
    throw new UserError(
      `--data: ${found.name}: found ${unknown}, which the notation of this run has no token for.`,
    );
  }
  return createLineSource({ ...kept, ...rules, ...fields, regime: 'full' }, found.lines, seed);
}

function refuseLonger(
  { name, lines }: DataFile,
  { format }: DataConfig,
  most: number,
  isGiven: boolean,
): void {
  const longer = countLonger(lines, format, most);
  if (longer === 0 || isGiven) return;
  throw new UserError(
    `--data: ${name}: found ${longer} of ${lines.nLines} lines longer than the ${most} tokens of this model, expected ` +
      `none. Leave them out with --max-tokens ${most}.`,
  );
}

/** Held-out lines first where there are any. */
function fromFile(source: LineSource, count: number): Asked[] {
  const { held, trained } = source.split;
  const [side, where] = held.length > 0 ? [held, ', held out'] : [trained, ''];
  return Array.from(side.subarray(0, count), (i) => ({
    name: `line ${source.lines.lineNumbers[i]}${where}`,
    sequence: source.sequence(i),
  }));
}

/** New examples of the training distribution, the same for every run of it. */
function generated(data: DataConfig, count: number): Asked[] {
  const generator = createGenerator({ ...data, fixedSize: 1_000_000 }, 0, { stream: 'evaluation' });
  return Array.from({ length: count }, (_, i) => ({
    name: String(i).padStart(3),
    sequence: generator.example(i),
  }));
}

function answersOf(model: Model, asked: readonly Asked[], { end }: Vocabulary): Int32Array[] {
  const prompts = asked.map(({ sequence }) => sequence.tokens.subarray(0, sequence.promptLength));
  const longest = asked.reduce(
    (most, { sequence: s }) => Math.max(most, s.tokens.length - s.promptLength),
    1,
  );
  return model.generate(prompts, { maxNewTokens: longest, stopToken: end });
}
