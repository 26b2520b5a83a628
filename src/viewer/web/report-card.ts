/** A report in the list: title, what was compared, and what each claim came to. */
import { placesOf } from '../../palette.js';
import type { ReportSummary } from '../contract.js';
import { h } from './dom.js';
import { bytes, colorClass, plural } from './format.js';

export function reportCard(report: ReportSummary): HTMLElement {
  const title = report.open ? h('a', { href: `/reports/${report.address}` }, report.title) : report.title;
  const places = placesOf(report.conditions);
  return h(
    'article',
    { class: 'card report' },
    h('h3', {}, title),
    report.reason === undefined
      ? h(
          'p',
          { class: 'muted' },
          report.reading === true
            ? `${bytes(report.sizeBytes)}, being read`
            : `${plural(report.subjects, 'checkpoint')} of ${plural(report.conditions.length, 'condition')}, ` +
                `${plural(report.modules.length, 'module')}, ${bytes(report.sizeBytes)}`,
        )
      : h('p', { class: 'bad-text' }, report.reason),
    report.conditions.length === 0
      ? null
      : h(
          'ul',
          { class: 'chips' },
          report.conditions
            .slice(0, 8)
            .map((label) =>
              h(
                'li',
                { class: `chip ${colorClass(places.get(label) ?? 0)}` },
                h('span', { class: 'swatch' }),
                label,
              ),
            ),
        ),
    report.verdicts.length === 0
      ? null
      : h(
          'ul',
          { class: 'verdicts' },
          report.verdicts.map(({ claim, statement, verdict, tone }) =>
            h(
              'li',
              {},
              h('b', {}, claim),
              h('span', { class: 'statement' }, statement),
              h('span', { class: `verdict tone${tone}` }, verdict),
            ),
          ),
        ),
  );
}
