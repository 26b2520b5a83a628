/**
 * Makes the optional package @tensorflow/tfjs-node load, so that the engine `tfjs:tensorflow` exists: `npm run
 * setup:tfjs-node`. First the package's own installer (the official libtensorflow archive); where that cannot be reached,
 * the shared libraries and C headers inside the TensorFlow wheel of the Python registry, which are the same C API. The
 * binding is then compiled with the C++ compiler that is there and the headers of node-api-headers.
 * node: imports only; nothing else of the project needs this to succeed.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onPath, ROOT } from './common.mjs';
import { UNPACK_WHEEL, WHEEL } from './tensorflow-wheel.mjs';

const PACKAGE = '@tensorflow/tfjs-node';
const FOLDER = join(ROOT, 'node_modules', PACKAGE);
/** The newest Node-API version that the package looks for; its loader takes lib/napi-v<that>. */
const NAPI_VERSION = 8;

/** A product and a gradient, compared with numbers worked out by hand; prints the library's version. */
const TRIAL = `
const util = require('node:util');
util.isNullOrUndefined ??= (x) => x === null || x === undefined;
util.isArray ??= Array.isArray;
const tf = require('${PACKAGE}');
const x = tf.tensor2d([[1, 2], [3, 4]]);
const gradient = tf.grad((y) => tf.sum(tf.matMul(y, y)))(x).dataSync();
const product = tf.matMul(x, x).dataSync();
if (tf.getBackend() !== 'tensorflow') throw new Error('back end is ' + tf.getBackend());
if (product.join() !== '7,10,15,22' || gradient.join() !== '7,11,9,13') throw new Error('wrong product ' + product + ' or gradient ' + gradient);
console.log(tf.engine().backend.binding.TF_Version);
`;

class NotAvailable extends Error {}

/**
 * @param {{log?: (line: string) => void, official?: boolean}} [options] - official: try the package's own installer first
 * @returns {Promise<{status: 'ready', version: string, how: string} | {status: 'not available', reason: string}>}
 */
export async function setUpTfjsNode({ log = () => {}, official = true } = {}) {
  try {
    installPackage(log);
    const before = tryPackage();
    if (before.version !== undefined) return ready(before.version, 'it was already set up');
    if (official) {
      runOfficialInstaller(log);
      const installed = tryPackage();
      if (installed.version !== undefined) return ready(installed.version, 'the official archive');
    }
    if (!existsSync(join(FOLDER, 'deps', 'lib', WHEEL.libraries[0]))) unpackWheel(log);
    compileBinding(log);
    const built = tryPackage();
    if (built.version !== undefined) return ready(built.version, `the wheel ${WHEEL.name} ${WHEEL.version}`);
    throw new NotAvailable(`the binding was built but does not work: ${built.problem}`);
  } catch (error) {
    if (error instanceof NotAvailable) return { status: 'not available', reason: error.message };
    throw error;
  }
}

const ready = (version, how) => ({ status: 'ready', version, how });

/** Without its install script, which `npm ci` has already seen fail where the archive is out of reach. */
function installPackage(log) {
  if (existsSync(join(FOLDER, 'package.json'))) return;
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  log(`tfjs-node: npm package ${PACKAGE} ${optionalDependencies[PACKAGE]}`);
  const flags = ['--no-save', '--ignore-scripts', '--include=optional', '--no-audit', '--no-fund'];
  run('npm', ['install', ...flags, `${PACKAGE}@${optionalDependencies[PACKAGE]}`], 'npm install');
}

function tryPackage() {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const result = spawnSync(process.execPath, ['-e', TRIAL], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (result.status === 0) return { version: result.stdout.trim().split('\n').at(-1) };
  return { problem: problemOf(result, /^\w*Error:/) };
}

/** Downloads libtensorflow and a prebuilt binding; its failure is no error, as there is a second way. */
function runOfficialInstaller(log) {
  log('tfjs-node: libtensorflow from the official archive');
  const env = { ...process.env, PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH ?? ''}` };
  const options = { cwd: FOLDER, env, encoding: 'utf8', timeout: 180_000 };
  const result = spawnSync(process.execPath, [join('scripts', 'install.js')], options);
  if (result.status !== 0) log(`tfjs-node: the archive cannot be had: ${problemOf(result, /^\w*Error:/)}`);
  // what a broken download leaves behind would be taken for a library
  if (!existsSync(join(FOLDER, 'deps', 'lib')))
    rmSync(join(FOLDER, 'deps'), { recursive: true, force: true });
}

/** Downloads the wheel (its SHA-256 is checked by pip) and puts its libraries and C headers where the package looks. */
function unpackWheel(log) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new NotAvailable(`the wheel is for linux-x64, this is ${process.platform}-${process.arch}.`);
  }
  const python = [onPath('python3'), '/usr/bin/python3'].find(
    (path) => path !== undefined && spawnSync(path, ['-m', 'pip', '--version']).status === 0,
  );
  if (python === undefined) throw new NotAvailable('no python3 with pip to download the TensorFlow wheel.');
  log(`tfjs-node: shared libraries from the wheel ${WHEEL.name} ${WHEEL.version} (${WHEEL.megabytes} MB)`);
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const work = mkdtempSync(join(ROOT, 'build', 'tensorflow-'));
  try {
    writeFileSync(
      join(work, 'requirements.txt'),
      `${WHEEL.name}==${WHEEL.version} --hash=sha256:${WHEEL.sha256}\n`,
    );
    run(python, ['-m', 'pip', ...WHEEL.pipArguments, '-r', 'requirements.txt', '-d', 'wheel'], 'pip', {
      cwd: work,
      timeout: 480_000,
    });
    const [wheel] = readdirSync(join(work, 'wheel'));
    run(python, ['-c', UNPACK_WHEEL, join(work, 'wheel', wheel), join(work, 'deps')], 'unpacking the wheel');
    rmSync(join(FOLDER, 'deps'), { recursive: true, force: true });
    renameSync(join(work, 'deps'), join(FOLDER, 'deps'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function compileBinding(log) {
  const compiler = onPath('g++', 'clang++', 'clang++-14', 'c++');
  if (compiler === undefined)
    throw new NotAvailable('no C++ compiler (g++ or clang++) to build the binding.');
  const headers = join(ROOT, 'node_modules', 'node-api-headers', 'include');
  if (!existsSync(join(headers, 'node_api.h'))) {
    throw new NotAvailable('the package node-api-headers is not installed. Run "npm ci".');
  }
  log('tfjs-node: compiling the binding');
  const target = join(FOLDER, 'lib', `napi-v${NAPI_VERSION}`);
  mkdirSync(target, { recursive: true });
  const output = join(target, 'tfjs_binding.node');
  run(
    compiler,
    [
      ...['-O2', '-fPIC', '-shared', '-std=c++17', '-w', `-DNAPI_VERSION=${NAPI_VERSION}`],
      ...[`-I${headers}`, '-Ideps/include', '-I.'],
      ...['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc', '-o', `${output}.new`, '-Ldeps/lib'],
      ...WHEEL.libraries.map((name) => `-l:${name}`),
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
    ],
    'compiling the binding',
    { cwd: FOLDER },
  );
  renameSync(`${output}.new`, output);
}

function run(command, args, what, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', timeout: 300_000, ...options });
  if (result.status !== 0) throw new NotAvailable(`${what} failed: ${problemOf(result, /error/i)}`);
}

/** The line that says what went wrong: the first that matches, else the last. */
function problemOf(result, pattern) {
  if (result.error) return result.error.message;
  const lines = `${result.stderr}\n${result.stdout}`.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => pattern.test(line)) ?? lines.at(-1) ?? `ended with ${result.status}`).trim();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const result = await setUpTfjsNode({ log: console.error, official: !process.argv.includes('--wheel') });
  if (result.status === 'ready') {
    console.log(`@tensorflow/tfjs-node: ready: TensorFlow ${result.version}, from ${result.how}`);
  } else {
    console.log(`@tensorflow/tfjs-node: not available: ${result.reason}`);
    process.exit(1);
  }
}
