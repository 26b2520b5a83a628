/** Properties of the parsers of files: weights, reports, results, tables, data, models of other programs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { EXCHANGE_FORMATS } from '../../src/checkpoint/exchange/formats.js';
import { readExchange } from '../../src/checkpoint/exchange/read.js';
import { parseVocabularyFile } from '../../src/checkpoint/exchange/vocabulary-file.js';
import { exportFiles } from '../../src/checkpoint/exchange/write.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/checkpoint/format.js';
import { fromCsv, toCsv } from '../../src/evidence/table.js';
import { canonicalJson } from '../../src/io/json.js';
import { parseLines } from '../../src/listops/files/line-parser.js';
import { checkGptConfig } from '../../src/model/gpt-config.js';
import { parameterTable } from '../../src/model/parameters.js';
import { checkReport, parseReport } from '../../src/report/parse-report.js';
import { checkResultLine } from '../../src/workflows/sweep/results/result-line.js';
import { readResults } from '../../src/workflows/sweep/results/results-file.js';
import { originOf, smallConfig, someParameters } from '../checkpoint/exchange/runs.js';
import { decidedTable, madeReport } from '../helpers/made-report.js';
import { evaluatePublic, PUBLIC_LINES } from '../listops/files/public-lines.js';
import { resultFor, tinyRuns } from '../workflows/sweep/tiny.js';
import { expectEqual, graceful, mutatedBytes, mutatedJson, mutatedText } from './hostile-input.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A folder that goes when `use` has ended. */
function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sumlens-fuzz-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function fileProperties() {
  return {
    safetensors: fc.property(mutatedBytes(SAFETENSORS), (bytes) => {
      const found = graceful(() => decodeSafetensors(bytes, 'file'));
      if (found === undefined) return;
      expectTiled(bytes);
      const tensors = [...found.value.tensors.values()];
      const metadata = Object.fromEntries(found.value.metadata);
      const again = decodeSafetensors(encodeSafetensors(tensors, metadata));
      expectEqual([...again.tensors.keys()], [...found.value.tensors.keys()].sort(), 'names');
      for (const { name, shape, data } of tensors) {
        const other = again.tensors.get(name);
        expectEqual([other?.shape, other && bits(other.data)], [shape, bits(data)], `tensor ${name}`);
      }
      expectEqual([...again.metadata].sort(), [...found.value.metadata].sort(), 'metadata');
    }),
    // the header alone, as a document
    header: fc.property(mutatedJson(HEADERS), fc.nat(96), (header, size) => {
      const text = utf8(JSON.stringify(header));
      const bytes = new Uint8Array(8 + text.length + size);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
      bytes.set(text, 8);
      if (graceful(() => decodeSafetensors(bytes, 'file')) !== undefined) expectTiled(bytes);
    }),
    report: fc.property(mutatedJson([REPORT]), (value) => {
      const found = graceful(() => checkReport(value, 'report.json'));
      if (found === undefined) return;
      const text = canonicalJson(found.value);
      expectEqual(parseReport(text, 'again'), found.value, 'a report read again');
      const ids = found.value.subjects.map(({ id }) => id);
      if (new Set(ids).size !== ids.length) throw new Error('two subjects with one id');
    }),
    'report-text': fc.property(mutatedText([canonicalJson(REPORT)]), (text) => {
      graceful(() => parseReport(text, 'report.json'));
    }),
    results: fc.property(mutatedJson(RESULTS), (value) => {
      const found = checkResultLine(value);
      if ('problem' in found) {
        if (found.problem === '' || found.problem.includes('\n')) throw new Error('not one line');
        return;
      }
      expectEqual(checkResultLine(JSON.parse(canonicalJson(found.line))), found, 'a line read again');
    }),
    'results-file': fc.property(
      mutatedText([`${RESULTS.map((line) => canonicalJson(line)).join('\n')}\n`]),
      (text) => {
        inFolder((folder) => {
          const path = join(folder, 'results.jsonl');
          writeFileSync(path, text);
          const found = graceful(() => readResults(path));
          if (found === undefined) return;
          writeFileSync(path, [...found.value.values()].map((line) => `${canonicalJson(line)}\n`).join(''));
          expectEqual([...readResults(path)], [...found.value], 'results read again');
        });
      },
    ),
    observations: fc.property(mutatedText([toCsv(TABLE)]), (text) => {
      const found = graceful(() => fromCsv(text, 'observations.csv'));
      if (found === undefined) return;
      const written = toCsv(found.value);
      expectEqual(toCsv(fromCsv(written, 'again')), written, 'a table read again');
      for (const { value, subject } of found.value.observations) {
        if (!Number.isFinite(value)) throw new Error(`the value ${value}`);
        if (!found.value.subjects.some(({ id }) => id === subject)) throw new Error(`no subject ${subject}`);
      }
    }),
    data: fc.property(mutatedBytes(DATA_FILES), (bytes) => {
      const options = { modulus: 10, medianOfEven: 'mean-truncated', where: 'file.tsv' } as const;
      const found = graceful(() => parseLines(bytes, options));
      if (found === undefined) return;
      const { value: lines } = found;
      expectLabels(bytes, lines);
      // Windows' ends of lines change nothing
      const text = new TextDecoder().decode(bytes);
      if (/\r/.test(text)) return;
      const again = parseLines(utf8(text.replaceAll('\n', '\r\n')), options);
      expectEqual(
        [[...again.tokens], [...again.labels]],
        [[...lines.tokens], [...lines.labels]],
        'with CR LF',
      );
    }),
    vocabulary: fc.property(mutatedJson(VOCABULARIES), fc.nat(40), (value, rows) => {
      const found = graceful(() => parseVocabularyFile(JSON.stringify(value), 'meta.json', rows));
      if (found === undefined) return;
      const { ids } = found.value;
      const used = [...ids].filter((id) => id >= 0);
      if (used.some((id) => id >= rows) || new Set(used).size !== used.length) {
        throw new Error(`ids ${[...ids].join(' ')} of ${rows} rows`);
      }
    }),
    exchange: fc.property(
      fc.constantFrom(...EXPORTS).chain((one) => fc.tuple(fc.constant(one), mutatedJson([one.config]))),
      fc.boolean(),
      ([{ weights }, config], isText) => {
        inFolder((folder) => {
          const paths = {
            weights: join(folder, 'model.safetensors'),
            modelConfig: join(folder, 'config.json'),
          };
          writeFileSync(paths.weights, weights);
          writeFileSync(paths.modelConfig, JSON.stringify(config, null, isText ? 2 : 0));
          const source = { ...paths, parts: [paths.weights], vocabulary: undefined, origin: undefined };
          const found = graceful(() => readExchange(source, [{ fields: {}, from: 'nothing' }]));
          if (found === undefined) return;
          checkGptConfig(found.value.config);
          expectEqual(
            found.value.parameters.length,
            parameterTable(found.value.config).arenaSize,
            'numbers of parameters',
          );
        });
      },
    ),
  };
}

const SAFETENSORS = [
  encodeSafetensors([
    { name: 'a', shape: [2, 3], data: Float32Array.of(1, 2, 3, NaN, -0, Infinity) },
    { name: 'b.weight', shape: [], data: Float32Array.of(7) },
    { name: 'c', shape: [0, 4], data: new Float32Array(0) },
  ]),
  encodeSafetensors([{ name: 'x', shape: [4], data: Float32Array.of(1, 2, 3, 4) }], { format: 'pt' }),
];
const HEADERS = [
  {
    __metadata__: { format: 'pt' },
    a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    b: { dtype: 'F16', shape: [4], data_offsets: [24, 32] },
  },
  { a: { dtype: 'F64', shape: [1, 2, 1], data_offsets: [0, 16] } },
];
const small = decidedTable(2);
const TABLE = { subjects: small.subjects.slice(0, 6), observations: small.observations.slice(0, 20) };
const REPORT = JSON.parse(
  canonicalJson(madeReport(TABLE.subjects, TABLE.observations.slice(0, 12))),
) as unknown;
const RESULTS = tinyRuns()
  .slice(0, 2)
  .map((run): unknown => JSON.parse(canonicalJson(resultFor(run))));
const DATA_FILES = [
  utf8('2\t( ( [MAX 1 ) 2 ) ]\n4\t[SM 1 3 ]\n0\t[MIN 0 9 [MED 3 4 5 ] ]\n'),
  utf8(
    `Source\tTarget\n${PUBLIC_LINES.slice(0, 3)
      .map(({ expression, label }) => `${expression}\t${label}`)
      .join('\n')}\n`,
  ),
];
const VOCABULARIES = [
  { stoi: { s: 0, e: 1, '>': 2, '=': 3, '(': 4, ')': 5, '0': 6, '1': 7, '2': 8, SUM: 9, MAX: 10 } },
  ['s', 'e', '>', '=', '(', ')', '0', '1', 'SUM'],
  { model: { vocab: { s: 2, e: 1, '>': 0, '=': 3, '(': 4, ')': 5, '0': 6, '1': 7, SUM: 8 } } },
];
const EXPORTS = EXCHANGE_FORMATS.map((to) => {
  const config = smallConfig({ nLayers: 1 });
  const parameters = someParameters(config);
  const { entries } = exportFiles(originOf(config, parameters, to), parameters);
  const content = (name: string): string | Uint8Array =>
    entries.find((entry) => entry.name === name)?.bytes ?? '';
  return {
    weights: content('model.safetensors'),
    config: JSON.parse(content('config.json') as string) as unknown,
  };
});

const bits = (data: Float32Array): number[] => [
  ...new Uint32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)),
];

const BYTES: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2 };

/** The format's own words: known types, whole sizes, and tensors that fill the buffer without hole or overlap. */
function expectTiled(bytes: Uint8Array): void {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
    string,
    unknown
  >;
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([, entry]) => entry as { dtype: string; shape: number[]; data_offsets: [number, number] })
    .sort((a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  let end = 0;
  for (const { dtype, shape, data_offsets: offsets } of entries) {
    const size = shape.reduce((product, n) => product * n, 1) * (BYTES[dtype] ?? NaN);
    const isWhole = shape.every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!isWhole || offsets[0] !== end || offsets[1] !== end + size) {
      throw new Error(`accepted ${dtype} [${shape.join(', ')}] at ${offsets.join('..')}, after ${end}`);
    }
    end += size;
  }
  if (8 + length + end !== bytes.length) throw new Error(`accepted ${bytes.length - 8 - length} for ${end}`);
}

/** The labels that a reading of their own gives to the lines that were kept. */
function expectLabels(
  bytes: Uint8Array,
  { lineNumbers, labels }: { readonly lineNumbers: Float64Array; readonly labels: Uint8Array },
): void {
  const lines = new TextDecoder().decode(bytes).split('\n');
  lineNumbers.forEach((number, i) => {
    const cells = lines[number - 1].split('\t').map((cell) => cell.trim());
    const expression = cells.find((cell) => cell.includes('['));
    if (expression === undefined) throw new Error(`line ${number} was kept, and has no expression`);
    if (/\[(?!MAX|MIN|MED|SM)/.test(expression)) return; // evaluatePublic knows these four
    const expected = evaluatePublic(expression);
    if (expected !== labels[i]) throw new Error(`line ${number}: label ${labels[i]}, expected ${expected}`);
  });
}
