/** A comparison as the page gets it, out of the evidence. Pure: every number is one of src/evidence. */
import { differingFields, fieldText, SEED_PATHS } from '../../config/names.js';
import type { RunConfig } from '../../config/run-config.js';
import { areComparable, type Condition, hasLearned } from '../../evidence/conditions.js';
import { mainPair, mapsOfDifferences, type DifferenceMap } from '../../evidence/difference-maps.js';
import type { Evidence } from '../../evidence/evidence.js';
import { groupBy } from '../../evidence/group-by.js';
import { type Scope, type ScopeKey, scopeText } from '../../evidence/scope.js';
import { type Difference, type Summary } from '../../evidence/summaries.js';
import { placesOf } from '../../palette.js';
import { ranked } from '../../report/marks/forest.js';
import type { CheckpointRef } from '../../workflows/probing/probe-plan.js';
import type {
  ComparedCheckpoint,
  ComparedCondition,
  DifferenceRow,
  LayerMap,
  PairMaps,
  RunPoint,
  SettingRow,
  StatisticRow,
} from '../contract/compare.js';

/** What probes read of the result after the last layer. */
const READOUT = 'parity-probe/readable';
/** Pairs of conditions of which maps are made. */
const MOST_PAIRS = 6;

/** label -> place */
export type Places = ReadonlyMap<string, number>;

export function placesIn({ conditions }: Evidence): Places {
  return placesOf(conditions.map(({ label }) => label));
}

const placeOf = (places: Places, label: string): number => places.get(label) ?? 0;

export function conditionRows({ conditions }: Evidence, places: Places): ComparedCondition[] {
  return conditions.map(({ label, runs }) => {
    const known = runs.map((run) => hasLearned(run)).filter((learned) => learned !== null);
    return {
      label,
      place: placeOf(places, label),
      runs: runs.length,
      learned: known.length === 0 ? null : known.filter(Boolean).length,
    };
  });
}

export function checkpointRows({ conditions }: Evidence, places: Places): ComparedCheckpoint[] {
  return conditions.flatMap(({ subjects, runs }) =>
    subjects.map((subject) => ({
      id: subject.id,
      run: subject.run,
      step: subject.step,
      seed: subject.seed,
      place: placeOf(places, subject.label),
      label: subject.label,
      counts: runs.includes(subject),
      learned: hasLearned(subject),
      accuracy: subject.accuracy,
    })),
  );
}

/** The settings in which conditions differ, seeds apart. */
export function settingRows({ conditions }: Evidence, refs: readonly CheckpointRef[]): SettingRow[] {
  const configs = groupBy(refs, ({ subject }) => subject.condition);
  const own = (condition: Condition): RunConfig[] =>
    (configs.get(condition.id) ?? []).map(({ config }) => config);
  const paths = differingFields(refs.map(({ config }) => config));
  return paths
    .filter((path) => !SEED_PATHS.includes(path))
    .map((path) => ({
      path,
      values: conditions.map((condition) =>
        [...new Set(own(condition).map((config) => plainText(fieldText(config, path))))].join(', '),
      ),
    }));
}

/** `["MAX","SUM"]` as `MAX, SUM` */
function plainText(text: string): string {
  return text.startsWith('[') ? text.replace(/[[\]"]/g, '').replaceAll(',', ', ') : text;
}

/** One row for each statistic and scope. @param summaries - of one statistic, as summariesOf gives them */
export function statisticRows(summaries: readonly Summary[], places: Places): StatisticRow[] {
  return [...groupBy(summaries, ({ scope }) => JSON.stringify(scope)).values()].map((own) => {
    const [{ statistic, info, scope }] = own;
    return {
      statistic,
      title: info.title,
      within: scopeText(scope),
      unit: info.unit,
      sentence: info.sentence,
      means: own.map(({ condition, learned, mean, interval, p, control, values }) => ({
        place: placeOf(places, condition.label),
        learned,
        mean,
        low: interval?.low ?? null,
        high: interval?.high ?? null,
        p: p?.p ?? null,
        control: control ?? null,
        values: values.map(({ subject, seed, value }) => ({ checkpoint: subject, seed, value })),
      })),
    };
  });
}

/** Largest first, in spreads of one seed; those without a spread come last, in their order: as `sumlens compare` prints them. */
export function differenceRows(all: readonly Difference[], places: Places): DifferenceRow[] {
  return [...ranked(all), ...all.filter(({ spreads }) => spreads === undefined)].map((one) => ({
    statistic: one.statistic,
    title: one.info.title,
    within: scopeText(one.scope),
    unit: one.info.unit,
    a: placeOf(places, one.a.label),
    b: placeOf(places, one.b.label),
    seeds: [one.valuesA.length, one.valuesB.length],
    estimate: one.estimate,
    low: one.interval?.low ?? null,
    high: one.interval?.high ?? null,
    p: one.p?.p ?? null,
    method: one.p?.method ?? null,
    spreads: one.spreads ?? null,
  }));
}

/** Pairs of conditions that may be subtracted; the one that a report shows comes first. */
export function pairsOf(evidence: Evidence): (readonly [Condition, Condition])[] {
  const { conditions } = evidence;
  const main = mainPair(evidence);
  const others = conditions.flatMap((a, i) =>
    conditions
      .slice(i + 1)
      .filter((b) => areComparable(a, b) && !(main?.includes(a) === true && main.includes(b)))
      .map((b): readonly [Condition, Condition] => [a, b]),
  );
  return [...(main === undefined ? [] : [main]), ...others].slice(0, MOST_PAIRS);
}

export function pairMaps(
  evidence: Evidence,
  [a, b]: readonly [Condition, Condition],
  places: Places,
): PairMaps {
  return {
    a: placeOf(places, a.label),
    b: placeOf(places, b.label),
    maps: mapsOfDifferences(evidence, [a, b]).map(layerMap),
  };
}

function layerMap({ statistic, info, axes, differences }: DifferenceMap): LayerMap {
  const keys: readonly ScopeKey[] = [...axes.x, ...axes.y];
  const pick = (scope: Scope, wanted: (key: ScopeKey) => boolean): Scope =>
    Object.fromEntries(Object.entries(scope).filter(([key]) => wanted(key as ScopeKey)));
  const panels = groupBy(differences, ({ scope }) => scopeText(pick(scope, (key) => !keys.includes(key))));
  return {
    statistic,
    title: info.title,
    unit: info.unit,
    xTitle: axes.x.join(', '),
    yTitle: axes.y.join(', '),
    most: Math.max(...differences.map(({ estimate }) => Math.abs(estimate))),
    panels: [...panels].map(([title, own]) => {
      const cells = own.map(({ scope, estimate, interval }) => ({
        x: scopeText(pick(scope, (key) => axes.x.includes(key))),
        y: scopeText(pick(scope, (key) => axes.y.includes(key))),
        value: estimate,
        low: interval?.low ?? null,
        high: interval?.high ?? null,
      }));
      return {
        title,
        x: [...new Set(cells.map(({ x }) => x))],
        y: [...new Set(cells.map(({ y }) => y))],
        cells,
      };
    }),
  };
}

/** What probes read of the result, by run: one line for each residue. */
export function readoutsOf({ subjects, observations }: Evidence): Map<string, Map<string, RunPoint[]>> {
  const byId = new Map(subjects.map((subject) => [subject.id, subject]));
  const found = new Map<string, Map<string, RunPoint[]>>();
  for (const { statistic, subject: id, scope, value } of observations) {
    const subject = byId.get(id);
    if (statistic !== READOUT || subject === undefined) continue;
    const name =
      scope.divisor === subject.design.modulus ? 'result read' : `result modulo ${scope.divisor ?? '?'} read`;
    const lines = found.get(subject.run) ?? new Map<string, RunPoint[]>();
    found.set(subject.run, lines);
    // templates of other sizes come behind the first
    const points = lines.get(name) ?? [];
    if (!points.some(([step]) => step === subject.step)) points.push([subject.step, value]);
    lines.set(
      name,
      points.sort(([a], [b]) => a - b),
    );
  }
  return found;
}
