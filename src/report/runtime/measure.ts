/** Widths of text in the font that the browser uses for it. */
import type { TextWidth } from './wrap.js';

/** @param family - as in CSS: the browser takes the first font that it has */
export function textWidthOf(family: string): TextWidth {
  const context = document.createElement('canvas').getContext('2d');
  const known = new Map<string, number>();
  return (text, fontSize, fontWeight) => {
    const key = `${fontWeight} ${fontSize} ${text}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    // without a canvas: letters about half as wide as high
    let width = 0.55 * fontSize * text.length;
    if (context !== null) {
      context.font = `${fontWeight} ${fontSize}px ${family}`;
      width = context.measureText(text).width;
    }
    known.set(key, width);
    return width;
  };
}
