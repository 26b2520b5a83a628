/** Learning curves of all runs on one pair of axes: accuracy with what probes read of the result, and the loss. */
import type { Comparison } from '../../../contract/compare.js';
import { DASHES } from '../../../../palette.js';
import { number, percent, wholePercent } from '../../format.js';
import { LineChart, type Line } from '../line-chart.js';
import { useViewChange } from './change-view.js';

export interface CurvesProps {
  readonly comparison: Comparison;
  /** operation of the address; empty: SUM, or the first */
  readonly operation: string;
  /** of the step slider */
  readonly step: number;
}

const dashAt = (i: number): string => DASHES[i % DASHES.length].join(' ');

export function CurvesPart({ comparison: { runs, learnedAccuracy }, operation, step }: CurvesProps) {
  const change = useViewChange();
  const operations = [...new Set(runs.flatMap(({ accuracy }) => accuracy.map((one) => one.operation)))];
  const shown =
    operations.find((one) => one === operation) ?? operations.find((one) => one === 'SUM') ?? operations[0];
  const lastStep = Math.max(1, ...runs.flatMap(({ steps }) => steps));
  const short = shortLabels(runs.map(({ label }) => label));
  const seedsOf = new Map<string, number>();
  const lines = runs.map((run) => {
    const seed = seedsOf.get(run.label) ?? 0;
    seedsOf.set(run.label, seed + 1);
    return { run, name: nameOf(run, short), place: run.place, dash: dashAt(seed) };
  });
  const accuracy = lines.flatMap(({ run, name, place, dash }): Line[] => {
    const own = run.accuracy.find((one) => one.operation === shown);
    return own === undefined ? [] : [{ name, place, dash, points: own.points }];
  });
  const readings = [...new Set(runs.flatMap(({ readout }) => readout.map((one) => one.name)))];
  const readout = lines.flatMap(({ run, name, place, dash }): Line[] => {
    const own = run.readout.find((one) => one.name === 'result read');
    return own === undefined || shown !== 'SUM'
      ? []
      : [{ name: `${name}, read`, place, dash, faint: true, points: own.points }];
  });
  const isSeries = runs.some(({ readout: own }) => own.some(({ points }) => points.length > 1));
  return (
    <section aria-labelledby="curves-title">
      <h2 id="curves-title">Learning curves</h2>
      {operations.length > 1 && (
        <label class="choice">
          Operation{' '}
          <select value={shown} onChange={(event) => change({ op: event.currentTarget.value })}>
            {operations.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      )}
      <div class="charts">
        <LineChart
          title={`Accuracy of ${shown ?? 'no operation'}${readout.length > 0 ? ' and readout' : ''}`}
          note={
            readout.length > 0
              ? `Result tokens right, greedy. Faint: held-out accuracy of a probe for the result after the last layer${isSeries ? '' : ', at the steps measured'}.`
              : 'Result tokens right, greedy, trained prompts.'
          }
          lines={[...accuracy, ...readout]}
          lastStep={lastStep}
          format={percent}
          tickFormat={wholePercent}
          domain={[0, 1]}
          marks={[{ value: learnedAccuracy, label: `learned: ${wholePercent(learnedAccuracy)}` }]}
          at={step}
        />
        <LineChart
          title="Training loss"
          note="Mean over target tokens, nats."
          lines={lines.map(({ run, name, place, dash }) => ({ name, place, dash, points: run.loss }))}
          lastStep={lastStep}
          format={number}
          canBeLogarithmic
          at={step}
        />
      </div>
      {readings.length > 1 && <Residues comparison={runs} lastStep={lastStep} step={step} />}
    </section>
  );
}

interface ResiduesProps {
  readonly comparison: Comparison['runs'];
  readonly lastStep: number;
  readonly step: number;
}

/** Labels without what all of them say: `SUM` of `SUM, pairs, d=16`; empty where all are the same. */
function shortLabels(labels: readonly string[]): ReadonlyMap<string, string> {
  const split = new Map(labels.map((label) => [label, label.split(', ')]));
  return new Map(
    [...split].map(([label, parts]) => [
      label,
      parts.filter((part) => ![...split.values()].every((own) => own.includes(part))).join(', '),
    ]),
  );
}

function nameOf(
  { label, seed }: Pick<Comparison['runs'][number], 'label' | 'seed'>,
  short: ReadonlyMap<string, string>,
): string {
  const own = short.get(label) ?? label;
  return own === '' ? `seed ${seed}` : `${own}, seed ${seed}`;
}

/** Residues that become readable one after the other are stages of learning; worth a picture with several steps only. */
function Residues({ comparison: runs, lastStep, step }: ResiduesProps) {
  const short = shortLabels(runs.map(({ label }) => label));
  const lines = runs.flatMap((run) =>
    run.readout
      .filter(({ name, points }) => name !== 'result read' && points.length > 1)
      .map(({ name, points }, i): Line => ({
        name: `${nameOf(run, short)}: ${name}`,
        place: run.place,
        dash: dashAt(i),
        points,
      })),
  );
  if (lines.length === 0) return null;
  return (
    <LineChart
      title="Residues of the result read"
      note="Held-out accuracy of probes after the last layer, where the result is predicted."
      lines={lines}
      lastStep={lastStep}
      format={percent}
      tickFormat={wholePercent}
      domain={[0, 1]}
      at={step}
    />
  );
}
