/** What is measured and what is missing, the one job with its progress, and saving the comparison as a report. */
import { useEffect, useState } from 'preact/hooks';
import type { CompareJob, Comparison } from '../../../contract/compare.js';
import { getJob, startJob } from '../../compare-state.js';
import { durationText, plural, whole } from '../../format.js';
import { setQuery } from '../../router.js';
import { followStream } from '../../stream.js';
import { A } from '../link.js';
import { Notice } from '../states.js';

export interface WorkProps {
  readonly comparison: Comparison;
  /** something was measured: ask for the comparison again */
  readonly onMeasured: () => void;
}

export function WorkPart({ comparison, onMeasured }: WorkProps) {
  const [job, setJob] = useState<CompareJob | null>(null);
  const [refused, setRefused] = useState<string | undefined>(undefined);
  const isRunning = job?.state === 'running';
  useEffect(() => {
    getJob().then(setJob, () => undefined);
  }, []);
  useEffect(() => {
    if (!isRunning) return;
    return followStream('/api/compare/job/events', {
      on: {
        job: (data, end) => {
          const next = (data as { job: CompareJob | null }).job;
          setJob(next);
          if (next?.state === 'running') return;
          end();
          onMeasured();
        },
      },
      connection: () => undefined,
    });
  }, [isRunning]);
  const begin = (what: 'measure' | 'report' | 'cancel', body: Readonly<Record<string, unknown>>): void => {
    setRefused(undefined);
    startJob(what, body).then(setJob, (reason: unknown) =>
      setRefused(reason instanceof Error ? reason.message : String(reason)),
    );
  };
  const { of, series } = comparison;
  const asked = { of, ...(series ? { series } : {}) };
  return (
    <section class="card work" aria-labelledby="work-title">
      <h2 id="work-title">Measured</h2>
      <ModuleList {...comparison} />
      {comparison.runs.some(({ chosen }) => chosen.length > 1) && (
        <label class="choice">
          <input
            type="checkbox"
            checked={series}
            onChange={() => setQuery({ series: series ? undefined : '1' })}
          />{' '}
          cheaper options, for many steps of a run
        </label>
      )}
      <div class="button-row">
        {comparison.missing > 0 && (
          <button type="button" class="primary" disabled={isRunning} onClick={() => begin('measure', asked)}>
            {`Measure what is missing (${whole(comparison.missing)})`}
          </button>
        )}
        <SaveForm isBusy={isRunning} onSave={(name) => begin('report', { ...asked, name })} />
      </div>
      {refused !== undefined && (
        <div role="alert">
          <Notice tone="bad">{refused}</Notice>
        </div>
      )}
      <div role="status">{job !== null && <JobLine job={job} onCancel={() => begin('cancel', {})} />}</div>
    </section>
  );
}

function ModuleList({ modules, missing }: Comparison) {
  return (
    <ul class="modules">
      {modules.map(({ module, title, measured, missing: lacking, leftOut }) => (
        <li key={module}>
          <b>{title}</b>{' '}
          <span class={lacking > 0 ? 'warn-text' : 'muted'}>
            {`${measured} of ${plural(measured + lacking, 'checkpoint')}`}
          </span>
          {leftOut.length > 0 && (
            <span class="muted small">{`; does not apply to ${leftOut[0].checkpoint}: ${leftOut[0].reason}`}</span>
          )}
        </li>
      ))}
      {missing > 0 && (
        <li class="muted small">
          What is measured is kept beside the reports, for this page and for <code>sumlens compare</code>{' '}
          alike.
        </li>
      )}
    </ul>
  );
}

function JobLine({ job, onCancel }: { readonly job: CompareJob; readonly onCancel: () => void }) {
  const { state, kind, done, total, text, etaMs, reason, report } = job;
  if (state === 'running') {
    return (
      <div class="job-line">
        <progress {...(total === 0 ? {} : { max: total, value: done })} aria-label="measured" />
        <span>
          {total === 0 ? text : `${whole(done)} of ${whole(total)}: ${text}`}
          {etaMs === null ? '' : `, about ${durationText(etaMs)} left`}
        </span>
        <button type="button" class="quiet small" onClick={onCancel}>
          Cancel
        </button>
      </div>
    );
  }
  return (
    <>
      {state === 'done' && kind === 'save' && report !== null && (
        <Notice tone="good">
          The report is written: <A to={`/reports/${report}`}>open it</A>. Its file <code>index.html</code>{' '}
          works without this viewer.
        </Notice>
      )}
      {state === 'cancelled' && <Notice tone="warn">Cancelled. What was measured is kept.</Notice>}
      {reason !== null && <Notice tone={state === 'failed' ? 'bad' : 'warn'}>{reason}</Notice>}
    </>
  );
}

function SaveForm({ isBusy, onSave }: { readonly isBusy: boolean; readonly onSave: (name: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState('');
  if (!isOpen) {
    return (
      <button type="button" class="quiet" onClick={() => setOpen(true)}>
        Save as report
      </button>
    );
  }
  const save = (event: Event): void => {
    event.preventDefault();
    onSave(name.trim());
    setOpen(false);
  };
  return (
    <form class="save" onSubmit={save}>
      <label class="choice">
        Name of the report{' '}
        <input
          ref={(input) => input?.focus()}
          value={name}
          required
          maxLength={64}
          pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
          title="letters, digits, dots, dashes and underscores"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary" disabled={isBusy}>
        Save
      </button>
      <button type="button" class="quiet" onClick={() => setOpen(false)}>
        Not now
      </button>
    </form>
  );
}
