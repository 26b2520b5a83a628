/** Every report, with what its claims came to. */
import { useState } from 'preact/hooks';
import { reportList } from '../api.js';
import { plural } from '../format.js';
import { ReportCard } from '../parts/report-card.js';
import { Empty, Loading, Lost, useTitle } from '../parts/states.js';
import { useLive } from '../resource.js';

/** Cards shown at first, and added by each press of the button. */
const MOST_CARDS = 24;

export function ReportsPage() {
  useTitle('Reports - sumlens');
  useLive(reportList);
  const [most, setMost] = useState(MOST_CARDS);
  const reports = reportList.data.value;
  return (
    <>
      <h1>Reports</h1>
      <Lost isLost={reportList.error.value !== undefined} />
      {reports === undefined ? (
        <Loading />
      ) : reports.length === 0 ? (
        <Empty>
          No report yet. <code>sumlens compare</code> writes one.
        </Empty>
      ) : (
        <>
          <p class="overview">{plural(reports.length, 'report')}</p>
          <div class="cards">
            {reports.slice(0, most).map((report) => (
              <ReportCard key={report.name} report={report} />
            ))}
          </div>
          {reports.length > most && (
            <button type="button" class="more quiet" onClick={() => setMost(most + MOST_CARDS)}>
              Show more: {plural(reports.length - most, 'report')} left
            </button>
          )}
        </>
      )}
    </>
  );
}
