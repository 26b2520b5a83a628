/** What the numbers were measured on. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { compilerVersion, findCompiler, nativeFlags } from './compile.mjs';
import { N_CPUS, ONE_CPU } from './pin.mjs';
import { ROOT } from './project.mjs';

export function machine(engine, note, { rounds }) {
  const compiler = findCompiler();
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: N_CPUS || cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0],
    node: process.version,
    commit: commit(),
    engine: note,
    kernelHash: engine.kernelHash,
    compiledBy: compiledBy(),
    flags: nativeFlags().join(' '),
    helperCompiler: compiler === undefined ? 'none' : compilerVersion(compiler),
    oneThreadOnCpu: ONE_CPU ?? 'not pinned: taskset was not found',
    rounds,
  };
}

function commit() {
  const git = (...args) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout?.trim() ?? '';
  const head = git('rev-parse', '--short', 'HEAD');
  if (head === '') return 'unknown';
  return git('status', '--porcelain', '--', 'src', 'bench') === ''
    ? head
    : `${head} with changes in src or bench`;
}

/** The compiler's own note in the addon. */
function compiledBy() {
  try {
    const text = readFileSync(join(ROOT, 'build/kernels.node'), 'latin1');
    return /GCC: \([^)]*\) [\d.]+|[A-Za-z ]*clang version [\d.]+/.exec(text)?.[0] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
