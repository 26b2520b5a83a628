/** Vega's messages: the page prints nothing; tests compile the same specifications and see every warning. */
import type { LoggerInterface } from 'vega';

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
