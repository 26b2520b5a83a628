/** `sumlens site`: a folder that any web server serves: reports, the playground, the result of the paper's claims. */
import type { Command } from 'commander';
import { join } from 'node:path';
import { toJsonLine } from '../../io/json.js';
import { writeSite } from '../../workflows/reports/site.js';
import type { ParsedOptions } from '../flags/flags.js';
import { foldersOf } from '../flags/folders.js';
import { SUMMARIES } from '../terminal/summaries.js';
import { wordsOf } from '../flags/words.js';

interface SiteCommandOptions extends ParsedOptions {
  readonly out: string;
  readonly playground?: readonly string[] | false;
  readonly paper: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const EXAMPLE = `
The folder has index.html, reports/<name>/ for each report, and playground/. Every page is one file with relative links: it
works under any path of any web server, and from a disk, and uses no cookies, no storage and no network. The result of the
paper's claims (reports/paper) is part of it in a clone, and so are two shipped checkpoints where none are named. An older
site in the folder is replaced in one step; a folder that holds anything else is refused.

Example:
  sumlens site reports/quick --playground <run> --playground <run>@4096 --out site`;

export function registerSite(program: Command): void {
  program
    .command('site')
    .description(SUMMARIES.site.description)
    .argument('[report...]', 'report.json files, or folders that hold one or a saved comparison')
    .option('--out <folder>', 'where the site goes', 'site')
    .option('--title <text>', 'heading of the first page')
    .option(
      '--playground <checkpoint>',
      'a checkpoint that readers can ask; twice for two side by side (default: two shipped ones)',
      (address: string, before: readonly string[] | undefined) => [...(before ?? []), address],
    )
    .option('--no-playground', 'without a playground')
    .option('--no-paper', "without the result of the paper's claims")
    .option('--checkpoints <folder>', 'folder of runs (default: checkpoints)')
    .option('--json', 'one JSON document on stdout, everything else on stderr')
    .option('--quiet', 'no messages')
    .addHelpText('after', EXAMPLE)
    .action((reports: readonly string[], options: SiteCommandOptions) => runSite(reports, options));
}

function runSite(reports: readonly string[], options: SiteCommandOptions): void {
  const { out, playground, paper, json, quiet } = options;
  const { title } = wordsOf({ title: options['title'] });
  const { pages, notes } = writeSite({
    reports,
    out,
    checkpointsDir: foldersOf(options).checkpointsDir,
    noPaper: !paper,
    ...(title !== undefined && { title }),
    ...(Array.isArray(playground) && { playground: playground as readonly string[] }),
    noPlayground: playground === false,
  });
  if (quiet !== true) {
    for (const note of notes) process.stderr.write(`${note}\n`);
    process.stderr.write(`${pages.map((page) => join(out, page)).join('\n')}\n`);
  }
  if (json === true) process.stdout.write(toJsonLine({ out, pages, notes }));
}
