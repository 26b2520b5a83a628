/** The command line of the benchmark. */
import { parseArgs } from 'node:util';
import { ROUNDS } from './rounds.mjs';

export const USAGE = `npm run bench -- [options]
  --only <row>            a row or group by its name, as often as wanted: --only pytorch --only "wasm d=64"
  --long                  the rows that take long too: time to 98 % accuracy, the quick preset
  --rounds <n>            interleaved rounds of every row, default ${ROUNDS}; fewer only to try something out
  --json <file>           everything measured, as JSON
  --allow-missing-peers   a framework that is not installed is no failure
  --list                  names of all rows
Interpreters for PyTorch and JAX: SUMLENS_BENCH_PYTHON (separated by colons), then python3.`;

const bad = (message) => ({ kind: 'bad', message });

export function parseArguments(args, rows) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        only: { type: 'string', multiple: true },
        long: { type: 'boolean', default: false },
        rounds: { type: 'string', default: String(ROUNDS) },
        json: { type: 'string' },
        'allow-missing-peers': { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return bad(`${error.message} See --help.`);
  }
  if (values.help) return { kind: 'help' };
  if (values.list) return { kind: 'list', text: rows.map(({ id }) => id).join('\n') };
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 2 || rounds > 1000) {
    return bad(`--rounds: found "${values.rounds}", expected a whole number from 2 to 1000.`);
  }
  const chosen = chooseRows(rows, values.only ?? [], values.long);
  if (typeof chosen === 'string') return bad(chosen);
  return {
    kind: 'run',
    rows: chosen,
    rounds,
    json: values.json,
    allowMissingPeers: values['allow-missing-peers'],
  };
}

function chooseRows(rows, only, long) {
  const matches = (row, name) => row.id === name || row.group === name;
  const unknown = only.find((name) => !rows.some((row) => matches(row, name)));
  if (unknown !== undefined) {
    const groups = [...new Set(rows.map(({ group }) => group))];
    return `--only: found "${unknown}", expected a row (--list) or one of ${groups.join(', ')}.`;
  }
  if (only.length > 0) return rows.filter((row) => only.some((name) => matches(row, name)));
  return rows.filter((row) => long || row.long !== true);
}
