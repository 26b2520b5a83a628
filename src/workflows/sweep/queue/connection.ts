/**
 * The queue server by its URL: Redis or PostgreSQL, both behind BullMQ. Its packages are optional, loaded here alone and only
 * when a queue is named.
 */
import type { Processor, Queue, Worker, WorkerOptions } from 'bullmq';
import { errorMessage, printable, RunError, UserError } from '../../../errors.js';

/** Name of the queue on the server. */
export const QUEUE_NAME = 'sumlens';

/** Longest wait for the first answer of the server. */
const CONNECT_MS = 5000;
/** Connections that a queue or worker keeps to PostgreSQL. */
const MOST_CONNECTIONS = 4;

type WorkOptions = Omit<WorkerOptions, 'connection'>;

/** A server that answered. From then on it comes back by itself after it was away, and commands wait for it. */
export interface QueueServer {
  readonly bullmq: typeof import('bullmq');
  openQueue<D, R>(): Queue<D, R>;
  openWorker<D, R>(processor: Processor<D, R>, options: WorkOptions): Worker<D, R>;
  /** cuts what is left of the connection, without waiting */
  disconnect(): void;
}

/** @throws UserError */
export function checkQueueUrl(text: string): URL {
  const expected =
    'the URL of a Redis or PostgreSQL server, such as redis://:password@host:6379 or postgres://user:password@host:5432/database';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UserError(`--queue: found ${printable(text)}, expected ${expected}.`);
  }
  if ((isRedis(url) || isPostgres(url)) && url.hostname !== '') return url;
  throw new UserError(
    `--queue: found a URL that begins with ${printable(url.protocol)}, expected ${expected}.`,
  );
}

const isRedis = ({ protocol }: URL): boolean => protocol === 'redis:' || protocol === 'rediss:';
const isPostgres = ({ protocol }: URL): boolean => protocol === 'postgres:' || protocol === 'postgresql:';

/** For messages: user and password left out. */
export const shownUrl = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`;

/**
 * @param url - checked by checkQueueUrl
 * @throws UserError when the packages are not installed, RunError when there is no server, or it refuses us
 */
export async function openServer(url: URL): Promise<QueueServer> {
  return isRedis(url) ? openRedis(url) : openPostgres(url);
}

async function load<T>(packages: string, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    throw new UserError(
      `--queue: the optional packages ${packages} are not installed. Run "npm install ${packages.replace(' and', '')}", or leave --queue out.`,
      { cause: error },
    );
  }
}

function unusable(url: URL, why: string): RunError {
  return new RunError(
    `--queue: ${shownUrl(url)} cannot be used: ${printable(why, 200)}. Start the server, or mend the URL.`,
  );
}

/** A refused connection to several addresses has its words in the first of them. */
function wordsOf(error: unknown): string {
  const [first] = (error as { readonly errors?: unknown[] }).errors ?? [];
  return errorMessage(error) === '' || first !== undefined
    ? errorMessage(first ?? error)
    : errorMessage(error);
}

async function openRedis(url: URL): Promise<QueueServer> {
  const [bullmq, { Redis }] = await load(
    'bullmq and ioredis',
    Promise.all([import('bullmq'), import('ioredis')]),
  );
  let isReady = false;
  let problem: string | undefined;
  const connection = new Redis(url.href, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    // BullMQ asks for it: a command waits for the server instead of failing
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isReady ? Math.min(2000, 50 * times) : null),
  });
  // an unheard error event would end the process; the ping below tells
  connection.on('error', (error: Error) => {
    problem = wordsOf(error);
  });
  try {
    await connection.connect();
    await connection.ping();
    isReady = true;
  } catch (error) {
    connection.disconnect();
    throw unusable(url, problem ?? errorMessage(error));
  }
  return {
    bullmq,
    openQueue: () => new bullmq.Queue(QUEUE_NAME, { connection }),
    openWorker: (processor, options) => new bullmq.Worker(QUEUE_NAME, processor, { ...options, connection }),
    disconnect: () => connection.disconnect(),
  };
}

async function openPostgres(url: URL): Promise<QueueServer> {
  const [bullmq, { default: pg }] = await load(
    'bullmq and pg',
    Promise.all([import('bullmq'), import('pg')]),
  );
  const connection = {
    connectionString: url.href,
    max: MOST_CONNECTIONS,
    // the tables are made by whoever comes first, under a lock
    migrate: true,
    connectionTimeoutMillis: CONNECT_MS,
  };
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: CONNECT_MS });
  // a connection that is cut while it is closed is nobody's concern
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    await client.end();
    const first = new bullmq.Queue(QUEUE_NAME, { connection }, bullmq.createPostgresBackend);
    first.on('error', () => undefined);
    // makes its tables, which a user without the right to cannot
    await first.waitUntilReady();
    await first.close();
  } catch (error) {
    void client.end().catch(() => undefined);
    throw unusable(url, wordsOf(error));
  }
  return {
    bullmq,
    // the same classes whatever is behind them: their type names the back end, of which nothing is used here
    openQueue: <D, R>() =>
      new bullmq.Queue(QUEUE_NAME, { connection }, bullmq.createPostgresBackend) as unknown as Queue<D, R>,
    openWorker: <D, R>(processor: Processor<D, R>, options: WorkOptions) =>
      new bullmq.Worker(
        QUEUE_NAME,
        processor,
        { ...options, connection },
        bullmq.createPostgresBackend,
      ) as unknown as Worker<D, R>,
    // each queue and worker has connections of its own, and closes them
    disconnect: () => undefined,
  };
}
