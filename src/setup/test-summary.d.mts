/** One test in the results of vitest's JSON reporter. */
export interface TestResult {
  readonly status: string;
  readonly title: string;
  readonly fullName: string;
  readonly ancestorTitles: readonly string[];
}
export interface TestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly TestResult[];
  }[];
}
/** What `npm test` prints at its end. */
export function closingLines(
  summary: TestSummary | undefined,
  options: { readonly status: number | null; readonly requireAll: boolean },
): { readonly lines: string[]; readonly isOk: boolean };
