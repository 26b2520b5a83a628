import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CLAIMS, claimPart } from '../../src/evidence/claims-file.js';
import { grouped } from '../../src/evidence/results.js';
import { VERDICT } from '../../src/evidence/verdict.js';
import { MAX_DRAWN_ROWS } from '../../src/report/page/figure.js';
import { escapeHtml, html, scriptJson } from '../../src/report/page/html.js';
import { countText, intervalText, pText, ranges, span, unitText } from '../../src/report/page/numbers.js';
import { renderReport } from '../../src/report/page.js';
import type { Finding, Report } from '../../src/report/schema.js';
import { exampleReport } from './example-report.js';
import { HOSTILE } from './hostile.js';

const runtime = { script: 'void 0;', styles: 'body{margin:0}' };
const report = exampleReport({ seeds: 3, points: 20 });
const render = (value: Report) => renderReport(value, runtime);
const page = render(report);
const emptyReport: Report = {
  ...report,
  subjects: [],
  observations: [],
  claims: [],
  training: [],
  modules: {},
};

/** Text as a reader sees it: tags away, spaces joined. */
const visible = (source: string) =>
  source
    .replace(/<(script|style)[\s>][\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('renderReport', () => {
  it('gives the same bytes for the same input, whatever the order of subjects and modules', () => {
    expect(render(structuredClone(report))).toBe(page);
    const turned: Report = {
      ...report,
      subjects: [...report.subjects].reverse(),
      training: [...report.training].reverse(),
      modules: Object.fromEntries(Object.entries(report.modules).reverse()),
    };
    expect(render(turned)).toBe(page);
  });

  it('changes when one number changes', () => {
    const copy = structuredClone(report);
    const [name] = Object.keys(copy.modules).filter((key) => copy.modules[key].findings.length > 0);
    (copy.modules[name].findings[0] as { estimate: number }).estimate += 0.001;
    expect(render(copy)).not.toBe(page);
    const weights = structuredClone(report);
    (weights.subjects[0] as { weightsSha256: string }).weightsSha256 = 'b'.repeat(64);
    expect(render(weights)).not.toBe(page);
  });

  it('puts the verdict on a claim of several parts above its parts', () => {
    const row = /C3 Embeddings.*?C3a/.exec(visible(page))?.[0] ?? '';
    expect(row).toContain(`${VERDICT.contradicted} its parts together So is part c.`);
    const parts: Report = { ...report, claims: report.claims.filter(({ part }) => part !== undefined) };
    expect(visible(render(parts))).not.toContain('its parts together');
  });

  it('folds many exploratory findings away and shows few', () => {
    const withFindings = (n: number): string => {
      const copy = structuredClone(report);
      const [name] = Object.keys(copy.modules).filter((key) => copy.modules[key].findings.length > 0);
      const { claim: _claim, verdict: _verdict, ...plain } = copy.modules[name].findings[0];
      const replace = (key: string, findings: Finding[]): void => {
        copy.modules[key] = { ...copy.modules[key], findings };
      };
      for (const key of Object.keys(copy.modules)) replace(key, []);
      const rows = Array.from({ length: n }, (_, i) => ({
        ...plain,
        id: `e${i}`,
      }));
      replace(name, rows);
      return render(copy);
    };
    expect(withFindings(4)).toMatch(/<details class="exploratory" open>/);
    expect(withFindings(5)).toMatch(/<details class="exploratory" >/);
    expect(visible(withFindings(5))).toContain('5 exploratory findings');
  });

  it('allows exactly its own script and styles', () => {
    const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/
      .exec(page)?.[1]
      .replaceAll('&#39;', "'");
    const hashOf = (tag: string) => {
      const body = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? '';
      return createHash('sha256').update(body).digest('base64');
    };
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${hashOf('script')}'`);
    expect(policy).toContain(`style-src 'sha256-${hashOf('style')}'`);
    expect(policy).not.toContain('unsafe');
    expect(page).not.toMatch(/\sstyle=|\son[a-z]+=|https?:\/\//);
  });

  it('shows every claim with the verdict word of its part, and no word without a result', () => {
    const text = visible(page);
    for (const { id, text: claim } of CLAIMS) expect(text).toContain(`${id} ${claim}`);
    for (const word of Object.values(VERDICT)) expect(text).toContain(word);
    for (const word of Object.values(VERDICT)) expect(visible(render(emptyReport))).not.toContain(word);
    const [result] = report.claims.filter(({ verdict }) => verdict === VERDICT.supported);
    const one = visible(render({ ...report, claims: [result] }));
    expect(one).toContain(`${result.part} ${claimPart(result.part ?? '').name}: ${result.estimate ?? ''} [`);
  });

  it('names failed modules and left-out checkpoints with their reasons', () => {
    const text = visible(page);
    expect(text).toContain('This module failed. The time limit of 120 s was reached at sum-full-s1@8000.');
    expect(text).toMatch(/3 checkpoints are left out: has not learned SUM/);
    expect(text).toContain('sum-full-s1@8000 has not learned SUM (accuracy 0.11)');
  });

  it('puts findings with a verdict before exploratory ones', () => {
    const section = visible(page.slice(page.indexOf('Geometry of the number embeddings</h2>')));
    expect(section.indexOf('C3c')).toBeLessThan(section.indexOf('exploratory'));
    expect(section).toContain('adjusted 0.04');
  });

  it('draws a report without runs', () => {
    expect(visible(render(emptyReport))).toContain('No run was given, so there is nothing to compare.');
  });

  it('keeps hostile strings out of markup', () => {
    const usually = render(exampleReport({ seeds: 1, points: 2 })).match(/<script/g)?.length;
    for (const text of HOSTILE) {
      const made = render(exampleReport({ seeds: 1, points: 2, text: (usual) => `${text}${usual}` }));
      expect(made.match(/<script/g), text).toHaveLength(usually ?? 0);
      expect(made, text).not.toMatch(/<(img|iframe|object|embed|form|base|link|svg|video)\b/);
    }
  });

  it('downsamples a million points and says so', () => {
    const copy = structuredClone(report);
    const values = Array.from({ length: 1_000_000 }, (_, x) => ({ x, y: x % 7 }));
    const module = copy.modules['embedding-geometry'];
    const table = { columns: ['x'], rows: values.map(({ x }) => [x]) };
    const many = { ...module.charts[0], spec: { data: { values }, mark: 'point' }, table };
    const made = render({ ...copy, modules: { many: { ...module, charts: [many] } } });
    expect(visible(made)).toContain(`Downsampled: ${MAX_DRAWN_ROWS} of 1000000 rows are drawn`);
    expect(visible(made)).toContain('First 120 of 1000000 rows');
    expect(made.length).toBeLessThan(1_500_000);
  });
});

describe('html', () => {
  it('escapes every value that is not markup', () => {
    const made = html`<p title="${'"<&\'>'}">${['<b>', html`<i>${'&'}</i>`, 3, undefined]}</p>`;
    expect(made.text).toBe('<p title="&quot;&lt;&amp;&#39;&gt;">&lt;b&gt;<i>&amp;</i>3</p>');
  });
  it('shows characters that HTML forbids as replacement characters', () => {
    expect(escapeHtml('a\u0000\u001b\ud800b\n')).toBe('a\ufffd\ufffd\ufffdb\n');
  });
  it('lets no tag end the data of a script, and keeps the data', () => {
    const { text } = scriptJson('x', HOSTILE);
    const body = text.replace(/^<script[^>]*>/, '').replace(/<\/script>$/, '');
    expect(body).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(body)).toEqual(HOSTILE);
  });
});

describe('numbers of the page', () => {
  it('are written without a locale', () => {
    expect([grouped(8112), grouped(999), grouped(1234567)]).toEqual(['8,112', '999', '1,234,567']);
    expect([span([]), span([8112]), span([2048, 8112])]).toEqual(['none', '8,112', '2,048 to 8,112']);
    expect(ranges([1, 2, 3, 5, 7, 8])).toBe('1\u20133, 5, 7\u20138');
    expect([pText(undefined), pText(0.00001), pText(0.0317)]).toEqual(['', '< 0.0001', '0.032']);
    expect(countText({ seeds: 1, examples: 0 })).toBe('1 run');
    expect(countText({ seeds: 12, examples: 1200 })).toBe('12 runs, 1,200 examples');
    expect([unitText('1'), unitText('octaves', 1), unitText('nats', 2)]).toEqual(['', 'octave', 'nats']);
    expect(intervalText({ low: -0.5, high: 'Infinity', level: 0.95, method: 't' })).toBe(
      '[\u22120.5, Infinity]',
    );
  });
});
