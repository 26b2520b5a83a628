/** What happens to the answers when the parity direction is taken out of the number tokens, beside controls. Pure. */
import type { ChartSpec } from '../schema.js';
import { chart, counted, percent, pointInterval, readable, type Row } from './common.js';
import type { AnswerNumbers, CausalNumbers, ParityGroup } from './parity-data.js';
import { interval } from './parity-scores.js';

const TREATMENTS = [
  { name: 'intact', pick: (one: CausalNumbers): AnswerNumbers => one.intact },
  { name: 'parity direction removed', pick: (one: CausalNumbers): AnswerNumbers => one.parity },
  { name: 'random moves as large (control)', pick: (one: CausalNumbers): AnswerNumbers => one.random },
  {
    name: 'random labelling removed (control)',
    pick: (one: CausalNumbers): AnswerNumbers => one.otherLabelling,
  },
] as const;

export function parityCausal(groups: readonly ParityGroup[]): ChartSpec {
  const shown = groups
    .filter(({ learnedSum }) => learnedSum !== false)
    .flatMap(({ label, seeds }) => {
      const own = seeds.flatMap(({ seed, causal }) => (causal === null ? [] : [{ seed, causal }]));
      return own.length === 0 ? [] : [{ label, own }];
    });
  const cells = TREATMENTS.flatMap(({ name, pick }) =>
    shown.map(({ label, own }) => ({ name, label, values: own.map(({ causal }) => pick(causal)) })),
  );
  const means = cells.map(({ name, label, values }): Row => ({
    category: name,
    condition: label,
    ...interval(values.map(({ accuracy }) => accuracy)),
  }));
  const seeds = cells.flatMap(({ name, label, values }) =>
    values.map(({ accuracy }): Row => ({ category: name, condition: label, estimate: accuracy })),
  );
  const runs = shown.reduce((total, { own }) => total + own.length, 0);
  const removed = shown.map(({ label, own }) => {
    const shares = own.map(({ causal }) => causal.removedShare);
    return `${label} ${percent(shares.reduce((sum, value) => sum + value, 0) / shares.length, 0)}`;
  });
  return chart({
    id: 'parity-causal',
    title: 'Does the model need the parity direction to add?',
    subtitle: `${counted(runs, 'run')} that learned. The direction that a probe for parity finds is projected out of the number tokens of the input; the output layer stays. Controls: every number moved as far in a random direction; the directions that probes for random labellings find. Mean with a 95 % interval, each faint dot a run.`,
    summary:
      shown.length === 0
        ? 'No run has learned its operation.'
        : `Share of the embeddings' variance along the direction: ${removed.join(', ')}. ${cells
            .map(
              ({ name, label, values }) =>
                `${label}, ${name}: accuracy ${readable(averageOf(values, 'accuracy'), 2)}, loss ${readable(averageOf(values, 'lossNats'), 2)} nats.`,
            )
            .join(' ')}`,
    spec: pointInterval({
      rows: means,
      seeds,
      category: {
        field: 'category',
        title: null,
        order: TREATMENTS.map(({ name }) => name),
      },
      value: { title: 'Accuracy (% of result tokens)', domain: [0, 1], format: '.0%', tickCount: 5 },
      conditions: shown.map(({ label }) => label),
    }),
    table: {
      columns: ['Condition', 'Seed', 'Input', 'Accuracy', 'Loss (nats a result token)', 'Variance removed'],
      rows: TREATMENTS.flatMap(({ name, pick }) =>
        shown.flatMap(({ label, own }) =>
          own.map(({ seed, causal }) => [
            label,
            seed,
            name,
            readable(pick(causal).accuracy),
            readable(pick(causal).lossNats),
            name === 'parity direction removed' ? percent(causal.removedShare) : '',
          ]),
        ),
      ),
    },
  });
}

function averageOf(values: readonly AnswerNumbers[], field: keyof AnswerNumbers): number {
  return values.reduce((sum, one) => sum + one[field], 0) / values.length;
}
