/** Small pictures for the documentation: panels side by side on white, no script, no font of their own. */
export interface Panel {
  readonly title: string;
  /** SVG within 0..SIDE in both directions */
  readonly marks: string;
}

export const SIDE = 160;
const GAP = 24;
const TOP = 28;
const INK = '#1f2430';
const FILL = '#3566b0';

const rounded = (x: number): string => (Math.round(x * 10) / 10 + 0).toString();

export function drawing(
  description: string,
  panels: readonly Panel[],
  { width = SIDE, height: inner = SIDE } = {},
): string {
  const total = panels.length * (width + GAP) + GAP;
  const height = inner + TOP + GAP;
  const drawn = panels.map(
    ({ title, marks }, p) =>
      `<g transform="translate(${GAP + p * (width + GAP)} ${TOP})"><text y="-10" font-size="13">${title}</text>\n${marks}\n</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height}" width="${total}" height="${height}" role="img" font-family="sans-serif" fill="${INK}">
<title>${description}</title>
<rect width="${total}" height="${height}" fill="#ffffff"/>
${drawn.join('\n')}
</svg>
`;
}

/** Numbers at their places in a plane, joined in the order of their names. @param points - [n] of x, y */
export function plane(points: readonly (readonly [number, number])[]): string {
  const most = Math.max(...points.flat().map(Math.abs));
  const at = (x: number): string => rounded(SIDE / 2 + (x / most) * (SIDE / 2 - 12));
  const line = points.map(([x, y]) => `${at(x)},${at(y)}`).join(' ');
  const marks = points.map(
    ([x, y], i) =>
      `<circle cx="${at(x)}" cy="${at(y)}" r="9" fill="#dbe6f6"/><text x="${at(x)}" y="${at(y)}" dy="4" font-size="11" text-anchor="middle">${i}</text>`,
  );
  return `<polyline points="${line}" fill="none" stroke="#b9c0cc"/>\n${marks.join('\n')}`;
}

/** @param values - 0 or more, each with its name */
export function bars(values: readonly (readonly [string, number])[]): string {
  const most = Math.max(...values.map(([, value]) => value));
  return values
    .map(([name, value], i) => {
      const y = 12 + i * 44;
      const length = rounded((value / most) * (SIDE - 40));
      return `<text y="${y}" font-size="11">${name}</text><rect y="${y + 5}" width="${length}" height="16" fill="${FILL}"/><text x="${length}" dx="5" y="${y + 17}" font-size="11">${value.toFixed(1)}</text>`;
    })
    .join('\n');
}

/** Percent by row and column. @param rows - each its name and its values, 1 the whole way */
export function table(
  columns: readonly string[],
  rows: readonly (readonly [string, readonly number[]])[],
): string {
  const cell = { width: 34, height: 22, left: 92 };
  const head = columns.map(
    (name, c) =>
      `<text x="${cell.left + (c + 0.5) * cell.width}" y="10" font-size="11" text-anchor="middle">${name}</text>`,
  );
  const body = rows.map(([name, values], r) => {
    const y = 18 + r * cell.height;
    const own = values.map((value, c) => {
      const x = cell.left + c * cell.width;
      const share = Math.min(1, Math.abs(value));
      const ink = share > 0.6 ? ' fill="#ffffff"' : '';
      return `<rect x="${x}" y="${y}" width="${cell.width - 2}" height="${cell.height - 2}" fill="${FILL}" fill-opacity="${rounded(share)}" stroke="#d5d9e0"/><text x="${x + cell.width / 2 - 1}" y="${y + 14}" font-size="11" text-anchor="middle"${ink}>${Math.round(100 * value + 0)}</text>`;
    });
    return `<text y="${y + 14}" font-size="11">${name}</text>${own.join('')}`;
  });
  return [...head, ...body].join('\n');
}

/** Pairs of numbers, rows the first, columns the second. @param isFilled - of both */
export function pairGrid(n: number, isFilled: (a: number, b: number) => boolean): string {
  const step = (SIDE - 16) / n;
  const numbers = Array.from({ length: n }, (_, i) => i);
  const at = (i: number): string => rounded(16 + i * step);
  const size = rounded(step - 1.5);
  const squares = numbers.flatMap((a) =>
    numbers.map((b) => {
      const fill = isFilled(a, b) ? FILL : '#e6e9ee';
      return `<rect x="${at(b)}" y="${at(a)}" width="${size}" height="${size}" fill="${fill}"/>`;
    }),
  );
  const names = numbers.map(
    (i) =>
      `<text x="4" y="${at(i + 0.75)}" font-size="9">${i}</text><text x="${at(i + 0.3)}" y="10" font-size="9">${i}</text>`,
  );
  return [...names, ...squares].join('\n');
}
