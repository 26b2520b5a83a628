/**
 * Manifests: what a published directory must hold, byte for byte. Only a directory whose manifest verifies is believed;
 * every field of a manifest is compared with something, so that any flipped bit shows.
 */
import { join } from 'node:path';
import { RunError, printable } from '../errors.js';
import { exists, publishDirectory, readBytes, type DirectoryEntry } from '../io/files.js';
import { canonicalJson, parseJsonStrict } from '../io/json.js';
import { sha256Hex } from '../io/sha256.js';

export const MANIFEST = 'manifest.json';
const FORMAT = 1;

export interface ManifestHead {
  readonly kind: 'step' | 'resume';
  readonly step: number;
  /** full hash of the run's configuration */
  readonly configSha256: string;
  /** hash of the manifest of the previous scheduled step; null for the first one and for resume points */
  readonly parent: string | null;
}

export interface Manifest extends ManifestHead {
  readonly files: ReadonlyMap<string, { readonly sizeBytes: number; readonly sha256: string }>;
  /** SHA-256 of the manifest's own bytes */
  readonly sha256: string;
}

const toBytes = (data: Uint8Array | string): Uint8Array =>
  typeof data === 'string' ? new TextEncoder().encode(data) : data;

/** Files with the manifest that describes them, which comes last. */
export function withManifest(head: ManifestHead, files: readonly DirectoryEntry[]): DirectoryEntry[] {
  const entries = files.map(({ name, bytes }) => ({ name, bytes: toBytes(bytes) }));
  const listed = entries.map(({ name, bytes }) => [
    name,
    { sizeBytes: bytes.length, sha256: sha256Hex(bytes) },
  ]);
  const manifest = { format: FORMAT, ...head, files: Object.fromEntries(listed) as unknown };
  return [...entries, { name: MANIFEST, bytes: `${canonicalJson(manifest)}\n` }];
}

/** Publishes files with their manifest as one directory. */
export function publishWithManifest(
  directory: string,
  head: ManifestHead,
  files: readonly DirectoryEntry[],
  options: { readonly replace?: boolean } = {},
): void {
  publishDirectory(directory, withManifest(head, files), options);
}

/**
 * Reads a manifest and checks it against what the reader knows.
 * @throws RunError naming the directory and the field
 */
export function readManifest(
  directory: string,
  expected: Pick<ManifestHead, 'kind' | 'step' | 'configSha256'>,
): Manifest {
  const path = join(directory, MANIFEST);
  const fail = (problem: string): never => {
    throw new RunError(`${printable(path, 300)}: ${problem}`);
  };
  if (!exists(path)) return fail('is missing, so the directory is not a complete checkpoint.');
  const bytes = readBytes(path, 1 << 20);
  const content = parseJsonStrict(bytes, { where: path, maxDepth: 4, blame: 'file' });
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return fail('expected an object.');
  }
  if (`${canonicalJson(content)}\n` !== new TextDecoder().decode(bytes)) {
    fail('is not in canonical form, so it was changed after it was written.');
  }
  const fields = content as Record<string, unknown>;
  const known = { format: FORMAT, ...expected };
  for (const [key, value] of Object.entries(known)) {
    if (fields[key] !== value) {
      fail(
        `${key}: found ${printable(JSON.stringify(fields[key]) ?? 'nothing')}, expected ${JSON.stringify(value)}.`,
      );
    }
  }
  const { parent } = fields;
  if (parent !== null && !isSha256(parent)) return fail('parent: expected a SHA-256 or null.');
  const unknown = Object.keys(fields).find((key) => key !== 'parent' && key !== 'files' && !(key in known));
  if (unknown !== undefined) fail(`${printable(unknown)}: unknown field.`);
  return { ...expected, parent, files: readFileList(fields['files'], fail), sha256: sha256Hex(bytes) };
}

function readFileList(value: unknown, fail: (problem: string) => never): Manifest['files'] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail('files: expected an object.');
  }
  const files = new Map<string, { sizeBytes: number; sha256: string }>();
  for (const [name, entry] of Object.entries(value) as [string, unknown][]) {
    const shown = `files.${printable(name)}`;
    if (!/^[a-z][a-z0-9.-]*$/.test(name)) fail(`${shown}: expected a plain file name.`);
    if (typeof entry !== 'object' || entry === null) return fail(`${shown}: expected an object.`);
    const { sizeBytes, sha256 } = entry as Partial<Record<string, unknown>>;
    if (typeof sizeBytes !== 'number' || !isSha256(sha256) || Object.keys(entry).length !== 2) {
      return fail(`${shown}: expected sizeBytes and sha256.`);
    }
    files.set(name, { sizeBytes, sha256 });
  }
  return files;
}

const isSha256 = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/**
 * Reads one file of a published directory and verifies its size and hash.
 * @throws RunError naming the file
 */
export function readVerified(directory: string, manifest: Manifest, name: string): Uint8Array {
  const path = join(directory, name);
  const expected = manifest.files.get(name);
  if (expected === undefined) throw new RunError(`${printable(path, 300)}: the manifest does not list it.`);
  const bytes = readBytes(path);
  if (bytes.length !== expected.sizeBytes) {
    throw new RunError(
      `${printable(path, 300)}: found ${bytes.length} bytes, expected ${expected.sizeBytes}: the file is damaged.`,
    );
  }
  const sha256 = sha256Hex(bytes);
  if (sha256 !== expected.sha256) {
    throw new RunError(
      `${printable(path, 300)}: found SHA-256 ${sha256.slice(0, 12)}..., expected ${expected.sha256.slice(0, 12)}...: the file is damaged.`,
    );
  }
  return bytes;
}
