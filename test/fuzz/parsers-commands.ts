/** Properties of what a user types or writes: expressions, addresses, flags, configurations, plans. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { parseCheckpointAddress } from '../../src/checkpoint/address.js';
import { flagFields, runConfigOf } from '../../src/cli/flags/flags.js';
import { runId } from '../../src/config/names.js';
import { parseRunConfig, resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { SETTINGS } from '../../src/config/settings.js';
import { canonicalJson } from '../../src/io/json.js';
import { packageRoot } from '../../src/io/package-root.js';
import {
  type Expression,
  expressionDepth,
  parseExpression,
  printExpression,
} from '../../src/listops/language/expression.js';
import { OPERATION_NAMES, operationRow } from '../../src/listops/language/operations.js';
import { countRuns } from '../../src/workflows/sweep/plan/expand.js';
import { parsePlan } from '../../src/workflows/sweep/plan/plan.js';
import { TINY_PLAN } from '../workflows/sweep/tiny.js';
import { expectEqual, graceful, mutatedJson, mutatedText } from './hostile-input.js';

export function commandProperties() {
  return {
    expression: fc.property(
      mutatedText(['(SUM 7 3 6)', '(SUM (MAX 7 3) 6 (MED 1 2 3))', '( FIRST 1 2 )']),
      fc.integer({ min: 2, max: 64 }),
      (text, modulus) => {
        const found = graceful(() => parseExpression(text, { modulus }));
        if (found === undefined) return;
        expectAllowed(found.value, modulus);
        const printed = printExpression(found.value);
        expectEqual(parseExpression(printed, { modulus }), found.value, 'an expression read again');
        if (expressionDepth(found.value) > 8) throw new Error('deeper than 8');
        // an independent reading: the same words in the same order
        expectEqual(printed.match(WORDS), text.match(WORDS), 'words');
      },
    ),
    address: fc.property(mutatedText(ADDRESSES), (text) => {
      const root = runsFolder();
      const found = graceful(() => parseCheckpointAddress(text, root));
      if (found === undefined) return;
      const { runDir, steps } = found.value;
      const name = RUNS.find((run) => runDir === join(root, run));
      if (name === undefined) throw new Error(`means ${runDir}`);
      if (typeof steps === 'string') {
        if (!['all', 'final', 'last'].includes(steps)) throw new Error(steps);
      } else if (steps.some((step, i) => !Number.isSafeInteger(step) || (i > 0 && step <= steps[i - 1]))) {
        throw new Error(`steps ${steps.join(', ')}`);
      }
      const written = `${name}@${typeof steps === 'string' ? steps : steps.join(',')}`;
      expectEqual(parseCheckpointAddress(written, root), found.value, 'an address read again');
    }),
    flags: fc.property(fc.array(FLAG, { maxLength: 4 }), (given) => {
      const options = Object.fromEntries(given);
      graceful(() => flagFields(options, {}));
      const found = graceful(() => runConfigOf(options, {}));
      if (found !== undefined) expectKept(found.value);
    }),
    config: fc.property(mutatedJson(CONFIGS), (value) => {
      const stored = graceful(() => parseRunConfig(value, 'config.json'));
      if (stored !== undefined) expectKept(stored.value);
      if (typeof value !== 'object' || value === null) return;
      const filled = graceful(() => resolveRunConfig(value, 'config.json'));
      if (filled !== undefined) expectKept(filled.value);
    }),
    plan: fc.property(mutatedText(PLANS), (text) => {
      const found = graceful(() => parsePlan(text, 'plan.yaml'));
      if (found === undefined) return;
      if (!isDeepStrictEqual(parsePlan(text, 'plan.yaml'), found.value)) throw new Error('another plan');
      const count = graceful(() => countRuns(found.value));
      if (count !== undefined && !(Number.isSafeInteger(count.value) && count.value > 0)) {
        throw new Error(`${count.value} runs`);
      }
    }),
  };
}

const WORDS = /[()]|[^\s()]+/g;

function expectAllowed(expression: Expression, modulus: number): void {
  if (typeof expression === 'number') {
    if (!(Number.isInteger(expression) && expression >= 0 && expression < modulus)) {
      throw new Error(`the number ${expression} modulo ${modulus}`);
    }
    return;
  }
  const { operation, operands } = expression;
  const [fewest, most] = operationRow(operation).arity;
  if (!OPERATION_NAMES.includes(operation) || operands.length < fewest || operands.length > most) {
    throw new Error(`${operation} of ${operands.length}`);
  }
  for (const operand of operands) expectAllowed(operand, modulus);
}

/** A configuration is complete, is read again as it is, and keeps its id. */
function expectKept(config: RunConfig): void {
  const again = parseRunConfig(JSON.parse(canonicalJson(config)), 'config.json');
  expectEqual(again, config, 'a configuration read again');
  if (runId(again) !== runId(config)) throw new Error(`${runId(again)} of ${runId(config)}`);
}

const CONFIGS: readonly unknown[] = [
  resolveRunConfig({}),
  resolveRunConfig({ data: { tasks: ['MAX', 'SUM'], regime: 'pairs' }, model: { shareBlocks: true } }),
].map((config): unknown => JSON.parse(canonicalJson(config)));

const RUNS = ['sum-full-d16-s1-0123456789ab', 'a@b'];
const ADDRESSES = [
  ...RUNS,
  `${RUNS[0]}@64,1024`,
  `${RUNS[0]}@all`,
  `${RUNS[1]}@0`,
  `${RUNS[1]}@999999999999999,1`,
  './x@final',
];
let folder: string | undefined;

/** A checkpoints folder of two runs that hold nothing but their configuration's file; goes with the process. */
function runsFolder(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(tmpdir(), 'sumlens-fuzz-runs-'));
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  for (const run of RUNS) {
    mkdirSync(join(made, run));
    writeFileSync(join(made, run, 'config.json'), '{}');
  }
  folder = made;
  return made;
}

const camelCase = (flag: string): string =>
  flag.replace(/^no-/, '').replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const TEXTS = [
  '1',
  '0',
  '-1',
  '2..3',
  '0.5',
  '1e-3',
  '1e400',
  'SUM',
  'MAX+SUM',
  'MAX+MED:40,SUM:40',
  'steps',
  'gelu',
];
const MORE_TEXTS = [
  'full',
  'pairs',
  'NaN',
  '__proto__',
  '',
  ' ',
  '+',
  '16',
  '64',
  '007',
  '0x10',
  'true',
  'cosine',
];
const FLAG: fc.Arbitrary<readonly [string, string | boolean]> = fc.tuple(
  fc.constantFrom(...SETTINGS.flatMap(({ flag }) => (flag === undefined ? [] : [camelCase(flag)]))),
  fc.oneof(fc.constantFrom(...TEXTS, ...MORE_TEXTS), mutatedText(TEXTS), fc.boolean()),
);

const PLANS = [
  TINY_PLAN,
  ...['transfer', 'memorization'].map((name) =>
    readFileSync(join(packageRoot(), 'src', 'config', 'plans', `${name}.yaml`), 'utf8'),
  ),
];
