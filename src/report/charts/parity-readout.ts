/** Where the result becomes readable in the residual stream: layer by position and residue, layer by frequency. Pure. */
import type { ChartSpec } from '../schema.js';
import { chart, inlineData, nominal, readable, type Row, smallMultiples } from './common.js';
import type { MeanContext, ParityGroup } from './parity-data.js';
import {
  atPrediction,
  flatReads,
  longest,
  nestedReads,
  type Read,
  share,
  subtitleOf,
} from './parity-reading.js';

const COLOUR =
  'Colour: held-out accuracy between always guessing the most frequent (0) and certainty (1), mean over runs; operands in another order never count as new.';

export function parityReadout(groups: readonly ParityGroup[]): ChartSpec {
  const read = flatReads(groups);
  return chart({
    id: 'parity-readout',
    title: 'Where does the result become readable?',
    subtitle: `${subtitleOf(read)} ${COLOUR} Layers upwards, positions from left to right; the model predicts the result at ">" and reads its own token at "result" (positive control).`,
    summary: read.map(({ group, context }) => describeReadout(group, context)).join(' '),
    ...residueMap(read, ({ group }) => group.name),
  });
}

/** The same of nested expressions, every position of them. */
export function parityNested(groups: readonly ParityGroup[]): ChartSpec {
  const read = nestedReads(groups);
  return chart({
    id: 'parity-nested',
    title: 'What is readable where, in a nested expression?',
    subtitle: `${subtitleOf(read)} ${COLOUR} "inner" positions are asked for the inner result, "outer" ones and ">" for the final answer, which the model writes only later.`,
    summary: read.map(({ group, context }) => describeReadout(group, context)).join(' '),
    ...residueMap(read, nestedName),
  });
}

function nestedName({ group, context }: Read): string {
  return `${group.name}: ${context.template}`;
}

/** A panel a condition and modulus, layers by positions. */
function residueMap(read: readonly Read[], nameOf: (one: Read) => string): Pick<ChartSpec, 'spec' | 'table'> {
  const what = (modulus: number, n: number): string =>
    modulus === n
      ? `the number itself (modulo ${n})`
      : modulus === 2
        ? 'parity (modulo 2)'
        : `modulo ${modulus}`;
  const rows = read.flatMap((one) => {
    const { group, context } = one;
    return context.moduli.flatMap((modulus, m) =>
      context.cells.map((cell): Row => ({
        group: nameOf(one),
        asked: what(modulus, group.n),
        stage: context.stages[cell.stage],
        position: context.positions[cell.position].name,
        label: context.positions[cell.position].label,
        value: Number(Math.max(0, cell.aboveMajority[m]).toPrecision(4)),
        accuracy: Number(cell.accuracy[m].toPrecision(4)),
      })),
    );
  });
  const stages = longest(read.map(({ context }) => context.stages)).toReversed();
  const positions = longest(read.map(({ context }) => context.positions.map(({ name }) => name)));
  return {
    spec: {
      data: inlineData(rows),
      facet: {
        row: {
          field: 'group',
          type: 'nominal',
          title: null,
          sort: [...new Set(read.map(nameOf))],
          header: {
            labelOrient: 'top',
            labelAnchor: 'start',
            labelAngle: 0,
            labelPadding: 4,
            // the condition, and below it the template where there are several
            labelExpr: "split(datum.label, ': ')",
          },
        },
        column: {
          field: 'asked',
          type: 'nominal',
          title: null,
          sort: [...new Set(rows.map(({ asked }) => String(asked)))],
        },
      },
      spacing: { row: 18, column: 22 },
      spec: {
        width: { step: positions.length > 6 ? 30 : 44 },
        height: { step: 19 },
        mark: { type: 'rect', style: 'cell' },
        encoding: {
          x: { ...nominal('position', null, positions), axis: { labelAngle: -30, labelOverlap: false } },
          y: nominal('stage', null, stages),
          color: share('value', 'Above guessing'),
          tooltip: [
            { field: 'stage', type: 'nominal', title: 'after' },
            { field: 'position', type: 'nominal' },
            { field: 'label', type: 'nominal', title: 'asked' },
            { field: 'accuracy', type: 'quantitative', format: '.0%' },
          ],
        },
      },
    },
    table: residueTable(read, nameOf),
  };
}

/** Every number behind the colours, with the baselines at the same place. */
function residueTable(read: readonly Read[], nameOf: (one: Read) => string): ChartSpec['table'] {
  return {
    columns: [
      'Group',
      'Layer',
      'Position',
      'Modulo',
      'Accuracy',
      '95 % interval',
      'Sets of numbers',
      'Guessing',
      'Random labels',
      'Untrained',
      'Bag of operands',
    ],
    rows: read.flatMap((one) => {
      const { context } = one;
      return context.cells.flatMap((cell, c) =>
        context.moduli.map((modulus, m) => [
          nameOf(one),
          context.stages[cell.stage],
          context.positions[cell.position].name,
          modulus,
          readable(cell.accuracy[m]),
          `${readable(cell.low[m], 2)} to ${readable(cell.high[m], 2)}`,
          context.positions[cell.position].multisets * cell.seeds.length,
          readable(context.majority[cell.position][m]),
          readable(cell.control),
          readable(context.untrained[c].accuracy[m]),
          readable(context.bag.find(({ position }) => position === cell.position)?.accuracy[m]),
        ]),
      );
    }),
  };
}

/** Which frequencies of the result carry it, layer by layer, where it is predicted. */
export function parityFrequencies(groups: readonly ParityGroup[]): ChartSpec {
  const read = flatReads(groups);
  const rows = read.flatMap(({ group, context }) =>
    atPrediction(context).flatMap((cell) =>
      cell.circleR2.map((r2, i): Row => ({
        group: group.name,
        stage: context.stages[cell.stage],
        frequency: i + 1,
        value: Number(Math.max(0, r2).toPrecision(4)),
        r2: Number(r2.toPrecision(4)),
      })),
    ),
  );
  const stages = longest(read.map(({ context }) => context.stages)).toReversed();
  const most = Math.max(1, ...rows.map(({ frequency }) => Number(frequency)));
  return chart({
    id: 'parity-frequencies',
    title: 'Which frequency carries the result?',
    subtitle: `${subtitleOf(read)} Held-out R² of cos and sin of 2πks/n by ridge regression where the result s is predicted, mean over runs; k = 1 is once around the ring, the highest k of an even modulus is parity. Below 0 is drawn as 0.`,
    summary: read
      .map(({ group, context }) => {
        const last = atPrediction(context).at(-1);
        const values = (last?.circleR2 ?? []).map((r2, i) => `k = ${i + 1} ${readable(r2, 2)}`);
        return `${group.name}, last layer: R² ${values.join(', ')}.`;
      })
      .join(' '),
    spec: smallMultiples(
      rows,
      'group',
      {
        width: { step: most > 8 ? 16 : 36 },
        height: { step: 19 },
        mark: { type: 'rect', style: 'cell' },
        encoding: {
          x: { ...nominal('frequency', 'Frequency k'), axis: { labelAngle: 0 } },
          y: nominal('stage', null, stages),
          color: share('value', 'R²'),
          tooltip: [
            { field: 'stage', type: 'nominal', title: 'after' },
            { field: 'frequency', type: 'nominal', title: 'k' },
            { field: 'r2', type: 'quantitative', title: 'R²', format: '.2f' },
          ],
        },
      },
      { columns: 3, order: read.map(({ group }) => group.name) },
    ),
    table: {
      columns: ['Group', 'Layer', 'k', 'R²'],
      rows: read.flatMap(({ group, context }) =>
        atPrediction(context).flatMap((cell) =>
          cell.circleR2.map((r2, i) => [group.name, context.stages[cell.stage], i + 1, readable(r2)]),
        ),
      ),
    },
  });
}

function describeReadout(group: ParityGroup, context: MeanContext): string {
  const path = atPrediction(context);
  const parts = context.moduli.map((modulus, m) => {
    const steps = path.map((cell) => `${context.stages[cell.stage]} ${readable(cell.accuracy[m], 2)}`);
    return `modulo ${modulus}: ${steps.join(', ')}`;
  });
  return `${group.name}, accuracy where the result is predicted, ${parts.join('; ')}.`;
}
