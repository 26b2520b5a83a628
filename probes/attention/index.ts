/** Module `attention`: what the position before the result reads, by layer and head. */
import { type Evidence, evidenceOf } from '../../src/evidence/evidence.js';
import { type Scope, scopeText } from '../../src/evidence/scope.js';
import { groupName, summariesOf, type Summary } from '../../src/evidence/summaries.js';
import { heatMapChart, type HeatCell } from '../../src/report/marks/heat-map.js';
import { pointRows, pointsChart } from '../../src/report/marks/points.js';
import type { ChartSpec } from '../../src/report/schema.js';
import type { Probe } from '../contract.js';
import { PROMPTS_PER_TEMPLATE } from '../result-prompts.js';
import { HEAD_ENTROPY, HEAD_WEIGHT, matchedHeads } from './heads.js';
import { type AttentionMeasurement, measureSubject } from './measure.js';
import { ATTENTION_STATISTICS } from './statistics.js';

export const attention: Probe<AttentionMeasurement> = {
  name: 'attention',
  title: 'What is read',
  question:
    'Where does a model look when it is about to write a result: at the operands, the operation, or elsewhere?',
  options: { promptsPerTemplate: PROMPTS_PER_TEMPLATE },
  text: {
    shows:
      'How the attention of the position before the result of a flat expression is shared out among operands, operation, brackets, start and arrow, by layer and head, and how spread it is: the entropy is 0 where one position is read and largest where all are read alike.',
    doesNotShow:
      'What is done with what is read, or whether it is needed: weights say where values come from, not what they hold (module ablation, frozen patterns). After the first layer a position no longer holds its own token alone, so that reading a bracket may be reading a sum.',
    method:
      'Attention patterns of that position, mean over prompts; kinds of token in groups that sum to 1. Entropy in nats and over ln of the number of positions. Chance: uniform attention on the same prompts. Control: the same run before training. Heads of different seeds: in each layer matched to those of the first run that has learned, by the least squared distance of their weights over the operations (Hungarian method); the reference has its heads in descending order of their weight on operands. Matched heads are alike by choice; the control is matched in the same way. Held-out operands are left out. Exploratory.',
  },
  measure: (subject, { promptsPerTemplate }, context) =>
    measureSubject(subject, Number(promptsPerTemplate), context),
  statistics: ATTENTION_STATISTICS,
  further: [HEAD_WEIGHT, HEAD_ENTROPY],
  combine({ measured, last, evidence }) {
    const observations = matchedHeads(measured, last);
    const statistics = new Map([
      ...evidence.statistics,
      ...[HEAD_WEIGHT, HEAD_ENTROPY].map((info) => [`attention/${info.id}`, info] as const),
    ]);
    const all = evidenceOf(evidence.subjects, [...evidence.observations, ...observations], statistics);
    return { observations, pictures: pictures(all) };
  },
};

const layerName = ({ layer = 0, part }: Scope): string =>
  scopeText({ layer, ...(part === undefined ? {} : { part }) });

function pictures(evidence: Evidence): ChartSpec[] {
  const of = (id: string): Summary[] => summariesOf(evidence, `attention/${id}`);
  const heads = of(HEAD_WEIGHT.id);
  const first = heads.at(0)?.scope.operation;
  const cell = (summary: Summary, y: string, value: number): HeatCell => ({
    panel: groupName(summary),
    x: summary.scope.position ?? '',
    y,
    value,
  });
  const own = heads.filter(({ scope }) => scope.operation === first);
  const uniform = of('weight').filter(({ scope }) => scope.operation === first && scope.layer === 0);
  return [
    heatMapChart(
      [
        ...own.map((summary) => cell(summary, layerName(summary.scope), summary.mean)),
        ...uniform.map((summary) => cell(summary, 'uniform', summary.nullMean ?? NaN)),
      ],
      {
        id: 'attention-heads',
        title: 'What does each head read where the result is predicted?',
        note: `${first ?? ''}; share of the attention, mean over prompts and seeds; heads of different seeds are matched by what they read.`,
        x: 'Read',
        y: 'Head',
        value: 'Share of attention',
        diverging: false,
        domain: [0, 1],
        angle: -40,
        headline: true,
      },
    ),
    pointsChart(
      pointRows(of('operand-weight'), {
        category: ({ scope }) => `${scope.operation ?? ''}, ${layerName(scope)}`,
      }),
      {
        id: 'attention-operands',
        title: 'How much of the attention goes to the operands?',
        note: 'Mean over heads; control: the same run before training, which reads about evenly.',
        axis: 'Share of attention on operands',
        category: 'Layer',
        share: true,
      },
    ),
    pointsChart(
      pointRows(of('entropy'), { category: ({ scope }) => `${scope.operation ?? ''}, ${layerName(scope)}` }),
      {
        id: 'attention-entropy',
        title: 'How spread is the attention?',
        note: 'Mean over heads; 0: one position is read; control: the same run before training.',
        axis: 'Entropy (nats)',
        category: 'Layer',
      },
    ),
  ];
}
