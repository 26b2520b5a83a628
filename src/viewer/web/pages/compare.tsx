/** Checkpoints side by side. All that is shown is in the address: which runs, at which steps, and where the slider stands. */
import { useEffect, useState } from 'preact/hooks';
import type { Comparison, Planes } from '../../contract/compare.js';
import { runList } from '../api.js';
import { getComparison, getPlanes, type Part, partsOf } from '../compare-state.js';
import { Chooser, ChosenPart } from '../parts/compare/chosen.js';
import { ComparisonView } from '../parts/compare/view.js';
import { WorkPart } from '../parts/compare/work.js';
import { Empty, Loading, Notice, useTitle } from '../parts/states.js';
import { useOnce } from '../resource.js';
import { place, setQuery } from '../router.js';

export function ComparePage() {
  useTitle('Compare - sumlens');
  const { of = '', series = '' } = place.value.query;
  const parts = partsOf(of);
  return (
    <div class="compare">
      <h1>Compare</h1>
      {parts.length === 0 ? (
        <>
          <Empty>
            Choose two or more runs: seeds of a condition are replicates, steps of a run a series.
          </Empty>
          <ChooserPart parts={parts} />
        </>
      ) : (
        <Shown of={of} parts={parts} series={series === '1'} />
      )}
    </div>
  );
}

interface ShownProps {
  readonly of: string;
  readonly parts: readonly Part[];
  readonly series: boolean;
}

interface Loaded {
  readonly comparison?: Comparison;
  readonly planes?: Planes;
  readonly error?: Error;
}

function Shown({ of, parts, series }: ShownProps) {
  const [{ comparison, planes, error }, setLoaded] = useState<Loaded>({});
  const [measured, setMeasured] = useState(0);
  useEffect(() => {
    let isOld = false;
    const take = (some: Loaded): void => {
      if (!isOld) setLoaded((now) => ({ ...now, ...some }));
    };
    const failed = (reason: unknown): void =>
      take({ error: reason instanceof Error ? reason : new Error(String(reason)) });
    setLoaded(({ error: _error, ...before }) => before);
    getComparison(of, series).then((found) => take({ comparison: found }), failed);
    getPlanes(of).then((found) => take({ planes: found }), failed);
    return () => {
      isOld = true;
    };
  }, [of, series, measured]);
  return (
    <>
      <details class="more-runs">
        <summary>Choose other runs</summary>
        <ChooserPart parts={parts} />
      </details>
      {error !== undefined && (
        <div role="alert">
          <Notice tone="bad">{error.message}</Notice>
        </div>
      )}
      {comparison === undefined ? (
        error === undefined && <Loading>Reading what was measured</Loading>
      ) : (
        <Parts
          comparison={comparison}
          planes={planes}
          parts={parts}
          onMeasured={() => setMeasured(measured + 1)}
        />
      )}
    </>
  );
}

interface PartsProps {
  readonly comparison: Comparison;
  readonly planes: Planes | undefined;
  readonly parts: readonly Part[];
  readonly onMeasured: () => void;
}

function Parts({ comparison, planes, parts, onMeasured }: PartsProps) {
  return (
    <ComparisonView
      comparison={comparison}
      planes={planes}
      query={place.value.query}
      change={setQuery}
      head={<ChosenPart comparison={comparison} parts={parts} />}
      measured={<WorkPart comparison={comparison} onMeasured={onMeasured} />}
    />
  );
}

function ChooserPart({ parts }: { readonly parts: readonly Part[] }) {
  useOnce(runList);
  const runs = runList.data.value;
  const error = runList.error.value;
  if (runs === undefined)
    return error === undefined ? <Loading /> : <Notice tone="bad">{error.message}</Notice>;
  return <Chooser runs={runs.runs} parts={parts} />;
}
