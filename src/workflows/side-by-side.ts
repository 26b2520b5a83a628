/**
 * Differences between conditions over seeds, for the statistics that a module names: every pair of conditions that can
 * be compared, all runs, learned or not. Exploratory by nature: verdicts come from the modules' own findings. Pure.
 */
import type { ComparedStatistic } from '../../probes/contract.js';
import { meanInterval, welchInterval } from '../analysis/intervals.js';
import { twoSamplePermutation } from '../analysis/permutation.js';
import { comparedConditions } from '../report/charts/compared-conditions.js';
import { jsonNumber } from '../report/report-json.js';
import type { ChartSpec, Finding } from '../report/schema.js';
import { Rng } from '../tensor/rng.js';
import { obstacles } from './comparable.js';
import type { CheckpointRef } from './probe-plan.js';

/** level of the exploratory intervals */
const LEVEL = 0.95;

/** Ids of the findings made here begin with it. */
export const COMPARED = 'compared-';

interface Condition {
  readonly id: string;
  readonly label: string;
  readonly ref: CheckpointRef;
  readonly runs: readonly { readonly run: string; readonly seed: number; readonly value: number }[];
}

/** @param refs - sorted and labelled; conditions keep their order */
export function sideBySide(
  compared: readonly ComparedStatistic[],
  refs: readonly CheckpointRef[],
): { readonly findings: Finding[]; readonly charts: ChartSpec[] } {
  const findings: Finding[] = [];
  const charts: ChartSpec[] = [];
  for (const statistic of compared) {
    const conditions = conditionsOf(statistic, refs);
    if (conditions.length === 0) continue;
    charts.push(chartOf(statistic, conditions));
    conditions.forEach((first, i) => {
      for (const second of conditions.slice(i + 1)) {
        if (obstacles(first.ref.config, second.ref.config).length === 0)
          findings.push(difference(statistic, first, second));
      }
    });
  }
  return { findings, charts };
}

/** The last checkpoint of every run that has a value: steps of one run are no replicates. */
function conditionsOf(statistic: ComparedStatistic, refs: readonly CheckpointRef[]): Condition[] {
  const values = new Map(statistic.values.map(({ subject, value }) => [subject, value]));
  const last = new Map<string, CheckpointRef>();
  for (const ref of refs) {
    const held = last.get(ref.subject.run);
    if (values.has(ref.subject.id) && (held === undefined || ref.subject.step > held.subject.step))
      last.set(ref.subject.run, ref);
  }
  const conditions = new Map<string, { ref: CheckpointRef; runs: Condition['runs'][number][] }>();
  for (const ref of last.values()) {
    const { condition, run, seed, id } = ref.subject;
    const value = values.get(id);
    if (value === undefined || !Number.isFinite(value)) continue;
    const group = conditions.get(condition) ?? { ref, runs: [] };
    group.runs.push({ run, seed, value });
    conditions.set(condition, group);
  }
  return [...conditions].map(([id, { ref, runs }]) => ({ id, label: ref.subject.label, ref, runs }));
}

function difference({ id, title, unit }: ComparedStatistic, first: Condition, second: Condition): Finding {
  const [a, b] = [first.runs, second.runs].map((runs) => runs.map(({ value }) => value));
  const { estimate, low, high, level, method } = welchInterval(a, b, LEVEL);
  const finding: Finding = {
    id: `${COMPARED}${id}/${first.id}/${second.id}`,
    statement: `${title}: ${first.label} minus ${second.label}, all runs, learned or not.`,
    statistic: `difference of means over seeds (${a.length} and ${b.length})`,
    unit,
    estimate: jsonNumber(estimate),
    interval: { low: jsonNumber(low), high: jsonNumber(high), level, method },
    n: { seeds: a.length + b.length, examples: 0 },
  };
  if (a.length < 2 || b.length < 2) return finding;
  const test = twoSamplePermutation(a, b, { rng: new Rng(0, `compare/${id}`) });
  return {
    ...finding,
    p: Number(test.p.toPrecision(9)),
    pMethod: `${test.exact ? 'exact' : 'sampled'} permutation of seeds, two-sided`,
  };
}

function chartOf({ id, title, unit }: ComparedStatistic, conditions: readonly Condition[]): ChartSpec {
  return comparedConditions({
    id,
    title,
    unit,
    conditions: conditions.map(({ label, runs }) => {
      const { estimate, low, high } = meanInterval(
        runs.map(({ value }) => value),
        LEVEL,
      );
      return { label, runs, mean: estimate, interval: runs.length < 2 ? null : { low, high } };
    }),
  });
}
