/** Where the built entry file of a job lies. */
import { join } from 'node:path';
import { RunError } from '../errors.js';
import { exists } from '../io/files.js';
import { packageRoot } from '../io/package-root.js';

/**
 * Absolute path of a built module, from src/ (under a test runner) and dist/src/ alike.
 * @param relative - below the package root without extension or with .js or .ts: `src/workflows/train-entry`
 * @throws RunError when it was not built
 */
export function jobEntryPath(relative: string): string {
  const path = join(packageRoot(), 'dist', relative.replace(/\.(ts|js)$/, '') + '.js');
  if (!exists(path))
    throw new RunError(`${path}: found nothing, expected a built module. Run "npm run build".`);
  return path;
}
