/** Vega's messages and requests: a page prints nothing and loads nothing; tests compile the same and see every warning. */
import type { Loader, LoggerInterface } from 'vega';

export function quietLogger(): LoggerInterface {
  let level = 0;
  const logger = {
    level: (value?: number) => {
      if (value === undefined) return level;
      level = value;
      return logger;
    },
    error: (...problem: readonly unknown[]) => {
      throw new Error(problem.map(String).join(' '));
    },
    warn: () => logger,
    info: () => logger,
    debug: () => logger,
  };
  return logger;
}

/** A loader that refuses everything: data is inline, and no chart links anywhere. */
export function noNetwork(): Loader {
  const refuse = () => Promise.reject(new Error('a report loads nothing'));
  return { options: {}, load: refuse, sanitize: refuse, http: refuse, file: refuse } as unknown as Loader;
}
