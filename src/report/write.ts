/** Writes a report: report.json and the page beside it. The page needs the runtime that the set-up bundles. */
import { join } from 'node:path';
import { readWasmModule } from '../engine/registry.js';
import { RunError } from '../errors.js';
import { exists, publishDirectory, readText } from '../io/files.js';
import { packageRoot } from '../io/package-root.js';
import { renderReport, type ReportRuntime } from './page.js';
import type { PagePlayground } from './page/playground.js';
import { checkReport } from './parse-report.js';
import { reportJson } from './report-json.js';
import type { Report } from './schema.js';

export interface WrittenReport {
  readonly jsonPath: string;
  readonly pagePath: string;
}

/** Script and styles of the page. @throws RunError when they were not built */
export function loadReportRuntime(): ReportRuntime {
  return loadBundle('report-runtime');
}

/** What a page needs to carry the playground, but for its models. @throws RunError when it was not built */
export function loadPlaygroundRuntime(): Omit<PagePlayground, 'models'> {
  return { runtime: loadBundle('playground'), kernels: readWasmModule() };
}

function loadBundle(bundle: string): ReportRuntime {
  const dist = join(packageRoot(), 'dist');
  const [script, styles] = [`${bundle}.js`, `${bundle}.css`].map((name) => {
    const path = join(dist, name);
    if (!exists(path))
      throw new RunError(`The report cannot be drawn: dist/${name} not found. Run "npm run build".`);
    return readText(path);
  });
  return { script, styles };
}

/**
 * Publishes `report.json` and `index.html` as one directory; an older report there is replaced in one step.
 * @param directory - does not exist yet, or holds an older report
 * @throws UserError when the value is no report, FileError when it cannot be written; nothing is left behind then
 */
export function writeReport(report: Report, directory: string): WrittenReport {
  const text = reportJson(report);
  // what is drawn is what is written: rounded, undefined fields gone
  const written = checkReport(JSON.parse(text), 'report');
  const page = renderReport(written, loadReportRuntime());
  const isReport = exists(join(directory, 'report.json'));
  publishDirectory(
    directory,
    [
      { name: 'report.json', bytes: text },
      { name: 'index.html', bytes: page },
    ],
    { replace: isReport },
  );
  return { jsonPath: join(directory, 'report.json'), pagePath: join(directory, 'index.html') };
}
