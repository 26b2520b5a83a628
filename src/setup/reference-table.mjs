/** The table of docs/model-card.md, made from the metrics of the reference runs. node: imports only. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const BEGIN = '<!-- table of the reference runs: written by npm run make:reference -->';
const END = '<!-- end of the table -->';

/** `908 of 908 (100.0 %)` over the cells of one operation that `wanted` takes. */
function share(cells, operation, wanted) {
  const own = cells.filter((cell) => cell.operation === operation && wanted(cell));
  const sum = (field) => own.reduce((total, cell) => total + cell[field], 0);
  const total = sum('total');
  if (total === 0) return '-';
  return `${sum('correct')} of ${total} (${((100 * sum('correct')) / total).toFixed(1)} %)`;
}

/** @param {string} reference - folder of the runs @returns {string} lines of Markdown */
export function referenceTable(reference) {
  const header = [
    'run',
    'seed',
    'SUM, trained',
    'SUM, held out, 2 operands',
    'SUM, held out, 3 operands',
    'MAX, trained',
    'MED, trained',
  ];
  const rows = readdirSync(reference)
    .sort()
    .map((run) => {
      const { seed } = JSON.parse(readFileSync(join(reference, run, 'config.json'), 'utf8'));
      const metrics = readFileSync(join(reference, run, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n');
      const { cells } = metrics.map((line) => JSON.parse(line)).findLast(({ kind }) => kind === 'eval');
      return [
        `\`${run}\``,
        String(seed),
        share(cells, 'SUM', ({ held }) => !held),
        share(cells, 'SUM', ({ held, arity }) => held && arity === 2),
        share(cells, 'SUM', ({ held, arity }) => held && arity === 3),
        share(cells, 'MAX', ({ held }) => !held),
        share(cells, 'MED', ({ held }) => !held),
      ];
    });
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The card with the table put between its marks. @throws Error when it has no marks */
export function withTable(card, table) {
  const [begin, end] = [card.indexOf(BEGIN), card.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error('docs/model-card.md has no marks for its table.');
  return `${card.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${card.slice(end)}`;
}
