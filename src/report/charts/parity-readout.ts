/** Where the result becomes readable in the residual stream: layer by position, strict parity by layer, frequency by layer. Pure. */
import type { ChartSpec } from '../schema.js';
import {
  chart,
  conditionColor,
  inlineData,
  nominal,
  quantitative,
  readable,
  type Row,
  smallMultiples,
  type Spec,
} from './common.js';
import type { MeanCell, MeanContext, ParityGroup } from './parity-data.js';

interface Read {
  readonly group: ParityGroup;
  readonly context: MeanContext;
}

/** Conditions whose models have learned the operation; the others would be drawn as chance. */
function readGroups(groups: readonly ParityGroup[]): Read[] {
  const all = groups.flatMap((group) => (group.context === null ? [] : [{ group, context: group.context }]));
  const learned = all.filter(({ group }) => group.learnedSum !== false);
  return learned.length > 0 ? learned : all;
}

const COLOUR_TITLE = 'Above guessing';

export function parityReadout(groups: readonly ParityGroup[]): ChartSpec {
  const read = readGroups(groups);
  const panels = read.flatMap(({ group, context }) => [
    { name: group.name, context, n: group.n, cells: context.cells },
  ]);
  const what = (modulus: number, n: number): string =>
    modulus === n ? `result (modulo ${n})` : `modulo ${modulus}`;
  const rows = panels.flatMap(({ name, context, n, cells }) =>
    context.moduli.flatMap((modulus, m) =>
      cells.map((cell): Row => ({
        group: name,
        asked: what(modulus, n),
        stage: context.stages[cell.stage],
        position: context.positions[cell.position].name,
        label: context.positions[cell.position].label,
        value: Number(Math.max(0, cell.aboveMajority[m]).toPrecision(4)),
        accuracy: Number(cell.accuracy[m].toPrecision(4)),
      })),
    ),
  );
  const stages = longest(read.map(({ context }) => context.stages)).toReversed();
  const positions = longest(read.map(({ context }) => context.positions.map(({ name }) => name)));
  return chart({
    id: 'parity-readout',
    title: 'Where does the result become readable?',
    subtitle: `${subtitleOf(read)} Colour: held-out accuracy between always guessing the most frequent (0) and certainty (1), mean over runs; operands in another order never count as new. Layers upwards, positions from left to right; the model predicts the result at ">" and reads its own token at "result" (positive control).`,
    summary: read.map(({ group, context }) => describeReadout(group, context)).join(' '),
    spec: {
      data: inlineData(rows),
      facet: {
        row: {
          field: 'group',
          type: 'nominal',
          title: null,
          sort: [...new Set(panels.map(({ name }) => name))],
          header: { labelOrient: 'top', labelAnchor: 'start', labelAngle: 0, labelPadding: 4 },
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
        width: { step: 44 },
        height: { step: 19 },
        mark: { type: 'rect', style: 'cell' },
        encoding: {
          x: { ...nominal('position', null, positions), axis: { labelAngle: -30, labelOverlap: false } },
          y: nominal('stage', null, stages),
          color: share('value', COLOUR_TITLE),
          tooltip: [
            { field: 'stage', type: 'nominal', title: 'after' },
            { field: 'position', type: 'nominal' },
            { field: 'label', type: 'nominal', title: 'asked' },
            { field: 'accuracy', type: 'quantitative', format: '.0%' },
          ],
        },
      },
    },
    table: {
      columns: ['Group', 'Layer', 'Position', 'Modulo', 'Accuracy', 'Above guessing', 'Random labels'],
      rows: read.flatMap(({ group, context }) =>
        [
          ...context.cells.map((cell) => ({ cell, stage: context.stages[cell.stage] })),
          ...context.untrained.map((cell) => ({ cell, stage: `${context.stages[cell.stage]}, untrained` })),
          ...context.bag.map((cell) => ({ cell, stage: 'bag of operands' })),
        ].flatMap(({ cell, stage }) =>
          context.moduli.map((modulus, m) => [
            group.name,
            stage,
            context.positions[cell.position].name,
            modulus,
            readable(cell.accuracy[m]),
            readable(cell.aboveMajority[m]),
            readable(cell.control),
          ]),
        ),
      ),
    },
  });
}

/** Which frequencies of the result carry it, layer by layer, where it is predicted. */
export function parityFrequencies(groups: readonly ParityGroup[]): ChartSpec {
  const read = readGroups(groups);
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

/** Parity of results that the probe was not fitted on, layer by layer. */
export function parityStrict(groups: readonly ParityGroup[]): ChartSpec {
  const read = readGroups(groups);
  const rows: Row[] = [];
  for (const { group, context } of read) {
    const own = (cells: readonly MeanCell[], kind: string, stageOf: (cell: MeanCell) => string): void => {
      for (const cell of cells) {
        const shared = { condition: group.label, kind, stage: stageOf(cell) };
        cell.strict.forEach((value, s) =>
          rows.push({ ...shared, line: 'seed', run: `${group.name} ${s}`, value }),
        );
        if (cell.strict.length > 0) {
          const value = cell.strict.reduce((sum, one) => sum + one, 0) / cell.strict.length;
          rows.push({ ...shared, line: 'mean', run: group.name, value });
        }
      }
    };
    const here = (cells: readonly MeanCell[]): MeanCell[] => atPrediction({ ...context, cells });
    own(here(context.bag), 'control', () => 'bag of operands');
    own(here(context.untrained), 'control', () => 'untrained');
    own(here(context.cells), 'trained', (cell) => context.stages[cell.stage]);
  }
  const stages = [
    'bag of operands',
    'untrained',
    ...longest(read.map(({ context }) => context.stages)),
  ].filter((stage) => rows.some((row) => row.stage === stage));
  const nulls = read.flatMap(({ context }) =>
    atPrediction(context).flatMap(({ strictNull95 }) => (strictNull95 === null ? [] : [strictNull95])),
  );
  const conditions = [...new Set(rows.map(({ condition }) => String(condition)))];
  const x: Spec = {
    ...nominal('stage', null, stages),
    axis: { labelAngle: -30, labelOverlap: false },
    scale: { padding: 0.3 },
  };
  const y = quantitative('value', 'Held-out pairs in the right order (%)', {
    domain: [0, 1],
    format: '.0%',
    tickCount: 5,
  });
  const color = conditionColor(conditions);
  const only = (line: string, kind: string) => ({
    transform: [{ filter: { field: 'line', equal: line } }, { filter: { field: 'kind', equal: kind } }],
  });
  const limit = nulls.length === 0 ? [] : [nulls.reduce((sum, value) => sum + value, 0) / nulls.length];
  return chart({
    id: 'parity-strict',
    title: 'Is the parity of the result computed on the way, or only a by-product?',
    subtitle: `${subtitleOf(read)} Mean activation of each result where it is predicted; the probe is asked about one even and one odd result it was not fitted on. Faint: runs, bold: means; upper dashed line: 95 % of relabellings stay below; lower: chance. Controls at the left.`,
    summary: read
      .map(({ group, context }) => {
        const parts = atPrediction(context)
          .filter(({ strict }) => strict.length > 0)
          .map(
            ({ stage, strict }) =>
              `${context.stages[stage]} ${readable(strict.reduce((sum, one) => sum + one, 0) / strict.length, 2)}`,
          );
        return `${group.name}: ${parts.join(', ')}.`;
      })
      .join(' '),
    spec: {
      data: inlineData(rows),
      height: 240,
      layer: [
        // the legend takes its lines from the first layer
        {
          ...only('mean', 'trained'),
          mark: { type: 'line', style: 'median-line', point: { size: 45 } },
          encoding: { x, y, color },
        },
        {
          ...only('seed', 'trained'),
          mark: { type: 'line', style: 'seed-line' },
          encoding: { x, y, color, detail: { field: 'run', type: 'nominal' } },
        },
        {
          ...only('seed', 'control'),
          mark: { type: 'point', style: 'seed' },
          encoding: { x, y, color },
        },
        {
          ...only('mean', 'control'),
          mark: { type: 'point', style: 'estimate' },
          encoding: { x, y, color },
        },
        ...[0.5, ...limit].map((value) => ({
          data: inlineData([{ value }]),
          mark: { type: 'rule', style: 'reference' },
          encoding: { y: { field: 'value', type: 'quantitative' } },
        })),
      ],
    },
    table: {
      columns: ['Condition', 'Layer', 'Run', 'Score'],
      rows: rows
        .filter(({ line }) => line === 'seed')
        .map(({ condition, stage, run, value }) => [
          String(condition),
          String(stage),
          String(run),
          readable(Number(value)),
        ]),
    },
  });
}

function atPrediction({ cells, positions }: Pick<MeanContext, 'cells' | 'positions'>): MeanCell[] {
  return cells.filter(({ position }) => position === positions.length - 2);
}

function share(field: string, title: string): Spec {
  return {
    field,
    type: 'quantitative',
    title,
    scale: { range: 'heatmap', domain: [0, 1] },
    legend: { format: '.1f' },
  };
}

function subtitleOf(read: readonly Read[]): string {
  const runs = read.reduce((total, { group }) => total + group.seeds.length, 0);
  const templates = [...new Set(read.map(({ context }) => context.template))].join(', ');
  const prompts = Math.min(...read.map(({ context }) => context.prompts));
  return read.length === 0 ? 'No runs.' : `${runs} runs that learned, ${prompts} prompts ${templates}.`;
}

function longest<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return lists.reduce<readonly T[]>((best, list) => (list.length > best.length ? list : best), []);
}

function describeReadout(group: ParityGroup, context: MeanContext): string {
  const path = atPrediction(context);
  const parts = context.moduli.map((modulus, m) => {
    const steps = path.map((cell) => `${context.stages[cell.stage]} ${readable(cell.accuracy[m], 2)}`);
    return `modulo ${modulus}: ${steps.join(', ')}`;
  });
  return `${group.name}, accuracy where the result is predicted, ${parts.join('; ')}.`;
}
