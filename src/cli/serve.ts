/** `sumlens serve`: the local viewer. The one command file that imports the viewer. */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { unacceptable } from '../errors.js';
import { addFolderFlags, foldersOf } from './folders.js';
import { flagValue, type ParsedOptions, switchValue } from './flags.js';
import { startViewer, type RunningViewer } from '../viewer/start.js';
import { SUMMARIES } from './summaries.js';

export interface ServeOptions {
  readonly checkpointsDir: string;
  readonly reportsDir: string;
  /** absent: the first free port from 4173 on */
  readonly port?: number;
  /** also show the page in the user's browser */
  readonly open?: boolean;
  /** without the address on stderr */
  readonly quiet?: boolean;
  /** page to open, e.g. `reports/quick`; default: the list */
  readonly path?: string;
}

export function registerServe(program: Command): void {
  const command = program
    .command('serve')
    .description(SUMMARIES.serve.description)
    .option('--port <n>', 'port to listen on (default: the first free one from 4173 on)')
    .option('--open', 'open the page in the default browser')
    .option('--json', 'print the address as one JSON document on stdout')
    .option('--quiet', 'print nothing but errors');
  addFolderFlags(command)
    .addHelpText('after', '\nExample:\n  sumlens serve --port 8080 --open')
    .action(async (options: ParsedOptions) => {
      const given = flagValue(options, 'port');
      const viewer = await serve({
        ...foldersOf(options),
        ...(given !== undefined && { port: parsePort(String(given.value), given.field) }),
        ...(options['open'] === true && { open: true }),
        quiet: switchValue(options, 'quiet'),
      });
      if (options['json'] === true) {
        process.stdout.write(`${JSON.stringify({ url: viewer.url, port: viewer.port })}\n`);
      }
      await untilStopped(viewer);
    });
}

/** Starts the viewer and says where it is. The caller closes it, or waits with untilStopped. */
export async function serve(options: ServeOptions): Promise<RunningViewer> {
  const { open, quiet = false, path = '', ...rest } = options;
  const viewer = await startViewer({ ...rest, log: (line) => process.stderr.write(`${line}\n`) });
  const url = `${viewer.url}${path}`;
  if (!quiet) process.stderr.write(`Viewer: ${url}  (Ctrl-C ends it)\n`);
  if (open === true) openBrowser(url);
  return viewer;
}

/** Resolves after SIGINT or SIGTERM, when every connection has ended. */
export async function untilStopped(viewer: RunningViewer): Promise<void> {
  await new Promise<void>((done) => {
    process.once('SIGINT', done);
    process.once('SIGTERM', done);
  });
  await viewer.close();
}

function parsePort(text: string, field: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535) {
    throw unacceptable(field, text, 'a whole number from 0 to 65535');
  }
  return port;
}

/** Best effort: where there is no browser, the printed address is enough. */
function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url];
  const child = spawn(command, args, { detached: true, stdio: 'ignore' });
  child.on('error', () => process.stderr.write('No browser could be opened; use the address above.\n'));
  child.unref();
}
