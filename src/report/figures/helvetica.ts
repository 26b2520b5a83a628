/**
 * Widths of text in Helvetica, one of the fonts that every PDF reader has, and which letters it and Symbol hold. The numbers are
 * those of Adobe's font metrics (AFM); Arial, Liberation Sans and Arimo are as wide.
 */

/** Families as wide as Helvetica come first. */
export const FIGURE_FONT = "Helvetica, Arial, 'Liberation Sans', Arimo, sans-serif";

/** Letters 0x80 to 0x9f of the encoding WinAnsi; a blank where it has none. The others are those of Latin-1. */
const UPPER = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';
/** Thousandths of the size of the font, codes 32 to 255. */
const REGULAR = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
  556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
  500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
  556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
  278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, 0, 556, 0, 222, 556, 333, 1000, 556, 556, 333, 1000,
  667, 333, 1000, 0, 611, 0, 0, 222, 222, 333, 333, 350, 556, 1000, 333, 1000, 500, 333, 944, 0, 500, 500,
  278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333, 400, 584, 333, 333, 333,
  556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611, 667, 667, 667, 667, 667, 667, 1000, 722, 667, 667,
  667, 667, 278, 278, 278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667,
  611, 556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278, 556, 556, 556, 556,
  556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];
const BOLD = [
  278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
  556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278,
  556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584,
  556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
  333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584, 0, 556, 0, 278, 556, 500, 1000, 556, 556, 333, 1000,
  667, 333, 1000, 0, 611, 0, 0, 278, 278, 500, 500, 350, 556, 1000, 333, 1000, 556, 333, 944, 0, 500, 556,
  278, 333, 556, 556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 333, 400, 584, 333, 333, 333,
  611, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611, 722, 722, 722, 722, 722, 722, 1000, 722, 667, 667,
  667, 667, 278, 278, 278, 278, 722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667,
  611, 556, 556, 556, 556, 556, 556, 889, 556, 556, 556, 556, 556, 278, 278, 278, 278, 611, 611, 611, 611,
  611, 611, 611, 584, 611, 611, 611, 611, 611, 556, 611, 556,
];
/** Letters that the font Symbol holds, their codes there and their widths. */
const SYMBOLS = '−ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψω≤≥≠≈≡∞√∑∏∂∈∉∩∪⊂⊆∅∀∃∇←→↑↓↔⋅∗′″';
const SYMBOL_CODES = [
  45, 65, 66, 71, 68, 69, 90, 72, 81, 73, 75, 76, 77, 78, 88, 79, 80, 82, 83, 84, 85, 70, 67, 89, 87, 97, 98,
  103, 100, 101, 122, 104, 113, 105, 107, 108, 109, 110, 120, 111, 112, 114, 86, 115, 116, 117, 102, 99, 121,
  119, 163, 179, 185, 187, 186, 165, 214, 229, 213, 182, 206, 207, 199, 200, 204, 205, 198, 34, 36, 209, 172,
  174, 173, 175, 171, 215, 42, 162, 178,
];
const SYMBOL_WIDTHS = [
  549, 722, 667, 603, 612, 611, 611, 722, 741, 333, 722, 686, 889, 722, 645, 722, 768, 556, 592, 611, 690,
  763, 722, 795, 768, 631, 549, 411, 494, 439, 494, 603, 521, 329, 549, 549, 576, 521, 493, 549, 549, 549,
  439, 603, 439, 576, 521, 549, 686, 686, 549, 549, 549, 549, 549, 713, 549, 713, 823, 494, 713, 713, 768,
  768, 713, 713, 823, 713, 549, 713, 987, 987, 603, 603, 1042, 250, 500, 247, 411,
];
/** A letter that neither holds is drawn by another font, where there is one: about so wide, and the same for wide scripts. */
const UNKNOWN = 556;
const WIDE = 1000;

export type FontName = 'regular' | 'bold' | 'symbol';

interface Glyph {
  /** undefined: a letter that these fonts lack */
  readonly font: FontName | undefined;
  readonly code: number;
  /** thousandths of the size of the font */
  readonly width: number;
}

export function glyphOf(letter: string, bold: boolean): Glyph {
  const point = letter.codePointAt(0) ?? 0;
  const upper = letter === ' ' ? -1 : UPPER.indexOf(letter);
  const code = upper >= 0 ? 0x80 + upper : point;
  if (upper >= 0 || (point >= 0x20 && point < 0x7f) || (point >= 0xa0 && point <= 0xff))
    return { font: bold ? 'bold' : 'regular', code, width: (bold ? BOLD : REGULAR)[code - 32] };
  const symbol = SYMBOLS.indexOf(letter);
  if (symbol >= 0) return { font: 'symbol', code: SYMBOL_CODES[symbol], width: SYMBOL_WIDTHS[symbol] };
  return { font: undefined, code: 0x3f, width: point >= 0x1100 ? WIDE : UNKNOWN };
}

/** @param size - of the font, in the unit of the result */
export function helveticaWidth(text: string, size: number, bold: boolean): number {
  let sum = 0;
  for (const letter of text) sum += glyphOf(letter, bold).width;
  return (sum * size) / 1000;
}
