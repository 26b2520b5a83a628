/** Tables of the page: they scroll by themselves where the page is too narrow. */
import { html, type Html, type Part } from './html.js';

/** Head of a column of numbers. */
export function numeric(name: string | Html): Html {
  return html`<th scope="col" class="number">${name}</th>`;
}

/**
 * @param label - what a screen reader calls it
 * @param columns - heads: texts, or cells such as `numeric` makes
 * @param rows - of one body; as `bodies`, whole bodies
 */
export function scrollTable(
  label: string,
  columns: readonly (string | Html)[],
  { rows, bodies, kind = 'data' }: { readonly rows?: Part; readonly bodies?: Part; readonly kind?: string },
): Html {
  const heads = columns.map((one) => (typeof one === 'string' ? html`<th scope="col">${one}</th>` : one));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table class="${kind}">
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      ${
        bodies ??
        html`<tbody>
          ${rows}
        </tbody>`
      }
    </table>
  </div>`;
}
