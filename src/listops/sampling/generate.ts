/**
 * Makes examples: example i is a pure function of (data, seed, i), and a batch one of (data, seed, step), so that neither
 * needs a cursor or state.
 * The structure (operations, operand counts, nesting) is drawn first, then the numbers; a call whose operands are
 * held out has the numbers of its subtree drawn again, so that hold-outs change no structure.
 */
import { UserError } from '../../errors.js';
import { Rng } from '../../tensor/rng.js';
import { canonicalTasks, checkDataConfig } from '../data-config.js';
import type { DataConfig } from '../data-config.js';
import { createDigitDraw } from '../language/digits.js';
import { OPERATIONS, createOperationContext, operationIndex } from '../language/operations.js';
import type { OperationContext, OperationRow } from '../language/operations.js';
import { createHoldout } from './regimes.js';
import type { Holdout } from './regimes.js';
import { SequenceWriter } from '../language/sequence.js';
import type { AnnotatedBatch, AnnotatedSequence, TokenStream } from '../language/sequence.js';
import { windowBatch } from './windows.js';
import { CLOSE, FIRST_NUMBER, OPEN } from '../language/tokenizer.js';

/** Redraws of one call before the data is called impossible: a survival of 1 in 2,000 still passes. */
const MOST_REDRAWS = 20_000;
const ROWS: readonly OperationRow[] = OPERATIONS;

export interface Generator {
  readonly data: DataConfig;
  readonly holdout: Holdout;
  readonly context: OperationContext;
  /** example `index`, from `s` to `e` */
  example(index: number): AnnotatedSequence;
  /** examples step * size .. step * size + size - 1; with data.window: that many windows */
  batch(step: number, size: number): AnnotatedBatch;
}

export interface GeneratorOptions {
  /** replaces the hold-out of the data (comparisons and tests) */
  readonly holdout?: Holdout;
  /** stream of random numbers; default `data` */
  readonly stream?: string;
}

/**
 * @param seed - the run's data seed
 * @throws UserError when the data is not acceptable
 */
export function createGenerator(data: DataConfig, seed: number, options: GeneratorOptions = {}): Generator {
  checkDataConfig(data);
  if (data.file !== undefined) {
    throw new UserError(`data.file: found lines of ${data.file.name}, expected examples that are generated.`);
  }
  const context = createOperationContext(data);
  const holdout = options.holdout ?? createHoldout(data);
  const drawer = new ExpressionDrawer(data, context, holdout);
  const writer = new SequenceWriter(context, data);
  const stream = options.stream ?? 'data';
  const append = (index: number): void => {
    const which = data.fixedSize === undefined ? index : index % data.fixedSize;
    const length = drawer.draw(new Rng(seed, stream, which));
    writer.append(drawer.tokens, length);
  };
  let written: TokenStream | undefined;
  return {
    data,
    holdout,
    context,
    example(index) {
      writer.clear();
      append(index);
      return writer.sequence(0);
    },
    batch(step, size) {
      if (data.window !== undefined) {
        written ??= streamOf(writer, data, append);
        return windowBatch(
          written,
          { window: data.window, loss: data.loss, count: size },
          new Rng(seed, 'windows', step),
        );
      }
      writer.clear();
      for (let i = 0; i < size; i++) append(step * size + i);
      return writer.batch(data.loss);
    },
  };
}

/** The whole set of a fixed size, written end to end. */
function streamOf(writer: SequenceWriter, data: DataConfig, append: (index: number) => void): TokenStream {
  writer.clear();
  for (let index = 0; index < (data.fixedSize ?? 0); index++) append(index);
  const stream = writer.stream();
  writer.clear();
  return stream;
}

/** Draws one expression as standard tokens. */
export class ExpressionDrawer {
  /** the expression drawn last, brackets included; overwritten by the next draw */
  tokens = new Int32Array(256);
  private length = 0;
  private rng = new Rng(0, 'data');
  /** end of the call that was filled last */
  private end = 0;
  private readonly tasks: Int32Array;
  private readonly drawDigit: (rng: Rng) => number;
  /** operands of the open call at each depth */
  private readonly args: number[][];

  constructor(
    private readonly data: DataConfig,
    private readonly context: OperationContext,
    private readonly holdout: Holdout,
  ) {
    const firstOperation = FIRST_NUMBER + data.modulus;
    this.tasks = Int32Array.from(canonicalTasks(data.tasks), (name) => firstOperation + operationIndex(name));
    this.drawDigit = createDigitDraw(data);
    this.args = Array.from({ length: data.depth + 1 }, () => []);
  }

  /** @returns the number of tokens drawn */
  draw(rng: Rng): number {
    this.rng = rng;
    this.length = 0;
    this.drawStructure(this.data.depth);
    this.fill(0, 0);
    return this.length;
  }

  private drawStructure(depthLeft: number): void {
    const { rng, tasks } = this;
    const { operands, nesting } = this.data;
    this.push(OPEN);
    this.push(tasks.length === 1 ? tasks[0] : tasks[rng.below(tasks.length)]);
    const range = operands[1] - operands[0] + 1;
    const arity = operands[0] + (range === 1 ? 0 : rng.below(range));
    for (let i = 0; i < arity; i++) {
      if (depthLeft > 1 && rng.uniform() < nesting) this.drawStructure(depthLeft - 1);
      else this.push(FIRST_NUMBER);
    }
    this.push(CLOSE);
  }

  /** Draws the numbers of the call that opens at `start`. @returns its value; `end` is the place after it */
  private fill(start: number, level: number): number {
    const { tokens, rng, holdout, data } = this;
    const row = ROWS[tokens[start + 1] - FIRST_NUMBER - data.modulus];
    const args = this.args[level];
    const checks = holdout.regime !== 'full';
    for (let redraw = 0; redraw < MOST_REDRAWS; redraw++) {
      args.length = 0;
      let at = start + 2;
      while (tokens[at] !== CLOSE) {
        if (tokens[at] === OPEN) {
          args.push(this.fill(at, level + 1));
          at = this.end;
        } else {
          const value = this.drawDigit(rng);
          tokens[at++] = FIRST_NUMBER + value;
          args.push(value);
        }
      }
      if (checks && holdout.isHeldOut(args)) continue;
      this.end = at + 1;
      // the value matters to the caller only where hold-outs are checked
      return checks ? row.evaluate(args, this.context) : 0;
    }
    throw new UserError(
      `--regime ${data.regime} with --modulus ${data.modulus} and --operands ${data.operands.join('..')}: found ` +
        `no trainable operands for ${row.name} of ${args.length} in ${MOST_REDRAWS} draws, expected some to survive ` +
        `the hold-out. Lower --operands or --depth, or choose --regime full.`,
    );
  }

  private push(token: number): void {
    if (this.length === this.tokens.length) {
      const wider = new Int32Array(2 * this.tokens.length);
      wider.set(this.tokens);
      this.tokens = wider;
    }
    this.tokens[this.length++] = token;
  }
}
