/** Shared by the tests: data of the default kind, and the tables of a context in the independent reader's form. */
import { DEFAULT_DATA } from '../../src/listops/data-config.js';
import type { DataConfig } from '../../src/listops/data-config.js';
import { createOperationContext } from '../../src/listops/language/operations.js';
import type { OperationContext } from '../../src/listops/language/operations.js';
import type { Settings } from './independent.js';

export function dataWith(changes: Partial<DataConfig>): DataConfig {
  return { ...DEFAULT_DATA, ...changes };
}

export function settingsOf(context: OperationContext): Settings {
  const { modulus: n } = context;
  const rows = (table: Int32Array): number[][] =>
    Array.from({ length: n }, (_, a) => Array.from(table.subarray(a * n, a * n + n)));
  return {
    modulus: n,
    median: context.medianOfEven,
    ranks: Array.from(context.relabelling().forward),
    latin: rows(context.latin()),
    table: rows(context.table()),
  };
}

export function contextOf(changes: Partial<DataConfig> = {}): OperationContext {
  return createOperationContext(dataWith(changes));
}
