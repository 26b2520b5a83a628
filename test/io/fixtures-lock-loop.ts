/** Run as a process of its own: takes a lock, adds one to a counter file, gives the lock up; many times. */
import { readFileSync, writeFileSync } from 'node:fs';
import { takeLock, releaseLock } from '../../src/io/lock.js';

const [, , lock, counter, times] = process.argv;
for (let i = 0; i < Number(times); i++) {
  const held = takeLock(lock, 'counting', { waitMs: 60_000 });
  writeFileSync(counter, String(Number(readFileSync(counter, 'utf8')) + 1));
  // one in three ends without giving it up, so that the next process has to take it over
  if (i === Number(times) - 1 && process.pid % 3 === 0) process.exit(0);
  releaseLock(held);
}
