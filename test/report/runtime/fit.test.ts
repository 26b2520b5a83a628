import { describe, expect, it } from 'vitest';
import type { Spec } from '../../../src/report/charts/common.js';
import { fewerColumns, fitted, readableColumns } from '../../../src/report/runtime/fit.js';

const data = {
  values: ['x', 'y'].flatMap((row) => ['a', 'b', 'c'].map((column) => ({ row, column, value: 1 }))),
};
const cells: Spec = { width: { step: 20 }, mark: 'rect' };
const column = { field: 'column', type: 'nominal', sort: ['c', 'a', 'b'] };
const row = { field: 'row', type: 'nominal' };

describe('fewerColumns', () => {
  it('wraps a facet by columns', () => {
    const two = fewerColumns({ data, facet: { column }, spec: cells });
    expect(two).toEqual({ data, facet: column, spec: cells, columns: 2 });
    expect(fewerColumns(two ?? {})).toMatchObject({ columns: 1 });
  });

  it('keeps every row of a facet by rows and columns, in the order of the columns', () => {
    const two = fewerColumns({ data, facet: { row, column }, spec: cells });
    expect(two?.columns).toBe(2);
    expect(two?.data).toEqual(data);
    const views = two?.concat as readonly Spec[];
    expect(views.map(({ title }) => title)).toEqual(['c', 'a', 'b']);
    for (const view of views) {
      expect(view).toMatchObject({ facet: { row }, spec: cells });
      expect(view.transform).toEqual([{ filter: { field: 'column', equal: view.title } }]);
    }
  });

  it('goes into views that stand below each other, and ends', () => {
    const single: Spec = { data, mark: 'bar' };
    let spec: Spec | undefined = { vconcat: [{ data, facet: { column }, spec: cells }, single] };
    const seen: unknown[] = [];
    for (let i = 0; spec !== undefined && i < 9; i++) {
      const [first, second] = spec.vconcat as readonly Spec[];
      seen.push(first.columns);
      expect(second).toBe(single);
      spec = fewerColumns(spec);
    }
    expect(seen).toEqual([undefined, 2, 1]);
  });

  it('has nothing to give for one view', () => {
    expect(fewerColumns({ data, mark: 'bar' })).toBeUndefined();
  });
});

describe('fitted', () => {
  it('divides the width among the panels of a facet by columns', () => {
    const spec = fitted({ data, facet: { column }, spec: { mark: 'bar' } }, 900).spec as Spec;
    expect(spec.width).toBeGreaterThan(200);
    expect(spec.width).toBeLessThan(300);
  });
});

describe('readableColumns', () => {
  it('takes as many columns as have room', () => {
    const spec: Spec = { data, facet: column, columns: 3, spec: { mark: 'bar' } };
    expect(readableColumns(spec, 1000)).toBe(spec);
    expect(readableColumns(spec, 380).columns).toBe(1);
  });
});
