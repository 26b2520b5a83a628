/**
 * What is read off the dose curves of a measurement: values at doses, shares lost, half doses by loss and by accuracy. A model
 * that is no better than the best constant has nothing to lose, and nothing is read off its curves.
 */
import {
  HALF_OCTAVE_DOSES,
  type HalfDose,
  halfDose,
  halfDoseDifference,
} from '../../src/analysis/half-dose.js';
import { SITES } from '../../src/listops/templates.js';
import { numberOf } from '../../src/report/report-json.js';
import { logDeterministic } from '../../src/tensor/math.js';
import { type Kind, KINDS, type Method } from '../../src/lens/components.js';
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
import type { AblationMeasurement } from './measure.js';
import type { EffectMethod } from './measurement.js';

/** What C4 is decided with; with less a half dose is another method's, and no claim counts it. */
export const C4_PROMPTS = 256;
export const C4_DOSES_PER_OCTAVE = 2;

/** The two kinds that are set against each other. */
export const TWO_KINDS = ['attention', 'feed-forward'] as const;

export function primaryDose({ dose, primary }: AblationMeasurement): OperationDose | undefined {
  return dose.find(({ operation }) => operation === primary);
}

/** The primary operation first. */
export function dosesOf(measurement: AblationMeasurement): OperationDose[] {
  const { dose, primary } = measurement;
  return [...dose].sort((a, b) => Number(b.operation === primary) - Number(a.operation === primary));
}

export function curvesOf({ curves }: OperationDose, method: Method): ByKind<DoseCurve> | undefined {
  const found = byKind((kind) => curves.find((curve) => curve.kind === kind && curve.method === method));
  return KINDS.every((kind) => found[kind] !== undefined) ? (found as ByKind<DoseCurve>) : undefined;
}

export function hasKnowledge({ cleanNats, constantNats }: OperationDose): boolean {
  return constantNats > cleanNats;
}

/** Intact and constant loss of the templates that a method has: one too small for a mean is left out of the mean's. */
export function losses(dose: OperationDose, method: Method): readonly [clean: number, constant: number] {
  return method === 'mean'
    ? [numberOf(dose.cleanNatsMean), numberOf(dose.constantNatsMean)]
    : [dose.cleanNats, dose.constantNats];
}

/** Values at some doses; undefined where one was not measured. */
export function at(
  curve: DoseCurve,
  of: 'nats' | 'accuracy',
  doses: readonly number[],
): number[] | undefined {
  const found = doses.flatMap((dose) => {
    const i = curve.doses.indexOf(dose);
    return i < 0 ? [] : [curve[of][i]];
  });
  return found.length === doses.length ? found : undefined;
}

/** @returns undefined when a curve is missing or the model has nothing to lose */
export function summaryOf(dose: OperationDose | undefined, method: Method): DoseSummary | undefined {
  const curves = dose === undefined ? undefined : curvesOf(dose, method);
  if (dose === undefined || curves === undefined) return undefined;
  const nats = byKind((kind) => at(curves[kind], 'nats', DOSES) ?? []);
  return summarizeDose(nats, ...losses(dose, method));
}

/** log2 of the dose at which half of the loss is reached, feed-forward over attention; undefined where one never is. */
export function halfLossOctaves(dose: OperationDose, method: Method): number | undefined {
  const [curves, summary] = [curvesOf(dose, method), summaryOf(dose, method)];
  if (curves === undefined || summary === undefined) return undefined;
  const [attention, feedForward] = TWO_KINDS.map((kind) => {
    const low = at(curves[kind], 'nats', LOW_DOSES)?.map((loss) => lostShare(loss, ...losses(dose, method)));
    return low === undefined ? undefined : halfLossDose(low, summary.lost[kind]);
  });
  return attention === undefined || feedForward === undefined
    ? undefined
    : logDeterministic(feedForward / attention) / Math.LN2;
}

/** Half dose by accuracy of one kind, at the half octaves (or octaves) that were measured. */
export function halfDoseOf(
  { modulus }: AblationMeasurement,
  dose: OperationDose,
  kind: Kind,
  method: Method,
): HalfDose | undefined {
  const curve = curvesOf(dose, method)?.[kind];
  if (curve === undefined || !hasKnowledge(dose)) return undefined;
  const grid = HALF_OCTAVE_DOSES.filter((alpha) => curve.doses.includes(alpha));
  return halfDose(grid, at(curve, 'accuracy', grid) ?? [], dose.cleanAccuracy, modulus);
}

/** The name of a method as asked for: with fewer prompts or doses than C4's it is another. */
export function methodName({ asked }: AblationMeasurement, method: Method): string {
  const whole = asked.promptsPerTemplate >= C4_PROMPTS && asked.dosesPerOctave === C4_DOSES_PER_OCTAVE;
  return whole ? method : `${method}, coarse`;
}

/** h; undefined where a half dose lies outside the grid, so that h is bounded on one side only. */
export function halfDoseOctaves(
  measurement: AblationMeasurement,
  dose: OperationDose,
  method: Method,
): number | undefined {
  const [a, f] = TWO_KINDS.map((kind) => halfDoseOf(measurement, dose, kind, method));
  if (a === undefined || f === undefined) return undefined;
  const { kind, low } = halfDoseDifference(f, a);
  return kind === 'measured' ? low : undefined;
}

/** Rise of the loss on results of the primary operation; NaN: not measured. */
export function riseOf(m: AblationMeasurement, component: string, method: EffectMethod): number {
  const row = m.effects.findIndex(
    (key) =>
      key.component === component && key.method === method && key.site === SITES[0] && key.effect === 'total',
  );
  const column = m.cells.indexOf(`${m.primary} result`);
  return row < 0 || column < 0 ? NaN : numberOf(m.deltaNats.data[row * m.cells.length + column]);
}
