/** Tags and a note of a run, in a small file of its folder that no hash covers: what somebody thinks of a run is no part of it. */
import { join } from 'node:path';
import { exists, readText, removeTree, writeFileDurably } from '../../io/files.js';
import { canonicalJson, parseJsonStrict } from '../../io/json.js';
import { notesSchema } from '../api/schemas.js';
import { isPlainFile } from './contained.js';

export const NOTES_FILE = 'notes.json';
const MOST_BYTES = 64 << 10;

export interface Notes {
  readonly tags: readonly string[];
  readonly note: string;
}

/** Empty fields are left out; a file that is not one of ours counts as none. @param dir - a real folder below the root */
export function readNotes(dir: string): { readonly tags?: readonly string[]; readonly note?: string } {
  const path = join(dir, NOTES_FILE);
  if (!isPlainFile(path)) return {};
  try {
    const found = notesSchema.safeParse(parseJsonStrict(readText(path, MOST_BYTES), { where: NOTES_FILE }));
    if (!found.success) return {};
    const { tags, note } = found.data;
    return { ...(tags.length > 0 && { tags }), ...(note !== '' && { note }) };
  } catch {
    return {};
  }
}

/** Notes instead of those that were there; without any the file goes. @returns what is kept: each tag once */
export function writeNotes(dir: string, { tags, note }: Notes): Notes {
  const path = join(dir, NOTES_FILE);
  const kept = { tags: [...new Set(tags)], note };
  if (kept.tags.length === 0 && note === '') {
    if (exists(path)) removeTree(path);
  } else writeFileDurably(path, `${canonicalJson(kept)}\n`);
  return kept;
}
