/** Compiles a specification as the page does and collects every message of Vega-Lite. */
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Spec } from '../../src/report/charts/common.js';
import { themed } from '../../src/report/theme.js';

/** @returns warnings and errors; none is what every chart must give */
export function compileWarnings(spec: Spec, conditions: readonly string[] = []): string[] {
  const messages: string[] = [];
  const collect = (...parts: readonly unknown[]) => {
    messages.push(parts.map(String).join(' '));
    return logger;
  };
  const logger = {
    level: () => logger,
    error: collect,
    warn: collect,
    info: () => logger,
    debug: () => logger,
  };
  compile(themed(spec, 'light', conditions) as unknown as TopLevelSpec, { logger: logger });
  return messages;
}
