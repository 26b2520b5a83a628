/**
 * The part of the browser's canvas context that Vega draws charts with, written as the content of a PDF page: paths, text
 * and gradients stay what they are. Coordinates are transformed here, so that the page needs no matrix but that of text.
 */
import { rgb } from 'd3-color';
import { type FontName, glyphOf, helveticaWidth } from './helvetica.js';

type Matrix = readonly [number, number, number, number, number, number];
type Point = readonly [number, number];

interface State {
  matrix: Matrix;
  fillStyle: string | PdfGradient;
  strokeStyle: string | PdfGradient;
  globalAlpha: number;
  lineWidth: number;
  lineCap: string;
  lineJoin: string;
  miterLimit: number;
  font: string;
  textAlign: string;
  dash: readonly number[];
  lineDashOffset: number;
}

/** A linear gradient of the canvas: an axial shading of the page. */
class PdfGradient {
  readonly stops: { readonly offset: number; readonly color: string }[] = [];
  constructor(
    readonly from: Point,
    readonly to: Point,
  ) {}
  addColorStop(offset: number, color: string): void {
    this.stops.push({ offset, color });
  }
}

const FONTS: Readonly<Record<FontName, string>> = { regular: 'F1', bold: 'F2', symbol: 'F3' };
const number = (value: number): string => String(Number(value.toFixed(3)) + 0);
const numbers = (...values: readonly number[]): string => values.map(number).join(' ');
const color = (text: string): string => {
  const { r, g, b } = rgb(text);
  return numbers(r / 255, g / 255, b / 255);
};

export class PdfContext {
  /** operators of the page so far */
  readonly content: string[] = [];
  /** resources by their definition: opacities and shadings */
  readonly opacities = new Map<string, string>();
  readonly shadings = new Map<string, string>();
  /** letters that the fonts of the page lack */
  readonly missing = new Set<string>();
  #state: State;
  #stack: State[] = [];
  #path: string[] = [];

  /** @param heightPt - of the page: its axis points up, that of the canvas down */
  constructor(heightPt: number) {
    this.#state = {
      matrix: [1, 0, 0, -1, 0, heightPt],
      fillStyle: '#000000',
      strokeStyle: '#000000',
      globalAlpha: 1,
      lineWidth: 1,
      lineCap: 'butt',
      lineJoin: 'miter',
      miterLimit: 10,
      font: '10px sans-serif',
      textAlign: 'left',
      dash: [],
      lineDashOffset: 0,
    };
    for (const name of SETTABLE)
      Object.defineProperty(this, name, {
        get: () => this.#state[name],
        set: (value: State[typeof name] | null | undefined) => {
          // a value that is none leaves the old one, as in a browser
          if (value !== null && value !== undefined) this.#state = { ...this.#state, [name]: value };
        },
      });
  }

  save(): void {
    this.#stack.push({ ...this.#state });
    this.content.push('q');
  }
  restore(): void {
    const before = this.#stack.pop();
    if (before === undefined) return;
    this.#state = before;
    this.content.push('Q');
  }
  transform(...[a, b, c, d, e, f]: Matrix): void {
    const [A, B, C, D, E, F] = this.#state.matrix;
    this.#state.matrix = [
      ...([A * a + C * b, B * a + D * b, A * c + C * d, B * c + D * d] as const),
      ...([A * e + C * f + E, B * e + D * f + F] as const),
    ];
  }
  translate(x: number, y: number): void {
    this.transform(1, 0, 0, 1, x, y);
  }
  scale(x: number, y: number): void {
    this.transform(x, 0, 0, y, 0, 0);
  }
  rotate(angle: number): void {
    this.transform(Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0);
  }
  setLineDash(dash: readonly number[] | null): void {
    this.#state.dash = dash ?? [];
  }

  beginPath(): void {
    this.#path = [];
  }
  moveTo(x: number, y: number): void {
    this.#segment('m', [x, y]);
  }
  lineTo(x: number, y: number): void {
    this.#segment(this.#path.length === 0 ? 'm' : 'l', [x, y]);
  }
  bezierCurveTo(a: number, b: number, c: number, d: number, x: number, y: number): void {
    this.#segment('c', [a, b], [c, d], [x, y]);
  }
  quadraticCurveTo(a: number, b: number, x: number, y: number): void {
    const [fromX, fromY] = this.#last;
    const third = (from: number, to: number): number => from + (2 * (to - from)) / 3;
    this.#segment('c', [third(fromX, a), third(fromY, b)], [third(x, a), third(y, b)], [x, y]);
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.moveTo(x, y);
    for (const corner of [
      [x + width, y],
      [x + width, y + height],
      [x, y + height],
    ] as const)
      this.lineTo(...corner);
    this.closePath();
  }
  closePath(): void {
    if (this.#path.length > 0) this.#path.push('h');
  }
  /** by curves of at most a quarter of a circle, whose error is below 0.03 % of the radius */
  arc(x: number, y: number, radius: number, start: number, end: number, backwards = false): void {
    const turn = 2 * Math.PI;
    let sweep = end - start;
    if (Math.abs(sweep) >= turn) sweep = backwards ? -turn : turn;
    else if (backwards ? sweep > 0 : sweep < 0) sweep += backwards ? -turn : turn;
    const steps = Math.max(1, Math.ceil(Math.abs(sweep) / (Math.PI / 2) - 1e-9));
    const part = sweep / steps;
    const reach = (4 / 3) * Math.tan(part / 4) * radius;
    const at = (angle: number, along = 0): Point => [
      x + radius * Math.cos(angle) - along * Math.sin(angle),
      y + radius * Math.sin(angle) + along * Math.cos(angle),
    ];
    this.lineTo(...at(start));
    for (let i = 0; i < steps; i++) {
      const [from, to] = [start + i * part, start + (i + 1) * part];
      this.#segment('c', at(from, reach), at(to, -reach), at(to));
    }
  }

  clip(): void {
    this.content.push(...this.#path, 'W n');
  }
  fill(): void {
    const { fillStyle, globalAlpha } = this.#state;
    if (this.#path.length === 0) return;
    if (fillStyle instanceof PdfGradient) {
      this.content.push('q', this.#opacity(), ...this.#path, 'W n', `/${this.#shading(fillStyle)} sh`, 'Q');
    } else if (rgb(fillStyle).opacity * globalAlpha > 0)
      this.content.push(this.#opacity(rgb(fillStyle).opacity), `${color(fillStyle)} rg`, ...this.#path, 'f');
  }
  stroke(): void {
    const { strokeStyle, matrix, lineWidth, lineCap, lineJoin, miterLimit, dash, lineDashOffset } =
      this.#state;
    if (this.#path.length === 0) return;
    const scale = Math.sqrt(Math.abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]));
    // of a gradient, which no chart strokes with, its first colour
    const ink =
      strokeStyle instanceof PdfGradient ? (strokeStyle.stops.at(0)?.color ?? '#000000') : strokeStyle;
    if (rgb(ink).opacity === 0) return;
    this.content.push(
      this.#opacity(rgb(ink).opacity),
      `${color(ink)} RG ${number(lineWidth * scale)} w`,
      `${Math.max(0, ['butt', 'round', 'square'].indexOf(lineCap))} J`,
      `${Math.max(0, ['miter', 'round', 'bevel'].indexOf(lineJoin))} j ${number(miterLimit)} M`,
      `[${numbers(...dash.map((length) => length * scale))}] ${number(lineDashOffset * scale)} d`,
      ...this.#path,
      'S',
    );
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    const path = this.#path;
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
    this.#path = path;
  }
  fillText(text: string, x: number, y: number): void {
    const { fillStyle, font, textAlign, matrix } = this.#state;
    const size = Number(/([\d.]+)px/.exec(font)?.[1] ?? 10);
    const bold = /\bbold\b|\b[6-9]00\b/.test(font);
    const share = textAlign === 'center' ? 0.5 : textAlign === 'right' || textAlign === 'end' ? 1 : 0;
    const [left, bottom] = this.#moved([x - share * helveticaWidth(text, size, bold), y]);
    const [a, b, c, d] = matrix;
    const ink = typeof fillStyle === 'string' ? fillStyle : '#000000';
    this.content.push(
      this.#opacity(rgb(ink).opacity),
      `${color(ink)} rg`,
      // letters stand upright although the axis of the canvas points down
      `BT ${[a, b, -c, -d].map((value) => String(Number(value.toFixed(6)))).join(' ')} ${numbers(left, bottom)} Tm`,
      ...this.#runs(text, bold).map(({ name, codes }) => `/${FONTS[name]} ${number(size)} Tf <${codes}> Tj`),
      'ET',
    );
  }
  /** letters with an outline are drawn by no chart */
  strokeText(): void {}
  createLinearGradient(x1: number, y1: number, x2: number, y2: number): PdfGradient {
    return new PdfGradient(this.#moved([x1, y1]), this.#moved([x2, y2]));
  }

  /** The text in runs of one font, in hexadecimal codes; a letter that no font holds becomes its base letter or "?". */
  #runs(text: string, bold: boolean): { readonly name: FontName; codes: string }[] {
    const runs: { readonly name: FontName; codes: string }[] = [];
    for (const letter of text) {
      let glyph = glyphOf(letter, bold);
      if (glyph.font === undefined) {
        this.missing.add(letter);
        glyph = glyphOf(letter.normalize('NFKD').charAt(0), bold);
      }
      const name = glyph.font ?? (bold ? 'bold' : 'regular');
      const code = glyph.code.toString(16).padStart(2, '0');
      const last = runs.at(-1);
      if (last?.name === name) last.codes += code;
      else runs.push({ name, codes: code });
    }
    return runs;
  }
  #last: Point = [0, 0];
  #segment(operator: string, ...points: readonly Point[]): void {
    const moved = points.map((point) => this.#moved(point)).flat();
    // as in a browser, what is not finite is not drawn
    if (!moved.every(Number.isFinite)) return;
    this.#last = points[points.length - 1];
    this.#path.push(`${numbers(...moved)} ${operator}`);
  }
  #moved([x, y]: Point): Point {
    const [a, b, c, d, e, f] = this.#state.matrix;
    return [a * x + c * y + e, b * x + d * y + f];
  }
  #opacity(own = 1): string {
    const value = number(Math.max(0, Math.min(1, own * this.#state.globalAlpha)));
    return `/${nameIn(this.opacities, `<< /ca ${value} /CA ${value} >>`, 'G')} gs`;
  }
  #shading({ from, to, stops }: PdfGradient): string {
    const pairs = stops.slice(1).map((stop, i) => {
      return `<< /FunctionType 2 /Domain [0 1] /N 1 /C0 [${color(stops[i].color)}] /C1 [${color(stop.color)}] >>`;
    });
    const bounds = numbers(...stops.slice(1, -1).map(({ offset }) => offset));
    const shades = `<< /FunctionType 3 /Domain [0 1] /Functions [${pairs.join(' ')}] /Bounds [${bounds}] /Encode [${pairs.map(() => '0 1').join(' ')}] >>`;
    const text = `<< /ShadingType 2 /ColorSpace /DeviceRGB /Coords [${numbers(...from, ...to)}] /Function ${shades} /Extend [true true] >>`;
    return nameIn(this.shadings, text, 'S');
  }
}

const SETTABLE = [
  'fillStyle',
  'strokeStyle',
  'globalAlpha',
  'lineWidth',
  'lineCap',
  'lineJoin',
  'miterLimit',
  'font',
  'textAlign',
  'lineDashOffset',
] as const;

function nameIn(table: Map<string, string>, definition: string, letter: string): string {
  const name = table.get(definition) ?? `${letter}${table.size + 1}`;
  table.set(definition, name);
  return name;
}
