/** `sumlens worker`: trains runs that a sweep put into a queue. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { UserError } from '../../errors.js';
import { checkQueueUrl, shownUrl } from '../../workflows/sweep/queue/connection.js';
import { workOnQueue } from '../../workflows/sweep/queue/work.js';
import { createDisplay } from '../terminal/display.js';
import {
  addCommonFlags,
  engineFlag,
  flagValue,
  type ParsedOptions,
  switchValue,
  wholeFlag,
} from '../flags/flags.js';
import { addFolderFlags, foldersOf } from '../flags/folders.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { SUMMARIES } from '../terminal/summaries.js';

const HELP = `
Any number of workers on any machines serve one queue. A run whose worker is gone is given to another one; where they share the
checkpoints folder it goes on from the last checkpoint. Plans in which runs start from other runs need a shared folder.

Example:
  sumlens worker --queue redis://:password@host:6379 --jobs 8`;

export function registerWorker(program: Command): void {
  const command = program
    .command('worker')
    .description(SUMMARIES.worker.description)
    .option('--queue <url>', 'the Redis or PostgreSQL server, such as redis://:password@host:6379')
    .option('--jobs <n>', 'runs at a time (default: the cores of this machine)')
    .option('--idle <seconds>', 'end after so long without a job (default: never)')
    .addHelpText('after', HELP);
  addFolderFlags(addCommonFlags(command)).action(workerCommand);
}

async function workerCommand(options: ParsedOptions): Promise<void> {
  const queue = flagValue(options, 'queue');
  if (queue === undefined) {
    throw new UserError(
      '--queue: found nothing, expected the URL of a Redis or PostgreSQL server, such as redis://host:6379.',
    );
  }
  const url = checkQueueUrl(String(queue.value));
  const parallel = wholeFlag(options, 'jobs', [1, 1024]) ?? availableParallelism();
  const idleSeconds = wholeFlag(options, 'idle', [1, 10_000_000]);
  const display = createDisplay(switchValue(options, 'quiet'));
  const interrupt = interruptSignal();
  try {
    const done = await workOnQueue({
      url,
      root: foldersOf(options).checkpointsDir,
      engine: engineFlag(options),
      parallel,
      idleMs: idleSeconds === undefined ? undefined : 1000 * idleSeconds,
      signal: interrupt.signal,
      onNote: (text) => display.log(text),
    });
    process.stdout.write(
      switchValue(options, 'json')
        ? `${JSON.stringify({ done })}\n`
        : `${done} runs done for ${shownUrl(url)}\n`,
    );
    if (interrupt.signal.aborted) process.exitCode = interrupt.exitCode();
  } finally {
    display.end();
    interrupt.release();
  }
}
