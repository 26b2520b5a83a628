/** What the page of one run shows beside its curves: configuration as text, published checkpoints. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { listSteps } from '../../checkpoint/run-files.js';
import type { RunConfig } from '../../config/run-config.js';
import { containedPath, readContained } from './contained.js';
import type { CheckpointRow, RunDetail, SettingValue } from '../contract.js';
import { isRecord } from './metrics.js';
import type { Folder } from './folders.js';

const WEIGHTS = 'model.safetensors';
const MOST_MANIFEST_BYTES = 1 << 20;
const HASH_DIGITS = 12;

/** Sections of a configuration, every value as text. */
export function configText(config: RunConfig): RunDetail['config'] {
  const { data, model, optimizer, training, seed } = config;
  return [
    ['Data', fields(data)],
    ['Model', fields(model)],
    ['Optimizer', fields(optimizer)],
    ['Training', [...fields(training), ['seed', String(seed)]]],
  ];
}

function fields(section: object): (readonly [string, string])[] {
  return Object.entries(section).map(([key, value]: [string, unknown]) => [key, text(value)]);
}

/** Fields in which the runs of one condition may differ, at any depth. */
const SEEDS = ['seed', 'holdoutSeed', 'from', 'weights', 'moments'];

/** What the runs of a condition have in common, by path. */
export function settingsOf({ seed: _seed, ...config }: RunConfig): Readonly<Record<string, SettingValue>> {
  const found: Record<string, SettingValue> = {};
  const visit = (path: string, value: unknown): void => {
    if (isRecord(value)) {
      for (const [key, inner] of Object.entries(value)) {
        if (!SEEDS.includes(key)) visit(path === '' ? key : `${path}.${key}`, inner);
      }
    } else if (Array.isArray(value)) {
      found[path] = value.map((item: unknown) =>
        typeof item === 'number' || typeof item === 'string' ? item : JSON.stringify(item),
      );
    } else if (['string', 'number', 'boolean'].includes(typeof value) || value === null) {
      found[path] = value as SettingValue;
    }
  };
  // the table of operations is that of the version which trained
  const { vocabulary: _vocabulary, ...own } = config;
  visit('', own);
  return found;
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.map(text).join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Scheduled checkpoints in the order of steps. */
export async function checkpointsOf({
  root,
  parts,
}: Pick<Folder, 'root' | 'parts'>): Promise<CheckpointRow[]> {
  const folder = await containedPath(root, ...parts, 'steps');
  if (folder === undefined) return [];
  let steps: number[];
  try {
    steps = listSteps(dirname(folder), 'steps');
  } catch {
    return [];
  }
  const rows = await Promise.all(steps.map((step) => checkpointRow(root, parts, step)));
  return rows.filter((row) => row !== undefined);
}

async function checkpointRow(
  root: string,
  runParts: readonly string[],
  step: number,
): Promise<CheckpointRow | undefined> {
  const parts = [...runParts, 'steps', String(step).padStart(6, '0')];
  const path = await containedPath(root, ...parts, WEIGHTS);
  const manifest = await readContained(root, [...parts, 'manifest.json'], MOST_MANIFEST_BYTES);
  if (path === undefined || manifest === undefined) return undefined;
  try {
    const { size } = await stat(path);
    return { step, sizeBytes: size, sha256: weightsHash(manifest) };
  } catch {
    return undefined;
  }
}

function weightsHash(manifest: Buffer): string | null {
  const parsed: unknown = JSON.parse(manifest.toString('utf8'));
  const files = isRecord(parsed) ? parsed['files'] : undefined;
  const file = isRecord(files) ? files[WEIGHTS] : undefined;
  const hash = isRecord(file) ? file['sha256'] : undefined;
  return typeof hash === 'string' ? hash.slice(0, HASH_DIGITS) : null;
}
