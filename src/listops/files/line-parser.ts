/**
 * Reads the bytes of a public ListOps file: one expression and its label a line, in the style of Nangia and Bowman
 * (NAACL 2018 student workshop) or, with a header and the expression first, of Long Range Arena (ICLR 2021). Every
 * label is computed again. Pure: which file the bytes come from is data-file.ts, what is trained on is line-data.ts.
 */
import { UserError, nearest, printable } from '../../errors.js';
import {
  MEDIAN_OF_EVEN,
  OPERATION_NAMES,
  createOperationContext,
  operationRow,
} from '../language/operations.js';
import type { MedianOfEven, OperationContext, OperationName } from '../language/operations.js';
import { CLOSE, FIRST_NUMBER, OPEN } from '../language/tokenizer.js';

export const COLUMN_ORDERS = ['label-expression', 'expression-label'] as const;
export type ColumnOrder = (typeof COLUMN_ORDERS)[number];

/** Most lines of one file: beyond it their table alone takes a gigabyte. */
export const MOST_LINES = 5_000_000;

export interface LineOptions {
  readonly modulus: number;
  readonly medianOfEven: MedianOfEven;
  /** the file's name, put before messages */
  readonly where: string;
}

/** Lines of a file whose expressions are calls; a line that is a bare number has nothing to compute and is counted only. */
export interface LineSet {
  readonly columns: ColumnOrder;
  readonly header: boolean;
  /** lines of data, bare numbers included */
  readonly nLines: number;
  readonly bareNumbers: number;
  /** expressions end to end as token ids, binary-parse parentheses left out */
  readonly tokens: Uint8Array;
  /** [n + 1] where expression i begins */
  readonly starts: Float64Array;
  /** [n] line of the file, from 1 */
  readonly lineNumbers: Float64Array;
  /** [n] */
  readonly labels: Uint8Array;
  /** [n] whole sequence from `s` to `e` in the format `steps` */
  readonly stepsLengths: Float64Array;
  /** operators as the file writes them, and what they mean here; in table order */
  readonly operators: Readonly<Record<string, OperationName>>;
}

/** Public ListOps writes the sum modulo ten as SM; every other operation is written by its own name. */
const FOREIGN_NAMES: Readonly<Record<string, OperationName>> = { SM: 'SUM' };
const OPERATORS: ReadonlyMap<string, OperationName> = new Map([
  ...Object.entries(FOREIGN_NAMES).map(([name, operation]) => [`[${name}`, operation] as const),
  ...OPERATION_NAMES.map((name) => [`[${name}`, name] as const),
]);
const PUBLIC_OPERATORS = ['[MAX', '[MIN', '[MED', '[SM'];

const EXPRESSION_HEADS = ['source', 'expression', 'input', 'sentence'];
const LABEL_HEADS = ['target', 'label', 'output'];

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const BLANK = 32;
const ROUND_OPEN = 40;
const ROUND_CLOSE = 41;
const SQUARE_OPEN = 91;
const SQUARE_CLOSE = 93;
/** Longest word of an error message that is looked at. */
const MOST_SHOWN = 60;

/** What is wrong with one line; thrown and caught here. */
class LineFault extends Error {}

/**
 * @throws UserError naming the first faulty line and how many there are
 */
export function parseLines(bytes: Uint8Array, options: LineOptions): LineSet {
  refuseOtherFormats(bytes, options.where);
  const reader = new LineReader(bytes, options);
  const found = reader.read();
  if (reader.faults === 0) return found;
  throw new UserError(`${reader.firstFault}${countText(reader)}${agreeingRule(bytes, options, reader)}`);
}

function countText({ faults, nLines }: LineReader): string {
  return faults === 1
    ? ` (1 fault in ${nLines} lines)`
    : ` (the first of ${faults} faulty lines of ${nLines})`;
}

/** The rule for medians that would make every label right, when it is only that. */
function agreeingRule(bytes: Uint8Array, options: LineOptions, { wrongLabels, faults }: LineReader): string {
  if (wrongLabels < faults) return '.';
  const rule = MEDIAN_OF_EVEN.filter((other) => other !== options.medianOfEven).find((medianOfEven) => {
    const reader = new LineReader(bytes, { ...options, medianOfEven });
    reader.read();
    return reader.faults === 0;
  });
  return rule === undefined ? '. Correct the file.' : `. With --median-of-even ${rule} every label agrees.`;
}

function refuseOtherFormats(bytes: Uint8Array, where: string): void {
  const expected = 'expected lines of a label, a tab and an expression';
  if (bytes.length === 0) throw new UserError(`${where}: found an empty file, ${expected}.`);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new UserError(`${where}: found a gzip archive, ${expected}. Unpack it first (gunzip).`);
  }
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] < 9) {
    throw new UserError(`${where}: found a zip archive, ${expected}. Unpack it first (unzip).`);
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new UserError(`${where}: found a byte order mark, ${expected}. Save it as UTF-8 without one.`);
  }
  const firstReturn = bytes.indexOf(RETURN);
  if (firstReturn !== -1 && firstReturn < bytes.length - 1 && !bytes.includes(NEWLINE)) {
    throw new UserError(
      `${where}: found lines that end with a carriage return alone, ${expected} that end with a newline. Convert it first (tr '\\r' '\\n').`,
    );
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new UserError(`${where}: found UTF-16 text, ${expected}. Save it as UTF-8.`);
  }
}

/** One pass over the bytes. After read(), `faults` says whether its result can be used. */
class LineReader {
  faults = 0;
  wrongLabels = 0;
  firstFault = '';
  nLines = 0;
  private readonly context: OperationContext;
  private readonly firstOperation: number;
  private tokens: Uint8Array;
  private nTokens = 0;
  private readonly starts: number[] = [0];
  private readonly lineNumbers: number[] = [];
  private readonly labels: number[] = [];
  private readonly stepsLengths: number[] = [];
  private readonly used = new Map<string, OperationName>();
  private bareNumbers = 0;
  private columns: ColumnOrder = 'label-expression';
  private header = false;
  /** values of all open calls, and where each begins */
  private readonly values: number[] = [];
  private readonly frames: { readonly operation: OperationName; readonly from: number }[] = [];
  /** operand counts in the order in which calls close */
  private readonly closed: number[] = [];

  constructor(
    private readonly bytes: Uint8Array,
    private readonly options: LineOptions,
  ) {
    this.context = createOperationContext({ ...options, tableSeed: 0 });
    this.firstOperation = FIRST_NUMBER + options.modulus;
    this.tokens = new Uint8Array(2 + (bytes.length >> 1));
  }

  read(): LineSet {
    const { bytes } = this;
    this.chooseColumns();
    let number = 0;
    const last = withoutBlankEnd(bytes);
    for (let from = 0; from < last;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const next = newline < 0 ? bytes.length : newline;
      number++;
      if (number > 1 || !this.header) this.readLine(from, lineEnd(bytes, from, next), number);
      from = next + 1;
    }
    if (this.nLines === 0) {
      throw new UserError(
        `${this.options.where}: found a header and no line, expected at least one line of data.`,
      );
    }
    return {
      columns: this.columns,
      header: this.header,
      nLines: this.nLines,
      bareNumbers: this.bareNumbers,
      tokens: this.tokens.slice(0, this.nTokens),
      starts: Float64Array.from(this.starts),
      lineNumbers: Float64Array.from(this.lineNumbers),
      labels: Uint8Array.from(this.labels),
      stepsLengths: Float64Array.from(this.stepsLengths),
      operators: Object.fromEntries(
        [...this.used].sort(([, a], [, b]) => OPERATION_NAMES.indexOf(a) - OPERATION_NAMES.indexOf(b)),
      ),
    };
  }

  /** By the names of a header, else by which column of the first line that tells is a number or has brackets. */
  private chooseColumns(): void {
    const { bytes } = this;
    for (let from = 0, first = true; from < bytes.length; first = false) {
      const newline = bytes.indexOf(NEWLINE, from);
      const next = newline < 0 ? bytes.length : newline;
      const end = lineEnd(bytes, from, next);
      const tab = bytes.subarray(from, end).indexOf(TAB);
      const left = this.textOrNothing(from, tab < 0 ? end : from + tab);
      const right = tab < 0 ? '' : this.textOrNothing(from + tab + 1, end);
      if (first && this.isHeader(left, right)) {
        this.header = true;
        this.columns = LABEL_HEADS.includes(left.trim().toLowerCase())
          ? 'label-expression'
          : 'expression-label';
        return;
      }
      const [leftIs, rightIs] = [kindOf(left), kindOf(right)];
      if (tab >= 0 && leftIs !== rightIs && (leftIs !== 'unknown' || rightIs !== 'unknown')) {
        const labelFirst = leftIs === 'number' || rightIs === 'expression';
        this.columns = labelFirst ? 'label-expression' : 'expression-label';
        return;
      }
      // two bare numbers say nothing of the order, which then does not matter for this line
      if (tab < 0 || leftIs === 'unknown') return;
      from = next + 1;
    }
  }

  /** What is no text is a fault of its line, and told when that is read. */
  private textOrNothing(from: number, end: number): string {
    try {
      return this.text(from, end);
    } catch {
      return '';
    }
  }

  private isHeader(left: string, right: string): boolean {
    const heads = [left, right].map((text) => text.trim().toLowerCase());
    const isKnown = (names: readonly string[]): boolean => heads.some((head) => names.includes(head));
    return isKnown(EXPRESSION_HEADS) && isKnown(LABEL_HEADS);
  }

  private readLine(from: number, end: number, number: number): void {
    if (++this.nLines > MOST_LINES) {
      throw new UserError(
        `${this.options.where}: found more than ${MOST_LINES} lines, expected at most that many.`,
      );
    }
    const tokensBefore = this.nTokens;
    try {
      const tab = this.findTab(from, end);
      const labelFirst = this.columns === 'label-expression';
      const label = this.readLabel(...(labelFirst ? ([from, tab] as const) : ([tab + 1, end] as const)));
      const value = this.readExpression(...(labelFirst ? ([tab + 1, end] as const) : ([from, tab] as const)));
      if (value !== label) {
        this.wrongLabels++;
        const rules = `modulo ${this.options.modulus}, MED of an even count ${this.options.medianOfEven}`;
        throw new LineFault(`found label ${label}, expected ${value} (${rules})`);
      }
      if (this.nTokens - tokensBefore === 1) {
        this.nTokens = tokensBefore;
        this.bareNumbers++;
        return;
      }
      this.starts.push(this.nTokens);
      this.lineNumbers.push(number);
      this.labels.push(label);
      this.stepsLengths.push(this.stepsLength(this.nTokens - tokensBefore));
    } catch (error) {
      if (!(error instanceof LineFault)) throw error;
      this.nTokens = tokensBefore;
      if (this.faults++ === 0) this.firstFault = `${this.options.where} line ${number}: ${error.message}`;
    }
  }

  private findTab(from: number, end: number): number {
    const line = this.bytes.subarray(from, end);
    const expected =
      this.columns === 'label-expression'
        ? 'a label, a tab and an expression'
        : 'an expression, a tab and a label';
    if (line.length === 0) throw new LineFault(`found nothing, expected ${expected}`);
    if (line.includes(0)) throw new LineFault('found a NUL byte, expected text');
    const tab = line.indexOf(TAB);
    if (tab < 0) throw new LineFault(`found "${this.text(from, end)}" without a tab, expected ${expected}`);
    if (line.indexOf(TAB, tab + 1) >= 0) {
      const n = line.reduce((count, byte) => (byte === TAB ? count + 1 : count), 1);
      throw new LineFault(`found ${n} columns, expected 2: ${expected}`);
    }
    return from + tab;
  }

  private readLabel(from: number, end: number): number {
    const text = this.text(from, end).trim();
    const value = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : NaN;
    if (value < this.options.modulus) return value;
    throw new LineFault(
      `found label "${text}", expected a number from 0 to ${this.options.modulus - 1} (modulus ${this.options.modulus})`,
    );
  }

  /** Appends the tokens of an expression. @returns its value */
  private readExpression(from: number, end: number): number {
    const { bytes, values, frames } = this;
    values.length = 0;
    frames.length = 0;
    this.closed.length = 0;
    let parentheses = 0;
    let done = false;
    for (let at = from; at < end;) {
      if (bytes[at] === BLANK) {
        at++;
        continue;
      }
      const start = at;
      while (at < end && bytes[at] !== BLANK) at++;
      const length = at - start;
      const byte = bytes[start];
      if (length === 1 && byte === ROUND_OPEN) {
        parentheses++;
        continue;
      }
      if (length === 1 && byte === ROUND_CLOSE) {
        if (--parentheses < 0) throw this.fault(start, from, 'found ")" without "("', 'balanced parentheses');
        continue;
      }
      if (done) throw this.fault(start, from, `found "${this.text(start, at)}"`, 'the end of the expression');
      if (length === 1 && byte === SQUARE_CLOSE) this.closeCall(start, from);
      else if (byte === SQUARE_OPEN) this.openCall(start, at, from);
      else {
        const value = this.readNumber(start, at, from);
        this.push(FIRST_NUMBER + value);
        values.push(value);
      }
      done = frames.length === 0;
    }
    if (!done) {
      const open = frames.length;
      if (open === 0) throw new LineFault('found no expression, expected one such as [SM 7 3 ]');
      throw new LineFault(
        `found ${open} "[" without "]" at the end of the expression, expected as many of both`,
      );
    }
    if (parentheses > 0) {
      throw new LineFault(
        `found ${parentheses} "(" without ")" at the end of the expression, expected as many of both`,
      );
    }
    return values[0];
  }

  private openCall(start: number, end: number, from: number): void {
    const word = this.text(start, end);
    const operation = OPERATORS.get(word);
    if (operation === undefined) {
      const meant = nearest(word, [...OPERATORS.keys()]);
      const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
      throw this.fault(
        start,
        from,
        `found operator "${word}"`,
        `one of ${PUBLIC_OPERATORS.join(', ')}${hint === '' ? '' : `.${hint}`}`,
      );
    }
    this.used.set(word, operation);
    this.frames.push({ operation, from: this.values.length });
    this.push(OPEN);
    this.push(this.firstOperation + OPERATION_NAMES.indexOf(operation));
  }

  private closeCall(start: number, from: number): void {
    const frame = this.frames.pop();
    if (frame === undefined)
      throw this.fault(start, from, 'found "]" without "["', 'an expression such as [SM 7 3 ]');
    const args = this.values.splice(frame.from);
    if (args.length === 0)
      throw this.fault(start, from, `found ${frame.operation} of nothing`, 'at least one operand');
    this.values.push(operationRow(frame.operation).evaluate(args, this.context));
    this.closed.push(args.length);
    this.push(CLOSE);
  }

  private readNumber(start: number, end: number, from: number): number {
    const { bytes } = this;
    const { modulus } = this.options;
    let value = 0;
    let valid = end - start <= 3 && (end - start === 1 || bytes[start] !== 48);
    for (let at = start; valid && at < end; at++) {
      const digit = bytes[at] - 48;
      valid = digit >= 0 && digit <= 9;
      value = 10 * value + digit;
    }
    if (valid && value < modulus) return value;
    throw this.fault(
      start,
      from,
      `found "${this.text(start, end)}"`,
      `a number from 0 to ${modulus - 1}, an operator or a bracket`,
    );
  }

  private fault(at: number, from: number, found: string, expected: string): LineFault {
    return new LineFault(`${found} at character ${at - from + 1} of the expression, expected ${expected}`);
  }

  /** Bytes as text for a message or a comparison: cut, and one line. */
  private text(from: number, end: number): string {
    const isCut = end - from > MOST_SHOWN;
    const part = this.bytes.subarray(from, isCut ? from + MOST_SHOWN : end);
    try {
      // the cut may go through a character, which streaming leaves out
      const text = new TextDecoder('utf-8', { fatal: true }).decode(part, { stream: isCut });
      return `${printable(text, MOST_SHOWN)}${isCut ? '...' : ''}`;
    } catch {
      const byte = part.find((candidate) => candidate >= 0x80) ?? 0;
      throw new LineFault(`found the byte 0x${byte.toString(16)}, which is no UTF-8 text, expected UTF-8`);
    }
  }

  private push(token: number): void {
    this.tokens[this.nTokens++] = token;
  }

  /** `s`, the expression, then `>` and the whole expression after each reduction, `e`. */
  private stepsLength(length: number): number {
    let total = 2 + length;
    let left = length;
    for (const operands of this.closed) {
      left -= operands + 2;
      total += 1 + left;
    }
    return total;
  }
}

/** Where the lines end that say something: editors leave blank ones at the end. */
function withoutBlankEnd(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && [NEWLINE, RETURN, BLANK, TAB].includes(bytes[end - 1])) end--;
  // a file of blanks only is refused at its first line; the last line keeps the tab and blanks it ends with
  const newline = bytes.indexOf(NEWLINE, end);
  return end === 0 || newline === -1 ? bytes.length : newline + 1;
}

/** Without the carriage return of a line ended by two characters. */
function lineEnd(bytes: Uint8Array, from: number, next: number): number {
  return next > from && bytes[next - 1] === RETURN ? next - 1 : next;
}

function kindOf(column: string): 'number' | 'expression' | 'unknown' {
  const text = column.trim();
  if (/^\d+$/.test(text)) return 'number';
  return /[[\]()]/.test(text) ? 'expression' : 'unknown';
}
