/** One report in a frame of its own origin: it can draw and download, and reach nothing of the viewer. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { reportList } from '../api.js';
import type { PageProps } from '../pages.js';
import { A } from '../parts/link.js';
import { Broken } from '../parts/broken.js';
import { Loading, useTitle } from '../parts/states.js';
import { TrashButton } from '../parts/trash.js';
import { useOnce } from '../resource.js';
import { go, href } from '../router.js';

/** A section of a report, as its address ends; nothing else that a frame says is taken. */
const SECTION = /^#[a-z][a-z0-9-]{0,79}$/;

export function ReportPage({ name }: PageProps) {
  useOnce(reportList);
  const reports = reportList.data.value;
  const report = reports?.find((entry) => entry.open && entry.address === name);
  useTitle(`${report?.title ?? 'Report'} - sumlens`);
  const frame = useRef<HTMLIFrameElement>(null);
  const [section] = useState(SECTION.test(location.hash) ? location.hash : '');
  useEffect(() => {
    const follow = ({ source, data }: MessageEvent<unknown>): void => {
      if (frame.current === null || source !== frame.current.contentWindow) return;
      if (typeof data !== 'string' || !(data === '' || SECTION.test(data))) return;
      history.replaceState(history.state, '', `${location.pathname}${location.search}${data}`);
    };
    window.addEventListener('message', follow);
    return () => window.removeEventListener('message', follow);
  }, []);
  useLayoutEffect(() => {
    document.body.classList.add('with-frame');
    return () => document.body.classList.remove('with-frame');
  }, []);
  if (reports === undefined) {
    const error = reportList.error.value;
    return error === undefined ? <Loading /> : <Broken title="Not loaded">{error.message}</Broken>;
  }
  if (report === undefined) {
    return <Broken title="Not here">There is no such report (any more).</Broken>;
  }
  const beside = reports.find((entry) => entry.name === report.beside);
  return (
    <>
      <h1 class="hidden">{report.title}</h1>
      <p class="frame-links">
        <span aria-current="page">{report.name}</span>
        <a href={href(`/reports/${name}/page`)}>Open on its own</a>
        {report.comparison === true ? (
          <a href={href(`/reports/${name}/comparison.json`)} download>
            Download comparison.json
          </a>
        ) : (
          <>
            <a href={href(`/reports/${name}/report.json`)} download>
              Download report.json
            </a>
            <a href={href(`/api/reports/${name}/observations.csv`)} download>
              Its numbers as CSV
            </a>
          </>
        )}
        {beside?.open === true && (
          <A to={`/reports/${beside.address}`}>Report of the shipped plan {beside.name}</A>
        )}
        <TrashButton
          what="report"
          name={report.name}
          path={`/api/reports/${name}`}
          onMoved={() => {
            void reportList.refresh();
            go('/reports');
          }}
        />
      </p>
      <iframe
        ref={frame}
        class="report-frame"
        title={report.title}
        sandbox="allow-scripts allow-downloads allow-modals"
        src={`${href(`/reports/${name}/page`)}${section}`}
      />
    </>
  );
}
