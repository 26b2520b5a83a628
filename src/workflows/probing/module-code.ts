/**
 * The code of a module of the user's: its file and every file beside it that it names, so that a measurement is made again
 * when a helper changes and not only when the entry does. Packages are not followed; their versions are the user's affair.
 */
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exists, isDirectory, readBytes } from '../../io/files.js';
import { packageRoot } from '../../io/package-root.js';
import { sha256Hex } from '../../io/sha256.js';

/** A text in quotes that begins like a path: an import, or a data file given to `new URL`. More than needed does no harm. */
const PATH = /(['"`])((?:\.{1,2}\/|\/|file:)[^'"`\n$]{1,500})\1/g;
const OWN = join(packageRoot(), 'dist') + sep;
const MOST_FILES = 1000;
/** A larger file is data, not code, and counts by its bytes alone. */
const MOST_SCANNED = 4 << 20;

/** SHA-256 over the names and bytes of all files. @throws FileError when the module itself cannot be read */
export function codeSha256(path: string): string {
  const root = dirname(resolve(path));
  const files = new Map<string, string>();
  const queue = [resolve(path)];
  for (let file = queue.pop(); file !== undefined && files.size < MOST_FILES; file = queue.pop()) {
    if (files.has(file)) continue;
    const bytes = readBytes(file);
    files.set(file, sha256Hex(bytes));
    if (bytes.length <= MOST_SCANNED)
      queue.push(...namedFiles(new TextDecoder().decode(bytes), dirname(file)));
  }
  const lines = [...files].map(([file, sha256]) => `${relative(root, file)} ${sha256}`).sort();
  // a module of one file keeps the hash that its measurements have
  return files.size === 1 ? (files.get(resolve(path)) ?? '') : sha256Hex(lines.join('\n'));
}

function namedFiles(text: string, folder: string): string[] {
  return [...text.matchAll(PATH)].flatMap(([, , name]) => {
    try {
      const file = name.startsWith('file:') ? fileURLToPath(name) : resolve(folder, name);
      // a bundle names the program itself, whose versions and kernels are told apart elsewhere
      return exists(file) && !isDirectory(file) && !file.startsWith(OWN) ? [file] : [];
    } catch {
      // no path after all
      return [];
    }
  });
}
