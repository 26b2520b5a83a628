import { describe, expect, it } from 'vitest';
import { closingLines, type TestResult, type TestSummary } from '../../src/setup/test-summary.mjs';

const result = (status: string, ...titles: readonly string[]): TestResult => ({
  status,
  title: titles.at(-1) ?? '',
  fullName: titles.join(' '),
  ancestorTitles: titles.slice(0, -1),
});
const summary = (...tests: readonly TestResult[]): TestSummary => ({
  numPassedTests: tests.filter(({ status }) => status === 'passed').length,
  numFailedTests: tests.filter(({ status }) => status === 'failed').length,
  testResults: [{ name: 'a.test.ts', status: 'passed', assertionResults: tests }],
});
const ended = { status: 0, requireAll: false };
const noBrowser = ', skipped: no Chromium.';

describe('closingLines', () => {
  it('ends with the counts, and is ok when nothing failed', () => {
    expect(closingLines(summary(result('passed', 'a', 'b')), ended)).toEqual({
      lines: ['1 passed, 0 failed'],
      isOk: true,
    });
  });

  it('groups what was skipped by the reason in the title of the test or of a suite', () => {
    const { lines, isOk } = closingLines(
      summary(
        result('passed', 'a', 'b'),
        result('skipped', `page${noBrowser}`, 'draws'),
        result('pending', `page${noBrowser}`, 'prints'),
        result('skipped', 'engine', 'from gcc, skipped: gcc is\nnot there.'),
        result('todo', 'engine', 'no reason given'),
      ),
      ended,
    );
    expect(lines).toEqual([
      '2 skipped: no Chromium.',
      '1 skipped: gcc is not there.',
      '1 skipped: engine > no reason given',
      '1 passed, 0 failed, 4 skipped',
    ]);
    expect(isOk).toBe(true);
  });

  it('fails for a skipped test where all are required, but not for libtensorflow and a processor', () => {
    const { lines, isOk } = closingLines(
      summary(
        result('passed', 'a'),
        result('skipped', `page${noBrowser}`, 'draws'),
        result('skipped', 'conformance [tfjs:tensorflow], skipped: no libtensorflow.', 'agrees'),
        result('skipped', 'AVX-512 against AVX2, skipped: the processor lacks it.', 'same bytes'),
      ),
      { status: 0, requireAll: true },
    );
    expect(lines.at(-2)).toBe(`skipped, but REQUIRE_ALL is set: page${noBrowser} draws`);
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 3 skipped');
    expect(isOk).toBe(false);
  });

  it('counts a file that could not be loaded, and a run without results, as a failure', () => {
    const broken = { ...summary(result('passed', 'a')) };
    const files = [...broken.testResults, { name: 'b.test.ts', status: 'failed', assertionResults: [] }];
    expect(closingLines({ ...broken, testResults: files }, ended).lines).toEqual(['1 passed, 1 failed']);
    expect(closingLines(undefined, ended)).toEqual({ lines: ['0 passed, 1 failed'], isOk: false });
    expect(closingLines(summary(result('passed', 'a')), { status: 1, requireAll: false }).isOk).toBe(false);
    expect(closingLines(summary(), ended).isOk).toBe(false);
  });
});
