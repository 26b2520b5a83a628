/** Bundles script and styles of report pages into dist/. */
export function buildReportRuntime(options: {
  /** the folder of package.json */
  readonly root: string;
  /** default: dist */
  readonly outdir?: string;
  readonly log?: (line: string) => void;
}): Promise<{ readonly script: string; readonly styles: string; readonly sizeBytes: number }>;
