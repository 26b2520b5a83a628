/** The parts of a page that answer first: sentences, claims, differences, what was not learned, terms. */
import { describe, expect, it } from 'vitest';
import { VERDICT } from '../../src/evidence/verdict.js';
import { evidenceOfReport } from '../../src/report/evidence-of-report.js';
import { answer } from '../../src/report/page/answer.js';
import { START_AND_COMPANY } from '../../src/report/charts/start-and-company.js';
import { mainPair } from '../../src/evidence/difference-maps.js';
import { allDifferences, amongLearned, differenceMaps } from '../../src/report/page/differences.js';
import { TERMS, withTerms } from '../../src/report/page/glossary.js';
import { forestChart } from '../../src/report/marks/forest.js';
import { renderReport } from '../../src/report/page.js';
import type { Report } from '../../src/report/schema.js';
import { compileWarnings } from './compile.js';
import { exampleReport } from './example-report.js';

const runtime = { script: 'void 0;', styles: '' };
const claims = exampleReport({ seeds: 3, points: 20 });
const comparison = exampleReport({ seeds: 3, points: 20, kind: 'comparison' });
const evidence = evidenceOfReport(comparison);
const visible = (source: string): string =>
  source
    .replace(/<(script|style)[\s>][\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
/** Figures that no `details` hides. */
function openFigures(page: string): string[] {
  let depth = 0;
  return [...page.matchAll(/<details|<\/details>|<figure class="chart" id="([^"]*)"/g)].flatMap(
    ([tag, id]) => {
      if (tag === '<details') depth++;
      else if (tag === '</details>') depth--;
      else if (depth === 0) return [id];
      return [];
    },
  );
}
const sentences = (report: Report): readonly string[] => answer(report, evidenceOfReport(report)).sentences;

describe('answer', () => {
  it('names who learned SUM, with counts, and who did not', () => {
    const [learned] = sentences(claims);
    expect(learned).toMatch(/^SUM was learned by every seed of /);
    expect(learned).toContain('MAX+MED+SUM, full, d=16 (3 seeds)');
    expect(learned).toContain('by no seed of SUM, full, d=16 (3 seeds)');
    // one seed less that learned it
    const lost = structuredClone(claims);
    const subject = lost.subjects.find(({ label }) => label === 'MAX+MED+SUM, full, d=16');
    Object.assign(subject?.learned ?? {}, { SUM: 0.2 });
    expect(sentences(lost)[0]).toContain('by 2 of 3 seeds of MAX+MED+SUM, full, d=16');
  });

  it('names the difference that is largest beside the spread of a seed', () => {
    const [, clearest] = sentences(claims);
    const [first] = amongLearned(allDifferences(evidence));
    expect(first.info.id).toBe('order');
    expect(clearest).toMatch(/^The clearest difference is in order as named: /);
    expect(clearest).toContain(`${Number(first.estimate.toPrecision(3))}`);
    for (const { a, b } of amongLearned(allDifferences(evidence)))
      expect([a.label, b.label]).not.toContain('SUM, full, d=16');
    // no spread beyond that of seeds
    const flat: Report = {
      ...claims,
      observations: claims.observations.map((row, i) => ({ ...row, value: (i * 7919) % 13 })),
    };
    expect(sentences(flat)[1]).not.toBe(clearest);
  });

  it('counts the decided parts and names their verdicts, or says that none is decided', () => {
    const parts = claims.claims.filter(({ part }) => part !== undefined);
    const decided = parts.filter(({ verdict }) => verdict !== VERDICT.tooFew);
    const sentence = sentences(claims).at(-1) ?? '';
    expect(sentence).toContain(`Of ${parts.length} statements under test ${decided.length} are decided: `);
    for (const { part, verdict } of decided)
      expect(sentence).toMatch(new RegExp(`${part}( \\(our own\\))? is ${verdict}`));
    const none: Report = { ...claims, claims: parts.map((one) => ({ ...one, verdict: VERDICT.tooFew })) };
    expect(sentences(none).at(-1)).toContain(`None of the ${parts.length} statements`);
    expect(sentences({ ...claims, claims: [] }).join(' ')).not.toContain('statements');
  });

  it('counts many conditions and names none, and compares those that differ in tasks alone', () => {
    const many = exampleReport({ seeds: 3, points: 20, conditions: 30 });
    expect(sentences(many)[0]).toBe(
      'SUM was learned by every seed of 24 conditions; by no seed of 6 conditions.',
    );
    const lost = structuredClone(many);
    Object.assign(lost.subjects[0].learned ?? {}, { SUM: 0.2 });
    expect(sentences(lost)[0]).toContain(
      'by every seed of 23 conditions; by some seeds of 1 condition; by no',
    );
    const { charts } = answer(many, evidenceOfReport(many));
    const forest = charts.find(({ id }) => id === 'largest-differences');
    const pairs = new Set(forest?.table?.rows.map(([, conditions]) => conditions));
    expect(pairs.size).toBeGreaterThan(1);
    for (const pair of pairs) expect(pair).toMatch(/^MAX\+MED\+SUM minus SUM \((full|pairs), d=\d+\)$/);
    expect(forest?.subtitle).toContain('Differences between SUM alone and a mixture of the same size');
  });

  it('says of a plan over starts what its picture shows', () => {
    const many = exampleReport({ seeds: 3, points: 20, conditions: 30 });
    const subjects = many.subjects.map((subject, i) => ({
      ...subject,
      design: { ...subject.design, embeddingInit: i < 45 ? 0.02 : 0.5 },
    }));
    const [name, module] = Object.entries(many.modules)[0];
    const charts = module.charts.map((one, i) => ({
      ...one,
      ...(i === 0 ? { id: START_AND_COMPANY, headline: true } : {}),
    }));
    const plan: Report = { ...many, subjects, modules: { ...many.modules, [name]: { ...module, charts } } };
    const [depth, start] = sentences(plan);
    expect(depth).toBe(
      'At depth 1, with 8,000 steps and nothing held out, SUM alone was learned by 0 of 9 seeds (8,112 parameters), and beside MAX and MED by 9 of 9 seeds (8,112 parameters).',
    );
    expect(start).toBe(
      'From a larger start of the token embeddings alone (standard deviation 0.5 instead of 0.02) SUM was learned at depth 1 alone by 0 of 9 seeds (8,112 parameters) and beside MAX and MED by 9 of 9 seeds (8,112 parameters).',
    );
  });

  it('shows at most three pictures', () => {
    expect(answer(claims, evidence).charts.map(({ id }) => id)).toEqual([
      'learned-strip',
      'embedding-plane',
      'largest-differences',
    ]);
  });
});

describe('the claims table', () => {
  const folded = (page: string): string =>
    /<details class="folded-claims">[\s\S]*?<\/section>/.exec(page)?.[0] ?? '';

  it('is whole in a report on the claims, above what was compared', () => {
    const page = renderReport(claims, runtime);
    expect(folded(page)).toBe('');
    expect(page.indexOf('id="claims"')).toBeLessThan(page.indexOf('id="compared"'));
  });

  it('folds the claims away of which nothing is decided in a comparison, below the differences', () => {
    const some: Report = {
      ...comparison,
      claims: comparison.claims.map((row) =>
        row.claim === 'C1' ? row : { ...row, verdict: VERDICT.tooFew },
      ),
    };
    const page = renderReport(some, runtime);
    expect(visible(folded(page))).toContain('9 claims need other runs than these to be decided: C2, C3, C4');
    expect(page.indexOf('id="differences"')).toBeLessThan(page.indexOf('id="claims"'));
    const shown = page.slice(page.indexOf('id="claims"'), page.indexOf('class="folded-claims"'));
    expect(visible(shown)).toContain('C1a');
    expect(visible(shown)).not.toContain('C2a');
  });

  it('marks what was decided before its seeds were there, and gives the counts on demand', () => {
    const page = visible(renderReport(claims, runtime));
    expect(page).toContain('interim');
    expect(page).toContain('SUM, full: 2 of 6 runs count, 8 planned.');
  });
});

describe('what was compared', () => {
  const table = (report: Report): string => {
    const page = renderReport(report, runtime);
    return visible(page.slice(page.indexOf('id="compared"')).split('</section>')[0]);
  };

  it('is folded where conditions are many', () => {
    expect(table(claims)).not.toContain('All ');
    expect(table(exampleReport({ seeds: 1, points: 3, conditions: 45 }))).toContain('All 45 conditions');
  });

  it('shows what decides where expressions nest: single operations can be right and chains wrong', () => {
    const deep = structuredClone(claims);
    for (const subject of deep.subjects) {
      Object.assign(subject, { accuracy: { SUM: 1 }, learned: { SUM: 0.6 } });
      Object.assign(subject.design, { nested: true });
    }
    expect(table(deep)).toContain('0 of 3 (60 %)');
    expect(table(deep)).toContain('where expressions nest, the smaller of the last two evaluations');
    expect(table(claims)).not.toContain('where expressions nest');
  });
});

describe('where they differ', () => {
  it('compares the mixed condition with SUM alone', () => {
    expect(mainPair(evidence)?.map(({ label }) => label)).toEqual([
      'MAX+MED+SUM, pairs, d=16',
      'SUM, pairs, d=16',
    ]);
  });

  it('lists all differences by size beside the spread of a seed, whatever their sign', () => {
    const sizes = allDifferences(evidence).map(({ spreads = 0 }) => Math.abs(spreads));
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    const { table } = forestChart(allDifferences(evidence), { id: 'f', title: '', note: '' });
    expect(table.rows).toHaveLength(sizes.length);
  });

  it('draws a map over the axes that a statistic names and crosses out what is not decided', () => {
    const { charts, sentence } = differenceMaps(evidence);
    expect(charts.map(({ id }) => id)).toEqual(['difference-component-effects-effect']);
    const { values } = charts[0].spec.data as {
      values: { x: string; y: string; cross: string; value: number }[];
    };
    expect(values.map(({ x, y, cross }) => [x, y, cross])).toEqual([
      ['SUM', 'attention, layer 0', '\u00d7'],
      ['SUM', 'attention, layer 1', '\u00d7'],
      ['SUM', 'feed-forward, layer 0', '\u00d7'],
      ['SUM', 'feed-forward, layer 1', ''],
    ]);
    expect(Math.abs(values[3].value - 2)).toBeLessThan(0.1);
    expect(sentence).toContain('feed-forward, layer 1');
    expect(compileWarnings(charts[0].spec)).toEqual([]);
  });

  it('leaves rows out in which nothing depends on the model, and controls', () => {
    const extra = comparison.subjects.flatMap(({ id }) =>
      [{ part: 'bag' }, { part: 'attention', layer: 0, method: 'random labels' }].map((scope) => ({
        subject: id,
        statistic: 'component-effects/effect',
        scope: { operation: 'SUM', ...scope },
        value: 0.5,
      })),
    );
    const more = evidenceOfReport({ ...comparison, observations: [...comparison.observations, ...extra] });
    expect(differenceMaps(more).charts).toEqual(differenceMaps(evidence).charts);
  });

  it('is no section where nothing can be compared', () => {
    const one = exampleReport({ seeds: 1, points: 5, kind: 'comparison' });
    expect(renderReport(one, runtime)).not.toContain('id="differences"');
  });
});

describe('why it was not learned', () => {
  it('says of each condition that never learned an operation what its log says, and of no other', () => {
    const page = visible(renderReport(claims, runtime));
    const section = page.slice(page.indexOf('Why was it not learned?'), page.indexOf('Training When does'));
    expect(section).toContain('SUM in SUM, full, d=16');
    expect(section).toMatch(/Answered right: \d+\.\d %/);
    expect(section).toContain('ln 10 = 2.3');
    expect(section).not.toContain('SUM in MAX+MED+SUM, full');
  });

  it('is left out where everything was learned', () => {
    const all: Report = {
      ...claims,
      subjects: claims.subjects.map((subject) => ({
        ...subject,
        accuracy: Object.fromEntries(subject.design.tasks.map((task) => [task, 1])),
        learned: Object.fromEntries(subject.design.tasks.map((task) => [task, 1])),
      })),
    };
    expect(renderReport(all, runtime)).not.toContain('Why was it not learned?');
  });
});

describe('terms', () => {
  it('are explained once in a sentence, longest meaning untouched, and all at the end', () => {
    const { text } = withTerms('Every seed, and two seeds more; no nats <here>.');
    expect(text.match(/<abbr/g)).toHaveLength(2);
    expect(text).toContain('>seed</abbr>, and two seeds more');
    expect(text).toContain('&lt;here&gt;');
    expect(visible(text)).toBe('Every seed , and two seeds more; no nats &lt;here&gt;.');
    const page = renderReport(claims, runtime);
    const section = page.slice(page.indexOf('id="glossary"'));
    for (const [term] of TERMS) expect(section).toContain(`<dt>${term}</dt>`);
  });
});

describe('pictures that stand open', () => {
  const many = (kind: Report['kind'], charts: number): Report => {
    const report = exampleReport({ seeds: 3, points: 10, kind });
    const [picture] = report.modules['component-effects'].charts;
    const modules = Object.fromEntries(
      ['a', 'b', 'c', 'd', 'e'].map((name) => [
        name,
        {
          ...report.modules['component-effects'],
          charts: Array.from({ length: charts }, (_, i) => ({ ...picture, id: `c-${i}`, headline: i === 0 })),
        },
      ]),
    );
    return { ...report, modules: { ...report.modules, ...modules } };
  };

  it.each([
    ['claims', 1],
    ['claims', 9],
    ['comparison', 1],
    ['comparison', 9],
  ] as const)('are at most twelve: %s with %d pictures a module', (kind, charts) => {
    const page = renderReport(many(kind, charts), runtime);
    const all = [...page.matchAll(/<figure class="chart"/g)].length;
    expect(openFigures(page).length).toBeLessThanOrEqual(12);
    // every picture is on the page, open or folded
    expect(all).toBeGreaterThan(5 * charts);
    if (charts > 1) expect(openFigures(page)).toHaveLength(12);
  });
});
