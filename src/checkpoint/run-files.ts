/** Names inside a run directory, and the small JSON files beside the checkpoints. */
import { join } from 'node:path';
import { RunError, UserError, printable } from '../errors.js';
import { differingFields, fieldText, runId } from '../config/names.js';
import { ADDED_LATER, parseRunConfig } from '../config/parse.js';
import type { RunConfig } from '../config/run-config.js';
import { exists, isDirectory, listDirectory, readBytes, readText } from '../io/files.js';
import { canonicalJson, parseJsonStrict, type Json } from '../io/json.js';
import { sha256Hex } from '../io/sha256.js';

export const END_REASONS = ['solved', 'budget', 'diverged', 'interrupted'] as const;
export type EndReason = (typeof END_REASONS)[number];

/** end.json: how the last session ended. */
export interface RunEnd {
  readonly [key: string]: Json | undefined;
  readonly reason: EndReason;
  /** updates done */
  readonly step: number;
  /** of metrics.jsonl as it was then; absent in runs of older versions */
  readonly metricsSha256?: string;
}

export const CONFIG_FILE = 'config.json';
export const SESSIONS_FILE = 'sessions.jsonl';
export const METRICS_FILE = 'metrics.jsonl';
export const TIMING_FILE = 'timing.jsonl';
export const LOCK_FILE = 'lock';
export const END_FILE = 'end.json';
/** beside the manifest of a step whose weights were given up on purpose, see RunStore.keepFinal */
export const DROPPED_FILE = 'dropped';
/** in the place of a step that was damaged: the SHA-256 of the manifest that it had, see RunStore.moveAside */
export const MOVED_FILE = 'moved-aside';
/** where repair puts what is damaged; readers skip names with a leading dot */
export const DAMAGED_FOLDER = '.damaged';

/** `steps/000064`, `resume/000500`: six digits or more, ordered by number. */
export function stepDirectory(dir: string, kind: 'steps' | 'resume', step: number): string {
  return join(dir, kind, String(step).padStart(6, '0'));
}

/** Steps that have a directory, ascending; not verified. */
export function listSteps(dir: string, kind: 'steps' | 'resume'): number[] {
  return listDirectory(join(dir, kind))
    .filter((name) => /^\d{6,15}$/.test(name) && String(Number(name)).padStart(6, '0') === name)
    .map(Number)
    .sort((a, b) => a - b);
}

/** The bytes of config.json. */
export const configText = (config: RunConfig): string => `${canonicalJson(config)}\n`;

/** Without the fields that a configuration written by an older version lacks. */
function asOld(config: RunConfig, stored: unknown): RunConfig {
  const fields = stored as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const older = Object.entries(config).map(([section, value]: [string, unknown]) => {
    const lacks = (name: string): boolean =>
      ADDED_LATER.includes(`${section}.${name}`) && !Object.hasOwn(fields[section], name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [section, value];
    return [section, Object.fromEntries(Object.entries(value).filter(([name]) => !lacks(name)))];
  });
  return Object.fromEntries(older) as RunConfig;
}

const ENDS_WITH_HASH = /-[0-9a-f]{12}$/;

/**
 * Reads and checks config.json of a run directory.
 * @throws UserError when the directory is no run, RunError when it is damaged
 */
export function readConfig(dir: string): RunConfig {
  const path = join(dir, CONFIG_FILE);
  if (!isDirectory(dir)) {
    throw new UserError(`${printable(dir, 300)}: found no directory, expected a run directory.`);
  }
  if (!exists(path)) {
    throw new UserError(`${printable(dir, 300)}: found no ${CONFIG_FILE}, expected a run directory.`);
  }
  const text = readText(path, 1 << 20);
  const stored = parseJsonStrict(text, { where: path, blame: 'file' });
  const config = parseRunConfig(stored, path);
  if (configText(asOld(config, stored)) !== text) {
    throw new RunError(
      `${printable(path, 300)}: is not in canonical form, so it was changed after it was written.`,
    );
  }
  const name = dir.replace(/\/+$/, '').split('/').at(-1) ?? '';
  if (ENDS_WITH_HASH.test(name) && name !== runId(config)) {
    throw new RunError(
      `${printable(path, 300)}: describes the run ${runId(config)}, but lies in ${printable(name)}: one of them was changed.`,
    );
  }
  return config;
}

/** A UserError that lists the fields in which a directory's configuration differs from the wanted one. */
export function configMismatch(dir: string, stored: RunConfig, wanted: RunConfig): UserError {
  const fields = differingFields([stored, wanted]).map(
    (path) => `${path} ${fieldText(stored, path)} instead of ${fieldText(wanted, path)}`,
  );
  return new UserError(
    `${printable(dir, 300)} holds a run with ${fields.join(', ')}. Choose another folder with --out, or train with its settings.`,
  );
}

/** end.json, or undefined when the run is not at an end. @throws RunError when it is damaged */
export function readEnd(dir: string): RunEnd | undefined {
  const path = join(dir, END_FILE);
  if (!exists(path)) return undefined;
  const content = parseJsonStrict(readText(path, 1 << 20), { where: path, blame: 'file' });
  if (typeof content === 'object' && content !== null && 'reason' in content && 'step' in content) {
    const { reason, step, metricsSha256, ...rest } = content as Record<string, Json>;
    const known = END_REASONS.find((candidate) => candidate === reason);
    const isHash = metricsSha256 === undefined || typeof metricsSha256 === 'string';
    if (known !== undefined && typeof step === 'number' && Number.isInteger(step) && step >= 0 && isHash) {
      return { ...rest, reason: known, step, ...(metricsSha256 !== undefined && { metricsSha256 }) };
    }
  }
  throw new RunError(
    `${printable(path, 300)}: expected {reason: ${END_REASONS.join(' | ')}, step: a whole number}.`,
  );
}

/**
 * Rows of a JSON Lines file; an unterminated last line is not read.
 * @param wanted - reads up to the last row for which it is true; what comes after need not be JSON. Default: every row
 * @throws RunError naming the first line that is not JSON
 */
export function readJsonLines(
  path: string,
  wanted?: (row: Readonly<Record<string, unknown>>) => boolean,
): unknown[] {
  if (!exists(path)) return [];
  const lines = readText(path).split('\n');
  lines.pop();
  const rows = lines.map(parseLine);
  const end =
    wanted === undefined ? rows.length : rows.findLastIndex((row) => isRecord(row) && wanted(row)) + 1;
  const damaged = rows.slice(0, end).indexOf(undefined);
  if (damaged >= 0) {
    throw new RunError(`${printable(path, 300)}: line ${damaged + 1} is not JSON: the file is damaged.`);
  }
  return rows.slice(0, end);
}

/** undefined, which JSON cannot say, for a line that is not JSON */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

/** True for a line of a log as this program writes it. */
export const isLogLine = (line: string): boolean => isRecord(parseLine(line));

/** Step of a log line; NaN when it has none. */
export function stepOfLine(line: string): number {
  const row = parseLine(line);
  return isRecord(row) && typeof row.step === 'number' ? row.step : NaN;
}

/** A resume point is whole, and the rows that were written before it are not. */
export class LostRowsError extends RunError {
  override readonly name = 'LostRowsError';
}

/** Bytes of a log; none for a missing file. */
export const logBytes = (path: string): Uint8Array => (exists(path) ? readBytes(path) : new Uint8Array());

/**
 * Compares metrics.jsonl with what the end of the run says of it. Runs of older versions have no hash there: of a run
 * that went to its end the last row is of its last step.
 * @throws RunError naming the file
 */
export function checkMetrics(path: string, end: RunEnd | undefined): void {
  if (end === undefined) return;
  const { metricsSha256, reason, step } = end;
  const problem = (found: string): RunError =>
    new RunError(
      `${printable(path, 300)}: ${found}: it was changed or cut after the run ended. Restore it, or delete the run and train it again.`,
    );
  if (metricsSha256 !== undefined) {
    const found = sha256Hex(logBytes(path));
    if (found === metricsSha256) return;
    throw problem(
      `found SHA-256 ${found.slice(0, 12)}..., expected ${metricsSha256.slice(0, 12)}... of ${END_FILE}`,
    );
  }
  if (reason !== 'budget' && reason !== 'solved') return;
  const last = readJsonLines(path).at(-1);
  // an import whose model was not asked anything has no rows at all
  if (last === undefined && exists(path)) return;
  const at = isRecord(last) && typeof last.step === 'number' ? last.step : undefined;
  if (at !== step) throw problem(`the last row is of step ${at ?? 'none'}, expected ${step}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/** A name that some system keeps for a device, or cannot write: `CON`, `nul.txt`, `a.`. */
export function isReservedName(name: string): boolean {
  return RESERVED.test(name) || name.endsWith('.');
}

/** A name that is a plain directory name on every system. @throws UserError */
export function checkRunName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$/.test(name) && !isReservedName(name)) return;
  throw new UserError(
    `run name: found "${printable(name)}", expected 1 to 100 letters, digits, ".", "_", "+" or "-", the first a letter or digit.`,
  );
}
