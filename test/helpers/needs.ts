/**
 * What a test needs beyond Node. Where it is missing, `describeNeeding` skips with the reason in the title, which the closing
 * lines of `npm test` repeat; REQUIRE_ALL=1 (continuous integration) makes the skip a failure there.
 */
import { describe, it } from 'vitest';
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

/** The title of what is skipped for a reason; unchanged where there is none. */
export function skippedTitle(title: string, reason: string | undefined): string {
  return reason === undefined ? title : `${title}, skipped: ${reason}`;
}

/** A `describe` that is skipped, with the reason in its title, where something is missing. */
export function describeNeeding(reason: string | undefined, title: string, body: () => void): void {
  // un-skip when: the reason is gone
  describe.skipIf(reason !== undefined)(skippedTitle(title, reason), body);
}

/** An `it` of the same kind. */
export function itNeeding(
  reason: string | undefined,
  title: string,
  body: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  // un-skip when: the reason is gone
  it.skipIf(reason !== undefined)(skippedTitle(title, reason), body, timeoutMs);
}
