/** `sumlens new-probe`: a module of one's own to begin with. */
import type { Command } from 'commander';
import { writeTemplate } from '../../workflows/probing/probe-template.js';
import { SUMMARIES } from '../terminal/summaries.js';

const EXAMPLE = `
The file is TypeScript and runs as it is; types are for your editor and are not checked.

Example:
  sumlens new-probe number-length
  sumlens probe ./number-length.ts checkpoints/reference/*`;

export function registerNewProbe(program: Command): void {
  program
    .command('new-probe')
    .description(SUMMARIES['new-probe'].description)
    .argument('<name>', 'small letters, digits and dashes: number-length')
    .addHelpText('after', EXAMPLE)
    .action((name: string) => {
      const path = writeTemplate(name);
      console.log(`${path}\nrun it: sumlens probe ./${path} <checkpoint...>`);
    });
}
