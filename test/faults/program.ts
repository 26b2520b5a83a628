/**
 * `npm run test:faults`: tries the promises of docs/reliability.md and ends with a table. Bundled and started by
 * src/setup/test-faults.mjs.
 */
import { parseArgs } from 'node:util';
import { PROMISES, type Part, type PromiseRow } from './promises.js';
import type { Outcome } from './trial.js';

const HELP = `npm run test:faults -- [options]
  --only P9,P11   these promises alone
  --short         a small number of trials each; what npm test tries in full anyway is left out
  --seed <n>      another choice of kills, flips, mutations; default 1
`;

interface Tried {
  readonly part: Part;
  readonly outcome: Outcome;
  readonly seconds: number;
}

interface Row {
  readonly id: string;
  readonly promise: string;
  readonly tried: readonly Tried[];
  /** reasons why a part was not tried */
  readonly missing: readonly string[];
}

function options(): { only: readonly PromiseRow[]; isShort: boolean; seed: number } {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      short: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const seed = Number(values.seed);
  if (!/^\d{1,15}$/.test(values.seed)) stop(`--seed: found "${values.seed}", expected a whole number.`);
  if (values.only === undefined) return { only: PROMISES, isShort: values.short, seed };
  const names = values.only.split(',').map((name) => name.trim().toUpperCase());
  const only = PROMISES.filter(({ id }) => names.includes(id));
  const unknown = names.filter((name) => !PROMISES.some(({ id }) => id === name));
  if (unknown.length > 0) {
    stop(`--only: found "${unknown.join(',')}", expected some of ${PROMISES.map(({ id }) => id).join(',')}.`);
  }
  return { only, isShort: values.short, seed };
}

function stop(message: string): never {
  process.stderr.write(`test:faults: ${message}\n`);
  process.exit(2);
}

const isTerminal = process.stderr.isTTY;
let lastLine = -Infinity;

/** One line that is written over on a terminal, and now and then a new one elsewhere. */
function progress(id: string, what: string, began: number, done: number, total: number): void {
  const now = performance.now();
  if (now - lastLine < (isTerminal ? 200 : 30_000)) return;
  lastLine = now;
  const left = done === 0 ? '' : `, ${duration(((now - began) * (total - done)) / done)} left`;
  const line = `${id}  ${what}: ${Math.floor(done)} of ${total}${left}`;
  process.stderr.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

async function tryPart(id: string, part: Part, isShort: boolean, seed: number): Promise<Tried> {
  const began = performance.now();
  const count = (isShort ? part.short : part.full) ?? 0;
  let outcome: Outcome;
  try {
    outcome = await part.driver({
      seed,
      count,
      onProgress: (done, total) => progress(id, part.what, began, done, total),
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    outcome = { tried: 1, held: 0, broken: [`${part.what}: ${text}`] };
  }
  if (isTerminal) process.stderr.write('\r\u001b[K');
  const seconds = (performance.now() - began) / 1000;
  const figures = outcome.figures === undefined ? '' : ` (${outcome.figures})`;
  process.stderr.write(
    `${id}  ${part.what}: ${outcome.held} of ${outcome.tried} held in ${duration(seconds * 1000)}${figures}\n`,
  );
  for (const line of outcome.broken) process.stderr.write(`    not held: ${line}\n`);
  return { part, outcome, seconds };
}

async function tryPromise(row: PromiseRow, isShort: boolean, seed: number): Promise<Row> {
  const tried: Tried[] = [];
  const missing: string[] = [];
  for (const part of row.parts) {
    if (part.missing !== undefined) missing.push(`${part.what}: ${part.missing}`);
    else if (isShort && part.short === 0) missing.push(`${part.what}: not in the short selection`);
    else tried.push(await tryPart(row.id, part, isShort, seed));
  }
  return { id: row.id, promise: row.promise, tried, missing };
}

function table(rows: readonly Row[]): string {
  const sum = (row: Row, of: (outcome: Outcome) => number): number =>
    row.tried.reduce((total, { outcome }) => total + of(outcome), 0);
  const cells = rows.map((row) => {
    const [tried, held] = [sum(row, (o) => o.tried), sum(row, (o) => o.held)];
    const seconds = row.tried.reduce((total, one) => total + one.seconds, 0);
    const verdict = tried === 0 ? 'not tried' : held === tried ? 'held' : 'NOT HELD';
    return [row.id, row.promise, String(tried), String(held), seconds.toFixed(0), verdict];
  });
  const all = [['', 'promise', 'tried', 'held', 'seconds', ''], ...cells];
  const widths = all[0].map((_, column) => Math.max(...all.map((line) => line[column].length)));
  const isNumber = (column: number): boolean => column >= 2 && column <= 4;
  return all
    .map((line) =>
      line
        .map((cell, c) => (isNumber(c) ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const { only, isShort, seed } = options();
const rows: Row[] = [];
for (const row of only) rows.push(await tryPromise(row, isShort, seed));
process.stdout.write(`${table(rows)}\n`);
for (const { id, missing } of rows) {
  for (const reason of missing) process.stdout.write(`${id} not tried here, ${reason}\n`);
}
const isBroken = rows.some(({ tried }) => tried.some(({ outcome }) => outcome.held < outcome.tried));
process.stdout.write(`seed ${seed}${isShort ? ', short selection' : ''}\n`);
process.exitCode = isBroken ? 1 : 0;
