/** Why something that a test needs beyond Node cannot be had here; no test runner. */
import { onPath } from '../../src/setup/common.mjs';
import { findChromium } from '../../src/setup/test-tools.mjs';

/** Why a program cannot be used, or undefined when it is on PATH. */
export function missingProgram(...names: readonly string[]): string | undefined {
  return onPath(...names) === undefined
    ? `${names.join(' or ')} is not installed (Debian: apt-get install ${names[0]}).`
    : undefined;
}

/** Why there is no browser, or undefined. */
export function missingBrowser(): string | undefined {
  if (process.env.SUMLENS_NO_BROWSER === '1') return 'SUMLENS_NO_BROWSER is set.';
  return findChromium() === undefined
    ? 'no Chromium (Debian: apt-get install chromium; or CHROMIUM_PATH names one).'
    : undefined;
}
