import { describe, expect, it } from 'vitest';
import type { Spec } from '../../../src/report/charts/common.js';
import { type TextWidth, withWrappedNames, wrapLines } from '../../../src/report/runtime/wrap.js';
import { headerLimit } from '../../../src/report/theme.js';

/** Ten pixels a letter. */
const width: TextWidth = (text) => 10 * text.length;
const values = [
  { run: 'a short one', panel: 'left' },
  { run: 'MAX+MED+SUM, pairs, not learned', panel: 'right' },
];
const y = { field: 'run', type: 'nominal' };
const rows: Spec = { data: { values }, height: { step: 20 }, mark: 'point', encoding: { y } };

describe('wrapLines', () => {
  it('breaks at blanks, and leaves a long word alone', () => {
    const lines = (text: string, limit: number): string[] =>
      wrapLines(text, limit, (line) => width(line, 11, 400));
    expect(lines('one two three', 70)).toEqual(['one two', 'three']);
    expect(lines('one two three', 130)).toEqual(['one two three']);
    expect(lines('an immeasurable word', 60)).toEqual(['an', 'immeasurable', 'word']);
    expect(lines('', 60)).toEqual(['']);
  });
});

describe('withWrappedNames', () => {
  it('breaks the names of rows and gives them height', () => {
    const { encoding, height } = withWrappedNames(rows, 400, width);
    // 0.38 of 400 pixels: "MAX+MED+SUM," / "pairs, not" / "learned"
    expect((encoding as Spec).y).toMatchObject({
      axis: { labelExpr: 'wrapLines(datum.label, 152, 11, 400)' },
    });
    expect(height).toEqual({ step: 3 * 13 + 5 });
  });

  it('does the same in every layer of a facet whose data stand above', () => {
    const layered: Spec = {
      data: { values },
      facet: { field: 'panel', type: 'nominal' },
      columns: 1,
      spec: {
        height: { step: 20 },
        layer: [
          { mark: 'rule', encoding: { y } },
          { mark: 'point', encoding: { y } },
        ],
      },
    };
    const { spec, facet } = withWrappedNames(layered, 400, width);
    expect((spec as Spec).height).toEqual({ step: 44 });
    for (const layer of (spec as Spec).layer as readonly Spec[])
      expect((layer.encoding as Spec).y).toHaveProperty('axis.labelExpr');
    expect(facet).toEqual(layered.facet);
  });

  it('changes nothing where all names have room, and no label that is written already', () => {
    expect(withWrappedNames(rows, 1000, () => 1)).toEqual(rows);
    const written = { ...rows, encoding: { y: { ...y, axis: { labelExpr: "'x'" } } } };
    expect(withWrappedNames(written, 400, width)).toEqual(written);
    const without = { ...rows, encoding: { y: { ...y, axis: null } } };
    expect(withWrappedNames(without, 400, width)).toEqual(without);
  });

  it('breaks titles and the headers of panels by the width of a panel', () => {
    const title = 'a title of more than one line';
    const view: Spec = { title, mark: 'bar' };
    expect(withWrappedNames({ hconcat: [view, view] }, 400, width).hconcat).toEqual([
      { ...view, title: ['a title of more', 'than one line'] },
      { ...view, title: ['a title of more', 'than one line'] },
    ]);
    const faceted: Spec = {
      data: { values },
      facet: { field: 'run', type: 'nominal' },
      columns: 2,
      spec: { mark: 'bar' },
    };
    expect(withWrappedNames(faceted, 400, width).facet).toMatchObject({
      header: { labelExpr: 'wrapLines(datum.label, 160, 12, 600)' },
    });
    // one column has more room than a title is drawn in
    for (const wide of [400, 1000]) {
      const one = withWrappedNames({ ...faceted, columns: 1 }, wide, (text) => 30 * text.length).facet;
      expect(one).toMatchObject({
        header: { labelExpr: `wrapLines(datum.label, ${headerLimit(wide)}, 12, 600)` },
      });
    }
  });
});
