/** `sumlens serve`: the local viewer. The one command file that imports the viewer. */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { unacceptable } from '../../errors.js';
import { addFolderFlags, foldersOf } from '../flags/folders.js';
import { flagValue, type ParsedOptions, switchValue } from '../flags/flags.js';
import { allowedHost, checkBind } from '../../viewer/http/names.js';
import { startViewer, type RunningViewer, type StartViewerOptions } from '../../viewer/start.js';
import { SUMMARIES } from '../terminal/summaries.js';

const HELP = `
Examples:
  sumlens serve --port 8080 --open
  sumlens serve --port 4173 --allow-host localhost:8080       the browser reaches it as localhost:8080, through ssh -L 8080:localhost:4173
  sumlens serve --host 0.0.0.0 --allow-host localhost:4173    in a container, with docker run -p 4173:4173
  sumlens serve --allow-host https://hub.example/user/me/proxy/4173    behind a proxy, below a path

On 127.0.0.1 alone no token is asked for: whoever is logged in on this machine may read, and start jobs from the page. With
--token, --host or --allow-host the printed address holds a token (SUMLENS_TOKEN sets it), which the browser then keeps.`;

export interface ServeOptions extends Pick<StartViewerOptions, 'host' | 'allowedHosts' | 'token'> {
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
    .option('--host <address>', 'address to listen on, such as 0.0.0.0; demands a token (default: 127.0.0.1)')
    .option(
      '--allow-host <name>',
      'a name:port (or address) that a browser uses for a forwarded port, a container or a proxy; demands a token; may be repeated',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
    .option('--token [text]', 'demand a token on 127.0.0.1 too: one made anew, or this one')
    .option('--open', 'open the page in the default browser')
    .option('--json', 'print the address and the token as one JSON document on stdout')
    .option('--quiet', 'print nothing but errors');
  addFolderFlags(command)
    .addHelpText('after', HELP)
    .action(async (options: ParsedOptions) => {
      const given = flagValue(options, 'port');
      const viewer = await serve({
        ...foldersOf(options),
        ...(given !== undefined && { port: parsePort(String(given.value), given.field) }),
        ...(options['open'] === true && { open: true }),
        ...reachOf(options),
        quiet: switchValue(options, 'quiet'),
      });
      if (options['json'] === true) {
        const { url, port, token } = viewer;
        process.stdout.write(`${JSON.stringify({ url, port, token })}\n`);
      }
      await untilStopped(viewer);
    });
}

/** Starts the viewer and says where it is. The caller closes it, or waits with untilStopped. */
export async function serve(options: ServeOptions): Promise<RunningViewer> {
  const { open, quiet = false, path = '', ...rest } = options;
  const viewer = await startViewer({ ...rest, log: (line) => process.stderr.write(`${line}\n`) });
  const url = `${viewer.url}${path}${viewer.isTokenDemanded ? `?token=${viewer.token}` : ''}`;
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

/** --host, --allow-host and --token, or their variables; of --allow-host several are joined by commas there. */
function reachOf(options: ParsedOptions): Pick<ServeOptions, 'host' | 'allowedHosts' | 'token'> {
  const host = flagValue(options, 'host');
  const listed = options['allowHost'];
  const fromVariable = flagValue({}, 'allow-host');
  const allowed = Array.isArray(listed)
    ? listed.map((text) => allowedHost(String(text)))
    : String(fromVariable?.value ?? '')
        .split(',')
        .filter((text) => text !== '')
        .map((text) => allowedHost(text, fromVariable?.field));
  const token = flagValue(options, 'token');
  return {
    ...(host !== undefined && { host: checkBind(String(host.value), host.field) }),
    ...(allowed.length > 0 && { allowedHosts: allowed }),
    ...(token !== undefined && { token: token.value }),
  };
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
