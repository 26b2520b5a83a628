/** Where the package lies, from src/ and from dist/src/ alike. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunError } from '../errors.js';
import { exists, readText } from './files.js';
import { parseJsonStrict } from './json.js';

/**
 * Absolute path of the directory whose package.json is named sumlens, found upwards from `start`.
 * @param start - default: this file
 */
export function packageRoot(start: string = fileURLToPath(import.meta.url)): string {
  for (let directory = dirname(start); ; directory = dirname(directory)) {
    const manifest = join(directory, 'package.json');
    if (exists(manifest)) {
      const content = parseJsonStrict(readText(manifest), { where: manifest, blame: 'file' });
      if (
        typeof content === 'object' &&
        content !== null &&
        'name' in content &&
        content.name === 'sumlens'
      ) {
        return directory;
      }
    }
    if (dirname(directory) === directory) {
      throw new RunError(
        `No package.json named "sumlens" above ${dirname(start)}. Install the package again.`,
      );
    }
  }
}

/** The version in package.json. */
export function packageVersion(): string {
  const manifest = join(packageRoot(), 'package.json');
  const content = parseJsonStrict(readText(manifest), { where: manifest, blame: 'file' });
  const version = (content as { readonly version?: unknown }).version;
  if (typeof version === 'string') return version;
  throw new RunError(`${manifest}: found no version. Install the package again.`);
}
