/** Picks what each chart of the ablation probe draws; the specifications are in src/report/charts/ablation-*.ts. */
import { meanInterval } from '../../src/analysis/intervals.js';
import { SITES } from '../../src/listops/templates.js';
import { type DosePoint, type DoseRow, doseChart } from '../../src/report/charts/ablation-dose.js';
import { type EffectCell, effectChart, freeRunningChart } from '../../src/report/charts/ablation-effects.js';
import {
  type PointData,
  controlChart,
  normRatioChart,
  operationShareChart,
  shareChart,
} from '../../src/report/charts/ablation-points.js';
import type { ChartSpec } from '../../src/report/schema.js';
import type { Method } from './components.js';
import type { EffectKey } from './measurement.js';
import { type AblationResult, DOSE_KINDS, KIND_NAMES, type SeedResult } from './result.js';

const LEVEL = 0.95;

export function charts(result: AblationResult): ChartSpec[] {
  const leftOut = leftOutSentences(result);
  const usable = result.seeds.filter((seed) => seed.usable);
  const label = (seed: SeedResult): string => result.conditions[seed.condition].label;
  const points = (pick: (seed: SeedResult) => { category: string; estimate: number | null }[]): PointData =>
    pointData(usable, label, pick, leftOut);
  return [
    doseChart(dosePoints(result, usable), doseNats(result, usable), leftOut),
    shareChart(
      points((seed) =>
        seed.doses.flatMap(({ method, share }) =>
          method === 'random' ? [] : [{ category: method, estimate: share }],
        ),
      ),
    ),
    controlChart(
      points((seed) =>
        DOSE_KINDS.flatMap((kind) =>
          (['resample', 'random'] as const).flatMap((method) => {
            const dose = seed.doses.find((candidate) => candidate.method === method);
            const category = `${KIND_NAMES[kind]}, ${method}`;
            return dose === undefined ? [] : [{ category, estimate: dose.area[kind] }];
          }),
        ),
      ),
    ),
    operationShareChart(
      points((seed) =>
        seed.byOperation.map(({ operation, share }) => ({ category: operation, estimate: share })),
      ),
    ),
    effectChart(
      effectCells(result, (key) =>
        key.site === SITES[0] && key.effect === 'total' && ['resample', 'mean', 'zero'].includes(key.method)
          ? key.method
          : undefined,
      ),
      {
        id: 'ablation-effects',
        title: 'What each part is needed for',
        note: 'Rise of the loss by operation and role of the token to be predicted; all positions, everything downstream recomputed.',
      },
    ),
    effectChart(
      effectCells(result, siteName, (cell) => cell.endsWith(' result')),
      {
        id: 'ablation-sites',
        title: 'Where, and along which path',
        note: 'Resample ablation at the result-predicting position or at operands and brackets only; direct effect: every other sublayer held at its clean write; pattern: attention patterns frozen at their template mean, values kept; operation: donor with the same numbers under another operation.',
      },
    ),
    freeRunningChart(
      result.conditions.flatMap(({ label: condition, freeRunning }) =>
        freeRunning
          .filter(({ method }) => method === 'resample' || method === 'intact')
          .map(({ component, exact, result: wrong, copy, format }) => ({
            condition,
            component: component === 'none' ? 'intact' : component,
            exact,
            result: wrong,
            copy,
            format,
          })),
      ),
    ),
    normRatioChart(
      points((seed) =>
        seed.norms.flatMap(({ place, logRatio, untrainedLogRatio }) => [
          { category: place, estimate: logRatio },
          { category: `${place}, untrained`, estimate: untrainedLogRatio },
        ]),
      ),
    ),
  ];
}

/** One sentence a condition with runs that are not drawn. */
function leftOutSentences({ conditions, seeds }: AblationResult): string[] {
  return conditions.flatMap(({ label, usable, seeds: n }, index) => {
    if (usable === n) return [];
    const reasons = new Set(seeds.filter((s) => s.condition === index).flatMap(({ reason }) => reason ?? []));
    return usable === 0 && reasons.size === 1
      ? [`${label}: ${[...reasons][0]}.`]
      : [`${label}: ${n - usable} of ${n} runs left out.`];
  });
}

function dosePoints(result: AblationResult, usable: readonly SeedResult[]): DosePoint[] {
  const alphas = [...result.lowDoses, ...result.doses];
  const points: DosePoint[] = [];
  result.conditions.forEach(({ label: condition }, index) => {
    const own = usable.filter((seed) => seed.condition === index);
    for (const kind of DOSE_KINDS) {
      const base = { condition, part: KIND_NAMES[kind] };
      const curves = (method: Method): { run: string; lost: (number | undefined)[] }[] =>
        own.flatMap(({ run, doses }) => {
          const dose = doses.find((candidate) => candidate.method === method);
          // the low doses come first; where they were not measured their points are left out
          return dose === undefined
            ? []
            : [{ run, lost: [...result.lowDoses.map((_, i) => dose.low[kind].at(i)), ...dose.lost[kind]] }];
        });
      for (const { run, lost } of curves('resample')) {
        alphas.forEach((alpha, i) => {
          const value = lost[i];
          if (value !== undefined) points.push({ ...base, run, line: 'seed', alpha, lost: value });
        });
      }
      for (const [line, method] of [
        ['mean', 'resample'],
        ['control', 'random'],
      ] as const) {
        const all = curves(method);
        alphas.forEach((alpha, i) => {
          const values = all.flatMap(({ lost }) => lost[i] ?? []);
          if (values.length === 0) return;
          const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
          points.push({ ...base, run: line, line, alpha, lost: short(mean) });
        });
      }
    }
  });
  return points;
}

/** Unclipped rise of the loss at every dose of every drawn run. */
function doseNats(result: AblationResult, usable: readonly SeedResult[]): DoseRow[] {
  return usable.flatMap((seed) => {
    const dose = seed.doses.find(({ method }) => method === 'resample');
    if (dose === undefined) return [];
    return DOSE_KINDS.flatMap((kind) =>
      result.doses.map((alpha, i) => ({
        condition: result.conditions[seed.condition].label,
        part: KIND_NAMES[kind],
        run: seed.run,
        alpha,
        lost: dose.lost[kind][i],
        deltaNats: short(dose.nats[kind][i] - (seed.cleanNats ?? 0)),
      })),
    );
  });
}

function pointData(
  usable: readonly SeedResult[],
  label: (seed: SeedResult) => string,
  pick: (seed: SeedResult) => { category: string; estimate: number | null }[],
  leftOut: readonly string[],
): PointData {
  const seeds = usable.flatMap((seed) =>
    pick(seed).flatMap(({ category, estimate }) =>
      estimate === null ? [] : [{ condition: label(seed), category, run: seed.run, estimate }],
    ),
  );
  const groups = new Map<string, { condition: string; category: string; values: number[] }>();
  for (const { condition, category, estimate } of seeds) {
    const key = JSON.stringify([category, condition]);
    const group = groups.get(key) ?? { condition, category, values: [] };
    group.values.push(estimate);
    groups.set(key, group);
  }
  const means = [...groups.values()].map(({ condition, category, values }) => {
    const { estimate, low, high } = meanInterval(values, LEVEL);
    const bounded = Number.isFinite(low) && Number.isFinite(high);
    return { condition, category, estimate, low: bounded ? low : null, high: bounded ? high : null };
  });
  return { means, seeds, leftOut };
}

/** Name of an effect in the picture of sites and paths; undefined: not drawn there. */
function siteName({ method, site, effect }: EffectKey): string | undefined {
  if (method === 'pattern mean') return 'pattern';
  if (method === 'other operation') return 'operation';
  if (method !== 'resample') return undefined;
  if (effect === 'direct') return 'direct effect';
  return { [SITES[1]]: 'at result', [SITES[2]]: 'at operands' }[site];
}

/** Four digits: more cannot be seen. */
function short(value: number): number {
  return Number(value.toPrecision(4));
}

function effectCells(
  result: AblationResult,
  nameOf: (key: EffectKey) => string | undefined,
  isShown: (cell: string) => boolean = () => true,
): EffectCell[] {
  return result.conditions.flatMap(({ label, effects, cells, deltaNats, deltaAccuracy }) =>
    effects.flatMap((key, row) => {
      const method = nameOf(key);
      if (method === undefined) return [];
      return cells.flatMap((cell, column): EffectCell[] => {
        if (!isShown(cell)) return [];
        const nats = deltaNats[row][column];
        const accuracy = deltaAccuracy[row][column];
        return nats === null || accuracy === null
          ? []
          : [
              {
                condition: label,
                method,
                component: key.component,
                cell,
                deltaNats: short(nats),
                deltaAccuracy: short(accuracy),
              },
            ];
      });
    }),
  );
}
