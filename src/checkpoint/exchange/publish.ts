/**
 * An imported checkpoint as a run directory of one step, published whole or not at all. Its session line says that it
 * was imported, so that no report takes it for trained here.
 */
import { basename } from 'node:path';
import { configSha256, gptConfigOf } from '../../config/names.js';
import type { RunConfig } from '../../config/run-config.js';
import { type DirectoryEntry, publishDirectory } from '../../io/files.js';
import { type Json, canonicalJson, toJsonLine } from '../../io/json.js';
import { sha256Hex } from '../../io/sha256.js';
import { encodeSafetensors, parametersToTensors } from '../format.js';
import { withManifest } from '../manifest.js';
import {
  CONFIG_FILE,
  END_FILE,
  METRICS_FILE,
  SESSIONS_FILE,
  type RunEnd,
  checkRunName,
  configText,
} from '../run-files.js';

export interface ImportedRun {
  readonly config: RunConfig;
  readonly step: number;
  /** undefined: it was not the end of its training */
  readonly end: RunEnd['reason'] | undefined;
  /** [arenaSize] float32 in parameterTable layout of the configuration's model */
  readonly parameters: Float32Array;
  /** one line of sessions.jsonl */
  readonly session: Readonly<Record<string, Json>>;
  /** rows of metrics.jsonl */
  readonly metrics: readonly unknown[];
}

/** model.safetensors as a run stores it. */
export function modelFile(
  config: RunConfig,
  parameters: Float32Array,
): { bytes: Uint8Array; sha256: string } {
  // the metadata of run-store.ts: equal weights are equal files
  const bytes = encodeSafetensors(parametersToTensors(gptConfigOf(config), parameters), { format: 'pt' });
  return { bytes, sha256: sha256Hex(bytes) };
}

/** @throws UserError for a name that is no directory name, FileError when the directory exists */
export function publishImportedRun(dir: string, run: ImportedRun): void {
  checkRunName(basename(dir));
  const { config, step, end } = run;
  const head = { kind: 'step', step, configSha256: configSha256(config), parent: null } as const;
  const { bytes } = modelFile(config, run.parameters);
  const folders = ['steps', String(step).padStart(6, '0')];
  const weights = withManifest(head, [{ name: 'model.safetensors', bytes }]);
  const rows = run.metrics.map(toJsonLine).join('');
  const ended = { reason: end, step, metricsSha256: sha256Hex(rows) };
  const entries: DirectoryEntry[] = [
    ...weights.map((entry) => ({ ...entry, folders })),
    { name: SESSIONS_FILE, bytes: toJsonLine(run.session) },
    { name: METRICS_FILE, bytes: rows },
    ...(end === undefined ? [] : [{ name: END_FILE, bytes: `${canonicalJson(ended)}\n` }]),
    { name: CONFIG_FILE, bytes: configText(config) },
  ];
  publishDirectory(dir, entries);
}
