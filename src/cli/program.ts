#!/usr/bin/env node
/**
 * The command line: loads the file of the command that is asked for, and turns errors into one line and an exit code (0, 1,
 * 2, 130).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { errorCode, errorMessage, nearest, RunError, UserError } from '../errors.js';
import { packageRoot } from '../io/package-root.js';
import { surviveClosedPipes } from './terminal/pipes.js';
import { type CommandName, SUMMARIES } from './terminal/summaries.js';

/** Each command is loaded when it is asked for: loading all takes most of a second. */
const LOADERS: Readonly<Record<CommandName, () => Promise<(program: Command) => void>>> = {
  run: async () => (await import('./commands/run.js')).registerRun,
  train: async () => (await import('./commands/train.js')).registerTrain,
  sweep: async () => (await import('./commands/sweep.js')).registerSweep,
  worker: async () => (await import('./commands/worker.js')).registerWorker,
  probe: async () => (await import('./commands/probe.js')).registerProbe,
  'new-probe': async () => (await import('./commands/new-probe.js')).registerNewProbe,
  compare: async () => (await import('./commands/compare.js')).registerCompare,
  report: async () => (await import('./commands/report.js')).registerReport,
  site: async () => (await import('./commands/site.js')).registerSite,
  verdicts: async () => (await import('./commands/verdicts.js')).registerVerdicts,
  sample: async () => (await import('./sample/sample-command.js')).registerSample,
  inspect: async () => (await import('./commands/inspect.js')).registerInspect,
  serve: async () => (await import('./commands/serve.js')).registerServe,
  export: async () => (await import('./commands/export.js')).registerExport,
  import: async () => (await import('./commands/import.js')).registerImport,
  verify: async () => (await import('./commands/verify.js')).registerVerify,
  repair: async () => (await import('./commands/repair.js')).registerRepair,
  doctor: async () => (await import('./commands/doctor.js')).registerDoctor,
};
const NAMES = Object.keys(SUMMARIES) as CommandName[];

surviveClosedPipes();
const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string;
};

// libtensorflow, where it is used, writes of processor features to stderr
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

const program = new Command('sumlens')
  .description('Train small transformers on ListOps arithmetic and compare how they compute.')
  .version(version)
  .option('--debug', 'show the stack of an error')
  .showHelpAfterError(false)
  .enablePositionalOptions()
  .configureOutput({ outputError: () => undefined })
  .exitOverride();

async function registerCommands(): Promise<void> {
  const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
  const asked = words[0] === 'help' ? words[1] : words[0];
  for (const name of NAMES) {
    if (name === asked) (await LOADERS[name]())(program);
    else {
      const { args, description } = SUMMARIES[name];
      const command = program.command(name).description(description);
      for (const [argument] of args.matchAll(/<[^>]*>|\[[^\]]*\]/g)) command.argument(argument);
    }
  }
  for (const command of program.commands) {
    command
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .option('--debug', 'show the stack of an error');
  }
}

/** Commander's own complaints in the form of ours. */
function commandLineMessage(error: CommanderError): string {
  const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const unknown = /^unknown command '(.*?)'/.exec(text);
  if (unknown !== null) {
    const near = nearest(unknown[1], NAMES);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    return `command: found "${unknown[1]}", expected one of ${NAMES.join(', ')}.${hint}`;
  }
  return `${text}${/[.?!)]$/.test(text) ? '' : '.'} See --help.`;
}

try {
  await registerCommands();
  await program.parseAsync();
} catch (error) {
  const isHelp = error instanceof CommanderError && error.exitCode === 0;
  const shownHelp = error instanceof CommanderError && error.code === 'commander.help';
  // a module of the command could not be loaded: bin.ts says it
  if (errorCode(error) === 'EMFILE' && !(error instanceof RunError)) throw error;
  if (!isHelp && !shownHelp) {
    const isInput = error instanceof UserError || error instanceof CommanderError;
    const isAbort = error instanceof Error && error.name === 'AbortError';
    // interrupt.ts has set 130 or 143 already
    if (isAbort) process.exitCode ??= 130;
    else {
      const text = error instanceof CommanderError ? commandLineMessage(error) : errorMessage(error);
      process.stderr.write(`sumlens: ${text}\n`);
      if (process.argv.includes('--debug') && error instanceof Error)
        process.stderr.write(`${error.stack ?? ''}\n`);
      process.exitCode = isInput ? 2 : 1;
    }
  }
  if (shownHelp) process.exitCode = 2;
}
