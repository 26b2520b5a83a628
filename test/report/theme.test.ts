import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { conditionColor, type Spec } from '../../src/report/charts/common.js';
import {
  chartConfig,
  CONDITION_COLORS,
  conditionColorOf,
  themed,
  THEME_NAMES,
} from '../../src/report/theme.js';

type Rgb = readonly [number, number, number];

const linear = (hex: string): Rgb => {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return [r, g, b];
};
const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const contrast = (a: string, b: string) => {
  const [x, y] = [a, b].map((hex) => luminance(linear(hex)) + 0.05);
  return Math.max(x, y) / Math.min(x, y);
};
/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const VISION: Readonly<Record<string, readonly Rgb[]>> = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
const seen = (color: Rgb, matrix: readonly Rgb[]): Rgb => {
  const [r, g, b] = matrix.map((row) =>
    Math.min(1, Math.max(0, row[0] * color[0] + row[1] * color[1] + row[2] * color[2])),
  );
  return [r, g, b];
};
/** Oklab (Ottosson 2020) from linear sRGB. */
const oklab = ([r, g, b]: Rgb): Rgb => {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
};
const distance = (a: Rgb, b: Rgb) => Math.hypot(...a.map((x, i) => x - b[i]));

describe('CONDITION_COLORS', () => {
  for (const theme of THEME_NAMES) {
    it(`stand out from the ground (${theme})`, () => {
      const ground = chartConfig(theme).background as string;
      for (const color of CONDITION_COLORS[theme]) expect(contrast(color, ground), color).toBeGreaterThan(3);
    });
    for (const [vision, matrix] of Object.entries(VISION)) {
      it(`stay apart for the first six conditions (${theme}, ${vision})`, () => {
        const colors = CONDITION_COLORS[theme].slice(0, 6);
        const pairs = colors.flatMap((a, i) => colors.slice(i + 1).map((b) => [a, b] as const));
        const smallest = Math.min(
          ...pairs.map(([a, b]) => distance(oklab(seen(linear(a), matrix)), oklab(seen(linear(b), matrix)))),
        );
        expect(smallest).toBeGreaterThan(0.08);
      });
    }
  }
});

describe('themed', () => {
  const conditions = ['A', 'B', 'C'];
  it('gives a condition the same colour in a chart of all and in a chart of some', () => {
    const rangeOf = (labels: readonly string[]) => {
      const spec: Spec = { layer: [{ encoding: { color: conditionColor(labels) } }] };
      const [layer] = themed(spec, 'dark', conditions).layer as readonly Spec[];
      return ((layer.encoding as Spec).color as Spec).scale as Spec;
    };
    expect(rangeOf(['A', 'B', 'C']).range).toEqual(CONDITION_COLORS.dark.slice(0, 3));
    expect(rangeOf(['C']).range).toEqual([CONDITION_COLORS.dark[2]]);
  });
  it('puts legends above a narrow picture, in as many columns as fit', () => {
    const color = {
      field: 'outcome',
      type: 'nominal',
      scale: { domain: ['all right', 'first error: copy'] },
    };
    const columnsAt = (width: number) => {
      const spec: Spec = { encoding: { color: { ...color, legend: { orient: 'top', columns: 4 } } } };
      const { encoding } = themed(spec, 'light', conditions, width);
      return (((encoding as Spec).color as Spec).legend as Spec).columns;
    };
    expect([1000, 360, 200].map(columnsAt)).toEqual([2, 1, 1]);
    expect((chartConfig('light', 360).legend as Spec).orient).toBe('top');
    expect((chartConfig('light', 1000).legend as Spec).orient).toBeUndefined();
  });
  it('does not look into the data', () => {
    const values = [{ field: 'condition', scale: { domain: ['A'] } }];
    expect(themed({ data: { values } }, 'light', conditions).data).toEqual({ values });
  });
  it('wraps after the last colour', () => {
    const many = Array.from({ length: 9 }, (_, i) => String(i));
    expect(conditionColorOf('light', many, '8')).toBe(CONDITION_COLORS.light[0]);
  });
});

describe('page.css', () => {
  const css = readFileSync(new URL('../../src/report/runtime/page.css', import.meta.url), 'utf8');
  it('has the ground and text colours of the charts', () => {
    for (const theme of THEME_NAMES) {
      const config = chartConfig(theme);
      expect(css).toContain(`--ground: ${config.background as string}`);
      expect(css).toContain(`--text: ${(config.text as Spec).color as string}`);
    }
  });
});
