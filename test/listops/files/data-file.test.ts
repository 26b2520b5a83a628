import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync, openSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/errors.js';
import { readDataFile, readLinesOf } from '../../../src/listops/files/data-file.js';
import { DEFAULT_DATA, type DataConfig } from '../../../src/listops/data-config.js';
import { type LineSet, parseLines } from '../../../src/listops/files/line-parser.js';
import {
  countLonger,
  createLineSource,
  describeLines,
  keptLines,
  sequenceLength,
  splitLines,
} from '../../../src/listops/files/line-data.js';
import { createGenerator } from '../../../src/listops/sampling/generate.js';
import { decode, vocabulary } from '../../../src/listops/language/tokenizer.js';
import { PUBLIC_FILE, PUBLIC_LINES, evaluatePublic, standardText, words } from './public-lines.js';

const RULES = { modulus: 10, medianOfEven: 'mean-truncated' } as const;
const folder = mkdtempSync(join(tmpdir(), 'sumlens-lines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (text: string | Uint8Array, rules: Partial<Parameters<typeof parseLines>[1]> = {}): LineSet =>
  parseLines(typeof text === 'string' ? new TextEncoder().encode(text) : text, {
    ...RULES,
    where: 'f.tsv',
    ...rules,
  });

function complaint(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).not.toMatch(/[\n\r\0]/);
    return message;
  }
  throw new Error('nothing was thrown');
}

const publicFile = readDataFile(PUBLIC_FILE, RULES);

function dataOf(
  lines: LineSet,
  given: Partial<DataConfig> & { maxTokens?: number; heldFraction?: number } = {},
): DataConfig {
  const { maxTokens, heldFraction = 0.1, ...data } = given;
  const rules = { ...DEFAULT_DATA, ...RULES, format: 'direct' as const, ...data };
  const identity = { name: 'f.tsv', sha256: 'a'.repeat(64) };
  return { ...rules, ...describeLines(lines, identity, { ...rules, maxTokens, heldFraction }) };
}

describe('the public lines', () => {
  it('are what their notice says: 2,000 lines whose labels two evaluators agree with', () => {
    expect(PUBLIC_LINES).toHaveLength(2000);
    expect(PUBLIC_LINES.filter(({ label, expression }) => evaluatePublic(expression) === label)).toHaveLength(
      2000,
    );
    const { lines } = publicFile;
    expect([lines.nLines, lines.bareNumbers, lines.labels.length]).toEqual([2000, 0, 2000]);
    expect(Array.from(lines.labels)).toEqual(PUBLIC_LINES.map(({ label }) => label));
  });

  it('are hashed by their bytes', () => {
    const sha256 = createHash('sha256').update(readFileSync(PUBLIC_FILE)).digest('hex');
    expect(publicFile.sha256).toBe(sha256);
    expect(publicFile.name).toBe('test_d20s_head2000.tsv');
  });

  it('become tokens without the parentheses of the binary parse', () => {
    const vocab = vocabulary(10);
    const { lines } = publicFile;
    for (let i = 0; i < 2000; i++) {
      const tokens = lines.tokens.subarray(lines.starts[i], lines.starts[i + 1]);
      expect(decode(tokens, vocab)).toBe(standardText(PUBLIC_LINES[i].expression));
    }
  });

  it('disagree with other rules for medians, and the message names the rule that fits', () => {
    for (const medianOfEven of ['lower', 'upper'] as const) {
      const message = complaint(() => readDataFile(PUBLIC_FILE, { modulus: 10, medianOfEven }));
      expect(message).toMatch(
        /^--data: test_d20s_head2000\.tsv line 16: found label 2, expected \d .*the first of \d+ faulty lines of 2000\)\. With --median-of-even mean-truncated every label agrees\.$/,
      );
    }
  });

  it('read the same without parentheses, with Windows line ends, and in the column order of Long Range Arena', () => {
    const { lines } = publicFile;
    const variants = [
      PUBLIC_LINES.map(({ label, expression }) => `${label}\t${words(expression).join(' ')}\n`),
      PUBLIC_LINES.map(({ label, expression }) => `${label}\t${expression}\r\n`),
      ['Source\tTarget\n', ...PUBLIC_LINES.map(({ label, expression }) => `${expression}\t${label}\n`)],
      PUBLIC_LINES.map(({ label, expression }) => `${expression}\t${label}\n`),
    ].map((parts) => read(parts.join('')));
    for (const variant of variants) {
      expect(Buffer.compare(variant.tokens, lines.tokens)).toBe(0);
      expect(variant.labels).toEqual(lines.labels);
      expect(variant.nLines).toBe(2000);
    }
    expect(variants.map(({ columns, header }) => [columns, header])).toEqual([
      ['label-expression', false],
      ['label-expression', false],
      ['expression-label', true],
      ['expression-label', false],
    ]);
  });
});

describe('parseLines', () => {
  it.each([
    ['a header in another order', 'Target\tSource\n3\t[MAX 1 3 ]\n', 'label-expression'],
    ['a header in other words', 'label\texpression\n3\t[MAX 1 3 ]\n', 'label-expression'],
    ['bare numbers first', '5\t5\n[MAX 1 3 ]\t3\n', 'expression-label'],
    ['no newline at the end', '3\t[MAX 1 3 ]', 'label-expression'],
  ])('finds the columns: %s', (_, text, columns) => {
    const lines = read(text);
    expect(lines.columns).toBe(columns);
    expect(lines.labels).toEqual(Uint8Array.of(3));
  });

  it('knows every operation by its own name beside SM, and any number of operands', () => {
    const lines = read('4\t[SUM 2 2 ]\n8\t[PROD 2 4 ]\n3\t[MED 3 ]\n9\t[SM 2 3 4 ]\n');
    expect(lines.operators).toEqual({ '[MED': 'MED', '[SUM': 'SUM', '[SM': 'SUM', '[PROD': 'PROD' });
    const wide = read(`7\t[MAX ${'7 '.repeat(200_000)}]\n`);
    expect(wide.starts[1]).toBe(200_003);
  });

  it('reads two million brackets without an overflow of the stack, and within seconds', () => {
    const deep = 1_000_000;
    const lines = read(`7\t${'[MAX '.repeat(deep)}7 ${'] '.repeat(deep)}\n`);
    expect(lines.starts[1]).toBe(3 * deep + 1);
    expect(complaint(() => read(`7\t${'[MAX '.repeat(deep)}7\n`))).toContain('found 1000000 "[" without "]"');
    expect(complaint(() => read(`7\t${'( '.repeat(deep)}7\n`))).toContain('found 1000000 "(" without ")"');
  });

  it('passes over blank lines at the end, and nowhere else', () => {
    const whole = read('3\t[MAX 1 3 ]\n5\t[MAX 5 3 ]\n');
    for (const end of ['\n', '\n\n\n', '\r\n\r\n', '  \n\t\n', ' ']) {
      expect(read(`3\t[MAX 1 3 ]\n5\t[MAX 5 3 ]\n${end}`), JSON.stringify(end)).toEqual(whole);
    }
    expect(complaint(() => read('\n\n'))).toContain('f.tsv line 1: found nothing');
  });

  it('says what to do with lines that end with a carriage return alone', () => {
    expect(complaint(() => read('3\t[MAX 1 3 ]\r5\t[MAX 5 3 ]\r'))).toMatch(
      /^f\.tsv: found lines that end with a carriage return alone, .* Convert it first \(tr '\\r' '\\n'\)\.$/,
    );
  });

  it.each([
    ['an empty file', '', 'f.tsv: found an empty file, expected lines of a label, a tab and an expression.'],
    ['a byte order mark', '\ufeff1\t[MAX 1 ]\n', 'f.tsv: found a byte order mark, '],
    ['a header alone', 'Source\tTarget\n', 'f.tsv: found a header and no line, '],
    [
      'an unknown header',
      'Foo\tBar\n3\t[MAX 1 3 ]\n',
      'f.tsv line 1: found label "Foo", expected a number from 0 to 9 (modulus 10) (1 fault',
    ],
    [
      'a NUL byte',
      '3\t[MAX 1 \0 3 ]\n',
      'f.tsv line 1: found a NUL byte, expected text (1 fault in 1 lines).',
    ],
    [
      'an empty line',
      '3\t[MAX 1 3 ]\n\n3\t[MAX 1 3 ]\n',
      'f.tsv line 2: found nothing, expected a label, a tab and an expression',
    ],
    ['no tab', '3 [MAX 1 3 ]\n', 'f.tsv line 1: found "3 [MAX 1 3 ]" without a tab, expected a label, a tab'],
    ['three columns', '3\t[MAX 1 3 ]\tx\n', 'f.tsv line 1: found 3 columns, expected 2'],
    ['a label in words', 'x\t[MAX 1 3 ]\n', 'f.tsv line 1: found label "x", expected a number from 0 to 9'],
    [
      'a label outside the modulus',
      '10\t[MAX 1 3 ]\n',
      'f.tsv line 1: found label "10", expected a number from 0 to 9',
    ],
    ['a negative label', '3\t[MAX 1 3 ]\n-3\t[MAX 1 3 ]\n', 'f.tsv line 2: found label "-3", expected'],
    [
      'a label with a leading zero',
      '3\t[MAX 1 3 ]\n03\t[MAX 1 3 ]\n',
      'f.tsv line 2: found label "03", expected',
    ],
    [
      'a wrong label',
      '3\t[MAX 1 3 ]\n4\t[MAX 1 3 ]\n5\t[MAX 1 3 ]\n',
      'f.tsv line 2: found label 4, expected 3 (modulo 10, MED of an even count mean-truncated) (the first of 2 faulty lines of 3). Correct the file.',
    ],
    [
      'an unknown operator',
      '3\t[MXA 1 3 ]\n',
      'f.tsv line 1: found operator "[MXA" at character 1 of the expression, expected one of [MAX, [MIN, [MED, [SM. Did you mean [MAX?',
    ],
    ['an open bracket', '3\t[MAX 1 3\n', 'f.tsv line 1: found 1 "[" without "]" at the end'],
    [
      'a closed bracket too many',
      '3\t[MAX 1 3 ] ]\n',
      'f.tsv line 1: found "]" at character 12 of the expression, expected the end of the expression',
    ],
    ['a closed bracket first', '3\t] 3\n', 'f.tsv line 1: found "]" without "["'],
    ['an open parenthesis', '3\t( [MAX 1 3 ]\n', 'f.tsv line 1: found 1 "(" without ")"'],
    ['a closed parenthesis too many', '3\t[MAX 1 3 ) ]\n', 'f.tsv line 1: found ")" without "("'],
    [
      'a call of nothing',
      '3\t[MAX ]\n',
      'f.tsv line 1: found MAX of nothing at character 6 of the expression, expected at least one operand',
    ],
    [
      'a number outside the modulus',
      '3\t[MAX 1 12 ]\n',
      'f.tsv line 1: found "12" at character 8 of the expression, expected a number from 0 to 9',
    ],
    ['glued words', '3\t[MAX 1 3]\n', 'f.tsv line 1: found "3]" at character 8'],
    ['no expression', '3\t( )\n', 'f.tsv line 1: found no expression'],
    [
      'two expressions',
      '3\t3 3\n',
      'f.tsv line 1: found "3" at character 3 of the expression, expected the end',
    ],
    ['a long word', `3\t[MAX ${'9'.repeat(500)} ]\n`, `found "${'9'.repeat(60)}..."`],
    ['terminal codes', '3\t[MAX \u001b[31m ]\n', 'found "\\u001b[31m"'],
  ])('refuses %s in one line', (_, text, message) => {
    expect(complaint(() => read(text))).toContain(message);
  });

  it.each([
    [
      'gzip',
      gzipSync(Buffer.from('3\t[MAX 1 3 ]\n')),
      'found a gzip archive, expected lines of a label, a tab and an expression. Unpack it first (gunzip).',
    ],
    ['zip', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0), 'found a zip archive'],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, 51, 0), 'found UTF-16 text'],
    [
      'bytes that are not UTF-8',
      Buffer.from('3\t[MAX 1 \xe9 ]\n', 'latin1'),
      'line 1: found the byte 0xe9, which is no UTF-8 text',
    ],
    [
      'such bytes in the first column',
      Buffer.from('\xe9\t[MAX 1 ]\n', 'latin1'),
      'line 1: found the byte 0xe9',
    ],
    ['zeros', new Uint8Array(5000), 'line 1: found a NUL byte'],
  ])('refuses %s', (_, bytes, message) => {
    expect(complaint(() => read(new Uint8Array(bytes)))).toContain(message);
  });

  it('leaves bare numbers out and counts them', () => {
    const lines = read('5\t5\n3\t[MAX 1 3 ]\n0\t( 0 )\n');
    expect([lines.nLines, lines.bareNumbers, lines.labels.length]).toEqual([3, 2, 1]);
    expect(Array.from(lines.lineNumbers)).toEqual([2]);
    expect(complaint(() => dataOf(read('5\t5\n')))).toBe(
      'f.tsv: found bare numbers only, expected at least one expression.',
    );
  });

  it('gives lines or one complaint, whatever happens to a line', () => {
    const samples = PUBLIC_LINES.filter(({ expression }) => expression.length < 200).slice(0, 50);
    const pieces = [
      '[MAX',
      '[SM',
      '[XX',
      ']',
      '(',
      ')',
      '3',
      '12',
      '-1',
      '',
      '\t',
      '\n',
      '\0',
      '\r',
      'é',
      '\u2028',
      '[',
      '3]',
    ];
    const mutation = fc.record({
      line: fc.constantFrom(...samples),
      at: fc.nat(300),
      remove: fc.nat(3),
      insert: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }),
    });
    let kept = 0;
    let refused = 0;
    fc.assert(
      fc.property(mutation, ({ line, at, remove, insert }) => {
        const parts = `${line.label}\t${line.expression}`.split(' ');
        parts.splice(at % parts.length, remove, ...insert);
        const text = parts.join(' ');
        let lines: LineSet;
        try {
          lines = read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as Error).message).toMatch(/^f\.tsv[^\n\r\0]+\.$/u);
          expect((error as Error).message.length).toBeLessThan(500);
          refused++;
          return;
        }
        kept++;
        // what is accepted is right by the other evaluator too
        for (const row of text.split(/\r?\n/).filter((each) => each !== '')) {
          const [left, right] = row.split('\t');
          const [label, expression] = lines.columns === 'label-expression' ? [left, right] : [right, left];
          expect(evaluatePublic(expression.split(/ +/).join(' '))).toBe(Number(label));
        }
      }),
      { numRuns: 3000, seed: 4 },
    );
    expect(kept).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(1000);
  });
});

describe('readDataFile', () => {
  it('refuses what is no file, and one that is too large, before reading it', () => {
    expect(complaint(() => readDataFile(folder, RULES))).toContain('it is a directory, expected a file');
    expect(complaint(() => readDataFile(join(folder, 'none.tsv'), RULES))).toMatch(
      /^--data: Cannot read .*does not exist/,
    );
    const path = join(folder, 'sparse.tsv');
    closeSync(openSync(path, 'w'));
    truncateSync(path, 1e9);
    const began = performance.now();
    expect(complaint(() => readDataFile(path, RULES))).toContain(
      'it has 1000000000 bytes, expected at most 536870912',
    );
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('describeLines', () => {
  it('counts operations, depth, operands and lines, against text', () => {
    const data = dataOf(publicFile.lines, { maxTokens: 128 });
    const short = PUBLIC_LINES.map(({ expression }) => standardText(expression)).filter(
      (text) => (text.match(/[()]|\w+/g) ?? []).length + 4 <= 128,
    );
    const depthOf = (text: string): number => {
      let depth = 0;
      return Array.from(text).reduce(
        (most, c) => Math.max(most, c === '(' ? ++depth : c === ')' ? --depth : depth),
        0,
      );
    };
    expect(data).toMatchObject({
      tasks: ['MAX', 'MIN', 'MED', 'SUM'],
      operands: [2, 5],
      depth: Math.max(...short.map(depthOf)),
    });
    expect(data.file).toEqual({
      name: 'f.tsv',
      sha256: 'a'.repeat(64),
      columns: 'label-expression',
      header: false,
      lines: 2000,
      kept: short.length,
      dropped: 2000 - short.length,
      bareNumbers: 0,
      maxTokens: 128,
      longest: 128,
      heldFraction: 0.1,
      operators: { '[MAX': 'MAX', '[MIN': 'MIN', '[MED': 'MED', '[SM': 'SUM' },
    });
    const calls = short.join(' ').match(/\(/g)?.length ?? 0;
    const numbers = short.join(' ').match(/\d/g)?.length ?? 0;
    const nested = calls - short.length;
    expect(data.nesting).toBeCloseTo(nested / (nested + numbers), 6);
  });

  it.each(['direct', 'steps'] as const)('knows how long a sequence is without writing it: %s', (format) => {
    const { lines } = publicFile;
    const source = createLineSource(dataOf(lines, { format, maxTokens: 600 }), lines, 1);
    for (const i of keptLines(lines, format, 600)) {
      expect(source.sequence(i).tokens).toHaveLength(sequenceLength(lines, i, format));
    }
    expect(countLonger(lines, format, 600)).toBe(2000 - keptLines(lines, format, 600).length);
  });

  it('refuses to keep nothing', () => {
    expect(complaint(() => dataOf(publicFile.lines, { maxTokens: 8 }))).toContain(
      'found no line of at most 8 tokens',
    );
  });
});

describe('splitLines', () => {
  const { lines } = publicFile;

  it('holds a tenth out, by the hold-out seed alone', () => {
    const data = dataOf(lines, { maxTokens: 128, holdoutSeed: 3 });
    const { trained, held } = splitLines(data, lines);
    const kept = keptLines(lines, 'direct', 128);
    expect(held).toHaveLength(Math.round(kept.length / 10));
    expect([...trained, ...held].sort((a, b) => a - b)).toEqual(Array.from(kept));
    expect(splitLines(data, lines)).toEqual({ trained, held });
    const other = splitLines({ ...data, holdoutSeed: 4 }, lines);
    expect(other.held).not.toEqual(held);
  });

  it('keeps equal expressions on one side', () => {
    const repeated = read(
      PUBLIC_LINES.slice(0, 40)
        .flatMap(({ label, expression }) => [
          `${label}\t${expression}`,
          `${label}\t${words(expression).join(' ')}`,
        ])
        .join('\n'),
    );
    const { trained, held } = splitLines(dataOf(repeated, { heldFraction: 0.3 }), repeated);
    expect([trained.length, held.length]).toEqual([56, 24]);
    const twin = (i: number): number => (i % 2 === 0 ? i + 1 : i - 1);
    for (const i of held) expect(held).toContain(twin(i));
  });

  it('holds nothing out when told so, and refuses to train on nothing', () => {
    const one = read('3\t[MAX 1 3 ]\n');
    expect(splitLines(dataOf(one, { heldFraction: 0 }), one).trained).toHaveLength(1);
    expect(complaint(() => splitLines(dataOf(one), one))).toContain(
      'found 1 distinct expression, of which 1 would be held out',
    );
  });
});

describe('createLineSource', () => {
  const { lines } = publicFile;
  const data = dataOf(lines, { maxTokens: 64 });

  it('draws every trained line once an epoch, in another order each, and no held one', () => {
    const source = createLineSource(data, lines, 1);
    const n = source.split.trained.length;
    const epochs = [0, 1].map((epoch) => Array.from({ length: n }, (_, k) => source.drawn(epoch * n + k)));
    for (const epoch of epochs)
      expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from(source.split.trained));
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it('gives a batch that is a pure function of seed and step', () => {
    const [one, two] = [createLineSource(data, lines, 1), createLineSource(data, lines, 1)];
    const later = [7, 3, 100, 3].map((step) => one.batch(step, 64));
    expect(later[1]).toEqual(later[3]);
    expect(two.batch(100, 64)).toEqual(later[2]);
    expect(createLineSource(data, lines, 2).batch(3, 64)).not.toEqual(later[1]);
  });

  it('writes a line as training on generated data writes its expression', () => {
    const generator = createGenerator(
      {
        ...DEFAULT_DATA,
        ...RULES,
        tasks: ['MAX', 'MIN', 'MED', 'SUM'],
        depth: 3,
        operands: [2, 4],
        format: 'steps',
      },
      5,
    );
    const examples = Array.from({ length: 30 }, (_, i) => generator.example(i));
    const vocab = vocabulary(10);
    const text = examples
      .map(({ tokens, promptLength }) => {
        const expression = decode(tokens.subarray(1, promptLength - 1), vocab);
        const label = vocab.tokens[tokens[tokens.length - 2]];
        return `${label}\t${expression.replace(/\(SUM/g, '[SM').replace(/\(/g, '[').replace(/\)/g, ' ]')}`;
      })
      .join('\n');
    const written = read(text);
    const source = createLineSource(dataOf(written, { format: 'steps', heldFraction: 0 }), written, 1);
    examples.forEach((example, i) => expect(source.sequence(i)).toEqual(example));
  });
});

describe('readLinesOf', () => {
  it('gives the lines of the same content under any name, and refuses another, naming what differs', () => {
    const rows = PUBLIC_LINES.slice(0, 40).map(({ label, expression }) => `${label}\t${expression}\n`);
    const path = join(folder, 'a.tsv');
    writeFileSync(path, rows.join(''));
    const file = readDataFile(path, RULES);
    const rules = { ...DEFAULT_DATA, ...RULES, format: 'direct' as const };
    const data: DataConfig = {
      ...rules,
      ...describeLines(file.lines, file, { ...rules, heldFraction: 0.1 }),
    };
    const copy = join(folder, 'b.tsv');
    writeFileSync(copy, rows.join(''));
    expect(readLinesOf(data, copy)).toEqual(file.lines);
    writeFileSync(copy, rows.slice(1).join(''));
    expect(complaint(() => readLinesOf(data, copy))).toMatch(
      /^--data: b\.tsv is not the file of this run: data\.file\.sha256 [0-9a-f]{12}\.\.\. instead of [0-9a-f]{12}\.\.\., data\.file\.lines 39 instead of 40, data\.file\.kept 39 instead of 40/,
    );
    expect(complaint(() => readLinesOf(data, undefined))).toContain(
      '--data: found no file, expected a.tsv with SHA-256',
    );
  });
});
