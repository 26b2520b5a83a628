/** Picks what each chart of the memorization probe draws; the specifications are in src/report/charts/memorization-*.ts. */
import { errorsChart } from '../../src/report/charts/memorization-errors.js';
import { gapChart } from '../../src/report/charts/memorization-gap.js';
import { heldPairsChart, pairsChart } from '../../src/report/charts/memorization-pairs.js';
import {
  type BeyondRow,
  type CellRow,
  type MemorizationCondition,
  type MemorizationRun,
} from '../../src/report/charts/memorization-data.js';
import { percent } from '../../src/report/charts/common.js';
import { pointsChart } from '../../src/report/charts/memorization-points.js';
import { seriesChart } from '../../src/report/charts/memorization-series.js';
import type { ChartSpec } from '../../src/report/schema.js';
import { mean } from '../../src/tensor/sum.js';
import type { MemorizationResult } from './combine.js';
import { gather, shares } from './gather.js';

export function memorizationCharts({ conditions, series }: MemorizationResult): ChartSpec[] {
  const held = conditions.filter(({ level }) => level !== null);
  const withTables = held.filter(({ runs }) =>
    runs.some((run) => run.pairs !== null && run.heldSets.some((set) => set.length === 2)),
  );
  return [
    ...(held.length === 0 ? [] : [gapChart(held), indexChart(held)]),
    pairsChart(conditions),
    ...(withTables.length === 0 ? [] : [heldPairsChart(withTables)]),
    cosetChart(conditions),
    errorsChart(conditions),
    accuracyChart(conditions),
    strataChart(conditions),
    orderChart(conditions),
    frequencyChart(conditions),
    beyondChart(conditions),
    ...(series.length === 0 ? [] : [seriesChart(series)]),
  ];
}

function panelOf({ level }: CellRow): string {
  return level === 'trained' ? 'Trained operands' : `Held-out operands (level ${level})`;
}

function operandText(arity: number): string {
  return `${arity} operands`;
}

/** Cells of the primary operation. */
function primaryCells(run: MemorizationRun, { primary }: MemorizationCondition): CellRow[] {
  return run.cells.filter(({ operation }) => operation === primary);
}

function indexChart(held: readonly MemorizationCondition[]): ChartSpec {
  const data = gather(held, (run, { primary }) =>
    run.indices
      .filter(({ operation, m }) => operation === primary && m !== null)
      .map(({ arity, level, m }) => ({
        panel: 'Memorization index M',
        category: `${operandText(arity)}, ${level}`,
        value: m ?? NaN,
      })),
  );
  return pointsChart(
    {
      ...data,
      chances: [...new Set(data.means.map(({ category }) => category))].flatMap((category) =>
        [...new Set(data.means.map(({ condition }) => condition))].map((condition) => ({
          panel: 'Memorization index M',
          category,
          condition,
          chance: 1,
        })),
      ),
    },
    {
      id: 'memorization-index',
      title: 'Memorization index',
      note: 'The accuracy that is lost on held-out operands, over the accuracy above one fixed answer. 0: nothing is lost, the model has a rule. 1 (grey): it knows only what it saw. Below 0: held-out operands are answered better. Runs of every accuracy; those that have not learned their trained operands say little.',
      category: 'Prompts',
      axis: 'Memorization index (0 rule, 1 memory)',
      plain: true,
      columns: 1,
    },
  );
}

function cosetChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const data = gather(conditions, (run, condition) =>
    primaryCells(run, condition)
      .filter(({ arity }) => arity === 2)
      .flatMap((cell) =>
        cell.cosets.map(({ divisor, accuracy, chance }) => ({
          panel: panelOf(cell),
          category: divisor === condition.n ? `modulo ${divisor}: the number` : `modulo ${divisor}`,
          value: accuracy,
          chance,
        })),
      ),
  );
  const primes = conditions.every(({ n }) => isPrime(n));
  return pointsChart(shares(data), {
    id: 'memorization-cosets',
    title: 'Right up to a coset',
    note: `Two operands: share of answers that are right modulo each divisor of n; grey ticks: the best fixed answer.${primes ? ' n is prime: there is no divisor but n.' : ' Right modulo a divisor and not altogether: part of the structure of addition is known.'}`,
    category: 'Answer taken',
  });
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}

function accuracyChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const data = gather(conditions, (run) =>
    run.cells.map((cell) => ({
      panel: panelOf(cell),
      category: `${cell.operation}, ${operandText(cell.arity)}`,
      value: cell.accuracy,
      chance: cell.chance,
    })),
  );
  return pointsChart(shares(data), {
    id: 'memorization-accuracy',
    title: 'Accuracy by operation and number of operands',
    note: 'Every multiset of operands counts once, whatever its number of orders; grey ticks: the best fixed answer.',
    category: 'Operation',
  });
}

function strataChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const data = gather(conditions, (run, condition) =>
    primaryCells(run, condition)
      .filter(({ arity }) => arity === 2)
      .flatMap((cell) =>
        cell.strata.map(({ stratum, accuracy }) => ({
          panel: panelOf(cell),
          category:
            stratum === 'repeated'
              ? 'equal operands'
              : stratum === 'distinct'
                ? 'different operands'
                : stratum,
          value: accuracy,
        })),
      ),
  );
  return pointsChart(shares(data), {
    id: 'memorization-strata',
    title: 'Are pairs of equal numbers, or with 0, special?',
    note: 'Two operands. Equal operands are drawn half as often as each pair of different ones; 0 changes nothing in a sum.',
    category: 'Pairs',
  });
}

function orderChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const data = gather(conditions, (run, condition) =>
    primaryCells(run, condition).flatMap((cell) =>
      cell.order === null
        ? []
        : [
            {
              panel: panelOf(cell),
              category: operandText(cell.arity),
              value: Number(cell.order.agreement),
              ...(Number.isFinite(Number(cell.order.byChance))
                ? { chance: Number(cell.order.byChance) }
                : {}),
            },
          ],
    ),
  );
  return pointsChart(shares(data), {
    id: 'memorization-order',
    title: 'Same answer whichever way it is written?',
    note: 'Share of pairs of orders of the same operands with the same answer, right or wrong; grey ticks: the same for different operands.',
    category: 'Prompts',
    axis: 'Agreement of orders (%)',
  });
}

function frequencyChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const data = gather(
    conditions,
    (run) =>
      run.frequency.map((row) => ({
        panel: operandText(row.arity),
        category: frequencyText(row.atLeast),
        value: row.accuracy,
      })),
    (a, b) => fromText(a.category) - fromText(b.category),
  );
  return pointsChart(shares(data), {
    id: 'memorization-frequency',
    title: 'Accuracy by how often training showed the operands',
    note: 'Multisets of operands by the number of times training drew them, in any order. At depth 1 every trained pair is drawn about equally often, so two groups are all there is; never: held out.',
    category: 'Drawn in training',
  });
}

const NEVER = 'never';

function frequencyText(atLeast: number): string {
  return atLeast === 0 ? NEVER : `${grouped(atLeast)} to ${grouped(10 * atLeast)} times`;
}

function fromText(text: string): number {
  return text === NEVER ? 0 : Number(text.split(' ')[0].replaceAll(',', ''));
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function beyondChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const data = gather(conditions, (run) =>
    run.beyond.map((row) => ({
      panel: 'Right result tokens',
      category: row.positions === 'new' ? `${beyondText(row)}, new positions` : beyondText(row),
      value: row.accuracy,
      ...(row.chance === null ? {} : { chance: row.chance }),
    })),
  );
  return pointsChart(shares(data), {
    id: 'memorization-beyond',
    title: 'Beyond training: more operands, deeper nesting',
    note: `Right result tokens; no held-out operands among them. New positions: the prompt is longer than any in training, so a failure may be the position and not the arithmetic. Nested: the steps before are given. New expressions: every reduction in them was trained, the whole was not; shown ones, which are shorter, stand beside them. Grey ticks: the best fixed answer. Answers that are no number: ${noNumberText(conditions)}.`,
    category: 'Prompts',
    columns: 1,
  });
}

/** `4 operands: 97 %, 5 operands: 3 %`: right after the positions that training showed a model ends rather than answers. */
function noNumberText(conditions: readonly MemorizationCondition[]): string {
  const rows = conditions.flatMap(({ runs }) => runs.flatMap(({ beyond }) => beyond));
  return [...new Set(rows.map(beyondText))]
    .map((one) => {
      const own = rows.filter((row) => beyondText(row) === one);
      return `${one}: ${percent(mean(own.map(({ noNumber }) => noNumber)), 0)}`;
    })
    .join(', ');
}

function beyondText({ kind, value }: BeyondRow): string {
  if (kind === 'arity') return operandText(value);
  if (kind === 'depth') return `depth ${value}`;
  return `${kind === 'shown' ? 'shown' : 'new'} expressions, depth ${value}`;
}
