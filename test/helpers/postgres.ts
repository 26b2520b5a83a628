/** A PostgreSQL server for tests, started without a service, its data in a folder of its own; a restart is a crash. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type TestQueue } from './redis.js';

const DEBIAN = '/usr/lib/postgresql';

function binaries(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  const [newest] = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
  const folder = join(DEBIAN, newest ?? '', 'bin');
  return existsSync(join(folder, 'postgres')) ? folder : undefined;
}

/** Un-skip: install Debian's postgresql. */
export const NO_POSTGRES = binaries() === undefined;

/** The server refuses to run as root: then it runs as the user of Debian's package. */
function command(program: string, args: readonly string[]): [string, string[]] {
  const path = join(binaries() ?? '', program);
  return process.getuid?.() === 0 ? ['setpriv', [...AS_POSTGRES(), path, ...args]] : [path, [...args]];
}

const idOf = (flag: string): number =>
  Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim());
const AS_POSTGRES = (): string[] => [`--reuid=${idOf('-u')}`, `--regid=${idOf('-g')}`, '--clear-groups'];

function run(program: string, args: readonly string[], input?: string): void {
  const [name, all] = command(program, args);
  const { status, stdout, stderr } = spawnSync(name, all, { encoding: 'utf8', cwd: '/', input });
  if (status !== 0) throw new Error(`${program}: ${stdout}${stderr}`);
}

async function start(folder: string, port: number): Promise<ChildProcess> {
  const options = ['-D', folder, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1'];
  const [name, args] = command('postgres', [...options, '-c', 'fsync=off', '-c', 'max_connections=60']);
  const child = spawn(name, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.on('exit', () => reject(new Error(`postgres: ${said}`)));
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('ready to accept connections')) resolve();
    });
  });
  child.stderr.resume();
  return child;
}

/** At once, as in a crash: what it wrote is recovered at the next start. */
async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGQUIT');
  await exited;
}

export async function startPostgres(password = 'secret'): Promise<TestQueue> {
  const folder = mkdtempSync(join(tmpdir(), 'sumlens-postgres-'));
  const secret = join(folder, 'password');
  writeFileSync(secret, `${password}\n`);
  const data = join(folder, 'data');
  if (process.getuid?.() === 0) {
    for (const path of [folder, secret]) chownSync(path, idOf('-u'), idOf('-g'));
  }
  run('initdb', ['-D', data, '-U', 'sumlens', '-A', 'scram-sha-256', `--pwfile=${secret}`, '--no-sync']);
  const port = await freePort();
  let child = await start(data, port);
  return {
    url: `postgres://sumlens:${password}@127.0.0.1:${port}/postgres`,
    refusal: 'password authentication failed',
    async restart() {
      await end(child);
      child = await start(data, port);
    },
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
