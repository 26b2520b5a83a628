/** Condition A minus condition B, part by part and layer by layer: a map for each statistic that names its axes. */
import { useState } from 'preact/hooks';
import type { ComparedCondition, LayerMap, MapCell, PairMaps } from '../../../contract/compare.js';
import { useViewChange } from './change-view.js';
import { pairText, valueText } from './tables.js';

export interface MapsProps {
  readonly maps: readonly PairMaps[];
  readonly conditions: readonly ComparedCondition[];
  /** `<a>-<b>` of the address; empty: the first pair */
  readonly pair: string;
}

const pairKey = ({ a, b }: PairMaps): string => `${a}-${b}`;

export function MapsPart({ maps, conditions, pair }: MapsProps) {
  const shown = maps.find((one) => pairKey(one) === pair) ?? maps.at(0);
  const change = useViewChange();
  if (shown === undefined) return null;
  return (
    <section aria-labelledby="maps-title">
      <h2 id="maps-title">Where they differ</h2>
      <p class="muted">
        {`${pairText(shown, conditions)}, means over seeds. Bold: the 95 % interval excludes 0; slanted: it covers 0, or there is none.`}
      </p>
      {maps.length > 1 && (
        <label class="choice">
          Conditions{' '}
          <select value={pairKey(shown)} onChange={(event) => change({ pair: event.currentTarget.value })}>
            {maps.map((one) => (
              <option key={pairKey(one)} value={pairKey(one)}>
                {pairText(one, conditions)}
              </option>
            ))}
          </select>
        </label>
      )}
      <div class="maps">
        {shown.maps.map((map) => (
          <MapCard key={`${pairKey(shown)} ${map.statistic}`} map={map} />
        ))}
      </div>
    </section>
  );
}

function MapCard({ map }: { readonly map: LayerMap }) {
  const [at, setAt] = useState<{ readonly panel: string; readonly cell: MapCell } | undefined>(undefined);
  return (
    <figure class="card map">
      <figcaption>
        <h3>{map.title}</h3>
        <p class="muted small" aria-live="off">
          {at === undefined
            ? `Colours from ${valueText(-map.most, map.unit)} to ${valueText(map.most, map.unit)}${map.unit === '1' ? '' : `, ${map.unit}`}. Point at a cell for its number.`
            : cellText(at.panel, at.cell, map.unit)}
        </p>
      </figcaption>
      <div class="panels" onPointerLeave={() => setAt(undefined)}>
        {map.panels.map((panel) => (
          <Panel
            key={panel.title}
            map={map}
            panel={panel}
            onCell={(cell) => setAt(cell === undefined ? undefined : { panel: panel.title, cell })}
          />
        ))}
      </div>
    </figure>
  );
}

function cellText(panel: string, { x, y, value, low, high }: MapCell, unit: string): string {
  const range =
    low === null || high === null ? 'no interval' : `${valueText(low, unit)} to ${valueText(high, unit)}`;
  return `${[y, x, panel].filter((part) => part !== '').join(', ')}: ${valueText(value, unit)} (${range})`;
}

interface PanelProps {
  readonly map: LayerMap;
  readonly panel: LayerMap['panels'][number];
  readonly onCell: (cell: MapCell | undefined) => void;
}

/** A table with coloured cells: it reads as one, without colours too. */
function Panel({ map, panel, onCell }: PanelProps) {
  const { title, x, y, cells } = panel;
  const found = new Map(cells.map((cell) => [`${cell.y}\n${cell.x}`, cell]));
  return (
    <div
      class="scroll"
      tabIndex={0}
      role="region"
      aria-label={`${map.title}${title === '' ? '' : `, ${title}`}`}
    >
      <table class="heat">
        {title !== '' && <caption>{title}</caption>}
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">{map.yTitle}</span>
            </th>
            {x.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {y.map((row) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              {x.map((column) => {
                const cell = found.get(`${row}\n${column}`);
                return cell === undefined ? (
                  <td key={column} />
                ) : (
                  <td
                    key={column}
                    class={cellClass(cell, map.most)}
                    onPointerEnter={() => onCell(cell)}
                    title={cellText(title, cell, map.unit)}
                  >
                    {valueText(cell.value, map.unit)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Nine shades: no inline style passes the content policy. */
const SHADES = 4;

function cellClass({ value, low, high }: MapCell, most: number): string {
  const shade = Math.min(SHADES, Math.ceil((Math.abs(value) / (most || 1)) * SHADES));
  const isUndecided = low === null || high === null || (low <= 0 && high >= 0);
  return `${value < 0 ? 'less' : 'more'}${shade}${isUndecided ? ' undecided' : ' decided'}`;
}
