/** Every pair of operands as a cell: how probable the right answer is. Held-out pairs are outlined. Pure. */
import type { ChartSpec } from '../schema.js';
import { chart, counted, heatmap, percent, readable, type Row, smallMultiples, type Spec } from './common.js';
import type { MemorizationCondition, MemorizationRun, PairTable } from './memorization-data.js';

interface Panel {
  readonly name: string;
  readonly table: PairTable;
  /** ascending pairs; none: nothing outlined */
  readonly held: readonly (readonly number[])[];
}

/** Mean over the runs of a condition; held pairs are marked only where every run holds out the same. */
export function pairsChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const panels = conditions.flatMap(({ label, primary, pairMean, equalHoldout, runs }): Panel[] =>
    pairMean === null
      ? []
      : [{ name: `${label}: ${primary}`, table: pairMean, held: equalHoldout ? heldPairs(runs[0]) : [] }],
  );
  const runs = conditions.reduce((sum, condition) => sum + condition.runs.length, 0);
  return pairMaps(panels, {
    id: 'memorization-pairs',
    title: 'Which pairs are known: mean over runs',
    subtitle: `Probability of the right answer for every ordered pair of operands, mean over ${counted(runs, 'run')}, by condition. Rows: first operand. A picture symmetric about the diagonal: the order of the operands does not matter.`,
    columns: 3,
    cell: 19,
  });
}

/** One small map a run that holds out pairs of its own. */
export function heldPairsChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  // the tasks alone where they tell the conditions apart: the pictures are narrow
  const tasks = new Set(conditions.map(({ label }) => label.split(',')[0]));
  const shortName = (label: string): string =>
    tasks.size === conditions.length ? label.split(',')[0] : label;
  const panels = conditions.flatMap(({ label, runs }) =>
    runs.flatMap((run): Panel[] =>
      run.pairs === null || heldPairs(run).length === 0
        ? []
        : [{ name: `${shortName(label)}, seed ${run.seed}`, table: run.pairs, held: heldPairs(run) }],
    ),
  );
  return pairMaps(panels, {
    id: 'memorization-held-pairs',
    title: 'What each run makes of the pairs it never saw',
    subtitle:
      'Probability of the right answer; outlined: pairs held out of training in both orders. An outlined cell like its surroundings was found by a rule; one that stands out towards 0 % is unknown.',
    columns: 5,
    cell: 13,
  });
}

function heldPairs(run: MemorizationRun): readonly (readonly number[])[] {
  return run.heldSets.filter((set) => set.length === 2);
}

interface MapText {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly columns: number;
  /** side of a cell in pixels, for up to 16 numbers */
  readonly cell: number;
}

function pairMaps(panels: readonly Panel[], text: MapText): ChartSpec {
  const rows = panels.flatMap(({ name, table, held }) => {
    const keys = new Set(held.map((pair) => pair.join(' ')));
    return table.flatMap((line, a) =>
      line.map((p, b): Row => ({
        panel: name,
        a,
        b,
        p: p === null ? null : Number(p.toPrecision(3)),
        ...(keys.has([a, b].sort((x, y) => x - y).join(' ')) ? { held: 'held out' } : {}),
      })),
    );
  });
  const widest = panels.reduce((most, { table }) => Math.max(most, table.length), 0);
  const map = heatmap({
    rows,
    x: { field: 'b', title: 'Second operand' },
    y: { field: 'a', title: 'First operand' },
    value: { field: 'p', title: 'Probability of the right answer', format: '.0%' },
    scale: 'sequential',
    domain: [0, 1],
    cell: widest > 16 ? Math.max(4, Math.floor((16 * text.cell) / widest)) : text.cell,
  });
  return chart({
    id: text.id,
    title: text.title,
    subtitle: text.subtitle,
    summary: panels.length === 0 ? 'Nothing was measured.' : panels.map(describe).join(' '),
    spec: smallMultiples(rows, 'panel', outlined(map), {
      columns: text.columns,
      order: panels.map(({ name }) => name),
    }),
    table: {
      columns: [
        'Picture',
        'First operand',
        ...Array.from({ length: widest }, (_, b) => String(b)),
        'Held out with',
      ],
      rows: panels.flatMap(({ name, table, held }) =>
        table.map((line, a) => [
          name,
          a,
          ...Array.from({ length: widest }, (_, b) => (b < line.length ? readable(line[b], 2) : '')),
          held
            .flatMap(([x, y]) => (x === a ? [y] : y === a ? [x] : []))
            .sort((x, y) => x - y)
            .join(' '),
        ]),
      ),
    },
  });
}

/** The map with the cells that have `held` outlined on top. */
function outlined(map: Spec): Spec {
  const { mark, encoding, width, height } = map;
  const { x, y } = encoding as Spec;
  return {
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    layer: [
      { mark: mark ?? 'rect', encoding: encoding ?? {} },
      {
        transform: [{ filter: "datum.held === 'held out'" }],
        mark: { type: 'rect', style: 'outline' },
        encoding: { x: x ?? {}, y: y ?? {} },
      },
    ],
  };
}

/** Mean probability, on the held pairs apart, and the pair known least. */
function describe({ name, table, held }: Panel): string {
  const keys = new Set(held.map((pair) => pair.join(' ')));
  const cells = table.flatMap((line, a) => line.flatMap((p, b) => (p === null ? [] : [{ a, b, p }])));
  if (cells.length === 0) return `${name}: no finite number.`;
  const isHeld = ({ a, b }: { a: number; b: number }): boolean =>
    keys.has([a, b].sort((x, y) => x - y).join(' '));
  const meanOf = (some: readonly { p: number }[]): string =>
    percent(some.reduce((sum, { p }) => sum + p, 0) / some.length, 0);
  const inside = cells.filter(isHeld);
  const outside = cells.filter((cell) => !isHeld(cell));
  const least = outside.reduce((low, cell) => (cell.p < low.p ? cell : low), outside[0]);
  const heldText =
    inside.length === 0 ? '' : `, ${meanOf(inside)} on held-out pairs (${[...keys].join(', ')})`;
  return `${name}: right answer with probability ${meanOf(outside)}${heldText}; least at ${least.a}, ${least.b} (${percent(least.p, 0)}).`;
}
