import type { RowResult } from './row.mjs';

export function summaryLine(
  results: readonly RowResult[],
  allowMissingPeers: boolean,
  minutes: number,
): { line: string; failed: boolean };
