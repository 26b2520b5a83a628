/**
 * Findings on the residual stream and on the causal check. None has a p, because prompts are not independent of each other;
 * what an accuracy rests on is the number of distinct sets of numbers.
 */
import { accuracyInterval } from '../../src/analysis/grouped-probe.js';
import { meanInterval } from '../../src/analysis/intervals.js';
import type {
  CausalNumbers,
  MeanCell,
  MeanContext,
  ParityGroup,
} from '../../src/report/charts/parity-data.js';
import type { Finding } from '../../src/report/schema.js';
import { mean } from '../../src/tensor/sum.js';
import { estimated } from '../claim-parts.js';
import {
  accuracyFloor,
  accuracyRises,
  outerBracket,
  pathAt,
  positionOf,
  strictMean,
  strictRises,
} from './contexts.js';
import { round } from './measurement.js';

const LEVEL = 0.95;
/** A residue counts as readable from half of the way between guessing and certainty. */
const READABLE = 0.5;

export function contextFindings(group: ParityGroup): Finding[] {
  return [...readoutFindings(group), ...lookAheadFindings(group), ...causalFindings(group)];
}

function readoutFindings(group: ParityGroup): Finding[] {
  const { context, name, id } = group;
  if (context === null || group.learnedSum === false) return [];
  const at = positionOf(context, 'predicted');
  const path = at === undefined ? [] : pathAt(context, at);
  const last = path.at(-1);
  if (at === undefined || last === undefined) return [];
  const readable = context.moduli.map((modulus, m) => {
    const cell = path.find(
      (one) => one.aboveMajority[m] >= READABLE && one.low[m] > accuracyFloor(context, one, m),
    );
    const what = modulus === group.n ? 'the result itself' : `the result modulo ${modulus}`;
    return `${what} ${cell === undefined ? 'nowhere' : `from ${context.stages[cell.stage]} on`}`;
  });
  const result = context.moduli.length - 1;
  const findings: Finding[] = [
    {
      id: `readable-${id}`,
      statement: `${name}: readable where the result is predicted (${context.template}): ${readable.join(', ')}; half of the way from guessing to certainty, and above the untrained model and the bag of operands.`,
      statistic: 'held-out accuracy on the result after the last layer, by operand multiset',
      unit: 'accuracy',
      ...accuracyOf(context, last, result),
    },
  ];
  if (last.strict.length > 0) {
    findings.push({
      id: `strict-parity-${id}`,
      statement: `${name}: parity of results the probe was not fitted on, where the result is predicted: ${roundFeedForwards(context, path)}; it rises above the untrained model, the bag of operands and 95 % of relabellings ${atStage(strictRises(context, at))}.`,
      statistic: 'leave-pair-out parity of the mean activation of each result after the last layer - 1/2',
      unit: '1',
      n: { seeds: group.seeds.length, examples: group.n },
      ...estimated(
        meanInterval(
          last.strict.map((share) => share - 0.5),
          LEVEL,
        ),
      ),
    });
  }
  return findings;
}

/** Nested expressions: is the final answer there before the chain has written the inner result? */
function lookAheadFindings({ lookAhead, name, id, learnedSum }: ParityGroup): Finding[] {
  if (learnedSum === false) return [];
  return lookAhead.flatMap((context, t): Finding[] => {
    const at = outerBracket(context);
    const last = at === undefined ? undefined : pathAt(context, at).at(-1);
    if (at === undefined || last === undefined) return [];
    const result = context.moduli.length - 1;
    const floor = accuracyFloor(context, last, result);
    const residues = context.moduli
      .map(
        (modulus, m) =>
          `${m === result ? 'the answer' : `modulo ${modulus}`} ${atStage(accuracyRises(context, at, m))}`,
      )
      .join(', ');
    const parity =
      last.strict.length === 0
        ? ''
        : `; parity of answers the probe was not fitted on ${atStage(strictRises(context, at))}`;
    return [
      {
        id: `look-ahead-${t + 1}-${id}`,
        statement: `${name}: final answer of ${context.template} at its closing bracket, before the inner result is written: accuracy ${(last.accuracy[result] ?? 0).toFixed(2)} after the last layer, ${floor.toFixed(2)} by the best of guessing, untrained model and bag of numbers. Rises above them: ${residues}${parity}.`,
        statistic: 'held-out accuracy on the final answer after the last layer, by set of numbers',
        unit: 'accuracy',
        ...accuracyOf(context, last, result),
      },
    ];
  });
}

/** Estimate, interval and what it may count: sets of numbers, not prompts. */
function accuracyOf(
  { positions }: MeanContext,
  { position, seeds }: MeanCell,
  modulus: number,
): Pick<Finding, 'estimate' | 'interval' | 'n'> {
  const { multisets } = positions[position];
  const models = seeds.map((own) => own[modulus]);
  return {
    ...estimated(accuracyInterval(models, multisets, LEVEL)),
    n: { seeds: models.length, examples: multisets },
  };
}

/** The strict score before and after each feed-forward layer: `layer 0 0.48 to 0.52, layer 1 0.60 to 0.97`. */
function roundFeedForwards(context: MeanContext, path: readonly MeanCell[]): string {
  const scores = path.map((cell) => strictMean(cell)?.toFixed(2) ?? 'none');
  const layers = Math.floor((path.length - 1) / 2);
  const steps = Array.from(
    { length: layers },
    (_, layer) =>
      `${context.stages[2 * layer + 2]} takes it from ${scores[2 * layer + 1]} to ${scores[2 * layer + 2]}`,
  );
  return steps.join(', ');
}

function atStage(stage: string | undefined): string {
  return stage === undefined ? 'nowhere' : `at ${stage}`;
}

function causalFindings(group: ParityGroup): Finding[] {
  if (group.learnedSum === false) return [];
  const seeds = group.seeds.flatMap(({ causal }) => (causal === null ? [] : [causal]));
  if (seeds.length === 0) return [];
  const [{ operation, prompts, draws }] = seeds;
  const accuracy = (pick: (one: CausalNumbers) => number): string => mean(seeds.map(pick)).toFixed(2);
  return [
    {
      id: `causal-${group.id}`,
      statement: `${group.name}: ${operation} accuracy ${accuracy((one) => one.intact.accuracy)} intact, ${accuracy((one) => one.parity.accuracy)} without the parity direction of the number tokens, ${accuracy((one) => one.random.accuracy)} after as large random moves, ${accuracy((one) => one.otherLabelling.accuracy)} without the direction of a random labelling.`,
      statistic: `loss without the parity direction - loss after equal random moves (${draws} draws), result tokens`,
      unit: 'nats',
      n: { seeds: seeds.length, examples: prompts },
      ...estimated(
        meanInterval(
          seeds.map((one) => round(one.parity.lossNats - one.random.lossNats)),
          LEVEL,
        ),
      ),
    },
  ];
}
