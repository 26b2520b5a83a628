/** The dialog that exports one chart for a paper; ../runtime/export.ts opens it. No form: a sandbox lets none be sent. */
import {
  COLUMNS,
  COLUMNS_MM,
  FIGURE_FORMATS,
  FONT_RANGE,
  RESOLUTIONS,
  USUAL_DPI,
  USUAL_FONT_PT,
} from '../figures/options.js';
import { html, type Html } from './html.js';

export function exportDialog(): Html {
  const choice = (name: string, value: string, text: string, checked: boolean): Html =>
    html`<label
      ><input type="radio" name="export-${name}" value="${value}" ${checked ? 'checked' : ''} />
      ${text}</label
    >`;
  return html`<dialog id="export" aria-labelledby="export-heading" aria-describedby="export-chart">
    <h2 id="export-heading">Export</h2>
    <p id="export-chart"></p>
    <fieldset>
      <legend>Width</legend>
      ${COLUMNS.map((name, i) => choice('column', name, `${name} column, ${COLUMNS_MM[name]} mm`, i === 0))}
    </fieldset>
    <fieldset>
      <legend>Format</legend>
      ${FIGURE_FORMATS.map((name, i) => choice('format', name, name === 'csv' ? 'CSV of what is drawn' : name.toUpperCase(), i === 0))}
    </fieldset>
    <div class="export-sizes">
      <label
        >Font size (pt)
        <input
          type="number"
          id="export-font"
          min="${FONT_RANGE[0]}"
          max="${FONT_RANGE[1]}"
          step="0.5"
          value="${USUAL_FONT_PT}"
          aria-describedby="export-status"
      /></label>
      <label
        >PNG resolution
        <select id="export-dpi">
          ${RESOLUTIONS.map((dpi) => html`<option value="${dpi}" ${dpi === USUAL_DPI ? 'selected' : ''}>${dpi} dpi</option>`)}
        </select></label
      >
    </div>
    <p class="note">
      In light colours. The font size is that of the names on the axes; PDF text is Helvetica.
    </p>
    <p id="export-status" role="status"></p>
    <div class="export-buttons">
      <button type="button" id="export-save" class="main">Save</button>
      <button type="button" id="export-close">Close</button>
    </div>
  </dialog>`;
}
