/**
 * Every finding of a report of schema 1 beside the same number of a report of schema 2, of the same checkpoints:
 *
 *   node test/evidence/before/compare-reports.mjs <old report.json> <new report.json>
 *
 * Estimates, intervals and p are equal to six digits where the old program rounded to six (module ablation), to nine
 * elsewhere; or the change is one of those named below, with its reason. Anything else ends with exit code 1.
 */
import { readFileSync } from 'node:fs';

const [oldFile, newFile] = process.argv.slice(2);
if (newFile === undefined) {
  console.error('compare-reports: name the old report.json and the new one.');
  process.exit(2);
}
const [before, after] = [oldFile, newFile].map((file) => JSON.parse(readFileSync(file, 'utf8')));

const conditionOf = new Map(before.subjects.map(({ label, condition }) => [label, condition]));
const sub = (operation, rest = {}) => ({ operation, ...rest });
const SUM2 = sub('SUM', { arity: 2, level: 'pair-closed' });
const SUM3 = sub('SUM', { arity: 3, level: 'pair-closed' });
const arity = (digit) => (digit === '2' ? SUM2 : SUM3);

/** [module, pattern of the old id, statistic and scope of the new finding]; the condition follows the pattern. */
const MEANS = [
  ['embedding-pca', /^order-(.*)$/, () => ['order', {}]],
  ['embedding-pca', /^circular-(?!difference)(.*)$/, () => ['ring', {}]],
  ['embedding-pca', /^closure-(?!difference|control)(.*)$/, () => ['closure', {}]],
  ['embedding-pca', /^fourier-peak-(.*)$/, () => ['fourier-peak', {}]],
  [
    'parity-probe',
    /^(half|residue3|prime|value|parity-trained|affine-rank)-(?!difference)(.*)$/,
    (name) => [name, {}],
  ],
  ['parity-probe', /^parity-(?!trained)(.*)$/, () => ['parity', {}]],
  ['parity-probe', /^strict-parity-(.*)$/, () => ['strict-parity', {}]],
  ['parity-probe', /^causal-(.*)$/, () => ['causal', {}]],
  ['ablation', /^share\/(.*)$/, () => ['share', sub('SUM', { method: 'resample' })]],
  ['ablation', /^first-dose-(attention|feed-forward)\/(.*)$/, (part) => ['first-dose', sub('SUM', { part })]],
  ['ablation', /^specific-(attention|feed-forward)\/(.*)$/, (part) => ['specific', sub('SUM', { part })]],
  ['ablation', /^half-dose\/(.*)$/, () => ['half-dose', sub('SUM')]],
  ['ablation', /^freeze\/(.*)$/, () => ['freeze', sub('SUM')]],
  [
    'ablation',
    /^norm-ratio-(\d)\/(.*)$/,
    (layer) => ['norm-ratio-change', sub('SUM', { layer: Number(layer) })],
  ],
  [
    'ablation',
    /^operation-information-(attention|feed-forward)\/(.*)$/,
    (part) => ['operation-information', sub('SUM', { part })],
  ],
  ['memorization', /^trained\/(.*)$/, () => ['trained', sub('SUM')]],
  ['memorization', /^index-(\d)\/(.*)$/, (n) => ['index', arity(n)]],
  ['memorization', /^gap-(\d)\/(.*)$/, (n) => ['gap', arity(n)]],
  ['memorization', /^order-(\d)\/(.*)$/, (n) => ['order', arity(n)]],
  ['memorization', /^near-(\d)\/(.*)$/, (n) => ['near', arity(n)]],
  [
    'memorization',
    /^coset-(\d)-(\d+)\/(.*)$/,
    (n, divisor) => ['coset', { ...arity(n), divisor: Number(divisor) }],
  ],
  ['memorization', /^repeated\/(.*)$/, () => ['repeated', sub('SUM', { level: 'trained' })]],
];

/** Differences: [module, pattern, statistic and scope, sign of new over old]. */
const DIFFERENCES = [
  ['embedding-pca', /^circular-difference-\d+$/, ['ring', {}], 1],
  ['embedding-pca', /^closure-difference-\d+$/, ['closure', {}], 1],
  ['parity-probe', /^half-difference-\d+$/, ['half', {}], 1],
  ['ablation', /^share-difference-mean\//, ['share', sub('SUM', { method: 'mean' })], -1],
  ['ablation', /^share-difference-zero\//, ['share', sub('SUM', { method: 'zero' })], -1],
  ['ablation', /^half-dose-difference\//, ['half-dose', sub('SUM')], -1],
  ['memorization', /^difference-2\//, ['index', SUM2], 1],
  ['memorization', /^difference-3\//, ['index', SUM3], 1],
  ['memorization', /^difference-matched\//, ['index-matched', SUM2], 1],
];

/** What changed on purpose: [module, pattern of the old id, reason]. */
const NAMED = [
  [
    /./,
    /^c[1-6][a-c]?(-threshold)?(-\d+)?$/,
    'claims are decided by the statistics of claims.json, schema 2',
  ],
  ['embedding-pca', /^not-learned-/, 'accuracies are rows of the module learning'],
  ['ablation', /^learned\//, 'accuracies are rows of the module learning'],
  ['embedding-pca', /^(agreement|same-geometry)-/, 'compared below by name'],
  ['memorization', /^control-not-run$/, 'a finding for each condition'],
  ['parity-probe', /^(cross-check|convergence)$/, 'compared below by name'],
  [
    'parity-probe',
    /^readable-/,
    'its interval counts sets of numbers: the finding readable-from, compared below by name',
  ],
  ['learning', /^sum-beside-/, 'compared below by name'],
];

/** The same finding under another id: [module, old id -> new id]. */
const SAME = [
  [
    'embedding-pca',
    /^agreement-(.*?)(-not-learned)?$/,
    (c, not) => `agreement/${c}${not === undefined ? '' : '/not-learned'}`,
  ],
  ['parity-probe', /^(cross-check|convergence)$/, (name) => name],
  ['learning', /^(sum-beside-.*)$/, (name) => name],
];

const tally = { equal: 0, named: new Map(), unlike: [] };
const note = (reason) => tally.named.set(reason, (tally.named.get(reason) ?? 0) + 1);

/** @param scale - size of the numbers of the finding: what was rounded before it was averaged */
function sameNumber(a, b, digits, scale) {
  if (a === undefined || b === undefined) return a === b;
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return Math.abs(a - b) <= 10 ** (1 - digits) * Math.max(Math.abs(a), Math.abs(b), scale);
}

function same(old, found, sign, digits) {
  const pick = ({ estimate, interval, p }, s) => ({
    estimate: estimate === undefined ? undefined : s * estimate,
    low: interval === undefined ? undefined : s > 0 ? interval.low : -interval.high,
    high: interval === undefined ? undefined : s > 0 ? interval.high : -interval.low,
    p,
  });
  const [x, y] = [pick(old, 1), pick(found, sign)];
  const scale = Math.max(1e-3, ...[x.estimate, x.low, x.high].filter(Number.isFinite).map(Math.abs));
  return ['estimate', 'low', 'high', 'p'].filter((key) => !sameNumber(x[key], y[key], digits, scale));
}

/** Reasons for which numbers of the same name differ. */
function reasonOf(module, old, found, unlike) {
  if (old.n.seeds !== found.n.seeds)
    return 'other runs count: those that have learned, by the one rule of every module';
  const isPoint = old.interval !== undefined && old.interval.low === old.interval.high;
  if (isPoint && found.interval === undefined) return 'an interval of equal values is none';
  if (unlike.join() === 'p' && old.p === undefined) return 'a statistic has one test, wherever it stands';
  if (unlike.join() === 'p' && found.p === undefined) return 'no t test without spread';
  return undefined;
}

function judge(module, old, found, sign) {
  const digits = module === 'ablation' ? 5.5 : 8.5;
  const unlike = same(old, found, sign, digits);
  if (unlike.length === 0) {
    tally.equal++;
    return;
  }
  const reason = reasonOf(module, old, found, unlike);
  if (reason === undefined)
    tally.unlike.push(
      `${module} ${old.id}: ${unlike.join(', ')}: ${JSON.stringify(old)} / ${JSON.stringify(found)}`,
    );
  else note(reason);
}

const scopeHas = (scope, wanted) => Object.entries(wanted).every(([key, value]) => scope[key] === value);

for (const [module, { findings }] of Object.entries(before.modules)) {
  const now = after.modules[module]?.findings ?? [];
  for (const old of findings) {
    const renamed = SAME.find(([name, pattern]) => name === module && pattern.test(old.id));
    if (renamed !== undefined) {
      const id = renamed[2](...renamed[1].exec(old.id).slice(1));
      const found = now.find((one) => one.id === id);
      if (found === undefined) tally.unlike.push(`${module} ${old.id}: gone`);
      else judge(module, old, found, 1);
      continue;
    }
    const named = NAMED.find(
      ([name, pattern]) => (name instanceof RegExp || name === module) && pattern.test(old.id),
    );
    if (named !== undefined || old.id.startsWith('compared-')) {
      note(named?.[2] ?? 'differences of all runs have ids of their own: means and Welch intervals as above');
      continue;
    }
    const difference = DIFFERENCES.find(([name, pattern]) => name === module && pattern.test(old.id));
    if (difference !== undefined) {
      const [, , [statistic, scope], sign] = difference;
      const candidates = now.filter(
        ({ about }) =>
          about?.kind === 'difference' &&
          about.statistic === `${module}/${statistic}` &&
          scopeHas(about.scope, scope) &&
          after.subjects.some(
            ({ condition, design }) =>
              condition === about.b && design.tasks.join() === 'SUM' && design.regime === 'pairs',
          ),
      );
      const found =
        candidates.find((one) => same(old, one, sign, module === 'ablation' ? 5.5 : 8.5).length === 0) ??
        candidates.at(-1);
      if (found === undefined) tally.unlike.push(`${module} ${old.id}: gone`);
      else judge(module, old, found, sign);
      continue;
    }
    const mean = MEANS.find(([name, pattern]) => name === module && pattern.test(old.id));
    if (mean === undefined) {
      tally.unlike.push(`${module} ${old.id}: no rule`);
      continue;
    }
    const groups = mean[1].exec(old.id).slice(1);
    const place = groups.pop();
    const unlearned = place.endsWith('-not-learned');
    const condition = conditionOf.get(place) ?? place.replace(/-not-learned$/, '');
    const [statistic, scope] = mean[2](...groups);
    const found = now.find(
      ({ about }) =>
        about?.kind === 'mean' &&
        about.statistic === `${module}/${statistic}` &&
        about.a === condition &&
        (about.runs === 'unlearned') === unlearned &&
        scopeHas(about.scope, scope),
    );
    if (found !== undefined) judge(module, old, found, 1);
    else if (old.id.startsWith('trained/'))
      note('accuracies of runs that have not learned are rows of the module learning');
    else tally.unlike.push(`${module} ${old.id}: gone`);
  }
}

console.log(`${tally.equal} findings equal`);
for (const [reason, count] of tally.named) console.log(`${count} changed: ${reason}`);
for (const line of tally.unlike) console.log(`UNLIKE ${line.slice(0, 400)}`);
console.log(`${tally.unlike.length} unlike without a reason`);
process.exitCode = tally.unlike.length === 0 ? 0 : 1;
