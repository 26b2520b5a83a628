/**
 * Error classes of the whole project. A UserError is the user's to mend (exit code 2, HTTP 4xx, one line);
 * anything else is a failure of the run or of the program (exit code 1). No I/O here; browser-safe.
 */

/** Bad input: the message names the field or file, what was found, what is expected and what to do. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}

/** The work itself failed although the input was acceptable: a full disk, a diverged run, a corrupt checkpoint. */
export class RunError extends Error {
  override readonly name: string = 'RunError';
}

/** Error code of a failed system call, or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * One sentence for a value that is not acceptable.
 * @param field - the flag or key as the user wrote it
 * @param expected - what is allowed, e.g. `a whole number from 2 to 64`
 */
export function unacceptable(field: string, found: unknown, expected: string, remedy?: string): UserError {
  // JSON has no NaN and no Infinity
  const shown =
    typeof found === 'string'
      ? `"${printable(found)}"`
      : typeof found === 'number'
        ? String(found)
        : printable(JSON.stringify(found) ?? String(found), 300);
  return new UserError(
    `${field}: found ${shown}, expected ${expected}.${remedy === undefined ? '' : ` ${remedy}`}`,
  );
}

/** Control characters made visible and long text cut, so that an error is always one line. */
export function printable(text: string, most = 80): string {
  const cut = text.length > most ? `${text.slice(0, most)}...` : text;
  return cut.replace(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The entry of `allowed` nearest to `found` by edit distance, when near enough to be what was meant. */
export function nearest(found: string, allowed: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(found.length / 3)) + 1;
  for (const candidate of allowed) {
    const distance = editDistance(found.slice(0, 64).toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance of two short strings. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j] + 1, current[j - 1] + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length];
}
