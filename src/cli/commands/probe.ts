/** `sumlens probe`: modules over checkpoints, and the report of it. */
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Options, Probe } from '../../../probes/contract.js';
import { MORE_PROBES, PROBES } from '../../../probes/index.js';
import { UserError, unacceptable } from '../../errors.js';
import { bundleProbe, isTypeScript, withOwnName } from '../../workflows/probing/bundle-probe.js';
import type { ProbeChoice } from '../../workflows/probing/probe-checkpoints.js';
import { selectProbes } from '../../workflows/probing/probe-plan.js';
import { loadUserProbe } from '../../workflows/probing/user-probe.js';
import { type ParsedOptions, switchValue } from '../flags/flags.js';
import { foldersOf } from '../flags/folders.js';
import { addProbingFlags, CHECKPOINTS_HELP, runProbing, timeLimit } from '../probing/probing.js';
import { SUMMARIES } from '../terminal/summaries.js';

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
    .option(
      '--option <name=value>',
      'an option of a module given by name (see --list --json), such as codeStages=100; may be repeated',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
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
      const given = Array.isArray(options['option']) ? options['option'].map(String) : [];
      const own = moduleOptions(module, given);
      const found = await chosen(module, timeLimit(options), foldersOf(options).reportsDir);
      const probes = found.map((one) => ({ ...one, options: own }));
      const name = probes[0].source === undefined ? module : probes[0].probe.name;
      const shown = probes[0].source === undefined ? module : `./${basename(module)}`;
      const words = given.flatMap((text) => ['--option', text]);
      const command = ['probe', shown, ...words];
      await runProbing({ command, name, texts, probes, sideBySide: true }, options);
    },
  );
}

/** What `--option name=value` gave: numbers and switches as such, the rest as text. The module checks them. */
function moduleOptions(module: string, texts: readonly string[]): Options {
  if (texts.length > 0 && module === 'all')
    throw new UserError(
      'option: found one for "all", expected a module by name. Name it, or leave the option out.',
    );
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^([A-Za-z][A-Za-z0-9]*)=(.+)$/.exec(text) ?? [];
      if (name === undefined) throw unacceptable('option', text, 'name=value, such as codeStages=100');
      const isPlain = /^-?\d+(\.\d+)?$/.test(value) || value === 'true' || value === 'false';
      return [name, isPlain ? (JSON.parse(value) as number | boolean) : value];
    }),
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
