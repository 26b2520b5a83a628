import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row, Spec } from '../../src/report/charts/common.js';
import { mapRows, packSpec, unpackSpec } from '../../src/report/pack.js';

const value = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const rows = fc
  .uniqueArray(fc.string(), { maxLength: 4 })
  .filter((fields) => !fields.includes('__proto__'))
  .chain((fields) =>
    fc.array(
      fc
        .tuple(...fields.map(() => value))
        .map((row) => Object.fromEntries(fields.map((f, i) => [f, row[i]])) as Row),
    ),
  );

describe('packSpec and unpackSpec', () => {
  it('give back any rows at any depth', () => {
    fc.assert(
      fc.property(rows, rows, (outer, inner) => {
        const spec: Spec = { data: { values: outer }, layer: [{ data: { values: inner }, mark: 'point' }] };
        const sent = JSON.parse(JSON.stringify(packSpec(spec))) as Spec;
        expect(unpackSpec(sent)).toEqual(JSON.parse(JSON.stringify(spec)));
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('make repeated names at least three times smaller', () => {
    const values = Array.from({ length: 500 }, (_, step) => ({
      condition: 'MAX+MED+SUM, full, d=16',
      run: 'max-med-sum-full-s1',
      step,
    }));
    const spec: Spec = { data: { values }, mark: 'line' };
    expect(JSON.stringify(packSpec(spec)).length * 3).toBeLessThan(JSON.stringify(spec).length);
  });
});

describe('mapRows', () => {
  it('changes inline rows and nothing else', () => {
    const spec: Spec = {
      data: { values: [{ a: 1 }, { a: 2 }] },
      mark: 'point',
      encoding: { x: { field: 'a' } },
    };
    expect(mapRows(spec, (r) => r.slice(1))).toEqual({ ...spec, data: { values: [{ a: 2 }] } });
  });
});
