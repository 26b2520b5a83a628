/** Small C programs of the benchmarks, compiled when they are asked for, and the files that they read. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { kernelFlagsOf, readTargets } from '../../src/setup/kernel-sources.mjs';
import { NotMeasured } from './row.mjs';
import { BUILD, ROOT } from './project.mjs';

/** CC, then the first of cc, gcc, clang that runs. */
export function findCompiler() {
  const candidates = [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean);
  return candidates.find((name) => spawnSync(name, ['--version']).status === 0);
}

export function compilerVersion(compiler) {
  const { stdout } = spawnSync(compiler, ['--version'], { encoding: 'utf8' });
  return stdout.split('\n')[0];
}

function run(compiler, args) {
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8', cwd: BUILD });
  if (status === 0) return;
  const problem = stderr?.split('\n').find((line) => line.includes('error')) ?? `exit code ${status}`;
  throw new Error(`bench/native does not compile with ${compiler}: ${problem}`);
}

const done = new Map();

/** Compiles once a process; a failure is thrown again. */
function once(name, compile) {
  if (!done.has(name)) {
    const compiler = findCompiler();
    if (compiler === undefined) throw new NotMeasured('no C compiler (cc, gcc or clang) was found.');
    mkdirSync(BUILD, { recursive: true });
    try {
      compile(compiler, join(BUILD, name));
      done.set(name, undefined);
    } catch (error) {
      done.set(name, error);
    }
  }
  const problem = done.get(name);
  if (problem !== undefined) throw problem;
  return join(BUILD, name);
}

const source = (name) => join(ROOT, 'bench/native', `${name}.c`);

/** bench/native/peak.c @returns its path */
export function peakProgram() {
  return once('peak', (compiler, out) =>
    run(compiler, ['-std=gnu11', '-O3', '-o', out, source('peak'), '-ldl']),
  );
}

/** Sources of the kernels, and the flags of the set of instructions that the native engine uses on this processor. */
function kernelFiles() {
  const targets = readTargets(ROOT);
  const files = targets.kernels.filter((file) => basename(file) !== 'hash.c').map((file) => join(ROOT, file));
  return { flags: nativeFlags(targets), files };
}

/** Compiler flags of the kernels that the native engine runs here. */
export function nativeFlags(targets = readTargets(ROOT)) {
  const { sets } = createRequire(import.meta.url)(join(ROOT, 'build/kernels.node'));
  return kernelFlagsOf(targets, sets.find(({ supported }) => supported)?.name);
}

/** bench/native/train-forward.c, which includes train.c, with the other kernels, by the flags of the native engine. */
export function trainForwardProgram() {
  return once('train-forward', (compiler, out) => {
    const { flags, files } = kernelFiles();
    const others = files.filter((file) => basename(file) !== 'train.c');
    run(compiler, [...flags, '-o', out, source('train-forward'), ...others]);
  });
}

/** bench/native/count-flops.c with kernels whose calls of gemm() are counted. */
export function countFlopsProgram() {
  return once('count-flops', (compiler, out) => {
    const { flags, files } = kernelFiles();
    const isGemm = (file) => basename(file) === 'gemm.c';
    const callers = files.filter((file) => !isGemm(file));
    run(compiler, [...flags, '-Dgemm=counted_gemm', '-c', ...callers]);
    run(compiler, [...flags, '-c', ...files.filter(isGemm), source('count-flops')]);
    const objects = files.map((file) => basename(file).replace(/\.c$/, '.o'));
    run(compiler, ['-o', out, 'count-flops.o', ...objects]);
  });
}

/** Writes a model and a batch as both programs read them. @returns their arguments */
export function modelFiles({ project, folder }, gpt, { offsets, tokens, targets }) {
  const file = (name, data) => {
    const path = join(folder, name);
    writeFileSync(path, data);
    return path;
  };
  let longest = 0;
  for (let s = 1; s < offsets.length; s++) longest = Math.max(longest, offsets[s] - offsets[s - 1]);
  const head = [offsets.length - 1, tokens.length, longest];
  return [
    file('description.i32', project.describeModel(gpt, project.parameterTable(gpt))),
    file('parameters.f32', project.initialParameters(gpt, 1)),
    file('batch.i32', Int32Array.from([...head, ...offsets, ...tokens, ...targets])),
  ];
}
