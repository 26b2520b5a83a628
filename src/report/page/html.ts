/**
 * Safe HTML by construction: the `html` tag escapes every value that is not itself `Html`. Nothing else in the report
 * builds markup from text.
 */

/** Markup that is known to be safe. */
export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | undefined | readonly Part[];

const LONE_SURROGATE = /\p{Surrogate}/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for element content or a quoted attribute; control characters that HTML forbids are shown as U+FFFD. */
export function escapeHtml(text: string): string {
  return (
    text
      .replace(LONE_SURROGATE, '\ufffd')
      .replace(/[&<>"']/g, (c) => ENTITIES[c])
      // eslint-disable-next-line no-control-regex -- these are exactly the characters that may not appear
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '\ufffd')
  );
}

function render(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return part.map(render).join('');
}

export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((text, piece, i) => text + piece + render(parts[i]), ''));
}

/**
 * Control characters and line separators become blanks. Vega-Lite writes orders of names into expressions, whose parser
 * stops at U+2028 even inside a string.
 */
export function plainText(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are exactly the characters that may not appear
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}

/**
 * Data in a `<script type="application/json">`: `<` cannot occur, so neither can an end tag or a comment.
 * @param id - made of letters, digits and hyphens only
 */
export function scriptJson(id: string, value: unknown): Html {
  const text = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new Html(`<script type="application/json" id="${escapeHtml(id)}">${text}</script>`);
}

/** A script as it stands inline, and is hashed. */
export function inlineScript(script: string): string {
  return script.replaceAll('</script', '<\\/script').trim();
}
