/** The pictures of the logit lens: when it is read, how the accuracy grows from stage to stage, and the probability with it. */
import type { Evidence } from '../../src/evidence/evidence.js';
import { type Scope, scopeText } from '../../src/evidence/scope.js';
import { groupName, summariesOf, type Summary } from '../../src/evidence/summaries.js';
import { heatMapChart, type HeatCell } from '../../src/report/marks/heat-map.js';
import { pointRows, pointsChart } from '../../src/report/marks/points.js';
import type { ChartSpec } from '../../src/report/schema.js';

/** `attention, layer 0`. */
const stageName = ({ part = '', layer }: Scope): string =>
  layer === undefined ? part : scopeText({ part, layer });

const askedName = ({ operation = '', divisor }: Scope): string =>
  divisor === undefined ? operation : scopeText({ operation, divisor });

export function logitLensPictures(evidence: Evidence): ChartSpec[] {
  const of = (id: string): Summary[] => summariesOf(evidence, `logit-lens/${id}`);
  const cells = (summaries: readonly Summary[]): HeatCell[] =>
    summaries.map((summary) => ({
      panel: groupName(summary),
      x: stageName(summary.scope),
      y: askedName(summary.scope),
      value: summary.mean,
    }));
  const accuracy = of('accuracy');
  const first = accuracy.at(0)?.scope.operation;
  const map = {
    x: 'After',
    y: 'Asked',
    diverging: false,
    domain: [0, 1],
    angle: -40,
    independent: true,
  } as const;
  return [
    pointsChart(
      pointRows(
        accuracy.filter(({ scope }) => scope.operation === first),
        { panel: ({ scope }) => askedName(scope), category: ({ scope }) => stageName(scope) },
      ),
      {
        id: 'logit-lens-accuracy',
        title: 'From which stage on can the result be read?',
        note: 'What the model would answer if it ended there, among the numbers; control: the same run before training.',
        axis: 'Right (% of prompts)',
        category: 'After',
        share: true,
        headline: true,
      },
    ),
    heatMapChart(cells(accuracy), {
      ...map,
      id: 'logit-lens-map',
      title: 'Results and residues by stage',
      note: 'Share of prompts whose most probable number, or residue class, is the right one; mean over seeds.',
      value: 'Right',
    }),
    heatMapChart(cells(of('probability')), {
      ...map,
      id: 'logit-lens-probability',
      title: 'Probability of the right result by stage',
      note: 'Among all tokens; mean over seeds. Numbers may be told apart well before the model says that a number comes next.',
      value: 'Probability',
    }),
  ];
}
