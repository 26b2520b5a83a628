/** The tidy table of a report as a file for other programs: CSV, which "verdicts" reads again, and Parquet. */
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Evidence } from '../../evidence/evidence.js';
import { COLUMNS, tableRows, toCsv } from '../../evidence/table.js';
import { writeFileDurably } from '../../io/files.js';

type Table = Pick<Evidence, 'subjects' | 'observations'>;

export const TABLE_FORMATS = ['csv', 'parquet'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

const TRUTHS: readonly string[] = ['final', 'nested', 'trainedHere', 'generated'];
const WHOLE: readonly string[] = [
  ...['step', 'seed', 'parameters', 'modulus', 'depth', 'dModel', 'nLayers', 'steps'],
  ...['arity', 'layer', 'divisor', 'frequency', 'draws', 'step'].map((key) => `scope.${key}`),
  'examples',
];
const FRACTIONS: readonly string[] = [
  ...['learningRate', 'embeddingInit', 'scope.dose', 'value', 'control'],
  ...['mean', 'high', 'p', 'midP'].map((key) => `null.${key}`),
];

/** Durable when it returns. @throws FileError */
export function writeTable(table: Table, path: string, format: TableFormat): void {
  writeFileDurably(path, format === 'csv' ? toCsv(table) : toParquet(table));
}

/**
 * Columns as in the CSV, absent cells null: whole numbers as INT64, other numbers as DOUBLE, lists as text joined with "+".
 * Equal tables give equal bytes.
 */
export function toParquet(table: Table): Uint8Array {
  const rows = tableRows(table);
  const columnData = COLUMNS.map((name, i) => {
    const cells = rows.map((row) => row[i] ?? null);
    if (WHOLE.includes(name)) {
      const data = cells.map((cell) => (cell === null ? null : BigInt(cell)));
      return { name, type: 'INT64' as const, data };
    }
    if (FRACTIONS.includes(name)) return { name, type: 'DOUBLE' as const, data: cells };
    if (TRUTHS.includes(name)) return { name, type: 'BOOLEAN' as const, data: cells };
    return { name, type: 'STRING' as const, data: cells };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: 'sumlens' }));
}
