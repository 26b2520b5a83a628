/**
 * `npm run bench`: every speed claim of the project as a ratio measured in this run. What the rows mean, how they are
 * measured and what is not equal between contenders: bench/README.md. Exit code 0: all met; 1: one was missed or not
 * measured; 2: bad arguments.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArguments, USAGE } from './lib/arguments.mjs';
import { machine } from './lib/machine.mjs';
import { Peers } from './lib/peers.mjs';
import { pinSelf } from './lib/pin.mjs';
import { bundleProject } from './lib/project.mjs';
import { measureRow } from './lib/row.mjs';
import { headerLines, rowLines, summaryLine } from './lib/table.mjs';
import { ROWS } from './rows/index.mjs';

const options = parseArguments(process.argv.slice(2), ROWS);
if (options.kind === 'help' || options.kind === 'list') {
  console.log(options.kind === 'help' ? USAGE : options.text);
  process.exit(0);
}
if (options.kind === 'bad') {
  console.error(options.message);
  process.exit(2);
}

const begin = performance.now();
const project = await bundleProject();
const folder = mkdtempSync(join(tmpdir(), 'sumlens-bench-'));
const { engine: native, note } = await project.openEngine('auto', { threads: 1 });
const peers = new Peers();
const context = { project, native, peers, folder, rounds: options.rounds };
const header = machine(native, note, options);
for (const line of headerLines(header)) console.log(line);

// children of the same terminal get the signal too
process.once('SIGINT', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
});

const results = [];
let found = [];
/** After every row, so that what was measured is there when the rest is cut short. */
function writeJson() {
  if (options.json === undefined) return;
  const document = { ...header, peers: found, minutes: (performance.now() - begin) / 60000, rows: results };
  writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
}

pinSelf(true);
try {
  for (const row of options.rows) {
    const result =
      native.name === 'native' || row.group === 'long'
        ? await measureRow(row, context)
        : { ...row, status: 'not measured', reason: note };
    results.push(result);
    found = await peers.describe();
    for (const line of rowLines(result)) console.log(line);
    writeJson();
  }
} finally {
  pinSelf(false);
  await peers.close();
  native.dispose();
  rmSync(folder, { recursive: true, force: true });
}

const minutes = (performance.now() - begin) / 60000;
const { line, failed } = summaryLine(results, options.allowMissingPeers, minutes);
console.log(found.length === 0 ? '' : `\nPeers: ${found.join('; ')}`);
console.log(line);
process.exitCode = failed ? 1 : 0;
