import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { checkReport, parseReport, reportJsonSchema } from '../../src/report/parse-report.js';
import { jsonArray, jsonNumber, reportJson } from '../../src/report/report-json.js';
import type { Report } from '../../src/report/schema.js';
import { exampleReport } from './example-report.js';

const report = exampleReport({ seeds: 2, points: 5 });

/** A copy with the value at `path` replaced; undefined removes it. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const copy = structuredClone(report) as unknown;
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], copy);
  const last = path[path.length - 1];
  if (value === undefined) Reflect.deleteProperty(parent as object, last);
  else (parent as Record<string | number, unknown>)[last] = value;
  return copy;
}

describe('reportJson', () => {
  it('comes back through parseReport, and gives the same text again', () => {
    const text = reportJson(report);
    expect(reportJson(parseReport(text, 'report.json'))).toBe(text);
  });

  it('does not depend on the order of keys', () => {
    const turned = Object.fromEntries(Object.entries(report).reverse()) as unknown as Report;
    expect(reportJson(turned)).toBe(reportJson(report));
  });

  it('writes nine digits and non-finite numbers as strings', () => {
    expect([1 / 3, 123456789.123, NaN, -Infinity, -0, 8112].map(jsonNumber)).toEqual([
      0.333333333,
      123456789,
      'NaN',
      '-Infinity',
      0,
      8112,
    ]);
  });
});

describe('jsonArray', () => {
  it('keeps shape and order', () => {
    expect(jsonArray([2, 2], new Float32Array([1, 0.1, NaN, 4]))).toEqual({
      shape: [2, 2],
      data: [1, 0.100000001, 'NaN', 4],
    });
  });
  it('refuses data that do not fill the shape', () => {
    expect(() => jsonArray([2, 3], [1])).toThrow('jsonArray: shape [2, 3] holds 6 numbers, got 1.');
  });
});

describe('checkReport', () => {
  const cases: readonly [readonly (string | number)[], unknown, string][] = [
    [['schemaVersion'], 1, 'schemaVersion'],
    [['kind'], 'both', 'kind'],
    [['observations', 1, 'scope', 'colour'], 'red', 'observations[1].scope'],
    [['observations', 0, 'value'], 'NaN', 'observations[0].value'],
    [['claims', 0, 'verdict'], 'proved', 'claims[0].verdict'],
    [['subjects', 0, 'design', 'modulus'], 1.5, 'subjects[0].design.modulus'],
    [['modules', 'embedding-geometry', 'statistics', 0, 'unit'], 'apples', 'statistics[0].unit'],
    [['title'], 7, 'title'],
    [['title'], undefined, 'title'],
    [['subjects', 1, 'step'], -1, 'subjects[1].step'],
    [['subjects', 0, 'accuracy', 'SUM'], 1.2, 'subjects[0].accuracy.SUM'],
    [['modules', 'broken', 'status'], 'fine', 'modules.broken.status'],
    [
      ['modules', 'embedding-geometry', 'findings', 0, 'verdict'],
      'proved',
      'modules.embedding-geometry.findings[0].verdict',
    ],
    [['modules', 'embedding-geometry', 'findings', 0, 'interval', 'level'], 1, 'findings[0].interval.level'],
    [['modules', 'embedding-geometry', 'charts', 0, 'id'], '<b>', 'charts[0].id'],
    [['training', 0, 'points', 2, 'step'], 'x', 'training[0].points[2].step'],
    [['training', 0, 'final', 0, 'held'], null, 'training[0].final[0].held'],
    [['provenance', 'engines'], [], 'provenance.engines'],
  ];
  for (const [path, value, place] of cases) {
    it(`names the place of a wrong ${path.join('.')}`, () => {
      let message = '';
      try {
        checkReport(changed(path, value), 'r.json');
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        message = (error as Error).message;
      }
      expect(message).toContain(place);
      expect(message).toMatch(/^r\.json: [^\n]+$/);
    });
  }

  it('refuses an unknown key by name', () => {
    expect(() => checkReport({ ...report, extra: 1 }, 'r.json')).toThrow(/extra/);
  });

  it('refuses two subjects with one id', () => {
    const twice = { ...report, subjects: [...report.subjects, report.subjects[0]] };
    expect(() => checkReport(twice, 'r.json')).toThrow(/subjects\[4\]\.id|occurs twice/);
  });

  it('refuses text that is not JSON, with its place', () => {
    expect(() => parseReport('{"title": }', 'r.json')).toThrow(/r\.json: .*line 1, column/);
  });
});

describe('reportJsonSchema', () => {
  it('describes every part of a report', () => {
    const schema = reportJsonSchema() as { properties: Record<string, unknown>; required: string[] };
    expect(schema.required.sort()).toEqual(Object.keys(report).sort());
  });
});
