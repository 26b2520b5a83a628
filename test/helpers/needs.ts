/**
 * What a test needs beyond Node. Where it is missing, `describeNeeding` skips with the reason in the title, which the closing
 * lines of `npm test` repeat; REQUIRE_ALL=1 (continuous integration) makes the skip a failure there.
 */
import { describe, it } from 'vitest';

export { missingBrowser, missingProgram } from './missing.js';

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
