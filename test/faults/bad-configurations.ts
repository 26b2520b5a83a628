/**
 * P18: bad configurations, flags and data files on the command line, made from the table of settings: of every field wrong
 * types, values outside its range and a misspelled name. Each gets one line that says where and what is expected, exit code
 * 2, and leaves nothing behind.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../../src/config/settings.js';
import type { Setting } from '../../src/config/setting.js';
import { Rng } from '../../src/tensor/rng.js';
import { runCli } from '../helpers/cli.js';
import { inFolder, must, Tally, type Outcome, type Trial } from './trial.js';

interface Bad {
  readonly name: string;
  readonly args: readonly string[];
  /** written beside */
  readonly file?: { readonly name: string; readonly bytes: string | Uint8Array };
  /** what the line must name */
  readonly says: RegExp;
}

/** Values that the rule of a setting does not allow. */
function wrongValues({ rule }: Setting): unknown[] {
  switch (rule.kind) {
    case 'whole':
      return [rule.low - 1, rule.high + 1, rule.low + 0.5, String(rule.low), [rule.low], true];
    case 'number':
      return [rule.above === true ? rule.low : rule.low - 1, 1e308, String(rule.low), null, {}];
    case 'boolean':
      return ['true', 1, 0, [], 'no'];
    case 'choice':
      return [`${rule.of[0]}x`, rule.of[0].toUpperCase(), 3, [rule.of[0]], 'constructor'];
    case 'names':
      return [[], ['SOM'], ['SUM', 'SUM'], 'constructor', [3]];
    case 'range':
      return [[3, 2], [2], 'x', [2, 'x'], [-1, 2]];
    case 'other':
      return [1, ['x'], true];
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The line names the field by its path, its flag, or its last part. */
function namesOf({ path, flag }: Setting): RegExp {
  const key = path.split('.').at(-1) ?? path;
  return new RegExp([path, key, ...(flag === undefined ? [] : [`--${flag}`])].map(escaped).join('|'));
}

function configOf(path: string, value: unknown): string {
  const [section, key] = path.split('.');
  return JSON.stringify(key === undefined ? { [section]: value } : { [section]: { [key]: value } });
}

function ofConfig(text: string | Uint8Array, name: string, says: RegExp): Bad {
  return { name, args: ['train', '--config', 'bad.json'], file: { name: 'bad.json', bytes: text }, says };
}

function settingCases(setting: Setting): Bad[] {
  const { path, flag, rule } = setting;
  const cases = wrongValues(setting).map((value) =>
    ofConfig(configOf(path, value), `${path} = ${JSON.stringify(value)}`, namesOf(setting)),
  );
  const misspelled = `${path.slice(0, -1)}${path.endsWith('q') ? 'z' : 'q'}`;
  const last = escaped(misspelled.split('.').at(-1) ?? '');
  cases.push(ofConfig(configOf(misspelled, 1), misspelled, new RegExp(last)));
  const isNumber = rule.kind === 'whole' || rule.kind === 'number';
  if (flag !== undefined && isNumber) {
    for (const value of ['x', 'NaN', String(rule.high * 10)]) {
      cases.push({
        name: `--${flag} ${value}`,
        args: ['train', `--${flag}=${value}`],
        says: namesOf(setting),
      });
    }
  }
  return cases;
}

const WHOLE_FILES: readonly Bad[] = [
  ofConfig('', 'empty', /bad\.json/),
  ofConfig('{', 'cut', /bad\.json.*line 1/),
  ofConfig('[]', 'a list', /found \[\]/),
  ofConfig('null', 'null', /found null/),
  ofConfig('\ufeff{}', 'a byte order mark', /bad\.json/),
  ofConfig('{"seed":1,"seed":2}', 'a key twice', /"seed" twice/),
  ofConfig('{"__proto__":{"seed":1}}', '__proto__', /__proto__/),
  ofConfig('{"seed":1e400}', '1e400', /bad\.json/),
  ofConfig('{"seed":9007199254740993}', '2^53 + 1', /bad\.json/),
  ofConfig(`{"seed":${'['.repeat(100_000)}`, '100,000 levels', /nested/),
  ofConfig(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'not UTF-8', /UTF-8/),
  ofConfig(
    `{"model":{"activation":"${'x'.repeat(1_000_000)}"}}`,
    'a value of a million letters',
    /activation/,
  ),
  ofConfig('x'.repeat(20_000_000), '20 MB', /bad\.json/),
];

function ofData(text: string | Uint8Array, name: string): Bad {
  const args = ['train', '--data', 'bad.tsv'];
  return { name: `data: ${name}`, args, file: { name: 'bad.tsv', bytes: text }, says: /bad\.tsv|--data/ };
}

const DATA_FILES: readonly Bad[] = [
  ofData('', 'empty'),
  ofData('\n\n\n', 'blank lines'),
  ofData('hello\n', 'a word'),
  ofData('Source\tTarget\n', 'a header alone'),
  ofData('1\t( [MAX 1 2 ) \n', 'brackets that do not close'),
  ofData('[MAX 1 2]\tx\n', 'a result that is no number'),
  ofData('[MAX 1 2]\t2\t3\t4\n', 'four columns'),
  ofData('[FOO 1 2]\t2\n', 'an unknown operation'),
  ofData('[MAX ]\t2\n', 'no operand'),
  ofData('[MAX 1 2]\t2\n[MAX 1\t2\n', 'a bad second line'),
  ofData('[MAX 1 2]\t9\n', 'a wrong result'),
  ofData(new Uint8Array(2000), 'zeros'),
  ofData(new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3]), 'a cut gzip file'),
  ofData('PK\u0003\u0004', 'a zip file'),
  ofData('[MAX 1 2]\t-2\n', 'a negative result'),
  ofData('[MAX 1 2.5]\t2\n', 'a fraction'),
  ofData(`${'[MAX '.repeat(5000)}1\t1\n`, '5,000 levels'),
  ofData('{"a":1}\n', 'JSON'),
];

const SUM = 'train --tasks SUM';
const COMBINED: readonly Bad[] = (
  [
    [`${SUM} --heads 3`, /--heads/],
    [`${SUM} --n-ctx 4`, /--n-ctx/],
    [`${SUM} --depth 4 --n-ctx 64`, /--n-ctx/],
    [`${SUM} --operands 3..2`, /--operands/],
    [`${SUM} --regime triples --operands 2..2`, /--regime/],
    [`${SUM} --batch 65536 --depth 2`, /--batch/],
    [`${SUM} --no-bias --unembedding-bias`, /--unembedding-bias/],
    [`${SUM} --out ../..`, /run name/],
    [`${SUM} --out -rf`, /run name|-rf|--out/],
    [`${SUM} --out CON`, /run name/],
    [`${SUM} --out ${'x'.repeat(300)}`, /run name|too long/],
    [`${SUM} --threads 0`, /--threads/],
    [`${SUM} --engine cuda`, /--engine/],
    [`${SUM} --save-every -1`, /--save-every/],
    [`${SUM} --config none.json`, /none\.json/],
    [`${SUM} --data none.tsv`, /none\.tsv/],
    [`${SUM} --no-such-flag`, /--no-such-flag/],
    [`${SUM} extra`, /argument/],
    [`${SUM} --phases SUM:5`, /--phases|phases/],
    [`${SUM} --init-from none`, /none/],
  ] as const
).map(([line, says]) => ({ name: line.slice(0, 60), args: line.split(' '), says }));

/** All of them; more than are tried in one go. */
export const badConfigurations = (): Bad[] => [
  ...SETTINGS.flatMap(settingCases),
  ...WHOLE_FILES,
  ...DATA_FILES,
  ...COMBINED,
];

/** What is not made from the table comes first, then a seeded choice of the rest. */
export function tryBadConfigurations(trial: Trial): Promise<Outcome> {
  const fixed = [...WHOLE_FILES, ...DATA_FILES, ...COMBINED];
  const made = SETTINGS.flatMap(settingCases);
  const order = new Rng(trial.seed, 'bad').permutation(made.length);
  const all = [...fixed, ...[...order].map((i) => made[i])];
  const chosen =
    trial.count >= fixed.length
      ? all.slice(0, trial.count)
      : [...new Rng(trial.seed, 'few').permutation(all.length)].slice(0, trial.count).map((i) => all[i]);
  const tally = new Tally({ ...trial, count: chosen.length });
  return inFolder(async (folder) => {
    for (const bad of chosen) {
      await tally.run(bad.name, async () => {
        if (bad.file !== undefined) writeFileSync(join(folder, bad.file.name), bad.file.bytes);
        const before = readdirSync(folder);
        const { code, stdout, stderr } = runCli(bad.args, folder);
        const line = stderr.trimEnd();
        must(code === 2, `exit code ${code ?? 'none'}: ${line.slice(0, 200)}`);
        must(!line.includes('\n') && line.length < 1500, `not one line: ${line.slice(0, 300)}`);
        must(bad.says.test(line), `the line does not name it: ${line.slice(0, 300)}`);
        must(stdout === '', `something on stdout: ${stdout.slice(0, 100)}`);
        must(readdirSync(folder).join() === before.join(), `left behind: ${readdirSync(folder).join()}`);
        // the event loop of a test runner wants its turn
        await new Promise((resolve) => setImmediate(resolve));
      });
    }
    return tally.outcome(`of ${all.length} in the list`);
  });
}
