/** The last lines of `npm test`: what was skipped, grouped by its reason, and the counts. Pure. */

/**
 * What continuous integration may skip: libtensorflow has a suite of its own (`npm run test:tfjs-node`), and a processor
 * cannot be installed.
 */
const MAY_BE_MISSING = [/tfjs:tensorflow/, /\bAVX-512 against AVX2\b/];

/** The reason stands in the title of the test or of a suite around it: `..., skipped: <reason>`. */
const REASON = /, skipped: (.*)/s;

/** @typedef {{ status: string, title: string, fullName: string, ancestorTitles: readonly string[] }} TestResult */

/**
 * @param {{ numPassedTests: number, numFailedTests: number, testResults: readonly { name: string, status: string,
 *   assertionResults: readonly TestResult[] }[] } | undefined} summary - of vitest's JSON reporter; undefined when it wrote none
 * @param {{ status: number | null, requireAll: boolean }} options - status: exit code of vitest
 * @returns {{ lines: string[], isOk: boolean }}
 */
export function closingLines(summary, { status, requireAll }) {
  const files = summary?.testResults ?? [];
  const passed = summary?.numPassedTests ?? 0;
  let failed = summary?.numFailedTests ?? 1;
  // a file that could not even be loaded has no test that failed
  for (const file of files) {
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')) failed++;
  }
  if (status !== 0 && failed === 0) failed = 1;

  const skipped = files.flatMap((file) => file.assertionResults.filter((test) => isSkipped(test.status)));
  /** @type {Map<string, number>} */
  const byReason = new Map();
  for (const test of skipped) byReason.set(reasonOf(test), (byReason.get(reasonOf(test)) ?? 0) + 1);
  const lines = [...byReason].map(([reason, count]) => `${count} skipped: ${reason}`);

  if (requireAll) {
    const refused = skipped.filter(({ fullName }) => MAY_BE_MISSING.every((known) => !known.test(fullName)));
    for (const { fullName } of refused) lines.push(`skipped, but REQUIRE_ALL is set: ${oneLine(fullName)}`);
    failed += refused.length;
  }
  lines.push(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
  return { lines, isOk: failed === 0 && passed > 0 };
}

const isSkipped = (status) => status !== 'passed' && status !== 'failed';

/** @param {TestResult} test */
function reasonOf({ title, ancestorTitles }) {
  for (const name of [...ancestorTitles, title].reverse()) {
    const reason = REASON.exec(name)?.[1];
    if (reason !== undefined) return oneLine(reason);
  }
  return oneLine([...ancestorTitles, title].join(' > '));
}

const oneLine = (text) => text.replace(/\s+/g, ' ').trim();
