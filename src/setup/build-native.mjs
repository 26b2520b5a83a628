/**
 * Compiles the engine's kernels and Node-API glue to build/kernels.node with the C compiler that is there and the headers
 * of the npm package node-api-headers; no node-gyp, no download. node: imports only.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  buildFolder,
  compile,
  compilerVersion,
  kernelFlagsOf,
  kernelSets,
  nativeHash,
  readTargets,
  sourceHash,
} from './kernel-sources.mjs';

/**
 * Builds build/<name> unless it is current.
 * @param {object} options
 * @param {string} options.root - folder of package.json
 * @param {(line: string) => void} [options.log]
 * @param {string} [options.compiler] - default: CC, then the first of cc, gcc, clang, clang-14 that runs
 * @param {'float' | 'double'} [options.real] - double: kernels-double.node, the build that the tests check gradients in
 * @param {boolean} [options.single] - export each kernel by itself too; always so in the double build
 * @param {string[]} [options.sanitize] - for tests: `address`, `undefined`; a build of its own with frame pointers and lines
 * @param {{ header: string, flags: string[] }} [options.under] - for tests: a header, from the root, read before every
 *   source of the kernels, and further flags
 * @param {string} [options.name] - file name in build/; default: kernels.node, kernels-single.node, kernels-double.node,
 *   kernels-sanitized.node
 * @returns {Promise<{status: 'built' | 'current' | 'unavailable', reason: string, path: string}>}
 */
export async function buildNative({
  root,
  log = () => {},
  compiler,
  real = 'float',
  single = real === 'double',
  sanitize = [],
  under,
  name,
}) {
  const kind = sanitize.length > 0 ? '-sanitized' : real === 'double' ? '-double' : single ? '-single' : '';
  const file = name ?? `kernels${kind}.node`;
  const path = join(root, 'build', file);
  const stamp = `${path}.sha256`;
  const unavailable = (reason) => ({ status: 'unavailable', reason, path });
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return unavailable(`the native engine is for linux-x64, this is ${process.platform}-${process.arch}.`);
  }
  const targets = readTargets(root);
  const hash = nativeHash(root, targets);
  const testSources = single ? targets.single : [];
  // the second line: what belongs to a build for tests only, and is not part of the engine's hash
  const { flags: doubleFlags, linkFlags: doubleLinkFlags, set: doubleSet } = targets.native.double;
  const testFlags = real === 'double' ? [...doubleSet.flags, ...doubleFlags, ...doubleLinkFlags] : [];
  if (under !== undefined) testFlags.push(...under.flags);
  const ofTests = under === undefined ? testSources : [...testSources, under.header];
  const stampText =
    single || real === 'double' || under !== undefined
      ? `${hash}\n${sourceHash(root, ofTests, testFlags)}\n`
      : `${hash}\n`;
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === stampText) {
    return { status: 'current', reason: 'sources are unchanged', path };
  }
  const headers = join(root, 'node_modules/node-api-headers/include');
  if (!existsSync(join(headers, 'node_api.h'))) {
    return unavailable('the package node-api-headers is not installed. Run "npm ci".');
  }
  const candidates = compiler === undefined ? [process.env.CC, 'cc', 'gcc', 'clang', 'clang-14'] : [compiler];
  const chosen = candidates.find((candidate) => candidate && compilerVersion(candidate) !== undefined);
  if (chosen === undefined) {
    return unavailable('no C compiler (cc, gcc or clang) was found. Install gcc or clang, or set CC.');
  }

  mkdirSync(join(root, 'build'), { recursive: true });
  const work = buildFolder(join(root, 'build'), 'objects-');
  try {
    const extra = [
      `-DKERNEL_HASH=${hash}`,
      ...(real === 'double' ? doubleFlags : []),
      ...(single ? ['-DSINGLE_KERNELS'] : []),
      ...sanitizerFlags(sanitize),
      `-I${headers}`,
      '-c',
    ];
    const underFlags = under === undefined ? [] : ['-include', join(root, under.header), ...under.flags];
    const absolute = (source) => join(root, source);
    const isSource = (source) => source.endsWith('.c');
    const objects = [];
    const compileAll = (folder, flags, sources) => {
      mkdirSync(join(work, folder), { recursive: true });
      objects.push(...sources.map((source) => join(folder, basename(source).replace(/\.c$/, '.o'))));
      return { args: [...flags, ...extra, ...sources.map(absolute)], folder };
    };
    const { glueOfEachSet, glueFlags } = targets.native;
    const steps = kernelSets(targets, real).flatMap(({ name: set }) => [
      compileAll(
        set,
        [...kernelFlagsOf(targets, set, real), `-DKERNEL_SET=${set}`, ...underFlags],
        [...targets.kernels, ...testSources],
      ),
      compileAll(set, [...glueFlags, `-DKERNEL_SET=${set}`], glueOfEachSet),
    ]);
    const commonGlue = targets.glue.filter((source) => isSource(source) && !glueOfEachSet.includes(source));
    steps.push(compileAll('.', glueFlags, commonGlue));
    steps.push({
      folder: '.',
      args: [
        '-o',
        file,
        ...objects,
        ...targets.native.linkFlags.filter((flag) => sanitize.length === 0 || !flag.includes('strip')),
        ...sanitizerFlags(sanitize),
        ...(real === 'double' ? doubleLinkFlags : []),
      ],
    });
    for (const { args, folder } of steps) {
      const problem = compile(chosen, args, join(work, folder));
      if (problem !== undefined) return unavailable(`${chosen} failed: ${problem}`);
    }
    // without a stamp the addon's own hash counts; with that of another addon it would be refused
    writeFileSync(join(work, 'stamp'), stampText);
    rmSync(stamp, { force: true });
    renameSync(join(work, file), path);
    renameSync(join(work, 'stamp'), stamp);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  log(`built build/${file} with ${compilerVersion(chosen)}`);
  return { status: 'built', reason: `compiled with ${chosen}`, path };
}

/**
 * What is found ends the program: a test that goes on after a report has found nothing. -O1, as sanitized kernels take 2.6
 * times as long to compile with -O3.
 */
export function sanitizerFlags(sanitize) {
  if (sanitize.length === 0) return [];
  return [
    `-fsanitize=${sanitize.join(',')}`,
    '-fno-sanitize-recover=all',
    '-fno-omit-frame-pointer',
    '-g1',
    '-O1',
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const real = process.argv.includes('--double') ? 'double' : 'float';
  const { status, reason } = await buildNative({ root, real, log: console.log });
  console.log(`native engine: ${status}: ${reason}`);
  if (status === 'unavailable') process.exit(1);
}
