/** Forest: differences between two conditions, in spreads of one seed so that they share an axis, the largest first. Pure. */
import { scopeText } from '../../evidence/scope.js';
import type { Difference } from '../../evidence/summaries.js';
import {
  captionOf,
  chart,
  counted,
  inlineData,
  intervalMarks,
  nominal,
  type PictureText,
  quantitative,
  readable,
  type Row,
  type Spec,
} from '../charts/common.js';
import type { ChartSpec } from '../schema.js';

export interface ForestText extends PictureText {
  /** most rows drawn; the table has them all */
  readonly most?: number;
}

/** Differences that can be ranked: with a spread to measure them by. Largest first, ties in their order. */
export function ranked(differences: readonly Difference[]): Difference[] {
  return differences
    .filter(({ spreads }) => spreads !== undefined)
    .sort((a, b) => Math.abs(b.spreads ?? 0) - Math.abs(a.spreads ?? 0));
}

export function differenceName({ info, scope }: Difference): string {
  const within = scopeText(scope);
  return within === '' ? info.title : `${info.title}, ${within}`;
}

/** `A minus B`, without what both labels say. */
export function pairName({ a, b }: Pick<Difference, 'a' | 'b'>): string {
  const [x, y] = [a, b].map(({ label }) => label.split(', '));
  const shared = x.slice(1).filter((part) => y.includes(part));
  const short = (parts: readonly string[]): string =>
    parts.filter((part) => !shared.includes(part)).join(', ');
  return `${short(x)} minus ${short(y)}${shared.length === 0 ? '' : ` (${shared.join(', ')})`}`;
}

export function forestChart(differences: readonly Difference[], text: ForestText): ChartSpec {
  const all = ranked(differences);
  const shown = all.slice(0, text.most ?? 25);
  const pairs = [...new Set(shown.map(pairName))];
  const rows = shown.map((one): Row => {
    const { estimate, interval, spreads = 0 } = one;
    // the same factor for the interval: a difference is shown in spreads of one seed
    const scale = estimate === 0 ? 0 : spreads / estimate;
    const ends = interval === undefined ? [null, null] : [interval.low * scale, interval.high * scale];
    return {
      row: differenceName(one),
      pair: pairName(one),
      spreads,
      low: ends[0],
      high: ends[1],
      decided: interval !== undefined && (interval.low > 0 || interval.high < 0),
      estimate,
    };
  });
  return chart({
    ...captionOf(text),
    subtitle: `${text.note} In standard deviations of one seed, with a 95 % interval; filled: the interval excludes 0.${all.length > shown.length ? ` The ${shown.length} largest of ${all.length}.` : ''}`,
    summary:
      shown.length === 0
        ? 'No two conditions with two seeds each can be compared.'
        : `${counted(all.length, 'difference')}. The largest: ${shown
            .slice(0, 3)
            .map((one) => `${differenceName(one)}, ${pairName(one)}: ${readable(one.estimate)}`)
            .join('; ')}.`,
    spec: view(rows, pairs),
    table: {
      columns: ['Quantity', 'Conditions', 'Difference', 'Low', 'High', 'Unit', 'In spreads', 'p'],
      rows: all.map((one) => [
        differenceName(one),
        pairName(one),
        readable(one.estimate, 4),
        readable(one.interval?.low, 4),
        readable(one.interval?.high, 4),
        one.info.unit,
        readable(one.spreads),
        one.p === undefined ? '' : readable(one.p.p),
      ]),
    },
  });
}

const AXIS = 'Difference (standard deviations of one seed)';
/** Differences of so many spreads leave no room for the others on an even axis. */
const WIDE = 40;

function isWide(rows: readonly Row[]): boolean {
  return rows.some(({ spreads }) => Math.abs(Number(spreads)) > WIDE);
}

function view(rows: readonly Row[], pairs: readonly string[]): Spec {
  const x = (field: string): Spec => {
    const axis = quantitative(field, AXIS, { format: '.1~f', zero: true });
    return isWide(rows)
      ? {
          ...axis,
          title: `${AXIS}, logarithmic beyond 1`,
          scale: { type: 'symlog', constant: 1, nice: true },
        }
      : axis;
  };
  const several = pairs.length > 1;
  const place: Spec = {
    y: nominal('row', null, [...new Set(rows.map(({ row }) => String(row)))]),
    ...(several ? { yOffset: { field: 'pair', type: 'nominal', sort: [...pairs] } } : {}),
  };
  const pair = { field: 'pair', type: 'nominal', title: null, sort: [...pairs] };
  const shape = several ? { shape: { ...pair, legend: { orient: 'top', columns: 1 } } } : {};
  const tooltip = [
    { field: 'row', type: 'nominal', title: 'quantity' },
    { field: 'pair', type: 'nominal', title: 'conditions' },
    { field: 'estimate', type: 'quantitative', title: 'difference', format: '.4~g' },
    { field: 'spreads', type: 'quantitative', title: 'in spreads', format: '.2~f' },
  ];
  return {
    data: inlineData(rows),
    height: { step: several ? 12 + 8 * pairs.length : 18, for: 'position' },
    layer: [
      { mark: { type: 'rule', style: 'reference' }, encoding: { x: { datum: 0, type: 'quantitative' } } },
      ...intervalMarks(x, place),
      {
        mark: { type: 'point', style: 'open-estimate' },
        encoding: {
          x: x('spreads'),
          ...place,
          ...shape,
          fillOpacity: { condition: { test: 'datum.decided', value: 1 }, value: 0 },
          tooltip,
        },
      },
    ],
  };
}
