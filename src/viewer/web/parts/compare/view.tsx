/** What a comparison shows, out of what the server says of it: the same on the viewer's page and in a file of its own. */
import type { ComponentChildren } from 'preact';
import type { Comparison, Planes } from '../../../contract/compare.js';
import type { Query } from '../../query.js';
import { Empty, Loading, Notice } from '../states.js';
import { type ChangeView, ViewChange } from './change-view.js';
import { CurvesPart } from './curves.js';
import { MapsPart } from './maps.js';
import { PlanesPart } from './planes.js';
import { DifferencesPart, SettingsPart, StatisticsPart } from './tables.js';

export interface ComparisonViewProps {
  readonly comparison: Comparison;
  /** undefined: not here yet */
  readonly planes: Planes | undefined;
  /** `step` of the slider, `number` that stands out, `op` of the curves, `pair` of the maps */
  readonly query: Query;
  readonly change: ChangeView;
  /** the runs */
  readonly head: ComponentChildren;
  /** what is measured */
  readonly measured: ComponentChildren;
}

export function ComparisonView({ comparison, planes, query, change, head, measured }: ComparisonViewProps) {
  const { step: stepText, number: numberText, op = '', pair = '' } = query;
  const steps = [...new Set(planes?.runs.flatMap((run) => run.steps.map(({ step }) => step)))].sort(
    (a, b) => a - b,
  );
  const last = steps.at(-1) ?? Math.max(0, ...comparison.runs.flatMap((run) => run.steps));
  const step = steps.find((one) => String(one) === stepText) ?? last;
  const chosen = /^\d{1,4}$/.test(numberText ?? '') ? Number(numberText) : undefined;
  return (
    <ViewChange.Provider value={change}>
      {head}
      {comparison.notes.map((note) => (
        <Notice key={note} tone="warn">
          {note}
        </Notice>
      ))}
      {comparison.leftOut.map(({ checkpoint, reason }) => (
        <Notice key={`${checkpoint} ${reason}`} tone="warn">{`${checkpoint}: ${reason}`}</Notice>
      ))}
      {measured}
      <DifferencesPart {...comparison} />
      {planes === undefined ? (
        <Loading>Reading the number embeddings</Loading>
      ) : planes.runs.length === 0 ? (
        <Empty>No number embeddings could be drawn.</Empty>
      ) : (
        <PlanesPart planes={planes} steps={steps} step={step} chosen={chosen} />
      )}
      <CurvesPart comparison={comparison} operation={op} step={step} />
      <MapsPart maps={comparison.maps} conditions={comparison.conditions} pair={pair} />
      <SettingsPart {...comparison} />
      <StatisticsPart {...comparison} />
    </ViewChange.Provider>
  );
}
