/** Puts checkpoints together: which are usable for C4, their dose summaries, means over seeds. Pure; no verdicts here. */
import { claimById } from '../../src/evidence/claims-file.js';
import { LOW_DOSES, halfDose, summarizeDose } from '../../src/analysis/ablation-dose.js';
import { DOSES, lostShare } from '../../src/analysis/dose.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { SITES } from '../../src/listops/templates.js';
import type { JsonArray } from '../../src/report/schema.js';
import { lastOfEachRun, sideOfRun, whyNotLearned, whyUnusable } from '../conditions.js';
import type { Measured } from '../contract.js';
import { type Kind, METHODS, type Method } from './components.js';
import { numberOf } from './json-numbers.js';
import type {
  AblationMeasurement,
  DoseCurve,
  EffectMethod,
  FreeRunning,
  OperationDose,
} from './measurement.js';
import type { AblationResult, DoseKind, ConditionResult, SeedDose, SeedResult } from './result.js';

type Entry = Measured<AblationMeasurement>;

/** Prompts a template with which C4 is decided; with fewer its numbers are exploratory. */
export const C4_PROMPTS = 256;

/** @param prompts - asked for of every template; small templates have fewer */
export function combine(measurements: readonly Entry[], prompts = C4_PROMPTS): AblationResult {
  const last = lastOfEachRun(measurements);
  const keys = [...new Set(last.map(({ subject }) => subject.condition))];
  const seeds = last.map((entry) => seedResult(entry, keys.indexOf(entry.subject.condition)));
  const labels = uniqueLabels(keys.map((key) => ownOf(last, key)[0].subject.label));
  const conditions = keys.map((key, index) => {
    const own = ownOf(last, key);
    const results = seeds.filter(({ condition }) => condition === index);
    const usable = own.filter((_, i) => results[i].usable);
    const counted = results.filter(({ leftOut }) => leftOut === null).length;
    return { ...conditionResult(labels[index], own, usable), counted };
  });
  const exploratoryOnly =
    prompts < C4_PROMPTS ? `no verdict: ${prompts} prompts a template, and C4 asks for ${C4_PROMPTS}` : null;
  return { exploratoryOnly, doses: DOSES, lowDoses: LOW_DOSES, conditions, seeds };
}

function ownOf(entries: readonly Entry[], condition: string): Entry[] {
  return entries.filter(({ subject }) => subject.condition === condition);
}

/** Two conditions with one label would be drawn as one. */
function uniqueLabels(labels: readonly string[]): string[] {
  return labels.map((label, i) => {
    const before = labels.slice(0, i).filter((other) => other === label).length;
    return before === 0 ? label : `${label} (${before + 1})`;
  });
}

/** The configuration without tasks and seeds, as text. */
function matchKey({ data, model, optimizer, training }: RunConfig): string {
  const rest = { ...data, tasks: undefined, holdoutSeed: undefined };
  const sorted = (value: object): unknown => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([rest, model, optimizer, training].map(sorted));
}

function seedResult(entry: Entry, condition: number): SeedResult {
  const { subject, measurement } = entry;
  const { primary } = measurement;
  const accuracy = measurement.learned.find(({ operation }) => operation === primary)?.accuracy ?? 0;
  const dose = measurement.dose.find(({ operation }) => operation === primary);
  const doses = dose === undefined ? [] : METHODS.flatMap((method) => seedDose(dose, method));
  const reason = whyNotUsable(entry, dose, doses);
  return {
    id: subject.id,
    run: subject.run,
    seed: subject.seed,
    condition,
    accuracy,
    cleanNats: dose?.cleanNats ?? null,
    constantNats: dose?.constantNats ?? null,
    usable: reason === undefined,
    reason: reason ?? null,
    leftOut: whyUnusable(entry, 'C4', primary) ?? reason ?? null,
    doses,
    byOperation: measurement.dose.flatMap((own) =>
      seedDose(own, 'resample').map(({ share, area }) => ({
        operation: own.operation,
        share,
        areaAttention: area.attention,
        areaFeedForward: area.feedForward,
      })),
    ),
    freeze: freezeOf(dose),
    otherOperation: otherOperationOf(measurement),
    norms: measurement.norms
      .filter(({ operation }) => operation === primary)
      .map((row) => ({
        place: `${measurement.sharedBlocks ? 'pass' : 'layer'} ${row.layer}`,
        logRatio: finiteOrNull(row.logRatio),
        rawLogRatio: finiteOrNull(row.rawLogRatio),
        variationCosine: finiteOrNull(row.variationCosine),
        untrainedLogRatio: finiteOrNull(row.untrainedLogRatio),
      })),
  };
}

function whyNotUsable(
  entry: Entry,
  dose: OperationDose | undefined,
  doses: readonly SeedDose[],
): string | undefined {
  const { primary } = entry.measurement;
  const { mostCleanNats } = claimById('C4');
  const unlearned = whyNotLearned(entry, 'C4', primary);
  if (unlearned !== undefined) return unlearned;
  if (dose === undefined) return `no template of ${primary} fits the model's context`;
  if (dose.cleanNats > mostCleanNats) {
    return `loss of ${dose.cleanNats.toFixed(3)} nats on results, above ${mostCleanNats}`;
  }
  if (!doses.some(({ method }) => method === 'resample')) return 'no dose curve under resample ablation';
  return undefined;
}

/** @returns nothing when a curve of the method is missing or the model has nothing to lose */
function seedDose(dose: OperationDose, method: Method): SeedDose[] {
  const curve = (kind: Kind): DoseCurve | undefined =>
    dose.curves.find((candidate) => candidate.kind === kind && candidate.method === method);
  const [attention, feedForward, both] = [curve('attention'), curve('feed-forward'), curve('both')];
  if (attention === undefined || feedForward === undefined || both === undefined) return [];
  const nats = { attention: attention.nats, feedForward: feedForward.nats, both: both.nats };
  // a template too small for a mean is left out of the mean's curves, so of their clean loss as well
  const [clean, constant] =
    method === 'mean'
      ? [numberOf(dose.cleanNatsMean), numberOf(dose.constantNatsMean)]
      : [dose.cleanNats, dose.constantNats];
  const summary = summarizeDose(nats, clean, constant);
  if (summary === undefined) return [];
  const low = ({ lowNats }: DoseCurve): number[] => lowNats.map((loss) => lostShare(loss, clean, constant));
  const lows = { attention: low(attention), feedForward: low(feedForward), both: low(both) };
  const half = (kind: DoseKind): number | null =>
    lows[kind].length === 0 ? null : (halfDose(lows[kind], summary.lost[kind]) ?? null);
  const halves = { attention: half('attention'), feedForward: half('feedForward'), both: half('both') };
  return [rounded({ method, nats, ...summary, low: lows, halfDose: halves })];
}

/** Delta of one effect in one cell; NaN: not measured. */
function deltaOf(
  measurement: AblationMeasurement,
  component: string,
  method: EffectMethod,
  cell: string,
): number {
  const { effects, cells, deltaNats } = measurement;
  const row = effects.findIndex(
    (key) =>
      key.component === component && key.method === method && key.site === SITES[0] && key.effect === 'total',
  );
  const column = cells.indexOf(cell);
  return row < 0 || column < 0 ? NaN : numberOf(deltaNats.data[row * cells.length + column]);
}

/** Intact and frozen loss of the same prompts: the pure templates that have a mean. */
function freezeOf(dose: OperationDose | undefined): SeedResult['freeze'] {
  if (dose === undefined) return null;
  const [clean, frozen, constant] = [dose.cleanNatsMean, dose.patternFreezeNats, dose.constantNatsMean].map(
    numberOf,
  );
  if (!Number.isFinite(frozen) || !(constant > clean)) return null;
  return { nats: round(frozen - clean), lost: round(lostShare(frozen, clean, constant)) };
}

function otherOperationOf(measurement: AblationMeasurement): SeedResult['otherOperation'] {
  const cell = `${measurement.primary} result`;
  const attention = deltaOf(measurement, 'attention', 'other operation', cell);
  const feedForward = deltaOf(measurement, 'feed-forward', 'other operation', cell);
  return Number.isFinite(attention) && Number.isFinite(feedForward) ? { attention, feedForward } : null;
}

function finiteOrNull(value: number | string): number | null {
  const number = numberOf(value);
  return Number.isFinite(number) ? number : null;
}

function conditionResult(
  label: string,
  own: readonly Entry[],
  usable: readonly Entry[],
): Omit<ConditionResult, 'counted'> {
  const shown = usable.length > 0 ? usable : own;
  const [first] = shown;
  const { measurement, config } = first;
  const { cells, effects } = measurement;
  const table = (pick: (m: AblationMeasurement) => JsonArray): (number | null)[][] =>
    effects.map((_, row) =>
      cells.map((__, column) =>
        meanOrNull(shown.map((entry) => numberOf(pick(entry.measurement).data[row * cells.length + column]))),
      ),
    );
  return {
    label,
    side: sideOfRun(config),
    tasks: measurement.tasks,
    regime: measurement.regime,
    primary: measurement.primary,
    match: matchKey(config),
    seeds: own.length,
    usable: usable.length,
    tableRuns: shown.length,
    templates: measurement.templates,
    cells,
    effects,
    deltaNats: table((m) => m.deltaNats),
    deltaAccuracy: table((m) => m.deltaAccuracy),
    freeRunning: measurement.freeRunning.map((row) => freeRunningOf(row, shown)),
  };
}

/** Means over the runs that have the treatment. */
function freeRunningOf(
  { component, method }: FreeRunning,
  shown: readonly Entry[],
): ConditionResult['freeRunning'][number] {
  const rows = shown.flatMap(
    ({ measurement }) =>
      measurement.freeRunning.find((row) => row.component === component && row.method === method) ?? [],
  );
  const meanOf = (name: 'exact' | 'result' | 'copy' | 'format'): number =>
    round(rows.reduce((sum, row) => sum + row[name], 0) / rows.length);
  return {
    component,
    method: component === 'none' ? 'intact' : method,
    exact: meanOf('exact'),
    result: meanOf('result'),
    copy: meanOf('copy'),
    format: meanOf('format'),
  };
}

/** Mean of the finite values, 6 digits; null when there is none. */
function meanOrNull(values: readonly number[]): number | null {
  const finite = values.filter(Number.isFinite);
  return finite.length === 0 ? null : round(finite.reduce((sum, value) => sum + value, 0) / finite.length);
}

/** The same object with every number at 6 digits. */
function rounded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, v: unknown) => (typeof v === 'number' ? round(v) : v)) as T;
}

function round(value: number): number {
  return Number(value.toPrecision(6)) + 0;
}
