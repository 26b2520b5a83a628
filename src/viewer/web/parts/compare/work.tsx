/** What is measured and what is missing, the job that measures it with its progress, and saving the comparison. */
import { useEffect, useState } from 'preact/hooks';
import type { Comparison } from '../../../contract/compare.js';
import type { JobSummary } from '../../../contract/jobs.js';
import { change } from '../../api.js';
import { getJob, saveComparison, startJob } from '../../compare-state.js';
import { durationText, whole } from '../../format.js';
import { href, setQuery } from '../../router.js';
import { followStream, type StreamEnd } from '../../stream.js';
import { A } from '../link.js';
import { ModuleList } from './modules.js';
import { Notice } from '../states.js';

export interface WorkProps {
  readonly comparison: Comparison;
  /** something was measured: ask for the comparison again */
  readonly onMeasured: () => void;
}

export function WorkPart({ comparison, onMeasured }: WorkProps) {
  const { of, series, missing } = comparison;
  const [job, setJob] = useState<JobSummary | null>(null);
  const [refused, setRefused] = useState<string | undefined>(undefined);
  const [written, setWritten] = useState<string | undefined>(undefined);
  const address = of.join(',');
  useEffect(() => {
    let isOld = false;
    setJob(null);
    getJob(address, series).then(
      (found) => {
        // what has ended well says nothing that the page does not show
        if (!isOld && found !== null && (found.ended === null || (found.state === 'failed' && missing > 0)))
          setJob(found);
      },
      () => undefined,
    );
    return () => {
      isOld = true;
    };
  }, [address, series]);
  const isOpen = job !== null && job.ended === null && job.state !== 'stopped';
  useEffect(() => {
    if (!isOpen) return undefined;
    const over = (end: StreamEnd): void => {
      end();
      onMeasured();
    };
    return followStream(`/api/jobs/${job.id}/events`, {
      on: {
        job: (data, end) => {
          // the server of this page is the same build
          const next = data as JobSummary;
          setJob(next);
          if (next.state === 'stopped') over(end);
        },
        end: (_data, end) => over(end),
        gone: (_data, end) => over(end),
      },
      connection: () => undefined,
    });
  }, [isOpen, job?.id]);
  const refuse = (reason: unknown): void => {
    setWritten(undefined);
    setRefused(reason instanceof Error ? reason.message : String(reason));
  };
  const told = (asked: Promise<unknown>): void => {
    setRefused(undefined);
    setWritten(undefined);
    asked.then((answer) => setJob(answer as JobSummary), refuse);
  };
  const asked = { of, ...(series ? { series } : {}) };
  return (
    <section class="card work" aria-labelledby="work-title">
      <h2 id="work-title">Measured</h2>
      <ModuleList {...comparison} />
      {missing > 0 && (
        <p class="muted small">
          What is measured is kept beside the reports, for this page and for <code>sumlens compare</code>{' '}
          alike.
        </p>
      )}
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
        {missing > 0 && (
          <button type="button" class="primary" disabled={isOpen} onClick={() => told(startJob(asked))}>
            {`Measure what is missing (${whole(missing)})`}
          </button>
        )}
        <SaveForm
          isBusy={isOpen}
          onSave={(name, what) => {
            if (what === 'verdicts') {
              told(startJob({ ...asked, name }));
              return;
            }
            setRefused(undefined);
            saveComparison({ ...asked, name }).then(({ report }) => setWritten(report), refuse);
          }}
        />
        <a class="small" href={href(`/api/compare/page?of=${address}${series ? '&series=1' : ''}`)} download>
          Download this page
        </a>
      </div>
      {refused !== undefined && (
        <div role="alert">
          <Notice tone="bad">{refused}</Notice>
        </div>
      )}
      <div role="status">
        {written !== undefined && <Written report={written} />}
        {job !== null && (
          <JobLine job={job} onCancel={() => told(change('POST', `/api/jobs/${job.id}/cancel`, {}))} />
        )}
      </div>
    </section>
  );
}

function JobLine({ job, onCancel }: { readonly job: JobSummary; readonly onCancel: () => void }) {
  const { state, progress, reason, report } = job;
  if (state === 'queued' || state === 'running' || state === 'stopping') {
    const share = progress === null ? {} : { value: progress.share };
    const left = progress?.etaMs ?? null;
    const words = state === 'queued' ? 'waits for a core' : (progress?.text ?? 'begins');
    return (
      <div class="job-line">
        <progress max={1} {...share} aria-label="measured" />
        <span>
          {words}
          {left === null ? '' : `, about ${durationText(left)} left`}
        </span>
        <button type="button" class="quiet small" disabled={state === 'stopping'} onClick={onCancel}>
          {state === 'queued' ? 'Do not start' : 'Cancel'}
        </button>
        <A class="small" to="/jobs">
          All jobs
        </A>
      </div>
    );
  }
  return (
    <>
      {state === 'done' && report !== null && <Written report={report} />}
      {state === 'cancelled' && <Notice tone="warn">Cancelled. What was measured is kept.</Notice>}
      {state === 'stopped' && (
        <Notice tone="warn">What it ran in ended without a word. What was measured is kept.</Notice>
      )}
      {reason !== null && <Notice tone="bad">{reason}</Notice>}
    </>
  );
}

/** @param report - its address */
function Written({ report }: { readonly report: string }) {
  return (
    <Notice tone="good">
      The report is written: <A to={`/reports/${report}`}>open it</A>. Its file <code>index.html</code> works
      without this viewer.
    </Notice>
  );
}

/** `page`: what this page shows, as one file; `verdicts`: the report of `sumlens compare` */
type What = 'page' | 'verdicts';

interface SaveFormProps {
  readonly isBusy: boolean;
  readonly onSave: (name: string, what: What) => void;
}

function SaveForm({ isBusy, onSave }: SaveFormProps) {
  const [what, setWhat] = useState<What>('page');
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
    onSave(name.trim(), what);
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
      <label class="choice">
        with{' '}
        <select
          value={what}
          onChange={(event) => setWhat(event.currentTarget.value === 'verdicts' ? 'verdicts' : 'page')}
        >
          <option value="page">what this page shows</option>
          <option value="verdicts">verdicts on the claims; measures what is missing</option>
        </select>
      </label>
      <button type="submit" class="primary" disabled={isBusy && what === 'verdicts'}>
        Save
      </button>
      <button type="button" class="quiet" onClick={() => setOpen(false)}>
        Not now
      </button>
    </form>
  );
}
