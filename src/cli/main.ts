#!/usr/bin/env node
/** The command line: registers one file a command, and turns errors into one line and an exit code (0, 1, 2, 130). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { errorMessage, nearest, UserError } from '../errors.js';
import { packageRoot } from '../io/package-root.js';
import { registerCompare } from './compare.js';
import { registerDoctor } from './doctor.js';
import { registerExport } from './export.js';
import { registerImport } from './import.js';
import { registerProbe } from './probe.js';
import { registerReport } from './report.js';
import { registerRun } from './run.js';
import { registerSample } from './sample-command.js';
import { registerServe } from './serve.js';
import { registerSweep } from './sweep.js';
import { registerTrain } from './train.js';

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

registerRun(program);
registerTrain(program);
registerSweep(program);
registerProbe(program);
registerCompare(program);
registerReport(program);
registerSample(program);
registerServe(program);
registerExport(program);
registerImport(program);
registerDoctor(program);
for (const command of program.commands) {
  command
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .option('--debug', 'show the stack of an error');
}

/** Commander's own complaints in the form of ours. */
function commandLineMessage(error: CommanderError): string {
  const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const names = program.commands.map((command) => command.name());
  const unknown = /^unknown command '(.*?)'/.exec(text);
  if (unknown !== null) {
    const near = nearest(unknown[1], names);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    return `command: found "${unknown[1]}", expected one of ${names.join(', ')}.${hint}`;
  }
  return `${text}${/[.?!)]$/.test(text) ? '' : '.'} See --help.`;
}

try {
  await program.parseAsync();
} catch (error) {
  const isHelp = error instanceof CommanderError && error.exitCode === 0;
  const shownHelp = error instanceof CommanderError && error.code === 'commander.help';
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
