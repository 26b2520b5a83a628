/** Last evaluation of every run: accuracy by operation, number of operands and hold-out. Each run is a point. */
import type { ChartSpec, TrainingRecord } from '../schema.js';
import {
  accuracyAxis,
  chart,
  conditionColor,
  counted,
  distinct,
  nominal,
  percent,
  smallMultiples,
  type Row,
} from './common.js';

const TRAINED = 'Seen in training';
const HELD = 'Held out';

/** Accuracy by operation, arity and hold-out, with the interval of each run and chance as a tick. */
export function finalAccuracy(training: readonly TrainingRecord[]): ChartSpec {
  const rows = withFirst(training.flatMap(rowsOf).sort(byPlace));
  const conditions = distinct(rows, 'condition').sort();
  const tasks = distinct(rows, 'task');
  const panels = distinct(rows, 'panel');
  const runs = new Set(rows.map(({ run }) => run)).size;
  const sentences = panels.flatMap((panel) =>
    tasks.flatMap((task) =>
      describe(
        rows.filter((row) => row.panel === panel && row.task === task),
        conditions,
      ),
    ),
  );
  const enumerated = rows.every(({ enumerated }) => enumerated === true);
  return chart({
    id: 'final-accuracy',
    title: 'Accuracy at the end of training',
    subtitle: `Each point is one of ${counted(runs, 'run')} with its 95 % interval${enumerated ? ', every input enumerated' : ''}; grey tick: chance (the most frequent result).`,
    summary: rows.length === 0 ? 'No run was evaluated.' : sentences.join(' '),
    spec: smallMultiples(rows, 'panel', view(tasks, conditions), { columns: 2, order: panels }),
    table: {
      columns: [
        'Evaluated on',
        'Operation',
        'Condition',
        'Run',
        'Right',
        'Of',
        'Accuracy',
        'Low',
        'High',
        'Chance',
      ],
      rows: rows.map((row) => [
        ...[row.panel, row.task, row.condition, row.run].map(String),
        ...[row.correct, row.total, row.accuracy, row.low, row.high, row.chance].map((n) => Number(n)),
      ]),
    },
  });
}

function rowsOf({ run, seed, label: condition, final }: TrainingRecord): Row[] {
  return final.map(({ operation, arity, held, ...numbers }) => ({
    panel: held ? HELD : TRAINED,
    task: `${operation}, ${arity} operands`,
    condition,
    run,
    seed,
    ...numbers,
  }));
}

/** Marks the first row of each task and panel: chance is drawn once there, not once a run. */
function withFirst(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.map((row) => {
    const place = JSON.stringify([row.panel, row.task]);
    const first = !seen.has(place);
    seen.add(place);
    return { ...row, first };
  });
}

/** Seen before held out, then operation, condition, seed. */
function byPlace(a: Row, b: Row): number {
  const key = (row: Row) => [row.panel === HELD ? 1 : 0, row.task, row.condition, row.seed, row.run];
  const [x, y] = [key(a), key(b)];
  const at = x.findIndex((part, i) => part !== y[i]);
  return at < 0 ? 0 : (x[at] ?? 0) < (y[at] ?? 0) ? -1 : 1;
}

/** `SUM, 2 operands, held out: SUM 11.0 % to 100.0 % over 6 runs.` */
function describe(rows: readonly Row[], conditions: readonly string[]): string[] {
  if (rows.length === 0) return [];
  const parts = conditions.flatMap((condition) => {
    const values = rows.filter((row) => row.condition === condition).map((row) => Number(row.accuracy));
    if (values.length === 0) return [];
    const [low, high] = [percent(Math.min(...values)), percent(Math.max(...values))];
    return `${condition}: ${low === high ? low : `${low} to ${high}`}`;
  });
  return [`${String(rows[0].task)}, ${String(rows[0].panel).toLowerCase()}: ${parts.join('; ')}.`];
}

function view(tasks: readonly string[], conditions: readonly string[]) {
  const y = nominal('task', null, tasks);
  const x = (field: string) => accuracyAxis(field);
  const place = {
    y,
    yOffset: { field: 'condition', type: 'nominal', sort: [...conditions] },
    color: conditionColor(conditions),
  };
  return {
    height: { step: 16 + 8 * Math.max(1, conditions.length), for: 'position' },
    layer: [
      {
        transform: [{ filter: { field: 'first', equal: true } }],
        mark: { type: 'tick', style: 'reference', thickness: 1.5, opacity: 0.7 },
        encoding: { x: x('chance'), y },
      },
      {
        mark: { type: 'rule', style: 'seed-line' },
        encoding: { x: x('low'), x2: { field: 'high' }, ...place },
      },
      {
        mark: { type: 'point', filled: true, size: 38, opacity: 0.75 },
        encoding: {
          x: x('accuracy'),
          ...place,
          tooltip: [
            { field: 'task', type: 'nominal', title: 'operation' },
            { field: 'condition', type: 'nominal' },
            { field: 'seed', type: 'nominal' },
            { field: 'accuracy', type: 'quantitative', format: '.1%' },
            { field: 'chance', type: 'quantitative', format: '.1%' },
          ],
        },
      },
    ],
  };
}
