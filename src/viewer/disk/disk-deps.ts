/** The viewer's view of the disk: its dependencies over a checkpoints folder, a reports folder and the built front end. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { REFERENCE } from '../../checkpoint/list.js';
import { LOCK_FILE, METRICS_FILE } from '../../checkpoint/run-files.js';
import { RunError } from '../../errors.js';
import { toCsv } from '../../evidence/table.js';
import { LEARNED_ACCURACY } from '../../evidence/claims-file.js';
import { usableCores } from '../../jobs/cores.js';
import { parseReport } from '../../report/parse-report.js';
import { LOCK_FILE as SWEEP_LOCK } from '../../workflows/sweep/results/shards.js';
import { checkpointDocument } from './checkpoint-document.js';
import { CompareIndex } from '../compare/index.js';
import { ComparisonPages } from '../compare/save.js';
import { ADDRESS_NAME } from '../contract.js';
import type { Asset, ViewerDeps } from '../deps.js';
import { isRealFolder, pathOf } from './folders.js';
import { JobStore } from '../jobs/store.js';
import { writeNotes } from './notes.js';
import { ReportIndex } from './report-index.js';
import { checkpointsOf, configText } from './run-detail.js';
import { runCache } from './run-cache.js';
import { RunIndex } from './run-index.js';
import { SweepIndex } from './sweep-index.js';
import { readTail } from './tail.js';
import { moveToTrash } from './trash.js';

export interface DiskDepsOptions extends Pick<
  ViewerDeps,
  'assets' | 'hosts' | 'bases' | 'token' | 'isTokenDemanded' | 'cookieName' | 'log'
> {
  readonly checkpointsDir: string;
  readonly reportsDir: string;
  /** jobs at a time; default: the cores of this machine */
  readonly cores?: number;
}

export function diskDeps(options: DiskDepsOptions): ViewerDeps {
  const { checkpointsDir, reportsDir, cores = usableCores(), ...given } = options;
  const cache = runCache(join(reportsDir, '.cache', 'viewer-runs.json'));
  const runs = new RunIndex([checkpointsDir, join(checkpointsDir, REFERENCE)], cache);
  const reports = new ReportIndex(reportsDir);
  const sweeps = new SweepIndex(reportsDir);
  const folders = { checkpointsDir, reportsDir };
  const comparisons = new CompareIndex(runs, folders);
  const pages = new ComparisonPages(comparisons, folders, options.assets);
  return {
    ...given,
    listRuns: () => runs.runs(),
    conditions: () => runs.conditions(),
    readRun: async ({ id }) => {
      const folder = runs.folder(id);
      const config = runs.config(id);
      if (folder === undefined || config === undefined) return undefined;
      const checkpoints = await checkpointsOf(folder);
      return { config: configText(config), checkpoints, learnedAccuracy: LEARNED_ACCURACY };
    },
    readCheckpoint: async (run, step) => {
      const folder = runs.folder(run.id);
      return folder === undefined ? undefined : checkpointDocument(folder, run, step);
    },
    readMetricsTail: async ({ id }, offset) => {
      const folder = runs.folder(id);
      return folder === undefined
        ? { kind: 'absent' }
        : readTail(folder.root, [...folder.parts, METRICS_FILE], offset);
    },
    listReports: () => reports.reports(),
    readReport: ({ name }, file) => reports.read(name, file),
    readObservations: async ({ name, address }) => {
      const bytes = await reports.read(name, 'report.json');
      return bytes === undefined ? undefined : toCsv(parseReport(bytes, `${address}/report.json`));
    },
    writeNotes: async ({ id }, notes) => {
      const folder = runs.folder(id);
      if (folder === undefined || !isRealFolder(pathOf(folder))) return undefined;
      const kept = writeNotes(pathOf(folder), notes);
      await runs.lookAgain();
      return kept;
    },
    trash: async (what, name) => {
      const { list, lock } =
        what === 'run' ? { list: runs, lock: LOCK_FILE } : { list: reports, lock: SWEEP_LOCK };
      const folder = list.folder(name);
      if (folder === undefined) return undefined;
      const place = moveToTrash(folder, name, lock);
      await list.lookAgain();
      return place;
    },
    jobs: new JobStore({ checkpointsDir, reportsDir, cores, log: options.log }),
    compare: {
      compare: (of, series) => comparisons.compare(of, series),
      planes: (of) => comparisons.planesOf(of),
      jobOf: (request) => comparisons.jobOf(request),
      page: (of, series) => pages.page(of, series),
      save: async (request) => {
        const saved = await pages.save(request);
        await reports.lookAgain();
        return saved;
      },
    },
    listSweeps: () => sweeps.sweeps(),
    readSweep: (name) => sweeps.read(name),
  };
}

/** Without these there is no page. */
const NEEDED = ['index.html', 'app.js', 'styles.css', 'icon.svg', 'comparison.js', 'comparison.css'];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Reads the built front end once. @throws RunError when it is not built */
export async function loadAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const name of await readdir(folder).catch(() => [])) {
    const type = TYPES[extname(name)];
    if (type !== undefined && ADDRESS_NAME.test(name)) {
      assets.set(name, { type, body: await readFile(join(folder, name)) });
    }
  }
  const missing = NEEDED.find((name) => !assets.has(name));
  if (missing !== undefined) {
    throw new RunError(`The viewer's page ${missing} was not found. Run "npm run build".`);
  }
  return assets;
}
