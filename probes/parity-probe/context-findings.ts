/** Findings on the residual stream and on the causal check; none has a p, because prompts are not independent of each other. */
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
import { round } from './measurement.js';

const LEVEL = 0.95;
/** A residue counts as readable from half of the way between guessing and certainty. */
const READABLE = 0.5;

export function contextFindings(group: ParityGroup): Finding[] {
  return [...readoutFindings(group), ...causalFindings(group)];
}

function readoutFindings(group: ParityGroup): Finding[] {
  const { context, name, id } = group;
  if (context === null || group.learnedSum === false) return [];
  const at = predictingPosition(context);
  const path = context.cells.filter(({ position }) => position === at);
  const last = path.at(-1);
  if (last === undefined) return [];
  const n = { seeds: group.seeds.length, examples: context.prompts };
  const readable = context.moduli.map((modulus, m) => {
    const cell = path.find(({ aboveMajority }) => aboveMajority[m] >= READABLE);
    const what = modulus === group.n ? 'the result itself' : `the result modulo ${modulus}`;
    return `${what} ${cell === undefined ? 'nowhere' : `from ${context.stages[cell.stage]} on`}`;
  });
  const findings: Finding[] = [
    {
      id: `readable-${id}`,
      statement: `${name}: readable where the result is predicted (${context.template}): ${readable.join(', ')}; half of the way from guessing to certainty.`,
      statistic: 'held-out accuracy on the result after the last layer, by operand multiset',
      unit: 'accuracy',
      estimate: last.accuracy[last.accuracy.length - 1],
      n,
    },
  ];
  if (last.strict.length > 0) {
    const rise = risesAt(context, path, at);
    findings.push({
      id: `strict-parity-${id}`,
      statement: `${name}: parity of results the probe was not fitted on, after the last layer where the result is predicted; it rises above untrained, bag of operands and 95 % of relabellings ${rise === undefined ? 'nowhere' : `at ${rise}`}.`,
      statistic: 'leave-pair-out parity of the mean activation of each result - 1/2',
      unit: '1',
      n,
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

/** Where the model predicts the result: the position before its own token. */
export function predictingPosition({ positions }: MeanContext): number {
  return positions.length - 2;
}

/** First layer whose mean strict score is above the null's 95 %, the untrained model and the bag. */
function risesAt(context: MeanContext, path: readonly MeanCell[], position: number): string | undefined {
  const scoreOf = (cells: readonly MeanCell[]): number => {
    const strict = cells.filter((cell) => cell.position === position).flatMap((cell) => cell.strict);
    return strict.length === 0 ? 0.5 : mean(strict);
  };
  const floor = Math.max(scoreOf(context.untrained), scoreOf(context.bag));
  const found = path.find(
    ({ strict, strictNull95 }) => strict.length > 0 && mean(strict) > Math.max(floor, strictNull95 ?? 1),
  );
  return found === undefined ? undefined : context.stages[found.stage];
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
