/** A dot in the colour of a condition before its label, where the terminal has colours. */
import { type WriteStream } from 'node:tty';
import { colorAt, placesOf, type ThemeName } from '../../palette.js';

/** 24: bits of a colour; 256: of the table of xterm; 0: none. */
export type ColorDepth = 0 | 256 | 24;

type Environment = Readonly<Record<string, string | undefined>>;

export function colorDepth(isTerminal: boolean, env: Environment = process.env): ColorDepth {
  if (!isTerminal || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return 0;
  return /^(truecolor|24bit)$/i.test(env['COLORTERM'] ?? '') ? 24 : 256;
}

/** Terminals that say so (`COLORFGBG=0;15`) have a light ground; all others are taken for dark. */
export function terminalTheme(env: Environment = process.env): ThemeName {
  return /;(7|15)$/.test(env['COLORFGBG'] ?? '') ? 'light' : 'dark';
}

/** label -> the label with its dot. @param labels - of all conditions shown together */
export function conditionNames(
  labels: Iterable<string>,
  stream: Pick<WriteStream, 'isTTY'> = process.stdout,
  env: Environment = process.env,
): (label: string) => string {
  const depth = colorDepth(stream.isTTY, env);
  const places = placesOf(labels);
  return (label) => {
    const place = places.get(label);
    return depth === 0 || place === undefined
      ? label
      : `${dot(colorAt(terminalTheme(env), place), depth)} ${label}`;
  };
}

function dot(color: string, depth: 256 | 24): string {
  const code = depth === 24 ? `2;${channels(color).join(';')}` : `5;${nearest256(color)}`;
  return `\u001b[38;${code}m\u25cf\u001b[39m`;
}

/** Red, green and blue of `#rrggbb`, 0 to 255. */
function channels(color: string): number[] {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

/** Levels of the colour cube of xterm: entries 16 to 231, red slowest; 232 to 255 are greys. */
const LEVELS = [0, 95, 135, 175, 215, 255];

/** The entry of xterm's table that is nearest in red, green and blue; the first 16 differ between terminals and are left out. */
export function nearest256(color: string): number {
  const wanted = channels(color);
  const far = (rgb: readonly number[]): number =>
    rgb.reduce((sum, value, i) => sum + (value - wanted[i]) ** 2, 0);
  let [best, least] = [16, Infinity];
  for (let entry = 16; entry < 256; entry++) {
    const cube = entry - 16;
    const grey = 8 + 10 * (entry - 232);
    const distance = far(
      entry < 232
        ? [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((level) => LEVELS[level])
        : [grey, grey, grey],
    );
    if (distance < least) [best, least] = [entry, distance];
  }
  return best;
}
