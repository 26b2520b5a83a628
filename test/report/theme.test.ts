import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { conditionColor, type Spec } from '../../src/report/charts/common.js';
import { colorAt, CONDITION_COLORS, placesOf, roundOf, THEME_NAMES } from '../../src/palette.js';
import { chartConfig, themed } from '../../src/report/theme.js';

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
/** CIELAB, D65, from linear sRGB. */
const lab = ([r, g, b]: Rgb): Rgb => {
  const f = (t: number) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
};
const DEGREE = Math.PI / 180;
/** Difference of two colours, CIEDE2000 (Sharma, Wu and Dalal 2005). */
const ciede2000 = ([l1, a1, b1]: Rgb, [l2, a2, b2]: Rgb): number => {
  const half = (c: number) => Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7));
  const stretch = 1 + 0.5 * (1 - half((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2));
  const [c1, c2] = [Math.hypot(a1 * stretch, b1), Math.hypot(a2 * stretch, b2)];
  const hue = (a: number, b: number) => (Math.atan2(b, a) / DEGREE + 360) % 360;
  const [h1, h2] = [hue(a1 * stretch, b1), hue(a2 * stretch, b2)];
  const isGrey = c1 * c2 === 0;
  const turn = Math.abs(h2 - h1) > 180 ? (h2 > h1 ? -360 : 360) : 0;
  const dHue = isGrey ? 0 : 2 * Math.sqrt(c1 * c2) * Math.sin(((h2 - h1 + turn) / 2) * DEGREE);
  const mean = isGrey ? h1 + h2 : (h1 + h2 + (turn === 0 ? 0 : h1 + h2 < 360 ? 360 : -360)) / 2;
  const [l, c] = [(l1 + l2) / 2, (c1 + c2) / 2];
  const cos = (factor: number, shift: number) => Math.cos((factor * mean + shift) * DEGREE);
  const t = 1 - 0.17 * cos(1, -30) + 0.24 * cos(2, 0) + 0.32 * cos(3, 6) - 0.2 * cos(4, -63);
  const lightness = (l2 - l1) / (1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2));
  const chroma = (c2 - c1) / (1 + 0.045 * c);
  const hues = dHue / (1 + 0.015 * c * t);
  const turned = -2 * half(c) * Math.sin(60 * Math.exp(-(((mean - 275) / 25) ** 2)) * DEGREE);
  return Math.sqrt(lightness ** 2 + chroma ** 2 + hues ** 2 + turned * chroma * hues);
};
/** Smallest difference that any two of the first eight have, by the way of seeing; tritanopia is rare. */
const APART: Readonly<Record<string, number>> = {
  full: 20,
  protanopia: 20,
  deuteranopia: 20,
  tritanopia: 10,
};

describe('ciede2000', () => {
  // pairs of the table that Sharma, Wu and Dalal publish for checking implementations
  it.each<[Rgb, Rgb, number]>([
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, -1, 2], [50, 0, 0], 2.3669],
    [[50, 2.49, -0.001], [50, -2.49, 0.0009], 7.1792],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
    [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
    [[22.7233, 20.0904, -46.694], [23.0331, 14.973, -42.5619], 2.0373],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ])('%j, %j', (a, b, expected) => {
    expect(ciede2000(a, b)).toBeCloseTo(expected, 3);
  });
});

describe('CONDITION_COLORS', () => {
  for (const theme of THEME_NAMES) {
    it(`stand out from the ground (${theme})`, () => {
      const ground = chartConfig(theme).background as string;
      for (const color of CONDITION_COLORS[theme]) expect(contrast(color, ground), color).toBeGreaterThan(3);
    });
    for (const [vision, matrix] of Object.entries(VISION)) {
      it(`stay apart for the first eight conditions (${theme}, ${vision})`, () => {
        const colors = CONDITION_COLORS[theme];
        const pairs = colors.flatMap((a, i) => colors.slice(i + 1).map((b) => [a, b] as const));
        expect(pairs).toHaveLength(28);
        for (const [a, b] of pairs) {
          const [x, y] = [a, b].map((color) => lab(seen(linear(color), matrix)));
          expect(ciede2000(x, y), `${a} ${b}`).toBeGreaterThan(APART[vision]);
        }
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
    const places = placesOf(conditions);
    const expected = conditions.map((label) => colorAt('dark', places.get(label) ?? -1));
    expect(new Set(expected).size).toBe(3);
    expect(rangeOf(['A', 'B', 'C']).range).toEqual(expected);
    expect(rangeOf(['C']).range).toEqual([expected[2]]);
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
  it('gives colours again after the last, each time with another shape or dash', () => {
    const many = Array.from({ length: 20 }, (_, i) => String(i));
    const rounds = [...placesOf(many).values()].map(roundOf);
    expect([0, 1, 2].map((round) => rounds.filter((one) => one === round).length)).toEqual([8, 8, 4]);
    const look = (type: 'line' | 'point', labels: readonly string[]) => {
      const spec: Spec = { mark: { type }, encoding: { color: conditionColor(labels) } };
      const encoding = themed(spec, 'light', many).encoding as Readonly<Record<string, Spec>>;
      const channel = type === 'line' ? 'strokeDash' : 'shape';
      const second = (encoding[channel]?.scale as Spec | undefined)?.range as readonly unknown[] | undefined;
      return labels.map((_, i) =>
        JSON.stringify([((encoding.color.scale as Spec).range as readonly string[])[i], second?.[i]]),
      );
    };
    for (const type of ['line', 'point'] as const) {
      expect(new Set(look(type, many)).size).toBe(20);
      // the same look in a picture of some of them
      expect(look(type, ['3', '11'])).toEqual([look(type, many)[3], look(type, many)[11]]);
    }
    const few = themed({ mark: 'point', encoding: { color: conditionColor(['1']) } }, 'light', ['1']);
    expect(few.encoding).not.toHaveProperty('shape');
  });
  it('draws rules without a colour of their own in one that the ground does not swallow', () => {
    for (const theme of THEME_NAMES) {
      const config = chartConfig(theme);
      const color = (config.rule as Spec).color as string;
      expect(contrast(color, config.background as string)).toBeGreaterThan(3);
    }
  });
  it('leaves no condition out of a legend', () => {
    expect((chartConfig('light').legend as Spec).symbolLimit).toBeGreaterThan(1000);
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
