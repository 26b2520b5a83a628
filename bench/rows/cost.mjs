/**
 * What commands cost, in processor time of a fixed program, and how the cost of probing grows. Needs "npm run build". The
 * goals of commands are a quarter above what was measured when they were set; those of growth are exponents.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { costOf, inYardsticks, sumlens } from '../lib/command.mjs';
import { firstList, folderOfRuns } from '../lib/listed.mjs';
import { ROOT } from '../lib/project.mjs';
import { pinSelf } from '../lib/pin.mjs';
import { summary } from '../lib/statistics.mjs';

const COMMAND_ROUNDS = 3;
const MODULES = ['parity-probe', 'embedding-pca', 'ablation', 'memorization'];

/** The rows start processes that may use every processor. */
async function unpinned(work) {
  pinSelf(false);
  try {
    return await work();
  } finally {
    pinSelf(true);
  }
}

const reference = () => {
  const folder = join(ROOT, 'checkpoints/reference');
  const names = readdirSync(folder).filter((name) => name.includes('-d16-'));
  return names.map((name) => join(folder, name));
};

let folders = 0;
/** A new folder of reports: nothing is cached in it. */
const fresh = (context) => join(context.folder, `reports-${folders++}`);
const quiet = ['--quiet', '--threads', '1'];

/** Trains a run of a few steps. @returns its path */
async function tinyRun(context, options) {
  const name = Object.entries(options).map(([key, value]) => `${key}-${value}`);
  const out = join(context.folder, `run-${name.join('-')}`);
  const flags = Object.entries({ tasks: 'SUM', steps: 20, 'evaluate-every': 20, ...options });
  await sumlens(
    'train',
    ...flags.flatMap(([key, value]) => [`--${key}`, String(value)]),
    '--out',
    out,
    '--quiet',
  );
  return out;
}

const probe = (context, module, paths, ...more) =>
  sumlens('probe', module, ...paths, '--reports', fresh(context), '--name', 'bench', ...quiet, ...more);

async function again(context) {
  const reports = fresh(context);
  const args = ['probe', 'all', ...reference(), '--reports', reports, '--name', 'bench', ...quiet];
  await sumlens(...args);
  return inYardsticks(() => sumlens(...args), COMMAND_ROUNDS);
}

async function compareTwo(context) {
  const runs = [await tinyRun(context, { seed: 1 }), await tinyRun(context, { seed: 2 })];
  return inYardsticks(
    () => sumlens('compare', ...runs, '--reports', fresh(context), '--name', 'bench', '--quiet'),
    COMMAND_ROUNDS,
  );
}

/** Wall milliseconds over those of node doing nothing. */
async function startUp(flag) {
  const over = [];
  const wall = [];
  for (let round = 0; round < 9; round++) {
    const nothing = await costOf(['-e', '0']);
    const cost = await sumlens(flag);
    over.push(cost.wall / nothing.wall);
    wall.push(cost.wall * 1000);
  }
  return { wall: summary(over), note: `${summary(wall).median.toFixed(0)} ms of wall time` };
}

/**
 * Exponent of growth, by processor time between the ends of a range, the cost of the smallest taken off what is the same
 * for all: what a command costs with no work at all is not growth.
 * @param sizes - ascending @param run - processor seconds at a size
 */
async function growth(sizes, run) {
  const idle = (await sumlens('--help')).cpu;
  const costs = [];
  for (const size of sizes) costs.push(Math.max(0.05, (await run(size)) - idle));
  const exponent = Math.log(costs.at(-1) / costs[0]) / Math.log(sizes.at(-1) / sizes[0]);
  const note = sizes.map((size, i) => `${size}: ${costs[i].toFixed(2)} s`).join(', ');
  return { wall: summary([exponent]), note: `processor time at ${note}`, details: { sizes, costs } };
}

const byModulus = (context, module) =>
  growth([10, 20, 32, 64], async (modulus) => {
    const run = await tinyRun(context, { modulus });
    return (await probe(context, module, [run])).cpu;
  });

const byWidth = (context, module) =>
  growth([16, 64, 256], async (width) => {
    const run = await tinyRun(context, { 'd-model': width });
    return (await probe(context, module, [run])).cpu;
  });

const byCheckpoints = (context) =>
  growth([1, 10, 100], async (count) => {
    const runs = [];
    for (let seed = 1; seed <= count; seed++) runs.push(await tinyRun(context, { steps: 1, seed }));
    return (await probe(context, 'all', runs, '--series')).cpu;
  });

/**
 * Exponent of the viewer's first list from 1,000 runs on: below, the list costs less than the clock of processes can tell.
 */
async function listed(context) {
  const sizes = [1, 10, 100, 1000, 10_000];
  const costs = [];
  for (const count of sizes) {
    const root = await folderOfRuns(context.folder, count);
    costs.push(await firstList(root, count));
    rmSync(root, { recursive: true });
  }
  const exponent = Math.log10(costs.at(-1) / Math.max(0.05, costs.at(-2)));
  const note = sizes.map((size, i) => `${size}: ${costs[i].toFixed(2)} s`).join(', ');
  return { wall: summary([exponent]), note: `processor time at ${note}`, details: { sizes, costs } };
}

/** The null of the parity probe at modulus 20 over that at 10. */
async function parityNull(context) {
  const runs = [await tinyRun(context, { modulus: 10 }), await tinyRun(context, { modulus: 20 })];
  const ratios = [];
  for (let round = 0; round < COMMAND_ROUNDS; round++) {
    const [ten, twenty] = [
      await probe(context, 'parity-probe', [runs[0]]),
      await probe(context, 'parity-probe', [runs[1]]),
    ];
    ratios.push(twenty.cpu / ten.cpu);
  }
  return { wall: summary(ratios), note: 'the whole module, with its null' };
}

const cost = (id, measure, goal, run) => ({
  id,
  group: 'cost',
  long: true,
  measure,
  goal,
  run: (context) => unpinned(() => run(context)),
});
const grows = (id, measure, goal, run) => ({ ...cost(id, measure, goal, run), group: 'growth' });

export const rows = [
  cost(
    'probe all',
    'every module on the six reference runs, nothing cached, one child: processor time in yardsticks',
    { atMost: 17 },
    (context) => inYardsticks(() => probe(context, 'all', reference()), COMMAND_ROUNDS),
  ),
  cost('probe all again', 'the same with everything cached', undefined, again),
  cost('compare two', 'comparing two runs of 20 steps: processor time in yardsticks', undefined, compareTwo),
  cost('version', 'wall time of --version over that of node doing nothing', { atMost: 3.3 }, () =>
    startUp('--version'),
  ),
  cost('help', 'wall time of --help over that of node doing nothing', { atMost: 6.6 }, () =>
    startUp('--help'),
  ),
  ...MODULES.map((module) =>
    grows(
      `${module} modulus`,
      'exponent of the cost of one checkpoint, modulus 10 to 64',
      { atMost: module === 'parity-probe' || module === 'embedding-pca' ? 2 : 1 },
      (context) => byModulus(context, module),
    ),
  ),
  grows('parity null', 'parity probe at modulus 20 over modulus 10', { atMost: 4 }, parityNull),
  ...MODULES.map((module) =>
    grows(
      `${module} width`,
      'exponent of the cost of one checkpoint, width 16 to 256',
      { atMost: 1 },
      (context) => byWidth(context, module),
    ),
  ),
  grows(
    'checkpoints',
    'exponent of the cost of all modules, 1 to 100 checkpoints',
    { atMost: 1.1 },
    byCheckpoints,
  ),
  grows(
    'runs listed',
    'exponent of the first list of the viewer, 1,000 to 10,000 runs',
    { atMost: 1.1 },
    listed,
  ),
];
