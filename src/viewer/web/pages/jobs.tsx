/** What runs, what waits and what has ended; and the form that starts more. */
import { useEffect, useState } from 'preact/hooks';
import type { JobList } from '../../contract/jobs.js';
import { plural } from '../format.js';
import { JobCard } from '../parts/job-card.js';
import { JobFormView } from '../parts/job-form.js';
import { Empty, Loading, Lost, useTitle } from '../parts/states.js';
import { followStream } from '../stream.js';

/** Ended jobs shown at first. */
const MOST_ENDED = 10;

export function JobsPage() {
  useTitle('Jobs - sumlens');
  const [list, setList] = useState<JobList | undefined>(undefined);
  const [isLost, setLost] = useState(false);
  const [isAll, setAll] = useState(false);
  useEffect(
    () =>
      followStream('/api/jobs/events', {
        on: { jobs: (data) => setList(data as JobList) },
        connection: (ok) => setLost(!ok),
      }),
    [],
  );
  const jobs = list?.jobs ?? [];
  const open = jobs.filter(({ ended }) => ended === null);
  const ended = jobs.filter((job) => job.ended !== null);
  return (
    <>
      <h1>Jobs</h1>
      <Lost isLost={isLost} />
      {list === undefined ? (
        isLost || <Loading />
      ) : (
        <p class="overview" role="status">
          {overview(list)}
        </p>
      )}
      <JobFormView />
      {list !== undefined && (
        <>
          <section aria-labelledby="open-title">
            <h2 id="open-title">Running and waiting</h2>
            {open.length === 0 ? (
              <Empty>Nothing runs.</Empty>
            ) : (
              open.map((job) => <JobCard key={job.id} job={job} />)
            )}
          </section>
          {ended.length > 0 && (
            <section aria-labelledby="ended-title">
              <h2 id="ended-title">Ended</h2>
              {ended.slice(0, isAll ? undefined : MOST_ENDED).map((job) => (
                <JobCard key={job.id} job={job} />
              ))}
              {!isAll && ended.length > MOST_ENDED && (
                <button type="button" class="quiet" onClick={() => setAll(true)}>
                  {`Show ${ended.length - MOST_ENDED} more`}
                </button>
              )}
            </section>
          )}
        </>
      )}
    </>
  );
}

function overview({ cores, jobs }: JobList): string {
  const count = (...states: string[]): number => jobs.filter(({ state }) => states.includes(state)).length;
  const running = count('running', 'stopping');
  const waiting = count('queued');
  const words = running === 0 ? 'Nothing runs' : `${plural(running, 'job')} running`;
  return `${words}${waiting > 0 ? `, ${waiting} waiting` : ''}; ${plural(cores, 'core')} in all. Jobs go on when this page or the viewer is closed.`;
}
