/** `sumlens verify`: reads everything in a tree of runs, published checkpoints and reports, and says what is wrong. */
import type { Command } from 'commander';
import { findingLine } from '../../checkpoint/store.js';
import { canonicalJson } from '../../io/json.js';
import { type Verification, verifyPaths } from '../../workflows/verify/verify.js';
import { createDisplay } from '../terminal/display.js';
import { type ParsedOptions, switchValue } from '../flags/flags.js';
import { SUMMARIES } from '../terminal/summaries.js';
import { formatTable, shortNumber } from '../terminal/table.js';

const EXAMPLE = `
Of a run: the SHA-256 of every file, the chain of manifests, shapes and numbers, rows against end and configuration, resume
points, locks, what a crash left. Of all steps of a run, or of published ones (step1000/model.safetensors, what export
writes): equal weights under two names, parts of one step in another, steps that lie elsewhere than their number says. Of a
folder of reports: its cache. Nothing is changed; "sumlens repair" does what is safe.

Exit code 0: nothing is wrong (notes do not count), 1: something is, 2: the folder is none.

Examples:
  sumlens verify checkpoints reports
  sumlens verify published --verbose`;

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description(SUMMARIES.verify.description)
    .argument('<folder...>', 'runs, folders of runs, of published checkpoints, or of reports')
    .option('--verbose', 'each step with its hash and its distance from the first')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'findings alone')
    .addHelpText('after', EXAMPLE)
    .action((paths: string[], options: ParsedOptions) => {
      const quiet = switchValue(options, 'quiet');
      const display = createDisplay(quiet || !process.stderr.isTTY);
      const verification = verifyPaths(paths, (name) => display.update(() => [`verifying ${name}`]));
      display.end();
      if (switchValue(options, 'json')) {
        const { findings, steps, runs, published, cacheEntries } = verification;
        const document = {
          findings,
          steps,
          runs,
          published,
          cacheEntries,
          errors: countOf(verification, 'error'),
        };
        process.stdout.write(`${canonicalJson(document)}\n`);
      } else {
        for (const found of verification.findings) console.log(findingLine(found));
        if (switchValue(options, 'verbose')) console.log(stepsTable(verification));
        if (!quiet) console.log(summary(verification));
      }
      if (countOf(verification, 'error') > 0) process.exitCode = 1;
    });
}

export const countOf = ({ findings }: Verification, level: 'error' | 'note'): number =>
  findings.filter((found) => found.level === level).length;

/** `6 runs, 36 steps: nothing is wrong.` */
export function summary(verification: Verification): string {
  const { runs, published, steps, cacheEntries } = verification;
  const counted = (n: number, word: string, many = `${word}s`): string[] =>
    n === 0 ? [] : [`${n} ${n === 1 ? word : many}`];
  const what = [
    ...counted(runs.length, 'run'),
    ...counted(published, 'published training'),
    ...counted(steps.length, 'readable step'),
    ...counted(cacheEntries, 'cached measurement'),
  ].join(', ');
  const errors = countOf(verification, 'error');
  const notes = countOf(verification, 'note');
  const found = [...counted(errors, 'error'), ...counted(notes, 'note')].join(', ');
  return `${what}: ${errors === 0 ? `nothing is wrong${notes === 0 ? '' : ` (${found})`}` : found}.`;
}

const stepsTable = ({ steps }: Verification): string =>
  formatTable(
    ['of', 'step', 'SHA-256', 'distance from the first'],
    steps.map(({ of, step, sha256, distance }) => [
      of,
      String(step),
      sha256.slice(0, 12),
      shortNumber(distance),
    ]),
  );
