/**
 * Means over the seeds of a condition of what is readable at each layer and position, and where it rises above every baseline
 * (pure): the untrained model of the same seed at the same place, the bag of operands, guessing, other relabellings.
 */
import { accuracyInterval } from '../../src/analysis/classifiers/grouped-probe.js';
import type { Evidence } from '../../src/evidence/evidence.js';
import { type Scope, scopeKey } from '../../src/evidence/scope.js';
import { type Group, groupName, groupsOf, type Summary, summariesOf } from '../../src/evidence/summaries.js';
import type { Measured } from '../contract.js';
import type { AskedTemplate, ParityMeasurement } from './measure.js';
import { BAG, stageScope } from './statistics.js';

/** A residue by its modulus, or parity of values that the probe was not fitted on. */
export type Asked = number | 'strict';

/** One layer at one position. */
export interface ReadCell {
  /** `attention 0` */
  readonly stage: string;
  readonly mean: number;
  /** of an accuracy: 95 %, counting sets of numbers and seeds */
  readonly interval?: ReturnType<typeof accuracyInterval>;
  /** an accuracy between guessing (0) and certainty (1), with its interval; of strict parity: score less 1/2 */
  readonly aboveGuessing: number;
  readonly low?: number;
  readonly high?: number;
  /** the best that needs no trained layer */
  readonly floor: number;
  readonly isAbove: boolean;
}

/** A template as the runs of a condition that have, or have not, learned read it. */
export interface Reading {
  readonly group: Group;
  readonly name: string;
  readonly runs: number;
  /** of the first run: positions, layers and moduli, which are the same in all */
  readonly context: AskedTemplate;
  /** by layer; cells where nothing was asked are left out */
  path(position: number, asked: Asked): ReadCell[];
  /** in place of the residual stream */
  bag(position: number, asked: Asked): ReadCell | undefined;
}

export type MeasuredParity = Measured<ParityMeasurement>;

/** @param pick - the templates of one run, flat or nested */
export function readingsOf(
  evidence: Evidence,
  last: readonly MeasuredParity[],
  pick: (measurement: ParityMeasurement) => readonly AskedTemplate[],
): Reading[] {
  const found = new Map<string, Summary>();
  const key = (statistic: string, scope: Scope, { condition, learned }: Omit<Group, 'runs'>): string =>
    `${statistic} ${scopeKey(scope)} ${condition.id} ${learned}`;
  for (const id of ['readout', 'strict-readout']) {
    for (const one of summariesOf(evidence, `parity-probe/${id}`)) found.set(key(id, one.scope, one), one);
  }
  const bySubject = new Map(last.map((one) => [one.subject.id, one.measurement]));
  return groupsOf(evidence.conditions).flatMap((group) => {
    const measured = group.runs.flatMap(({ id }) => bySubject.get(id) ?? []);
    const contexts = measured.flatMap(pick);
    return [...new Map(contexts.map((context) => [context.template, context])).keys()].map(
      (template): Reading => {
        const own = contexts.filter((context) => context.template === template);
        const [context] = own;
        const { sharedBlocks } = measured[0];
        const at = (place: Scope, position: number, asked: Asked): Summary | undefined =>
          found.get(
            key(
              asked === 'strict' ? 'strict-readout' : 'readout',
              {
                template,
                position: context.positions[position].name,
                ...place,
                ...(asked === 'strict' ? {} : { divisor: asked }),
              },
              group,
            ),
          );
        const cellAt = (
          place: Scope,
          stage: string,
          position: number,
          asked: Asked,
        ): ReadCell | undefined => {
          const summary = at(place, position, asked);
          const bag = at({ part: BAG }, position, asked)?.mean;
          if (summary === undefined) return undefined;
          if (asked !== 'strict') return accuracyCell(summary, stage, bag ?? 0);
          const isReadable = (): boolean =>
            context.moduli.some((modulus) => cellAt(place, stage, position, modulus)?.isAbove === true);
          return strictCell(summary, stage, bag ?? 0.5, isReadable);
        };
        return {
          group,
          name: groupName(group),
          runs: own.length,
          context,
          path: (position, asked) =>
            context.stages.flatMap(
              (stage, s) => cellAt(stageScope(s, sharedBlocks), stage, position, asked) ?? [],
            ),
          bag: (position, asked) => cellAt({ part: BAG }, BAG, position, asked),
        };
      },
    );
  });
}

/** The whole interval lies above guessing, the untrained model there, and the bag. */
function accuracyCell(summary: Summary, stage: string, bag: number): ReadCell {
  const { values, mean, examples, nullMean = 0, control = 0 } = summary;
  const interval = accuracyInterval(
    values.map(({ value }) => value),
    examples,
  );
  const floor = Math.max(nullMean, control, bag);
  const above = (accuracy: number): number => (nullMean >= 1 ? 0 : (accuracy - nullMean) / (1 - nullMean));
  return {
    stage,
    mean,
    interval,
    aboveGuessing: above(mean),
    low: above(interval.low),
    high: above(interval.high),
    floor,
    isAbove: interval.low > floor,
  };
}

/**
 * The mean score is above 95 % of relabellings, the untrained model there, and the bag. A residue of the value must be readable
 * there too: mean activations of values that are not are the battery's sampling noise, which a probe of ten points separates
 * as it happens.
 */
function strictCell(
  { mean, nullHigh = 1, control = 0.5 }: Summary,
  stage: string,
  bag: number,
  isReadable: () => boolean,
): ReadCell {
  const floor = Math.max(nullHigh, control, bag);
  return { stage, mean, aboveGuessing: mean - 0.5, floor, isAbove: mean > floor && isReadable() };
}

/** First layer at which what is asked lies above every baseline. @param least - between guessing (0) and certainty (1) */
export function rises(
  reading: Reading,
  position: number,
  asked: Asked,
  least = -Infinity,
): string | undefined {
  return reading.path(position, asked).find(({ isAbove, aboveGuessing }) => isAbove && aboveGuessing >= least)
    ?.stage;
}

/** Readings of runs that have learned, or to which learning SUM does not apply; all where there are none. */
export function notUnlearned(readings: readonly Reading[]): readonly Reading[] {
  const learned = readings.filter(({ group }) => group.learned !== false);
  return learned.length > 0 ? learned : readings;
}
