/** Verdicts of the shipped plan beside a page's own: read by src/workflows/plan-verdicts.ts, drawn by src/report/page/beside.ts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VERDICT } from '../../src/evidence/verdict.js';
import { parseReport } from '../../src/report/parse-report.js';
import { renderReport } from '../../src/report/page.js';
import { reportJson } from '../../src/report/report-json.js';
import type { Report } from '../../src/report/schema.js';
import { readPlanVerdicts, VERDICTS_FILE } from '../../src/workflows/plan-verdicts.js';
import { madeReport } from '../helpers/made-report.js';

const SHIPPED = {
  plan: 'paper',
  runs: 1194,
  finished: 500,
  parts: [
    { claim: 'C2', part: 'C2a', verdict: VERDICT.supported, interim: true, runs: 96, finished: 80 },
    { claim: 'C5', part: 'C5', verdict: VERDICT.tooFew, interim: false, runs: 32, finished: 0 },
  ],
};
const HREF = '../paper/index.html';

const pageOf = (report: Report): string => renderReport(report, { script: 'void 0;', styles: '' });
const sectionOf = (page: string): string =>
  /<section class="module beside"[^]*?<\/section>/.exec(page)?.[0] ?? '';

describe('verdicts of the shipped plan beside those of the runs', () => {
  it('are marked as those of the plan, with its runs and a link', () => {
    const section = sectionOf(pageOf(madeReport([], [], { beside: { ...SHIPPED, href: HREF } })));
    expect(section).toContain('From the shipped plan paper, not from these runs');
    expect(section).toContain('500 of 1,194');
    expect(section).toContain(`<a href="${HREF}">`);
    expect(section).toMatch(/C2a<\/span>[^]*supported<\/span> <span class="interim">interim[^]*80 of 96/);
    expect(section).toMatch(/Undecided in both:\s+C5\./);
    expect(sectionOf(pageOf(madeReport([], [])))).toBe('');
  });

  it('stand in one sentence under "In short", where the plan decided anything', () => {
    const sentence = (overrides: Partial<Report>): string =>
      /<section class="answer"[^]*?<\/section>/
        .exec(pageOf(madeReport([], [], overrides)))?.[0]
        .match(/<p class="beside">([^]*?)<\/p>/)?.[1]
        .replaceAll(/\s+/g, ' ')
        .trim() ?? '';
    expect(sentence({ beside: { ...SHIPPED, href: HREF } })).toBe(
      `Not from these runs, but from 500 of 1,194 runs of <a href="${HREF}">the shipped plan paper</a>: C2a supported, interim.`,
    );
    const two = SHIPPED.parts.map((part) => ({ ...part, verdict: VERDICT.supported, interim: false }));
    expect(sentence({ beside: { ...SHIPPED, finished: 1194, parts: two, href: HREF } })).toMatch(
      /from 1,194 runs of .*: C2a and C5 supported\.$/,
    );
    expect(sentence({ beside: { ...SHIPPED, parts: SHIPPED.parts.slice(1), href: HREF } })).toBe('');
    expect(sentence({})).toBe('');
  });

  it('are kept by report.json, and lead to no other place than a report beside it', () => {
    const report = madeReport([], [], { beside: { ...SHIPPED, href: HREF } });
    expect(parseReport(reportJson(report), 'r').beside).toEqual(report.beside);
    const foreign = madeReport([], [], { beside: { ...SHIPPED, href: 'https://example.org/' } });
    expect(() => parseReport(reportJson(foreign), 'r')).toThrow('beside.href');
  });
});

describe('readPlanVerdicts', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sumlens-beside-'));
    mkdirSync(join(folder, 'paper'));
    writeFileSync(join(folder, 'paper', 'index.html'), '');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('gives what a sweep wrote, with the way to its page', () => {
    writeFileSync(join(folder, 'paper', VERDICTS_FILE), JSON.stringify(SHIPPED));
    expect(readPlanVerdicts(folder, 'paper')).toEqual({ ...SHIPPED, href: HREF });
  });

  it.each(['', '{', '{"plan":1}', JSON.stringify({ ...SHIPPED, extra: 1 })])(
    'gives nothing for %j',
    (text) => {
      writeFileSync(join(folder, 'paper', VERDICTS_FILE), text);
      expect(readPlanVerdicts(folder, 'paper')).toBeUndefined();
    },
  );

  it('gives nothing where there is no sweep, or no page to link to', () => {
    expect(readPlanVerdicts(folder, 'none')).toBeUndefined();
    writeFileSync(join(folder, 'paper', VERDICTS_FILE), JSON.stringify(SHIPPED));
    rmSync(join(folder, 'paper', 'index.html'));
    expect(readPlanVerdicts(folder, 'paper')).toBeUndefined();
  });
});
