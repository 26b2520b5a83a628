/**
 * Writes whole token sequences with their annotations: `s (SUM (MAX 7 3) 6) > (SUM 7 6) > 3 e` for the format
 * `steps`, `s (SUM (MAX 7 3) 6) = 3 e` for `direct`, in the notation of the data. Works on token arrays: this is the
 * inner loop of training.
 */
import type { DataConfig, Format, LossScope } from '../data-config.js';
import { COPY, FORMAT, RESULT } from './expression.js';
import { createSpelling } from './notation.js';
import type { Spelling } from './notation.js';
import { OPERATIONS } from './operations.js';
import type { OperationContext, OperationRow } from './operations.js';
import { ARROW, CLOSE, END, EQUALS, FIRST_NUMBER, OPEN, START } from './tokenizer.js';

/** S ragged sequences end to end; the same shape as the engine's Batch. Position t predicts targets[t]. */
export interface TokenBatch {
  /** [N] token ids; the last token `e` of a sequence predicts nothing and is left out */
  readonly tokens: Int32Array;
  /** [N] the next token, -1 where there is no loss */
  readonly targets: Int32Array;
  /** [N] role of the target (index into ROLES); -1 in the prompt */
  readonly roles: Int32Array;
  /** [S + 1] */
  readonly offsets: Int32Array;
}

/** Which reduction each target belongs to; -1 in the prompt. */
export interface AnnotatedBatch extends TokenBatch {
  /** [N] index into OPERATIONS of the reduction just made; `direct`: of the outermost operation */
  readonly operations: Int32Array;
  /** [N] its number of operands */
  readonly arities: Int32Array;
  /** [N] number of the reduction within the sequence, from 0 */
  readonly reductions: Int32Array;
}

/** One sequence from `s` to `e` with the annotations of its own tokens. All arrays [length]. */
export interface AnnotatedSequence {
  readonly tokens: Int32Array;
  readonly roles: Int32Array;
  readonly operations: Int32Array;
  readonly arities: Int32Array;
  readonly reductions: Int32Array;
  /** tokens up to and including the first `>` (or `=`) */
  readonly promptLength: number;
}

const ROWS: readonly OperationRow[] = OPERATIONS;

/** Sequences written end to end. All arrays [L], as in AnnotatedSequence. */
export type TokenStream = Omit<AnnotatedSequence, 'promptLength'>;

/** Growable column store for sequences. Not shared between callers; cleared by `clear`. */
export class SequenceWriter {
  private columns = Array.from({ length: 5 }, () => new Int32Array(1024));
  private length = 0;
  private starts: number[] = [0];
  private promptLengths: number[] = [];
  private current = new Int32Array(256);
  private readonly args: number[] = [];
  private readonly firstOperation: number;
  private readonly format: Format;
  private readonly spelling: Spelling;

  /** @param written - format and notation; a format alone: in the standard notation */
  constructor(
    private readonly context: OperationContext,
    written: Format | Pick<DataConfig, 'format' | 'notation'>,
  ) {
    const { modulus } = context;
    this.firstOperation = FIRST_NUMBER + modulus;
    this.format = typeof written === 'string' ? written : written.format;
    const notation = typeof written === 'string' ? undefined : written.notation;
    this.spelling = createSpelling({ modulus, notation });
  }

  clear(): void {
    this.length = 0;
    this.starts = [0];
    this.promptLengths = [];
  }

  /**
   * Appends the whole sequence of one expression.
   * @param prefix - the expression as standard tokens, brackets included; only the first `n` are read
   */
  append(prefix: Int32Array, n: number): void {
    const from = this.length;
    this.push(START, -1, -1, -1, -1);
    for (let i = 0; i < n; i++) this.push(prefix[i], -1, -1, -1, -1);
    this.push(this.format === 'steps' ? ARROW : EQUALS, -1, -1, -1, -1);
    this.promptLengths.push(this.length - from);
    if (this.current.length < n) this.current = new Int32Array(2 * n);
    const current = this.current;
    for (let i = 0; i < n; i++) current[i] = prefix[i];
    if (this.format === 'steps') this.writeSteps(n);
    else this.writeDirect(n);
    this.spelling.spell(this.columns, from, this.length);
    this.starts.push(this.length);
  }

  private writeSteps(n: number): void {
    const { current, args } = this;
    let length = n;
    let operation = -1;
    let reduction = 0;
    while (length > 1) {
      if (reduction > 0) this.push(ARROW, FORMAT, operation, args.length, reduction - 1);
      const at = this.reduce(length);
      length -= args.length + 2;
      operation = this.reduced;
      for (let i = 0; i < length; i++) {
        const token = current[i];
        const isFormat = token < FIRST_NUMBER;
        this.push(token, i === at ? RESULT : isFormat ? FORMAT : COPY, operation, args.length, reduction);
      }
      reduction++;
    }
    this.push(END, FORMAT, operation, args.length, reduction - 1);
  }

  private writeDirect(n: number): void {
    let length = n;
    while (length > 1) {
      this.reduce(length);
      length -= this.args.length + 2;
    }
    this.push(this.current[0], RESULT, this.reduced, this.args.length, 0);
    this.push(END, FORMAT, this.reduced, this.args.length, 0);
  }

  private reduced = -1;

  /** Replaces the innermost call that closes first in `current`; sets `args` and `reduced`. @returns its place */
  private reduce(length: number): number {
    const { current, args, firstOperation } = this;
    let close = 0;
    while (current[close] !== CLOSE) close++;
    let open = close;
    while (current[open] !== OPEN) open--;
    args.length = 0;
    for (let i = open + 2; i < close; i++) args.push(current[i] - FIRST_NUMBER);
    this.reduced = current[open + 1] - firstOperation;
    current[open] = FIRST_NUMBER + ROWS[this.reduced].evaluate(args, this.context);
    current.copyWithin(open + 1, close + 1, length);
    return open;
  }

  private push(token: number, role: number, operation: number, arity: number, reduction: number): void {
    if (this.length === this.columns[0].length) {
      this.columns = this.columns.map((column) => {
        const wider = new Int32Array(2 * column.length);
        wider.set(column);
        return wider;
      });
    }
    // by index: taking an array apart goes through its iterator until the code is compiled
    const columns = this.columns;
    const t = this.length++;
    columns[0][t] = token;
    columns[1][t] = role;
    columns[2][t] = operation;
    columns[3][t] = arity;
    columns[4][t] = reduction;
  }

  /** A copy of sequence `s`. */
  sequence(s: number): AnnotatedSequence {
    const [tokens, roles, operations, arities, reductions] = this.columns.map((column) =>
      column.slice(this.starts[s], this.starts[s + 1]),
    );
    return { tokens, roles, operations, arities, reductions, promptLength: this.promptLengths[s] };
  }

  /** The standard tokens of an expression that is spelled in this writer's notation. */
  unspell(expression: Int32Array): Int32Array {
    return this.spelling.unspell(expression);
  }

  /**
   * Everything appended since `clear`, written end to end: one end token between two sequences where it also starts one.
   * All arrays [L].
   */
  stream(): TokenStream {
    const { start, end } = this.spelling.vocabulary;
    const skip = start === end ? 1 : 0;
    const sequences = this.starts.length - 1;
    const [tokens, roles, operations, arities, reductions] = this.columns.map((column) => {
      const out = new Int32Array(this.length - skip * sequences);
      for (let s = 0; s < sequences; s++) {
        out.set(column.subarray(this.starts[s] + skip, this.starts[s + 1]), this.starts[s] - skip * s);
      }
      return out;
    });
    return { tokens, roles, operations, arities, reductions };
  }

  /** Everything appended since `clear`, as a batch that owns its arrays. */
  batch(loss: LossScope): AnnotatedBatch {
    const sequences = this.starts.length - 1;
    const n = this.length - sequences;
    const [tokens, roles, operations, arities, reductions] = this.columns;
    const out = {
      tokens: new Int32Array(n),
      targets: new Int32Array(n),
      roles: new Int32Array(n),
      offsets: new Int32Array(sequences + 1),
      operations: new Int32Array(n),
      arities: new Int32Array(n),
      reductions: new Int32Array(n),
    };
    let row = 0;
    for (let s = 0; s < sequences; s++) {
      for (let t = this.starts[s]; t < this.starts[s + 1] - 1; t++, row++) {
        out.tokens[row] = tokens[t];
        out.targets[row] = loss === 'all' || roles[t + 1] >= 0 ? tokens[t + 1] : -1;
        out.roles[row] = roles[t + 1];
        out.operations[row] = operations[t + 1];
        out.arities[row] = arities[t + 1];
        out.reductions[row] = reductions[t + 1];
      }
      out.offsets[s + 1] = row;
    }
    return out;
  }
}
