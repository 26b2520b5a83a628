/** Findings over several runs: from which layer on something is readable, and what the numbers rest on. Pure. */
import { type Finding, jsonInterval } from '../../src/evidence/finding.js';
import { notDefinedFindings } from '../../src/evidence/not-defined.js';
import type { Evidence } from '../../src/evidence/evidence.js';
import { nine } from '../../src/evidence/statistic.js';
import { mean } from '../../src/tensor/sum.js';
import { lastOfKind, outerBracket } from './measurement.js';
import type { ParityMeasurement } from './measure.js';
import { type MeasuredParity, type Reading, rises } from './reading.js';

/** A result counts as readable from half of the way between guessing and certainty. */
const READABLE = 0.5;

/** @param flat - readings of flat expressions @param nested - of nested ones, a template each */
export function readingFindings(flat: readonly Reading[], nested: readonly Reading[]): Finding[] {
  return [
    ...flat.flatMap((reading) =>
      readingFinding(reading, {
        id: 'readable-from',
        position: lastOfKind(reading.context, 'predicted'),
        what: 'result',
        where: 'where it is predicted',
        least: READABLE,
      }),
    ),
    ...nested.flatMap((reading) =>
      readingFinding(reading, {
        id: 'look-ahead-from',
        position: outerBracket(reading.context),
        what: 'final answer',
        where: 'at its closing bracket, before the inner result is written',
        least: -Infinity,
      }),
    ),
  ];
}

interface Question {
  readonly id: string;
  readonly position: number;
  readonly what: string;
  readonly where: string;
  readonly least: number;
}

function readingFinding(reading: Reading, { id, position, what, where, least }: Question): Finding[] {
  const { group, name, context, runs } = reading;
  const n = context.moduli.at(-1);
  const last = n === undefined || position < 0 ? undefined : reading.path(position, n).at(-1);
  if (group.learned === false || last?.interval === undefined) return [];
  const from = context.moduli.map(
    (modulus) =>
      `${modulus === n ? `the ${what}` : `modulo ${modulus}`} ${atStage(rises(reading, position, modulus, least))}`,
  );
  const strict = atStage(rises(reading, position, 'strict'));
  const half = least > 0 ? ', and half of the way from guessing to certainty' : '';
  return [
    {
      id: `${id}/${context.template}/${group.condition.id}`,
      statement: `${name}: ${what} of ${context.template} read ${where}: accuracy ${last.mean.toFixed(2)} after the last layer, ${last.floor.toFixed(2)} by the best of guessing, untrained model and bag of numbers. Above them${half}: ${from.join(', ')}; parity of values the probe was not fitted on ${strict}.`,
      statistic: `held-out accuracy on the ${what} after the last layer, by set of numbers`,
      unit: 'accuracy',
      estimate: last.mean,
      interval: jsonInterval(last.interval),
      n: { seeds: runs, examples: context.positions[position].multisets },
    },
  ];
}

function atStage(stage: string | undefined): string {
  return stage === undefined ? 'nowhere' : `from ${stage} on`;
}

/** Why a condition has no parity power or no parity direction, Newton's convergence, and the other program. */
export function recordFindings(
  evidence: Evidence,
  measured: readonly MeasuredParity[],
  last: readonly MeasuredParity[],
): Finding[] {
  const examples = Math.max(0, ...last.map(({ measurement }) => measurement.n));
  const checks = last.map(({ measurement }) => measurement.crossCheck);
  const fits = measured.map(({ measurement }) => measurement.fits);
  const count = fits.reduce((sum, one) => sum + one.count, 0);
  const failed = fits.reduce((sum, one) => sum + one.notConverged, 0);
  const n = { seeds: last.length, examples };
  const reasonsOf = (what: keyof ParityMeasurement['notDefined']) =>
    new Map(last.map(({ subject, measurement }) => [subject.id, measurement.notDefined[what]]));
  const heldOut = (pick: 'ownHeldOut' | 'otherHeldOut'): string =>
    mean(checks.map((check) => check[pick])).toFixed(2);
  return [
    ...notDefinedFindings(evidence, reasonsOf('power'), {
      id: 'parity-power',
      name: 'parity power',
      statistic: 'log2((n-1) x share of centred embedding variance at k = n/2)',
      unit: 'octaves',
      examples,
    }),
    ...notDefinedFindings(evidence, reasonsOf('direction'), {
      id: 'parity-direction',
      name: 'what the model loses without the parity direction',
      statistic: 'accuracy intact - accuracy without the parity direction, result tokens',
      unit: 'accuracy',
      examples,
    }),
    {
      id: 'cross-check',
      statement: `${checks[0].program} on the same token embeddings, without a penalty: how many numbers it puts in the same parity class as the probe; held-out accuracy ${heldOut('otherHeldOut')} there, ${heldOut('ownHeldOut')} here.`,
      statistic: 'share of numbers put in the same parity class, fitted on all numbers',
      unit: '1',
      estimate: nine(mean(checks.map(({ agreement }) => agreement))),
      n,
    },
    {
      id: 'convergence',
      statement: `Newton's method converged in ${count - failed} of ${count} logistic fits, in ${Math.max(0, ...fits.map(({ mostIterations }) => mostIterations))} iterations at most.`,
      statistic: 'share of fits that did not converge',
      unit: '1',
      estimate: count === 0 ? 0 : nine(failed / count),
      n,
    },
  ];
}
