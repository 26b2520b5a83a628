/** The four charts of one run; those that not every run has are there only when they have a curve. */
import type { RunDetail, RunSummary } from '../../contract.js';
import type { CurveStore } from '../curve-store.js';
import { colorClass, number, percent, wholePercent } from '../format.js';
import { LineChart, type Line } from './line-chart.js';

export interface RunChartsProps {
  readonly detail: RunDetail;
  readonly run: RunSummary;
  readonly store: CurveStore;
  /** changes when the store does */
  readonly version: number;
}

export function RunCharts({ detail, run, store }: RunChartsProps) {
  const lastStep = run.steps ?? run.step;
  const marks = [
    { value: detail.learnedAccuracy, label: `learned: ${wholePercent(detail.learnedAccuracy)}` },
    ...(run.chance === null ? [] : [{ value: run.chance, label: `uniform guess: ${percent(run.chance)}` }]),
  ];
  const held = store
    .lines('held', (name) => `${name}, held out`)
    .map((line): Line => ({ ...line, faint: true }));
  const nested = store.lines('nested');
  const role = store.lines('role');
  const divisor = store.lines('divisor', (name) => `mod ${name}`);
  const shares = { format: percent, tickFormat: wholePercent, domain: [0, 1], lastStep } as const;
  const nats = { format: number, canBeLogarithmic: true, lastStep } as const;
  return (
    <div class={`charts ${colorClass(run.place)}`}>
      <LineChart
        {...shares}
        title="Result accuracy by operation"
        note="The one new number of each reduction, greedy. Faint: operands held out of training."
        lines={[...store.lines('accuracy'), ...held]}
        marks={marks}
      />
      <LineChart
        {...nats}
        title="Training loss"
        note="Mean over target tokens, nats."
        lines={store.lines('loss')}
      />
      {nested.length > 0 && (
        <LineChart
          {...shares}
          title="Inside nested expressions"
          note="Results right where one reduction needs another, written freely from the expression on."
          lines={nested}
          marks={marks}
        />
      )}
      {role.length > 0 && (
        <LineChart
          {...nats}
          title="Loss by role of the token"
          note="A perfect copier that adds at chance has a low total: only the result line shows it. Nats."
          lines={role}
        />
      )}
      {divisor.length > 0 && (
        <LineChart
          {...shares}
          title="SUM right modulo the divisors of n"
          note="SUM is often learned coset by coset: a plateau at 50 % is the result known up to parity."
          lines={divisor}
        />
      )}
    </div>
  );
}
