/** `sumlens probe`: modules over checkpoints, and the report of it. */
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Probe } from '../../probes/contract.js';
import { MORE_PROBES, PROBES } from '../../probes/index.js';
import { UserError } from '../errors.js';
import { bundleProbe, isTypeScript, withOwnName } from '../workflows/bundle-probe.js';
import type { ProbeChoice } from '../workflows/probe-checkpoints.js';
import { selectProbes } from '../workflows/probe-plan.js';
import { loadUserProbe } from '../workflows/user-probe.js';
import { type ParsedOptions, switchValue } from './flags.js';
import { foldersOf } from './folders.js';
import { addProbingFlags, CHECKPOINTS_HELP, runProbing, timeLimit } from './probing.js';
import { SUMMARIES } from './summaries.js';

export function registerProbe(program: Command): void {
  const command = program
    .command('probe')
    .argument(
      '[module]',
      `all (${namesOf(PROBES)}), or one by name, ${namesOf(MORE_PROBES)} too, or the path of a file that exports a probe`,
    )
    .argument('[checkpoints...]', CHECKPOINTS_HELP)
    .description(SUMMARIES.probe.description)
    .option('--list', 'list the modules')
    .addHelpText(
      'after',
      '\nExamples:\n  sumlens probe all checkpoints/sum-* --name my-report\n  sumlens probe embedding-pca <run>@all --series\n  sumlens probe ./my-probe.ts <run> --json',
    );
  addProbingFlags(command).action(
    async (module: string | undefined, texts: string[], options: ParsedOptions) => {
      if (options['list'] === true) {
        listModules(switchValue(options, 'json'));
        return;
      }
      if (module === undefined)
        throw new UserError('probe: found no module, expected one or "all". See "sumlens probe --list".');
      const probes = await chosen(module, timeLimit(options), foldersOf(options).reportsDir);
      const name = probes[0].source === undefined ? module : probes[0].probe.name;
      const shown = probes[0].source === undefined ? module : `./${basename(module)}`;
      await runProbing({ command: ['probe', shown], name, texts, probes, sideBySide: true }, options);
    },
  );
}

const namesOf = (probes: readonly Probe[]): string => probes.map(({ name }) => name).join(', ');

function listModules(json: boolean): void {
  if (json) {
    const modules = [...PROBES, ...MORE_PROBES].map(
      ({ name, title, question, version = 1, options = {} }) => ({
        name,
        title,
        question,
        version,
        options,
      }),
    );
    process.stdout.write(`${JSON.stringify({ modules }, null, 2)}\n`);
    return;
  }
  for (const probe of [...PROBES, ...MORE_PROBES]) console.log(`${probe.name.padEnd(16)} ${probe.question}`);
}

/** A name, `all`, or the path of a file; a bundle of it where it is TypeScript. */
async function chosen(
  module: string,
  timeLimitMs: number | undefined,
  reportsDir: string,
): Promise<ProbeChoice[]> {
  if (!/[./\\]/.test(module)) return selectProbes([module]).map((probe) => ({ probe }));
  if (!isTypeScript(module))
    return [{ probe: await loadUserProbe(module, timeLimitMs), source: resolve(module) }];
  const source = await bundleProbe(module, join(reportsDir, '.cache'));
  return [{ probe: await withOwnName(module, source, () => loadUserProbe(source, timeLimitMs)), source }];
}
