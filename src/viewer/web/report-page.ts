/** One report in a frame of its own origin: it can draw and download, and reach nothing of the viewer. */
import { getReports } from './api.js';
import { byId, h, put } from './dom.js';

export async function showReport(main: HTMLElement, address: string): Promise<void> {
  const reports = await getReports();
  const report = reports.find((entry) => entry.address === address);
  if (report === undefined) throw new Error('There is no such report (any more).');
  const beside = reports.find((entry) => entry.name === report.beside);
  document.title = `${report.title} - sumlens`;
  document.body.classList.add('with-frame');
  put(
    byId('trail'),
    h('a', { href: '/' }, 'Reports'),
    ' / ',
    h('span', { 'aria-current': 'page' }, report.name),
  );
  put(
    main,
    h('h1', { class: 'hidden' }, report.title),
    h(
      'p',
      { class: 'frame-links' },
      h('a', { href: `/reports/${address}/page` }, 'Open on its own'),
      h('a', { href: `/reports/${address}/report.json`, download: true }, 'Download report.json'),
      beside?.open === true
        ? h('a', { href: `/reports/${beside.address}` }, `Report of the shipped plan ${beside.name}`)
        : null,
    ),
    h('iframe', {
      class: 'report-frame',
      title: report.title,
      sandbox: 'allow-scripts allow-downloads allow-modals',
      src: `/reports/${address}/page`,
    }),
  );
}
