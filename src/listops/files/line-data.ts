/**
 * Lines of a file as training data: which are kept, which are held out, and in which order they are drawn. Batch t is
 * a pure function of (data, lines, seed, t): every epoch is a seeded permutation of the lines that are trained on.
 */
import { UserError } from '../../errors.js';
import { Rng } from '../../tensor/rng.js';
import type { DataFileConfig } from './data-file-config.js';
import type { DataConfig, Format } from '../data-config.js';
import type { LineSet } from './line-parser.js';
import { OPERATION_NAMES, createOperationContext } from '../language/operations.js';
import type { OperationName } from '../language/operations.js';
import { SequenceWriter } from '../language/sequence.js';
import type { AnnotatedBatch, AnnotatedSequence } from '../language/sequence.js';
import { CLOSE, FIRST_NUMBER, OPEN } from '../language/tokenizer.js';

export interface FileIdentity {
  readonly name: string;
  readonly sha256: string;
}

export interface LineSelection {
  readonly modulus: number;
  readonly format: Format;
  readonly maxTokens?: number | undefined;
  readonly heldFraction: number;
}

/** The fields of a run's data that a file decides. */
export type FileFields = Pick<DataConfig, 'tasks' | 'depth' | 'operands' | 'nesting'> & {
  readonly file: DataFileConfig;
};

/** Tokens of line i from `s` to `e`. */
export function sequenceLength(lines: LineSet, i: number, format: Format): number {
  // direct: `s`, the expression, `=`, the result, `e`
  return format === 'steps' ? lines.stepsLengths[i] : lines.starts[i + 1] - lines.starts[i] + 4;
}

/** Indices of the lines of at most `maxTokens` tokens. */
export function keptLines(lines: LineSet, format: Format, maxTokens = Infinity): Int32Array {
  const kept: number[] = [];
  for (let i = 0; i < lines.labels.length; i++) {
    if (sequenceLength(lines, i, format) <= maxTokens) kept.push(i);
  }
  return Int32Array.from(kept);
}

/** How many lines are longer than a model's context. */
export function countLonger(lines: LineSet, format: Format, nCtx: number): number {
  return lines.labels.length - keptLines(lines, format, nCtx).length;
}

/**
 * What a configuration says of these lines: operations, depth, operand counts and the share of nested operands among
 * the lines that are kept, and the file.
 * @throws UserError when no line is left
 */
export function describeLines(lines: LineSet, identity: FileIdentity, selection: LineSelection): FileFields {
  const { format, maxTokens, heldFraction, modulus } = selection;
  const kept = keptLines(lines, format, maxTokens);
  if (kept.length === 0) {
    const why =
      lines.labels.length === 0
        ? 'found bare numbers only, expected at least one expression'
        : `found no line of at most ${maxTokens ?? 0} tokens, expected at least one. Raise --max-tokens`;
    throw new UserError(`${identity.name}: ${why}.`);
  }
  const shape = new ShapeCount(modulus);
  let longest = 0;
  for (const i of kept) {
    shape.add(lines.tokens.subarray(lines.starts[i], lines.starts[i + 1]));
    longest = Math.max(longest, sequenceLength(lines, i, format));
  }
  return {
    ...shape.result(),
    file: {
      name: identity.name,
      sha256: identity.sha256,
      columns: lines.columns,
      header: lines.header,
      lines: lines.nLines,
      kept: kept.length,
      dropped: lines.labels.length - kept.length,
      bareNumbers: lines.bareNumbers,
      ...(maxTokens !== undefined && { maxTokens }),
      longest,
      heldFraction,
      operators: lines.operators,
    },
  };
}

/** Operations, nesting and operand counts of expressions. */
class ShapeCount {
  private readonly used = new Set<OperationName>();
  private depth = 0;
  private fewest = Infinity;
  private most = 0;
  private operands = 0;
  private nested = 0;
  /** operands of each open call so far */
  private readonly open: number[] = [];

  constructor(private readonly modulus: number) {}

  add(expression: Uint8Array): void {
    const { open } = this;
    const firstOperation = FIRST_NUMBER + this.modulus;
    for (const token of expression) {
      if (token === OPEN) {
        if (open.length > 0) {
          open[open.length - 1]++;
          this.nested++;
        }
        open.push(0);
        this.depth = Math.max(this.depth, open.length);
      } else if (token === CLOSE) {
        const count = open.pop() ?? 0;
        this.operands += count;
        this.fewest = Math.min(this.fewest, count);
        this.most = Math.max(this.most, count);
      } else if (token >= firstOperation) this.used.add(OPERATION_NAMES[token - firstOperation]);
      else open[open.length - 1]++;
    }
  }

  result(): Pick<DataConfig, 'tasks' | 'depth' | 'operands' | 'nesting'> {
    return {
      tasks: OPERATION_NAMES.filter((name) => this.used.has(name)),
      depth: this.depth,
      operands: [this.fewest, this.most],
      nesting: Number((this.nested / this.operands).toFixed(6)),
    };
  }
}

export interface LineSplit {
  /** indices into the lines, ascending */
  readonly trained: Int32Array;
  readonly held: Int32Array;
}

/**
 * Holds a share of the distinct expressions out: lines with the same expression are on the same side, so that no held
 * line was trained on in another place of the file.
 * @throws UserError when either side would be empty
 */
export function splitLines(data: DataConfig, lines: LineSet): LineSplit {
  const { file } = data;
  if (file === undefined) throw new RangeError('splitLines: this data has no file.');
  const kept = keptLines(lines, data.format, file.maxTokens);
  const decoder = new TextDecoder('latin1');
  const groups = new Map<string, number>();
  const group = Int32Array.from(kept, (i) => {
    const key = decoder.decode(lines.tokens.subarray(lines.starts[i], lines.starts[i + 1]));
    const known = groups.get(key);
    if (known !== undefined) return known;
    groups.set(key, groups.size);
    return groups.size - 1;
  });
  const nHeld = file.heldFraction === 0 ? 0 : Math.max(1, Math.round(file.heldFraction * groups.size));
  if (nHeld === groups.size) {
    throw new UserError(
      `${file.name}: found ${groups.size} distinct expression${groups.size === 1 ? '' : 's'}, of which ${nHeld} would be ` +
        `held out, expected some for training. Lower --held-fraction; 0 trains on every line.`,
    );
  }
  const isHeld = new Uint8Array(groups.size);
  for (const which of new Rng(data.holdoutSeed, 'holdout:lines')
    .permutation(groups.size)
    .subarray(0, nHeld)) {
    isHeld[which] = 1;
  }
  return {
    trained: kept.filter((_, k) => isHeld[group[k]] === 0),
    held: kept.filter((_, k) => isHeld[group[k]] === 1),
  };
}

export interface LineSource {
  readonly data: DataConfig;
  readonly lines: LineSet;
  readonly split: LineSplit;
  /** line i of the LineSet as the model sees it */
  sequence(i: number): AnnotatedSequence;
  /** several lines, targets as the data says or on the completion only */
  batchOf(indices: Iterable<number>, loss?: DataConfig['loss']): AnnotatedBatch;
  /** index into the lines of training example number `index` of the stream */
  drawn(index: number): number;
  /** examples step * size .. step * size + size - 1 */
  batch(step: number, size: number): AnnotatedBatch;
}

/** @param seed - the run's data seed */
export function createLineSource(data: DataConfig, lines: LineSet, seed: number): LineSource {
  const split = splitLines(data, lines);
  const { trained } = split;
  const writer = new SequenceWriter(createOperationContext(data), data);
  const append = (i: number): void => {
    const expression = Int32Array.from(lines.tokens.subarray(lines.starts[i], lines.starts[i + 1]));
    writer.append(expression, expression.length);
  };
  let epoch = -1;
  let order: Int32Array = new Int32Array(0);
  const drawn = (index: number): number => {
    const wanted = Math.floor(index / trained.length);
    if (wanted !== epoch) {
      epoch = wanted;
      order = new Rng(seed, 'data:lines', epoch).permutation(trained.length);
    }
    return trained[order[index % trained.length]];
  };
  const batchOf = (indices: Iterable<number>, loss: DataConfig['loss'] = data.loss): AnnotatedBatch => {
    writer.clear();
    for (const i of indices) append(i);
    return writer.batch(loss);
  };
  return {
    data,
    lines,
    split,
    drawn,
    batchOf,
    sequence(i) {
      writer.clear();
      append(i);
      return writer.sequence(0);
    },
    batch(step, size) {
      return batchOf(Array.from({ length: size }, (_, k) => drawn(step * size + k)));
    },
  };
}
