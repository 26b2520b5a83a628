/**
 * Verdicts from the numbers alone: a table of observations, the results of a sweep, or what a report holds of both. No
 * checkpoint is opened, and nothing that a report says of its verdicts is believed.
 */
import { extname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { printable, unacceptable } from '../errors.js';
import { canonicalClaims } from '../evidence/claims-file.js';
import type { ClaimResult } from '../evidence/claims.js';
import { decideClaims } from '../evidence/decide.js';
import { type Evidence, evidenceOf } from '../evidence/evidence.js';
import { fromCsv } from '../evidence/table.js';
import { exists, isDirectory, readBytes, readText } from '../io/files.js';
import { canonicalJson } from '../io/json.js';
import { sha256Hex } from '../io/sha256.js';
import { parseReport } from '../report/parse-report.js';
import { jsonNumber } from '../report/report-json.js';
import { readResults, RESULTS_FILE } from './sweep/results/results-file.js';
import { tableOfResults } from './sweep/results/table.js';

type Table = Pick<Evidence, 'subjects' | 'observations'>;

/** What a report says it decided, and by which claims. */
interface Stated {
  readonly claims: readonly ClaimResult[];
  readonly claimsSha256: string;
}

export interface Verdicts {
  readonly claims: readonly ClaimResult[];
  /** of the claims that decided */
  readonly claimsSha256: string;
  /** why this is not what the report says; absent: it is, or there was none */
  readonly differs?: string;
}

const EXPECTED = 'observations.csv of "report --csv" (or .csv.gz), results.jsonl of a sweep, or report.json';

/**
 * @param path - a .csv, .jsonl or .json file, or a folder that holds report.json or results.jsonl
 * @throws UserError when it is none of them, or a line of it is wrong
 */
export function verdictsOf(path: string): Verdicts {
  const file = fileOf(path);
  const { table, stated } = read(file);
  const claims = decideTable(table);
  const claimsSha256 = sha256Hex(canonicalClaims());
  const differs = stated === undefined ? undefined : differenceOf(claims, claimsSha256, stated);
  return { claims, claimsSha256, ...(differs === undefined ? {} : { differs }) };
}

/** The claims decided from a table. */
export function decideTable({ subjects, observations }: Table): ClaimResult[] {
  return decideClaims(evidenceOf(subjects, observations, new Map()));
}

function fileOf(path: string): string {
  if (!exists(path)) throw unacceptable('verdicts', path, `a file that exists: ${EXPECTED}`);
  if (!isDirectory(path)) return path;
  const found = ['report.json', RESULTS_FILE].map((name) => join(path, name)).find(exists);
  if (found === undefined)
    throw unacceptable('verdicts', path, `a folder that holds report.json or ${RESULTS_FILE}`);
  return found;
}

function read(file: string): { readonly table: Table; readonly stated?: Stated } {
  switch (extname(file).toLowerCase()) {
    case '.gz':
      return { table: fromCsv(unpacked(file), file) };
    case '.csv':
      return { table: fromCsv(readText(file), file) };
    case '.jsonl':
      return { table: tableOfResults([...readResults(file).values()]) };
    case '.json': {
      const report = parseReport(readBytes(file), file);
      const { claims, provenance } = report;
      return { table: report, stated: { claims, claimsSha256: provenance.claimsSha256 } };
    }
    default:
      throw unacceptable('verdicts', printable(file, 300), EXPECTED);
  }
}

/** Most bytes that a packed table may grow to. */
const MOST_UNPACKED = 2 ** 29;

function unpacked(file: string): string {
  try {
    return gunzipSync(readBytes(file), { maxOutputLength: MOST_UNPACKED }).toString('utf8');
  } catch {
    throw unacceptable(
      'verdicts',
      printable(file, 300),
      'a table packed with gzip, such as observations.csv.gz',
    );
  }
}

function differenceOf(
  claims: readonly ClaimResult[],
  claimsSha256: string,
  stated: Stated,
): string | undefined {
  const textOf = (one: ClaimResult): string => canonicalJson(one, jsonNumber);
  const before = new Map(stated.claims.map((one) => [one.part ?? one.claim, textOf(one)]));
  const changed = claims
    .filter((one) => before.get(one.part ?? one.claim) !== textOf(one))
    .map(({ claim, part }) => part ?? claim);
  if (changed.length === 0 && before.size === claims.length) return undefined;
  const which = changed.length === 0 ? 'it has further claims' : changed.join(', ');
  return claimsSha256 === stated.claimsSha256
    ? `the report says otherwise (${which}): its numbers or its verdicts were changed, or another version of sumlens decided them`
    : `the report says otherwise (${which}): it was decided by other claims (${stated.claimsSha256.slice(0, 12)} and not ${claimsSha256.slice(0, 12)})`;
}
