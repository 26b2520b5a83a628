/** The pictures of the ablations: the dose curves and half doses first, then what each part is needed for, and along which path. */
import { HALF_OCTAVE_DOSES } from './half-dose.js';
import { compareText, hasLearned } from '../../src/evidence/conditions.js';
import type { Evidence } from '../../src/evidence/evidence.js';
import { groupBy } from '../../src/evidence/group-by.js';
import { type Scope, scopeText } from '../../src/evidence/scope.js';
import { summariesOf, type Summary } from '../../src/evidence/summaries.js';
import { counted, percent, readable } from '../../src/report/charts/common.js';
import { type HeatCell, heatMapChart, type HeatMapText } from '../../src/report/marks/heat-map.js';
import { linesChart } from '../../src/report/marks/lines.js';
import { pointRows, pointsChart } from '../../src/report/marks/points.js';
import type { ChartSpec } from '../../src/report/schema.js';
import type { Measured } from '../contract.js';
import type { AblationMeasurement } from './measure.js';

type Entry = Measured<AblationMeasurement>;

/** Doses written below the axis. */
const TICKS = [1 / 256, 1 / 64, 1 / 16, 1 / 4, 1] as const;

const named = (id: string): string => `ablation/${id}`;
const isOf = ({ scope }: Summary, method: string): boolean =>
  scope.method === undefined || scope.method.startsWith(method);

/** @param last - the last checkpoint of every run */
export function ablationPictures(last: readonly Entry[], evidence: Evidence): ChartSpec[] {
  const learned = last.filter(({ subject }) => hasLearned(subject) !== false);
  const of = (ids: readonly string[], method = 'resample'): Summary[] =>
    ids.flatMap((id) => summariesOf(evidence, named(id))).filter((summary) => isOf(summary, method));
  const panel = ({ info, scope }: Summary): string => {
    const { operation: _operation, method: _method, ...where } = scope;
    const within = scopeText(where);
    const unit = info.unit === '1' ? '' : ` (${info.unit})`;
    return `${info.title}${within === '' ? '' : `, ${within}`}${unit}`;
  };
  const primaryOnly = (summaries: readonly Summary[]): Summary[] => {
    const primary = new Map(last.map(({ subject, measurement }) => [subject.condition, measurement.primary]));
    return summaries.filter(({ scope, condition }) => scope.operation === primary.get(condition.id));
  };
  return [
    dosePicture(of(['dose-accuracy'])),
    pointsChart(pointRows(of(['half-dose-accuracy', 'half-dose']), { panel }), {
      id: 'ablation-half-dose',
      title: 'Which writes stand more: feed-forward or attention?',
      note: `F : A, the dose of feed-forward at which half is lost over that of attention; above 0 feed-forward stands more. The claim reads accuracy.${censoredNote(learned, evidence)}`,
      axis: 'Feed-forward over attention (octaves)',
      category: 'Condition',
      reference: 0,
      headline: true,
    }),
    pointsChart(
      pointRows(primaryOnly(of(['share', 'freeze', 'specific', 'norm-ratio', 'operation-information'])), {
        panel,
      }),
      {
        id: 'ablation-beside',
        title: 'Other measures, which need not agree',
        note: 'A: attention, F: feed-forward. Share: 1/2 where both kinds matter alike. Frozen patterns: values kept. Cost beyond a random disturbance: resample less a move as far in a random direction. Sizes of writes say nothing of use.',
        axis: 'Value',
        category: 'Condition',
      },
    ),
    heatMapChart(
      effectCells(evidence, 'effect', ({ operation, role }) => `${operation ?? ''} ${role ?? ''}`),
      effectText({
        id: 'ablation-effects',
        title: 'What each part is needed for',
        note: 'Rise of the loss by operation and role of the token to be predicted; resample ablation at all positions, everything downstream recomputed.',
        x: 'Token to be predicted',
      }),
    ),
    heatMapChart(
      effectCells(evidence, 'way', wayName),
      effectText({
        id: 'ablation-ways',
        title: 'By which replacement, where, and along which path',
        note: "Rise of the loss on results of the first operation. Resample unless named otherwise; at results, at operands: only at the positions that predict results, or at operands and brackets; direct: every other sublayer held at its clean write; frozen pattern: attention's at its template mean, values kept; other operation: the same numbers under another one.",
        x: 'Replacement',
      }),
    ),
  ];
}

function dosePicture(summaries: readonly Summary[]): ChartSpec {
  const points = summaries
    .map((summary) => ({ panel: summary.scope.part ?? '', x: summary.scope.dose ?? 1, summary }))
    .sort((a, b) => compareText(a.panel, b.panel) || a.x - b.x);
  const eighth = points.filter(({ x }) => x === 1 / 8);
  const labels = [...new Set(eighth.map(({ summary }) => summary.condition.label))];
  return linesChart(points, {
    id: 'ablation-dose',
    title: 'How much of each part can be replaced before the answers are lost?',
    note: 'Resample ablation, result tokens; runs that have learned.',
    x: 'Share of the write replaced (%)',
    y: 'Accuracy (% of result tokens)',
    ticks: TICKS.filter((dose) => points.some(({ x }) => x <= dose)),
    format: '.2~p',
    share: true,
    control: 'as large a random disturbance',
    summary:
      labels.length === 0
        ? 'Nothing was measured.'
        : `Accuracy left when one eighth of each write is replaced. ${labels
            .map((label) => {
              const own = eighth.filter(({ summary }) => summary.condition.label === label);
              return `${label}: ${own.map(({ panel, summary }) => `${panel} ${percent(summary.mean, 0)}`).join(', ')}.`;
            })
            .join(' ')}`,
    headline: true,
  });
}

/** Runs that have learned and whose half dose lies outside the doses measured: they have no value, and are named. */
function censoredNote(learned: readonly Entry[], { observations }: Evidence): string {
  const having = (id: string, method: string) =>
    new Set(
      observations.flatMap(({ statistic, subject, scope }) =>
        statistic === named(id) && scope.method?.startsWith(method) === true ? [subject] : [],
      ),
    );
  const [curves, values] = ['dose-accuracy', 'half-dose-accuracy'].map((id) => having(id, 'resample'));
  const without = learned.filter(({ subject: { id } }) => curves.has(id) && !values.has(id)).length;
  const [least] = HALF_OCTAVE_DOSES;
  return without === 0
    ? ''
    : ` ${counted(without, 'run')} without a value: half is lost below a dose of ${readable(least)}, or never.`;
}

/** Columns of the picture of ways, in this order; the others keep that of the table. */
const WAYS = ['resample', 'mean', 'zero', 'random'];
const wayName = ({ method = '', position }: Scope): string =>
  position === undefined ? method : `at ${position}`;
const wayOrder = ({ x }: HeatCell): number => (WAYS.includes(x) ? WAYS.indexOf(x) : WAYS.length);

/** Means over the runs of each condition that have learned. */
function effectCells(evidence: Evidence, id: string, x: (scope: Scope) => string): HeatCell[] {
  const learned = summariesOf(evidence, named(id)).filter((one) => one.learned !== false);
  return [...groupBy(learned, ({ condition }) => condition.id).values()].flatMap((own) =>
    own
      .map(({ condition, scope, mean }) => ({
        panel: condition.label,
        x: x(scope),
        y: scope.part ?? '',
        value: mean,
      }))
      .sort((a, b) => wayOrder(a) - wayOrder(b)),
  );
}

function effectText(text: Pick<HeatMapText, 'id' | 'title' | 'note' | 'x'>): HeatMapText {
  return {
    ...text,
    note: `${text.note} Means over runs that have learned; the colour is logarithmic above 1 nat.`,
    y: 'Part',
    value: 'Rise of the loss (nats)',
    diverging: false,
    symlog: 1,
    independent: true,
    angle: -50,
    columns: 2,
  };
}
