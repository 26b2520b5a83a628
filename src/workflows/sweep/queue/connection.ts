/** The queue server by its URL. BullMQ and ioredis are optional packages, loaded here alone and only when a queue is named. */
import type { Redis } from 'ioredis';
import { errorMessage, printable, RunError, UserError } from '../../../errors.js';

/** Name of the queue on the server. */
export const QUEUE_NAME = 'sumlens';

/** Longest wait for the first answer of the server. */
const CONNECT_MS = 5000;

export interface QueueLibrary {
  readonly bullmq: typeof import('bullmq');
  readonly Redis: typeof Redis;
}

/** @throws UserError when the packages are not installed */
export async function loadQueueLibrary(): Promise<QueueLibrary> {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, Redis: ioredis.Redis };
  } catch (error) {
    throw new UserError(
      '--queue: the optional packages bullmq and ioredis are not installed. Run "npm install bullmq ioredis", or leave --queue out.',
      { cause: error },
    );
  }
}

/** @throws UserError */
export function checkQueueUrl(text: string): URL {
  const expected = 'the URL of a Redis server, such as redis://:password@host:6379';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UserError(`--queue: found ${printable(text)}, expected ${expected}.`);
  }
  if ((url.protocol === 'redis:' || url.protocol === 'rediss:') && url.hostname !== '') return url;
  throw new UserError(
    `--queue: found a URL that begins with ${printable(url.protocol)}, expected ${expected}.`,
  );
}

/** For messages: user and password left out. */
export const shownUrl = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`;

/**
 * A connection that answered. From then on it comes back by itself after the server was away, and commands wait for it.
 * @throws RunError when there is no server, or it refuses us
 */
export async function connect(library: QueueLibrary, url: URL): Promise<Redis> {
  let isReady = false;
  let problem: string | undefined;
  const redis = new library.Redis(url.href, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    // BullMQ asks for it: a command waits for the server instead of failing
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isReady ? Math.min(2000, 50 * times) : null),
  });
  // an unheard error event would end the process; the ping below tells
  redis.on('error', (error: Error) => {
    problem =
      error.message === '' ? errorMessage((error as { errors?: unknown[] }).errors?.[0]) : error.message;
  });
  try {
    await redis.connect();
    await redis.ping();
    isReady = true;
    return redis;
  } catch (error) {
    redis.disconnect();
    throw new RunError(
      `--queue: ${shownUrl(url)} cannot be used: ${printable(problem ?? errorMessage(error), 200)}. Start the server, or mend the URL.`,
    );
  }
}
