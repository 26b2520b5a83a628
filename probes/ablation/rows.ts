/**
 * What was counted as rows of the table. A model that is no better than the best constant has nothing to lose, and nothing is
 * read off its dose curves.
 */
import { HALF_OCTAVE_DOSES, type HalfDose, halfDose, halfDoseDifference } from './half-dose.js';
import type { Scope } from '../../src/evidence/scope.js';
import { type NamedRow, Rows } from '../../src/evidence/statistic.js';
import { type Kind, KINDS, type Method } from '../../src/lens/components.js';
import { SITES } from '../../src/listops/prompts/templates.js';
import { logDeterministic } from '../../src/tensor/math.js';
import {
  byKind,
  type ByKind,
  DOSES,
  type DoseSummary,
  halfLossDose,
  LOW_DOSES,
  lostShare,
  summarizeDose,
} from './dose.js';
import type { DoseCurve, OperationDose } from './dose-tables.js';
import type { AblationParts } from './measure.js';
import type { AblationStatistic } from './statistics.js';
import type { EffectKey } from './treatments.js';

/** What C4 is decided with; with less a half dose is another method's, and no claim counts it. */
export const C4_PROMPTS = 256;
export const C4_DOSES_PER_OCTAVE = 2;

/** The two kinds that are set against each other. */
const TWO_KINDS = ['attention', 'feed-forward'] as const;

type Table = Rows<AblationStatistic>;

export function rowsOf(parts: AblationParts): NamedRow<AblationStatistic>[] {
  const rows: Table = new Rows();
  const { primary, dose, sharedBlocks, norms, learned, freeRunning } = parts;
  // the primary operation first
  for (const one of [...dose].sort(
    (a, b) => Number(b.operation === primary) - Number(a.operation === primary),
  ))
    addDose(rows, parts, one);
  addEffects(rows, parts);
  for (const { operation, layer, before, ...own } of norms) {
    if (operation !== primary) continue;
    // with shared blocks a layer is a pass, which no layer is compared with
    const scope = { operation, ...(sharedBlocks ? { part: `pass ${layer}` } : { layer }) };
    rows.add('norm-ratio-change', scope, own.logRatio - before.logRatio);
    rows.add('norm-ratio', scope, own.logRatio, { control: before.logRatio });
    rows.add('raw-norm-ratio', scope, own.rawLogRatio, { control: before.rawLogRatio });
    rows.add('write-cosine', scope, own.variationCosine);
  }
  for (const { operation, accuracy, prompts } of learned)
    rows.add('intact-accuracy', { operation }, accuracy, { examples: prompts });
  // the intact model, and the two kinds under resample
  for (const { component, method, exact, ...wrong } of freeRunning) {
    const isIntact = component === 'none';
    if (!isIntact && !(method === 'resample' && TWO_KINDS.some((kind) => kind === component))) continue;
    const scope = { operation: primary, ...(isIntact ? {} : { part: component, method }) };
    rows.add('chains-right', scope, exact);
    for (const [role, share] of Object.entries(wrong)) rows.add('first-error', { ...scope, role }, share);
  }
  return rows.all;
}

function addDose(rows: Table, { primary, modulus, asked }: AblationParts, dose: OperationDose): void {
  const { operation, examples } = dose;
  const add = (id: AblationStatistic, scope: Scope, value: number | undefined, control?: number): void =>
    rows.add(id, { operation, ...scope }, value, { control, examples });
  for (const method of ['resample', 'mean', 'zero'] as const)
    add('share', { method }, summaryOf(dose, method)?.share);
  const [real, random] = (['resample', 'random'] as const).map((method) => summaryOf(dose, method));
  for (const part of KINDS)
    rows.add('area', { operation, part }, real?.area[part], { control: random?.area[part] });
  if (operation !== primary) return;

  // with fewer prompts or doses than C4's a method is another
  const isWhole = asked.promptsPerTemplate >= C4_PROMPTS && asked.dosesPerOctave === C4_DOSES_PER_OCTAVE;
  const named = (method: Method): string => (isWhole ? method : `${method}, coarse`);
  const [resampled, disturbed] = (['resample', 'random'] as const).map((method) => {
    const halves = TWO_KINDS.map((part) => {
      const half = halfDoseOf(dose, part, method, modulus);
      const scope = { part, method: named(method) };
      add('half-dose-of-part', scope, half?.kind === 'measured' ? half.log2 : undefined);
      return half;
    });
    const [a, f] = halves;
    // where a half dose lies outside the grid the difference is bounded on one side only
    const difference = a === undefined || f === undefined ? undefined : halfDoseDifference(f, a);
    return difference?.kind === 'measured' ? difference.low : undefined;
  });
  add('half-dose-accuracy', { method: named('resample') }, resampled, disturbed);
  add('half-dose-accuracy', { method: named('random') }, disturbed);
  add('clean-loss', {}, dose.cleanNats);
  add('half-dose', {}, halfLossOctaves(dose));
  const [clean, constant] = losses(dose, 'mean');
  const frozen = dose.patternFreezeNats;
  if (Number.isFinite(frozen) && constant > clean) add('freeze', {}, lostShare(frozen, clean, constant));
  add('shapley', {}, real?.shapley);
  for (const part of KINDS) {
    add('full-dose', { part }, real?.lost[part].at(-1), random?.lost[part].at(-1));
    if (part === 'both') continue;
    add('first-dose', { part }, real?.lost[part][0]);
    if (real !== undefined && random !== undefined)
      add('specific', { part }, real.area[part] - random.area[part]);
  }
  addCurves(dose, add);
}

/** Accuracy and loss at the doses under resample, the random disturbance of the same dose beside them. */
function addCurves(
  dose: OperationDose,
  add: (id: AblationStatistic, scope: Scope, value: number | undefined, control?: number) => void,
): void {
  const [real, random] = (['resample', 'random'] as const).map((method) => curvesOf(dose, method));
  if (real === undefined || !hasKnowledge(dose)) return;
  for (const part of KINDS) {
    const along = (id: AblationStatistic, of: 'nats' | 'accuracy', doses: readonly number[]): void => {
      for (const alpha of doses) {
        const control = random === undefined ? undefined : at(random[part], of, [alpha])?.[0];
        add(id, { part, method: 'resample', dose: alpha }, at(real[part], of, [alpha])?.[0], control);
      }
    };
    if (part !== 'both') along('dose-accuracy', 'accuracy', HALF_OCTAVE_DOSES);
    along('dose-loss', 'nats', DOSES);
  }
}

/** Rises of the loss by every operation and role, and on results of the primary operation by every way of replacing. */
function addEffects(rows: Table, { effects, cells, deltaNats, clean, primary }: AblationParts): void {
  // the only head of its layer is that layer's attention
  const isOneHead = !effects.some(({ component }) => /^head .*\.[1-9]\d*$/.test(component));
  const rises: number[] = [];
  effects.forEach((key, i) => {
    const { component: part, method } = key;
    const isTotal = key.site === SITES[0] && key.effect === 'total';
    cells.forEach((cell, j) => {
      const [operation, role] = cell.split(' ');
      const rise = deltaNats[i * cells.length + j];
      const isResult = operation === primary && role === 'result';
      if (isResult && isTotal && method === 'other operation' && TWO_KINDS.some((kind) => kind === part))
        rises.push(rise);
      if (isOneHead && part.startsWith('head ')) return;
      if (isResult) rows.add('way', { operation, role, part, ...wayScope(key) }, rise);
      if (isTotal && method === 'resample')
        rows.add('effect', { operation, role, part, method }, rise, { examples: clean.count[j] });
    });
  });
  if (!rises.every(Number.isFinite)) return;
  rises.forEach((rise, k) =>
    rows.add('operation-information', { operation: primary, part: TWO_KINDS[k] }, rise),
  );
}

/** Where, how and along which path a part is replaced. */
function wayScope({ method, site, effect }: EffectKey): Scope {
  if (effect === 'direct') return { method: 'direct' };
  if (site === SITES[0]) return { method: method === 'pattern mean' ? 'frozen pattern' : method };
  return { method, position: site === SITES[1] ? 'results' : 'operands' };
}

function curvesOf({ curves }: OperationDose, method: Method): ByKind<DoseCurve> | undefined {
  const found = byKind((kind) => curves.find((curve) => curve.kind === kind && curve.method === method));
  return KINDS.every((kind) => found[kind] !== undefined) ? (found as ByKind<DoseCurve>) : undefined;
}

function hasKnowledge({ cleanNats, constantNats }: OperationDose): boolean {
  return constantNats > cleanNats;
}

/** Intact and constant loss of the templates that a method has: one too small for a mean is left out of the mean's. */
function losses(dose: OperationDose, method: Method): readonly [clean: number, constant: number] {
  return method === 'mean'
    ? [dose.cleanNatsMean, dose.constantNatsMean]
    : [dose.cleanNats, dose.constantNats];
}

/** Values at some doses; undefined where one was not measured. */
function at(curve: DoseCurve, of: 'nats' | 'accuracy', doses: readonly number[]): number[] | undefined {
  const found = doses.flatMap((dose) => {
    const i = curve.doses.indexOf(dose);
    return i < 0 ? [] : [curve[of][i]];
  });
  return found.length === doses.length ? found : undefined;
}

/** @returns undefined when a curve is missing or the model has nothing to lose */
function summaryOf(dose: OperationDose, method: Method): DoseSummary | undefined {
  const curves = curvesOf(dose, method);
  if (curves === undefined) return undefined;
  const nats = byKind((kind) => at(curves[kind], 'nats', DOSES) ?? []);
  return summarizeDose(nats, ...losses(dose, method));
}

/** log2 of the dose at which half of the loss is reached, feed-forward over attention; undefined where one never is. */
function halfLossOctaves(dose: OperationDose): number | undefined {
  const [curves, summary] = [curvesOf(dose, 'resample'), summaryOf(dose, 'resample')];
  if (curves === undefined || summary === undefined) return undefined;
  const [attention, feedForward] = TWO_KINDS.map((kind) => {
    const low = at(curves[kind], 'nats', LOW_DOSES);
    const lost = low?.map((loss) => lostShare(loss, ...losses(dose, 'resample')));
    return lost === undefined ? undefined : halfLossDose(lost, summary.lost[kind]);
  });
  return attention === undefined || feedForward === undefined
    ? undefined
    : logDeterministic(feedForward / attention) / Math.LN2;
}

/** Half dose by accuracy of one kind, at the half octaves (or octaves) that were measured. */
function halfDoseOf(dose: OperationDose, kind: Kind, method: Method, modulus: number): HalfDose | undefined {
  const curve = curvesOf(dose, method)?.[kind];
  if (curve === undefined || !hasKnowledge(dose)) return undefined;
  const grid = HALF_OCTAVE_DOSES.filter((alpha) => curve.doses.includes(alpha));
  return halfDose(grid, at(curve, 'accuracy', grid) ?? [], dose.cleanAccuracy, modulus);
}
