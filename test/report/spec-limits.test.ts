import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkReport, parseReport } from '../../src/report/parse-report.js';
import { specProblem } from '../../src/report/spec-limits.js';
import type { Json } from '../../src/report/schema.js';
import { exampleReport } from './example-report.js';

const spec = {
  mark: 'bar',
  data: { values: [{ a: 1 }] },
  encoding: { x: { field: 'a', type: 'quantitative' } },
};
const evil = "test(/^(a+)+$/, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')";

const REFUSED: readonly (readonly [string, Json, RegExp])[] = [
  ['a generator of rows', { ...spec, data: { sequence: { start: 0, stop: 1e12 } } }, /^data\.sequence: /],
  ['a file', { ...spec, data: { url: 'http://example.invalid/x.json' } }, /^data\.url: /],
  [
    'a pattern in a filter',
    { ...spec, transform: [{ filter: evil }] },
    /^transform\[0\]\.filter: found test\(\)/,
  ],
  ['one within and', { ...spec, transform: [{ filter: { and: ['true', evil] } }] }, /found test\(\)/],
  [
    'one in a calculation',
    { ...spec, transform: [{ calculate: "regexp('x')", as: 'b' }] },
    /found regexp\(\)/,
  ],
  [
    'replace with a blank',
    { ...spec, transform: [{ calculate: "replace ('a', 'b', 'c')", as: 'b' }] },
    /replace\(\)/,
  ],
  [
    'a sequence in an expression',
    { ...spec, params: [{ name: 'p', expr: 'sequence(1e9)' }] },
    /sequence\(\)/,
  ],
  ['one in a label', { ...spec, encoding: { x: { axis: { labelExpr: 'pad("a", 1e9, "b")' } } } }, /pad\(\)/],
  [
    'values to impute',
    { ...spec, transform: [{ impute: 'a', key: 'b', keyvals: { stop: 1e12 } }] },
    /keyvals/,
  ],
  [
    'bins without number',
    { ...spec, encoding: { x: { bin: { maxbins: 1e9 } } } },
    /maxbins: found 1000000000/,
  ],
  ['bins of no width', { ...spec, encoding: { x: { bin: { step: 1e-9 } } } }, /bin\.step/],
  ['ticks without number', { ...spec, encoding: { x: { axis: { tickCount: 1e9 } } } }, /tickCount/],
  ['a wide format', { ...spec, encoding: { x: { axis: { format: '0100000000d' } } } }, /format of 1000/],
  ['a density', { ...spec, transform: [{ density: 'a', steps: 10 }] }, /density/],
  ['a link', { ...spec, encoding: { href: { value: 'javascript:alert(1)' } } }, /href/],
];

describe('specProblem', () => {
  it.each(REFUSED)('refuses %s and says where', (_, given, message) => {
    expect(specProblem(given)).toMatch(message);
    const report = JSON.parse(JSON.stringify(exampleReport({ seeds: 1, points: 2 }))) as {
      modules: Record<string, { charts: { spec: unknown }[] }>;
    };
    const [name, module] = Object.entries(report.modules).find(([, { charts }]) => charts.length > 0) ?? [
      '',
      undefined,
    ];
    if (module === undefined) throw new Error('the example has no chart');
    module.charts[0].spec = given;
    let said = '';
    try {
      checkReport(report, 'r.json');
    } catch (error) {
      said = error instanceof Error ? error.message : '';
    }
    expect(said).toMatch(/^r\.json: /);
    expect(said).toContain(`modules.${name}.charts[0].spec: `);
    expect(said).not.toContain('\n');
  });

  it('lets text be text: rows, titles and labels are not read as expressions', () => {
    const text = `${evil} sequence(1e9) url`;
    expect(
      specProblem({ ...spec, title: text, data: { values: [{ sequence: text, url: 1e300 }] } }),
    ).toBeUndefined();
    expect(specProblem({ ...spec, transform: [{ filter: 'isValid(datum.a)' }] })).toBeUndefined();
  });

  it('accepts every chart of the example report', () => {
    const path = join(import.meta.dirname, '..', '..', 'reports', 'example', 'report.json');
    expect(Object.keys(parseReport(readFileSync(path), path).modules).length).toBeGreaterThan(0);
  });
});
