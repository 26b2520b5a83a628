/** `sumlens probe` and `sumlens compare`: modules over checkpoints, and the report of it. */
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { PROBES } from '../../probes/index.js';
import { resolveCheckpoints } from '../checkpoint/address.js';
import { UserError } from '../errors.js';
import { packageVersion } from '../io/package-root.js';
import { reportJson } from '../report/report-json.js';
import { probeAndReport } from '../workflows/probe-job.js';
import { checkpointRef, loadProbe, selectProbes } from '../workflows/probe-plan.js';
import { createDisplay } from './display.js';
import { addCommonFlags, engineFlag, type ParsedOptions, switchValue, threadsFlag } from './flags.js';
import { addFolderFlags, foldersOf } from './folders.js';
import { interruptSignal } from './interrupt.js';
import { claimLines } from './table.js';

export function registerProbe(program: Command): void {
  const command = program
    .command('probe')
    .argument(
      '[module]',
      `all, ${PROBES.map((probe) => probe.name).join(', ')}, or the path of a file that exports a probe`,
    )
    .argument('[checkpoints...]', '<run>, <run>@<step>,<step>, <run>@all, <run>@final, or a path')
    .description('Run a probe module over checkpoints and write the report.')
    .option('--list', 'list the modules')
    .addOption(new Option('--name <name>', 'folder below reports/ (default: the module)'))
    .addHelpText('after', '\nExample:\n  sumlens probe all checkpoints/sum-* --name my-report');
  addFolderFlags(addCommonFlags(command)).action(
    async (module: string | undefined, texts: string[], options: ParsedOptions) => {
      if (options.list === true) {
        for (const probe of PROBES) console.log(`${probe.name.padEnd(16)} ${probe.question}`);
        return;
      }
      if (module === undefined)
        throw new UserError('probe: found no module, expected one or "all". See "sumlens probe --list".');
      await runProbes(module, texts, options);
    },
  );
}

async function runProbes(module: string, texts: readonly string[], options: ParsedOptions): Promise<void> {
  const isFile = /[./\\]/.test(module);
  const probes = isFile
    ? [{ probe: await loadProbe(module), source: resolve(module) }]
    : selectProbes([module]).map((probe) => ({ probe }));
  const { checkpointsDir, reportsDir } = foldersOf(options);
  const found = resolveCheckpoints(texts, checkpointsDir);
  const name = reportName(options.name, isFile ? probes[0].probe.name : module);
  const json = switchValue(options, 'json');
  const display = createDisplay(switchValue(options, 'quiet'));
  const interrupt = interruptSignal();
  try {
    const result = await probeAndReport({
      title: `sumlens ${name}`,
      name,
      refs: found.map(({ store, step }) => checkpointRef(store, step)),
      probes,
      engine: engineFlag(options),
      parallel: threadsFlag(options),
      reportsDir,
      version: packageVersion(),
      signal: interrupt.signal,
      onProgress: ({ done, total, module: current, subject }) =>
        display.update(() => [`probing ${done} of ${total}: ${current}, ${subject}`]),
    });
    display.end();
    if (json) process.stdout.write(reportJson(result.report));
    else {
      const claims = claimLines(result.report);
      console.log(`${claims}\n\nreport: ${join(result.reportDir, 'index.html')}`);
    }
    const failed = Object.entries(result.report.modules).filter(([, report]) => report.status === 'failed');
    for (const [failedName, { reason }] of failed) console.error(`${failedName} failed: ${reason ?? ''}`);
    if (failed.length > 0) process.exitCode = 1;
  } finally {
    display.end();
    interrupt.release();
  }
}

/** A report's folder name: letters, digits, dot, dash and underscore. */
function reportName(given: unknown, fallback: string): string {
  if (given === undefined) return fallback;
  if (typeof given === 'string' && /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(given)) return given;
  throw new UserError(
    `--name: found ${JSON.stringify(given)}, expected 1 to 64 letters, digits, ".", "-" or "_", the first a letter or digit.`,
  );
}
