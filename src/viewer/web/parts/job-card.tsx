/** One job: what it is, how far it has come, what it prints, and how to stop it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JobLog, JobSummary } from '../../contract/jobs.js';
import { change, runList } from '../api.js';
import { durationText, percent, plural } from '../format.js';
import { useOnce } from '../resource.js';
import { followStream } from '../stream.js';
import { A } from './link.js';
import { Notice } from './states.js';

const WORDS: Readonly<Record<JobSummary['state'], string>> = {
  queued: 'waiting',
  running: 'running',
  stopping: 'stopping',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
  stopped: 'stopped',
};

/** What a line of progress says of the time left stands before it already. */
const LEFT = /\s+[\d:]+(?: s)? left$/;

/** Letters of a log that are shown: the end of it. */
const MOST_LETTERS = 60_000;

export function JobCard({ job }: { readonly job: JobSummary }) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const act = (what: 'cancel' | 'again'): void => {
    setBusy(true);
    setProblem('');
    change('POST', `/api/jobs/${job.id}/${what}`, {}).then(
      () => setBusy(false),
      (reason: unknown) => {
        setBusy(false);
        setProblem(reason instanceof Error ? reason.message : String(reason));
      },
    );
  };
  const canAgain = job.ended !== null || job.state === 'stopped';
  return (
    <article class="card job" aria-label={job.title}>
      <div class="job-head">
        <h3>{job.title}</h3>
        <span class={`badge job-${job.state}${job.state === 'running' ? ' live' : ''}`}>
          {WORDS[job.state]}
        </span>
      </div>
      <Progress job={job} />
      {job.reason !== null && <Notice tone="bad">{job.reason}</Notice>}
      {job.state === 'stopped' && (
        <Notice tone="warn">
          What it ran in ended without a word. Started again, it goes on from what was published.
        </Notice>
      )}
      {problem !== '' && (
        <div role="alert">
          <Notice tone="bad">{problem}</Notice>
        </div>
      )}
      <p class="job-command">
        <code>{job.command}</code>
      </p>
      <Results job={job} />
      <div class="job-actions">
        {canAgain ? (
          <button type="button" class="quiet" disabled={isBusy} onClick={() => act('again')}>
            Start again
          </button>
        ) : (
          <button
            type="button"
            class="quiet"
            disabled={isBusy || job.state === 'stopping'}
            onClick={() => act('cancel')}
          >
            {job.state === 'queued' ? 'Do not start' : 'Stop'}
          </button>
        )}
        <span class="muted small">{timesOf(job)}</span>
      </div>
      <Log id={job.id} />
    </article>
  );
}

function Progress({ job: { state, progress } }: { readonly job: JobSummary }) {
  if (state !== 'running' && state !== 'stopping') return null;
  if (progress === null) {
    return (
      <div>
        <progress max={1} aria-label="work done" />
        <p class="muted">Begins</p>
      </div>
    );
  }
  const { share, text, etaMs } = progress;
  return (
    <div>
      <progress max={1} value={share} aria-label="work done" />
      <p class="muted">
        {`${percent(share)}${etaMs === null ? '' : `, about ${durationText(etaMs)} left`}`}
        <span class="job-text">{text.replace(LEFT, '')}</span>
      </p>
    </div>
  );
}

/** Links to the runs that are there, and to the report. */
function Results({ job }: { readonly job: JobSummary }) {
  useOnce(runList);
  const known = runList.data.value?.runs ?? [];
  const runs = job.runs.flatMap((id) => known.filter((run) => run.id === id && run.open)).slice(0, 6);
  const hasReport = job.report !== null && job.state === 'done';
  if (runs.length === 0 && !hasReport) return null;
  return (
    <p class="chips">
      {hasReport && (
        <A class="chip" to={`/reports/${job.report ?? ''}`}>
          report {job.report}
        </A>
      )}
      {runs.map(({ id, address }) => (
        <A key={id} class="chip" to={`/runs/${address}`}>
          {id}
        </A>
      ))}
      {job.runs.length > runs.length && runs.length > 0 && (
        <span class="muted small">{`of ${plural(job.runs.length, 'run')}`}</span>
      )}
    </p>
  );
}

function timesOf({ added, begun, ended, cores, state }: JobSummary): string {
  const at = (text: string): string => text.slice(0, 16).replace('T', ' ');
  if (begun === null) return `asked for ${at(added)} UTC`;
  const ms = ended === null ? NaN : Date.parse(ended) - Date.parse(begun);
  const took = Number.isFinite(ms) ? `, took ${durationText(ms)}` : '';
  const on = state === 'running' ? ` on ${plural(cores, 'core')}` : '';
  return `begun ${at(begun)} UTC${on}${took}`;
}

/** What it prints, asked for when it is opened. */
function Log({ id }: { readonly id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What it prints</summary>
      {isOpen && <LogText id={id} />}
    </details>
  );
}

function LogText({ id }: { readonly id: string }) {
  const [text, setText] = useState('');
  const [isHere, setHere] = useState(false);
  const box = useRef<HTMLPreElement>(null);
  useEffect(
    () =>
      followStream(`/api/jobs/${id}/events`, {
        on: {
          log: (data) => {
            const { fresh, text: more } = data as JobLog;
            setHere(true);
            setText((before) => `${fresh ? '' : before}${more}`.slice(-MOST_LETTERS));
          },
          end: (_data, end) => end(),
          gone: (_data, end) => end(),
        },
        connection: () => undefined,
      }),
    [id],
  );
  useEffect(() => {
    box.current?.scrollTo(0, box.current.scrollHeight);
  }, [text]);
  return (
    <pre class="log" ref={box} tabIndex={0} role="log" aria-label="What the job prints">
      {text === '' && isHere ? 'Nothing yet.' : text}
    </pre>
  );
}
