/**
 * A module written in TypeScript becomes one JavaScript file with what it imports, so that it runs without a step of its own.
 * The name `sumlens` in it means the program that is running. Types are stripped and not checked.
 */
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Message, Plugin } from 'esbuild';
import { errorMessage, printable, unacceptable, UserError } from '../../errors.js';
import { exists, isDirectory, makeDirectory, writeFileDurably } from '../../io/files.js';
import { sha256Hex } from '../../io/sha256.js';
import { jobEntryPath } from '../../jobs/entry-path.js';

/** Whether a file has to be translated before Node reads it. */
export function isTypeScript(path: string): boolean {
  return /\.m?ts$/i.test(path);
}

/**
 * @param path - a .ts or .mts file
 * @param cacheDir - a folder that may be deleted at any time
 * @returns path of the bundle, named by its content
 * @throws UserError with file and line of the first mistake
 */
export async function bundleProbe(path: string, cacheDir: string): Promise<string> {
  if (!exists(path) || isDirectory(path)) throw unacceptable('probe', path, 'a file that exports a probe');
  const text = await bundleText(path);
  const folder = join(cacheDir, '.modules');
  const stem = basename(path).replace(/\.m?ts$/i, '');
  const file = join(folder, `${stem}-${sha256Hex(text).slice(0, 12)}.mjs`);
  if (!exists(file)) {
    makeDirectory(folder);
    writeFileDurably(file, text);
  }
  return file;
}

/**
 * Where Node's own message about a JavaScript module lacks the place of a mistake in its grammar, or in what it imports.
 * @returns `./my-probe.mjs:3:5: Expected ";" but found "x"`; undefined when nothing is found
 */
export async function syntaxMistake(path: string): Promise<string | undefined> {
  if (!exists(path)) return undefined;
  try {
    await bundleText(path, { packages: 'external' });
    return undefined;
  } catch (error) {
    return error instanceof UserError ? error.message.replace(/^probe: |\.$/g, '') : undefined;
  }
}

async function bundleText(path: string, more: { readonly packages?: 'external' } = {}): Promise<string> {
  // loaded for those who need it: it starts a program of its own
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      ...more,
      absWorkingDir: dirname(resolve(path)),
      entryPoints: [resolve(path)],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      charset: 'utf8',
      logLevel: 'silent',
      // what lies around the file is the editor's affair
      tsconfigRaw: '{}',
      plugins: [ourselves()],
      banner: {
        js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
      },
    });
    return outputFiles[0].text;
  } catch (error) {
    const failure = error as Partial<BuildFailure>;
    const [first] = failure.errors ?? [];
    if (first === undefined) throw error;
    throw new UserError(`probe: ${placeOf(path, first)}: ${printable(first.text, 300)}.`, { cause: error });
  }
}

/** `./my-probe.ts:12:5`; a mistake in a file beside it has that file's name. */
function placeOf(path: string, { location }: Message): string {
  if (location === null) return printable(path, 300);
  const file = location.file === basename(path) ? path : join(dirname(path), location.file);
  return `${printable(file, 300)}:${location.line}:${location.column + 1}`;
}

function ourselves(): Plugin {
  return {
    name: 'sumlens',
    setup(build) {
      build.onResolve({ filter: /^sumlens$/ }, () => ({
        path: pathToFileURL(jobEntryPath('src/index')).href,
        external: true,
      }));
    },
  };
}

/** Loads a bundle; messages name the file that the user wrote. */
export async function withOwnName<T>(path: string, bundle: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(errorMessage(error).replaceAll(bundle, path), { cause: error });
  }
}
