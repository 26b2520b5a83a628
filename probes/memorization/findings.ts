/**
 * Findings of the memorization probe: C5 (claim.ts), the controls, and everything else exploratory with Benjamini-Hochberg
 * over all p values of the module. Pure.
 */
import { meanInterval, welchInterval } from '../../src/analysis/intervals.js';
import { divisorsOf } from '../../src/analysis/memorization-index.js';
import {
  type CellRow,
  type MemorizationCondition,
  type MemorizationRun,
  aritiesIn,
  indexOf,
} from '../../src/report/charts/memorization-data.js';
import { percent } from '../../src/report/charts/common.js';
import type { Finding } from '../../src/report/schema.js';
import { adjusted, estimated } from '../claim-parts.js';
import { expressionFindings } from './expression-findings.js';
import { c5Findings, heldText } from './claim.js';
import { C5_ACCURACY, type MemorizationResult } from './combine.js';
import { heldExamples, indicesOf, permutationP, primaryCell, tTest, valuesOf } from './finding-parts.js';

/** level of the exploratory intervals */
const LEVEL = 0.95;
/** Result-token loss at which SUM-only and mixed runs are matched, nats. */
const MATCHED_NATS = 0.02;

export function memorizationFindings(result: MemorizationResult): Finding[] {
  const exploratory = [
    ...result.comparisons.flatMap(({ sumOnly, mixed }) =>
      comparisonFindings(result.conditions[sumOnly], result.conditions[mixed]),
    ),
    ...result.conditions.flatMap(conditionFindings),
  ];
  return [...c5Findings(result), ...missingControls(result), ...adjusted(exploratory)];
}

/** Without a memorizer in the same rows a low index of SUM says little: what to run. */
function missingControls({ claims, conditions }: MemorizationResult): Finding[] {
  return claims.flatMap(({ controls, commands, sumOnly }, i) => {
    if (controls.length > 0) return [];
    return [
      {
        id: `control-not-run${claims.length > 1 ? `-${i + 1}` : ''}`,
        statement: `Control not run: nothing in this report can only memorize, beside ${conditions[sumOnly].label}.`,
        statistic: 'memorization index of LATIN-only or TABLE-only runs',
        unit: '1',
        n: { seeds: 0, examples: 0 },
        reason:
          commands.length === 0
            ? "the authors' vocabulary has no operation that can only be memorized: train SUM alone in the standard notation"
            : `train it with "${commands.join('" or "')}", with at least six seeds, then probe these runs again together with it`,
      },
    ];
  });
}

type Texts = Pick<Finding, 'statement' | 'statistic' | 'unit'>;

/** Mixed against SUM-only, equal in everything but their tasks. */
function comparisonFindings(sumOnly: MemorizationCondition, mixed: MemorizationCondition): Finding[] {
  if (sumOnly.level === null) return [];
  const name = `${sumOnly.label}/${mixed.label}`;
  const difference = (
    id: string,
    arity: number,
    usable: (run: MemorizationRun) => boolean,
    what: string,
  ): Finding[] => {
    const a = indicesOf(mixed, arity, usable).map(({ m }) => m);
    const b = indicesOf(sumOnly, arity, usable).map(({ m }) => m);
    if (a.length === 0 || b.length === 0) return [];
    return [
      {
        id: `${id}/${name}`,
        statement: `Memorization index on ${arity} operands (${level(sumOnly)}), mixed minus SUM-only${what}: ${mixed.label} against ${sumOnly.label}.`,
        statistic: 'mean M(mixed) - mean M(SUM-only)',
        unit: '1',
        n: {
          seeds: a.length + b.length,
          examples: heldExamples(mixed, arity) + heldExamples(sumOnly, arity),
        },
        ...estimated(welchInterval(a, b, LEVEL)),
        ...permutationP(a, b, `${id}/${arity}`),
      },
    ];
  };
  const learned = (run: MemorizationRun): boolean => run.learned;
  const matched = (run: MemorizationRun): boolean => run.learned && Number(run.lossNats) <= MATCHED_NATS;
  const arities = aritiesIn(sumOnly).filter((arity) => aritiesIn(mixed).includes(arity));
  return [
    ...arities.flatMap((arity) => difference(`difference-${arity}`, arity, learned, '')),
    ...difference(
      'difference-matched',
      2,
      matched,
      `, runs with at most ${MATCHED_NATS} nats on trained results`,
    ),
  ];
}

function conditionFindings(condition: MemorizationCondition): Finding[] {
  const { runs, label, primary } = condition;
  const learned = runs.filter((run) => run.learned);
  const out: Finding[] = [];
  const all = runs.map(({ trainedAccuracy }) => trainedAccuracy);
  out.push({
    id: `trained/${label}`,
    statement: `${label}: ${primary} on operands that training may show; ${learned.length} of ${runs.length} runs reach ${percent(C5_ACCURACY, 0)}.`,
    statistic: 'accuracy on result tokens, operand counts weighted alike',
    unit: 'accuracy',
    n: { seeds: runs.length, examples: trainedExamples(condition) },
    ...estimated(meanInterval(all, LEVEL)),
    ...(learned.length < runs.length && learned.length > 0
      ? { reason: `below it: ${unlearnedText(runs)}; what follows is of the runs that reach it` }
      : learned.length === 0
        ? { reason: `has not learned ${primary}: ${unlearnedText(runs)}` }
        : {}),
  });
  if (learned.length === 0) return out;

  const add = (
    id: string,
    values: readonly number[],
    examples: number,
    texts: Texts,
    test: boolean,
  ): void => {
    if (values.length === 0) return;
    out.push({
      id: `${id}/${label}`,
      ...texts,
      n: { seeds: values.length, examples },
      ...estimated(meanInterval(values, LEVEL)),
      ...(test ? tTest(values) : {}),
    });
  };
  for (const arity of aritiesIn(condition)) {
    const examples = heldExamples(condition, arity);
    if (examples > 0) heldFindings(condition, arity, examples, add);
  }
  expressionFindings(condition, add);
  const pairs = learned.reduce(
    (sum, run) => sum + (primaryCell(condition, run, 2, false)?.multisets ?? 0),
    0,
  );
  add(
    'repeated',
    valuesOf(condition, (run) => {
      const cell = primaryCell(condition, run, 2, false);
      return cell === undefined ? undefined : stratum(cell, 'distinct') - stratum(cell, 'repeated');
    }),
    pairs,
    {
      statement: `${label}: trained pairs of different numbers minus pairs of equal ones (drawn half as often).`,
      statistic: 'accuracy on distinct - accuracy on repeated operands, 2 operands',
      unit: 'accuracy',
    },
    true,
  );
  return out;
}

/** What is found of the operands that training never showed. */
function heldFindings(
  condition: MemorizationCondition,
  arity: number,
  examples: number,
  add: (id: string, values: readonly number[], examples: number, texts: Texts, test: boolean) => void,
): void {
  const { label, primary, n } = condition;
  const held = (of: (cell: CellRow) => number | undefined): number[] =>
    valuesOf(condition, (run) => {
      const cell = primaryCell(condition, run, arity, true);
      return cell === undefined ? undefined : of(cell);
    });
  const where = `${label}, ${primary} of ${arity} operands, ${level(condition)}`;
  add(
    `index-${arity}`,
    valuesOf(condition, (run) => indexOf(run, primary, arity)?.m ?? undefined),
    examples,
    {
      statement: `${where}: memorization index with ${heldText(condition)} held out (0: held-out operands are answered like trained ones; 1: no better than one fixed answer).`,
      statistic: '(acc_trained - acc_held) / (acc_trained - c)',
      unit: '1',
    },
    false,
  );
  add(
    `gap-${arity}`,
    valuesOf(condition, (run) => {
      const row = indexOf(run, primary, arity);
      return row === undefined ? undefined : row.trained - row.held;
    }),
    examples,
    {
      statement: `${where}: accuracy lost on held-out operands.`,
      statistic: 'accuracy on trained - accuracy on held-out multisets',
      unit: 'accuracy',
    },
    true,
  );
  add(
    `order-${arity}`,
    held(({ order }) => (order === null ? undefined : Number(order.agreement) - Number(order.byChance))),
    examples,
    {
      statement: `${where}: the same answer whichever way held-out operands are written, beyond chance.`,
      statistic: 'agreement of orders - agreement of different multisets',
      unit: '1',
    },
    true,
  );
  for (const divisor of divisorsOf(n).filter((d) => d < n)) {
    add(
      `coset-${arity}-${divisor}`,
      held((cell) => wrongWithin(cell, (difference) => difference % divisor === 0)),
      examples,
      {
        statement: `${where}: wrong answers that are right modulo ${divisor}, beyond what wrong answers drawn evenly would be (${percent((n / divisor - 1) / (n - 1))}).`,
        statistic: `share of wrong answers right modulo ${divisor} - even share`,
        unit: '1',
      },
      true,
    );
  }
  if (n > 3) {
    add(
      `near-${arity}`,
      held((cell) => wrongWithin(cell, (difference) => difference === 1 || difference === n - 1)),
      examples,
      {
        statement: `${where}: wrong answers off by one, beyond an even spread (${percent(2 / (n - 1))}).`,
        statistic: 'share of wrong answers at difference 1 or n-1 - even share',
        unit: '1',
      },
      true,
    );
  }
}

/** Share of the wrong answers at some differences minus that of wrong answers drawn evenly; undefined without errors. */
function wrongWithin(cell: CellRow, isCounted: (difference: number) => boolean): number | undefined {
  const wrong = 1 - cell.accuracy;
  if (!(wrong > 1e-9)) return undefined;
  const n = cell.differences.length;
  let share = 0;
  let even = 0;
  cell.differences.forEach((value, difference) => {
    if (difference === 0 || !isCounted(difference)) return;
    share += value;
    even++;
  });
  return share / wrong - even / (n - 1);
}

function stratum({ strata }: CellRow, name: string): number {
  return strata.find((row) => row.stratum === name)?.accuracy ?? NaN;
}

function trainedExamples(condition: MemorizationCondition): number {
  return condition.runs.reduce(
    (sum, { cells }) =>
      sum +
      cells
        .filter(({ operation, level: of }) => operation === condition.primary && of === 'trained')
        .reduce((count, { multisets }) => count + multisets, 0),
    0,
  );
}

function unlearnedText(runs: readonly MemorizationRun[]): string {
  return runs
    .filter((run) => !run.learned)
    .map(({ seed, trainedAccuracy }) => `seed ${seed} ${percent(trainedAccuracy)}`)
    .join(', ');
}

function level({ level: name }: MemorizationCondition): string {
  return `level ${name ?? 'trained'}`;
}
