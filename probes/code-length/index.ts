/**
 * Module `code-length`: how few bits parity of the result takes when the residual stream is known, sent online by the probe of
 * `parity-probe` (Voita and Titov, "Information-theoretic probing with minimum description length", EMNLP 2020), beside random
 * labellings of the results (Hewitt and Liang, EMNLP 2019). Run by name.
 */
import { summariesOf, groupName } from '../../src/evidence/summaries.js';
import { pointRows, pointsChart } from '../../src/report/marks/points.js';
import { RANGES, type Statistic } from '../../src/evidence/statistic.js';
import type { Probe } from '../contract.js';
import { type CodeMeasurement, measureSubject } from './measure.js';

const BEFORE = 'before training';
const BITS = 'bits of the online code / labels';

/** Of each stage, for one kind of labels. */
const lengthsOf =
  (labels: 'parity' | 'random'): Statistic<CodeMeasurement>['of'] =>
  (measurement) =>
    measurement === null
      ? []
      : measurement.stages.map((part, s) => ({
          scope: { part },
          value: measurement.trained[s][labels],
          control: measurement.untrained[s][labels],
          examples: measurement.prompts,
        }));

const STATISTICS: readonly Statistic<CodeMeasurement>[] = [
  {
    id: 'saved',
    title: 'Parity shorter than random labels',
    formula: `${BITS}, random labels of the results - parity, after the last layer`,
    unit: 'bits',
    sentence:
      'bits a label that parity of the result saves beside random labels, where it is predicted, after the last layer',
    counts: 'learned',
    controlName: BEFORE,
    reference: 0,
    of(measurement) {
      const [trained, untrained] = [measurement?.trained.at(-1), measurement?.untrained.at(-1)];
      if (measurement === null || trained === undefined || untrained === undefined) return [];
      return [
        {
          value: trained.random - trained.parity,
          control: untrained.random - untrained.parity,
          examples: measurement.prompts,
        },
      ];
    },
  },
  {
    id: 'parity',
    title: 'Code length of parity',
    formula: BITS,
    unit: 'bits',
    range: RANGES.positive,
    sentence: 'bits a label of parity of the result where it is predicted, 1 without the model',
    detail: true,
    controlName: BEFORE,
    reference: 1,
    of: lengthsOf('parity'),
  },
  {
    id: 'random',
    title: 'Code length of random labels',
    formula: `${BITS}, mean over random labellings of the results`,
    unit: 'bits',
    range: RANGES.positive,
    sentence: 'bits a label of random labels of the result where it is predicted',
    detail: true,
    controlName: BEFORE,
    reference: 1,
    of: lengthsOf('random'),
  },
];

export const codeLength: Probe<CodeMeasurement> = {
  name: 'code-length',
  title: 'How short is parity?',
  question: 'How few bits does parity of the result take for someone who sees the residual stream?',
  options: {
    prompts: {
      default: 300,
      series: 120,
      range: [32, 10_000],
      reason: 'as in parity-probe: 30 prompts a result at modulus 10',
    },
    labellings: { default: 8, series: 2, range: [1, 1000], reason: 'random labels, averaged' },
  },
  text: {
    shows:
      'The parities of the results are sent one after the other to someone who sees the residual stream where each result is predicted. The first few cost a bit each; then a probe is fitted on those sent and its surprise is paid for the next, in blocks that double. What can be read at once from few examples is short; 1 bit a label is what it costs without a model. Random labels of the results are sent in the same way: where parity is no shorter than they are, the stream holds the result and not its parity.',
    doesNotShow:
      'That the model uses parity. Lengths depend on the number of prompts and on the penalty of the probe, so compare them within this module only. A length above 1 means that the probe misleads.',
    method:
      'Flat prompts of the primary operation with the most of the first two operand counts, as in parity-probe; the residual stream before the first block and after every attention and feed-forward layer, at the position that predicts the result. Blocks end at 1/32, 1/16, 1/8, 1/4, 1/2 and 1 of the prompts, moved so that a set of operands is never split; the first block costs one bit a label. Ridge logistic regression, penalty 1, features centred and scaled on what was sent. Where only one class was sent, (count + 1) / (total + 2).',
  },
  isCompatible: ({ data }) =>
    data.modulus >= 4 || `needs at least 4 numbers, and modulus ${data.modulus} has ${data.modulus}`,
  measure: (subject, { prompts, labellings }, context) =>
    measureSubject(subject, { prompts: Number(prompts), labellings: Number(labellings) }, context),
  statistics: STATISTICS,
  combine: ({ evidence }) => ({
    pictures: [
      pointsChart(
        pointRows(
          ['parity', 'random'].flatMap((id) => summariesOf(evidence, `code-length/${id}`)),
          {
            panel: (summary) => `${groupName(summary)}: ${summary.info.title.toLowerCase()}`,
            category: ({ scope }) => scope.part ?? '',
          },
        ),
        {
          id: 'code-lengths',
          title: 'Bits a label, layer by layer',
          note: 'At the position that predicts the result. 1: what a label costs without the model. Parity is there as such where it is shorter than random labels of the results.',
          axis: 'Bits a label',
          category: 'After',
          reference: 1,
        },
      ),
    ],
  }),
};
