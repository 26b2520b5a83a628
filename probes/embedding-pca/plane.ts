/** The numbers in the plane of the seeds' consensus: one small chart a group, an ellipse for each number. Pure. */
import type { ChartSpec } from '../../src/report/schema.js';
import {
  chart,
  conditionColor,
  counted,
  percent,
  quantitative,
  readable,
  type Row,
  smallMultiples,
  tableOf,
} from '../../src/report/charts/common.js';
import type { EllipseNumbers, EmbeddingGroup } from './groups.js';

/** @param all - unlearned groups are drawn only where nothing was learned, and are in the words and the table always */
export function planePicture(all: readonly EmbeddingGroup[]): ChartSpec {
  const learned = all.filter((group) => group.learned !== false);
  const groups = learned.length > 0 ? learned : all;
  const hidden = all.length - groups.length;
  const rows = groups.flatMap(rowsOf);
  const labels = [...new Set(groups.map(({ label }) => label))];
  const reach = rows.reduce(
    (most, { x, y }) => Math.max(most, Math.abs(Number(x)), Math.abs(Number(y))),
    0.1,
  );
  const seeds = groups.reduce((total, group) => total + group.runs.length, 0);
  const drawn = groups.filter(({ ellipses }) => ellipses.length > 0).map((group) => group.runs.length);
  const [fewest, most] = [Math.min(...drawn), Math.max(...drawn)];
  const ellipses =
    drawn.length === 0
      ? ''
      : `; ellipses: 95 % of a normal distribution estimated from ${fewest === most ? fewest : `${fewest} to ${most}`} seeds`;
  return chart({
    id: 'embedding-plane',
    title: 'Where the numbers lie',
    subtitle: `First two components of the mean of ${counted(seeds, 'run')} in ${counted(groups.length, 'group')}, each at the naming i -> u i that makes it most ring-like and rotated onto it; dots: single seeds${ellipses}; the thin line joins 0, 1, 2, ...${hidden === 0 ? '' : `; not drawn: ${counted(hidden, 'group')} that learned nothing`}`,
    summary: all.map(describe).join(' '),
    headline: true,
    spec: smallMultiples(rows, 'group', view(labels, 1.08 * reach), {
      columns: 3,
      order: groups.map(({ name }) => name),
    }),
    table: tableOfPlane(all),
  });
}

function tableOfPlane(groups: readonly EmbeddingGroup[]): ChartSpec['table'] {
  const rows = groups.flatMap((group) =>
    group.consensus.map(([x, y], number) => {
      const ellipse = group.ellipses.find((one) => one.number === number);
      return { name: group.name, number, x, y, axes: ellipse?.semiAxes.map((axis) => readable(axis)) };
    }),
  );
  return tableOf([
    ['Group', rows.map(({ name }) => name)],
    ['Number', rows.map(({ number }) => number)],
    ['First component', rows.map(({ x }) => readable(x))],
    ['Second component', rows.map(({ y }) => readable(y))],
    ['Longer half-axis', rows.map(({ axes }) => axes?.[0])],
    ['Shorter half-axis', rows.map(({ axes }) => axes?.[1])],
  ]);
}

function rowsOf(group: EmbeddingGroup): Row[] {
  const shared = { group: group.name, condition: group.label };
  const point = (kind: string, number: number, [x, y]: readonly [number, number], order: number): Row => ({
    ...shared,
    kind,
    number,
    x: digits(x),
    y: digits(y),
    order,
  });
  return [
    ...group.consensus.map((place, number) => point('mean', number, place, number)),
    ...group.planes.flatMap((plane, s) =>
      plane.map((place, number) => point('seed', number, place, group.runs[s].subject.seed)),
    ),
    ...group.ellipses.flatMap((ellipse) =>
      outline(ellipse, group.n > 16 ? 12 : 20).map((place, i) => point('ellipse', ellipse.number, place, i)),
    ),
  ];
}

/** A closed polygon near the ellipse. */
function outline({ centre, semiAxes, angle }: EllipseNumbers, corners: number): [number, number][] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return Array.from({ length: corners + 1 }, (_, i) => {
    const turn = (2 * Math.PI * (i % corners)) / corners;
    const [u, v] = [semiAxes[0] * Math.cos(turn), semiAxes[1] * Math.sin(turn)];
    return [centre[0] + u * cos - v * sin, centre[1] + u * sin + v * cos];
  });
}

/** Enough for a picture of 200 pixels. */
function digits(value: number): number {
  return Number(value.toFixed(4));
}

function view(labels: readonly string[], reach: number) {
  const place = (field: 'x' | 'y', title: string) =>
    quantitative(field, title, { domain: [-reach, reach], format: '.1f', tickCount: 4, grid: false });
  const encoding = {
    x: place('x', 'First component (norm-1 units)'),
    y: place('y', 'Second component (norm-1 units)'),
    color: conditionColor(labels, { legend: false }),
  };
  const only = (kind: string) => [{ filter: `datum.kind === '${kind}'` }];
  const order = { field: 'order', type: 'quantitative' };
  const number = { field: 'number', type: 'nominal' };
  return {
    width: 210,
    height: 210,
    layer: [
      {
        transform: only('mean'),
        mark: { type: 'line', style: 'seed-line' },
        encoding: { ...encoding, order },
      },
      {
        transform: only('ellipse'),
        mark: { type: 'line', strokeWidth: 1, opacity: 0.55 },
        encoding: { ...encoding, detail: number, order },
      },
      {
        transform: only('seed'),
        mark: { type: 'point', style: 'seed' },
        encoding: {
          ...encoding,
          tooltip: [
            { ...number, title: 'number' },
            { field: 'order', type: 'nominal', title: 'seed' },
          ],
        },
      },
      {
        transform: only('mean'),
        mark: { type: 'text', style: 'point-label' },
        encoding: { x: encoding.x, y: encoding.y, text: { field: 'number', type: 'nominal' } },
      },
    ],
  };
}

function describe(group: EmbeddingGroup): string {
  const [first, second] = group.planeShares;
  const agreed =
    group.agreement === null
      ? 'one seed'
      : `${group.runs.length} seeds, which share all but ${percent(group.agreement.unexplained, 0)} of their variance (by chance: all but ${percent(group.agreement.nullMean, 0)})`;
  const units = [...new Set(group.namings)].filter((unit) => unit !== 1);
  const renamed =
    units.length === 0
      ? ''
      : `, some seeds renamed by i -> u i with u = ${units.sort((a, b) => a - b).join(', ')}`;
  return `${group.name}${renamed}: ${agreed}; the plane holds ${percent(first, 0)} and ${percent(second, 0)} of the consensus.`;
}
