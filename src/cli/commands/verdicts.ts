/** `sumlens verdicts`: decides the claims again from the numbers alone. */
import type { Command } from 'commander';
import { toJsonLine } from '../../io/json.js';
import { rounded } from '../../report/report-json.js';
import { verdictsOf } from '../../workflows/verdicts.js';
import { SUMMARIES } from '../terminal/summaries.js';
import { claimLines } from '../terminal/table.js';

const EXAMPLE = `
Reads the observations of checkpoints and nothing else: what "report --csv" wrote, the results of a sweep, or a report.json,
whose own verdicts are compared with what comes out (exit code 1 when they differ).

Examples:
  sumlens report reports/quick/report.json --csv observations.csv
  sumlens verdicts observations.csv
  sumlens verdicts reports/paper/results.jsonl --json`;

export function registerVerdicts(program: Command): void {
  program
    .command('verdicts')
    .description(SUMMARIES.verdicts.description)
    .argument('<file>', 'observations.csv, results.jsonl or report.json, or a folder that holds one')
    .option('--json', 'one JSON document on stdout, everything else on stderr')
    .addHelpText('after', EXAMPLE)
    .action((file: string, { json }: { readonly json?: boolean }) => {
      const { claims, claimsSha256, differs } = verdictsOf(file);
      if (json === true) process.stdout.write(toJsonLine({ claimsSha256, claims: rounded(claims) }));
      else console.log(claimLines(claims));
      if (differs === undefined) return;
      console.error(`${file}: ${differs}`);
      process.exitCode = 1;
    });
}
