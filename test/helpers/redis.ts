/** A Redis server for tests, started without a service and kept in memory alone, so that a restart forgets everything. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Un-skip: install Debian's redis-server. */
export const NO_REDIS = spawnSync('redis-server', ['--version']).status !== 0;

/** A server for tests of queues. */
export interface TestQueue {
  readonly url: string;
  /** its words for a wrong password */
  readonly refusal: string;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function start(port: number, password: string): Promise<ChildProcess> {
  const child = spawn(
    'redis-server',
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--requirepass',
      password,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.on('exit', () => reject(new Error(`redis-server: ${said}`)));
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('Ready to accept')) resolve();
    });
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

export async function startRedis(password = 'secret'): Promise<TestQueue> {
  const port = await freePort();
  let child = await start(port, password);
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    refusal: 'WRONGPASS',
    async restart() {
      await end(child);
      child = await start(port, password);
    },
    stop: () => end(child),
  };
}
