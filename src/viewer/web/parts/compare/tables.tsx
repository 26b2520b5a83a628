/** What differs: settings, differences with their intervals, and every number by condition. */
import { useState } from 'preact/hooks';
import type {
  ComparedCondition,
  Comparison,
  DifferenceRow,
  GroupMean,
  StatisticRow,
} from '../../../contract/compare.js';
import { colorClass, number, plural } from '../../format.js';

/** Rows of differences that show before all are asked for. */
const FEW = 12;

/** A share or a difference of shares as per cent with one decimal; other units by their digits. */
export function valueText(value: number | null, unit: string): string {
  if (unit !== 'accuracy' || value === null) return number(value);
  return `${(Math.round(value * 1000) / 10 + 0).toFixed(1)} %`;
}

const unitText = (unit: string): string => (unit === '1' ? '' : unit);

export function SettingsPart({ settings, conditions }: Comparison) {
  return (
    <section aria-labelledby="settings-title">
      <h2 id="settings-title">Settings that differ</h2>
      {settings.length === 0 ? (
        <p class="muted">None: one condition, and seeds of it.</p>
      ) : (
        <div class="scroll card" tabIndex={0} role="region" aria-label="Table of settings">
          <table>
            <thead>
              <tr>
                <th scope="col">setting</th>
                {conditions.map((condition) => (
                  <ConditionHead key={condition.label} condition={condition} />
                ))}
              </tr>
            </thead>
            <tbody>
              {settings.map(({ path, values }) => (
                <tr key={path}>
                  <th scope="row">
                    <code>{path}</code>
                  </th>
                  {values.map((value, i) => (
                    <td key={conditions[i].label}>{value}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function ConditionHead({ condition: { label, place } }: { readonly condition: ComparedCondition }) {
  return (
    <th scope="col" class={colorClass(place)}>
      <span class="swatch" />
      {label}
    </th>
  );
}

export function DifferencesPart({ differences, conditions }: Comparison) {
  const [isAll, setAll] = useState(false);
  const shown = isAll ? differences : differences.slice(0, FEW);
  const most = Math.max(1, ...shown.map((one) => Math.max(...inSpreads(one).map(Math.abs))));
  const pairs = new Set(differences.map(({ a, b }) => `${a} ${b}`));
  return (
    <section aria-labelledby="differences-title">
      <h2 id="differences-title">Differences</h2>
      <p class="muted">
        {differences.length === 0
          ? 'None: it takes two conditions of the same vocabulary, modulus, context and regime, with something measured.'
          : 'Means over seeds subtracted, with 95 % intervals (Welch), the largest first in standard deviations of one seed; bold: the interval excludes 0.'}
      </p>
      {differences.length > 0 && (
        <div class="scroll card" tabIndex={0} role="region" aria-label="Table of differences">
          <table class="differences">
            <thead>
              <tr>
                <th scope="col">quantity</th>
                {pairs.size > 1 && <th scope="col">conditions</th>}
                <th scope="col" class="right">
                  difference
                </th>
                <th scope="col">95 % interval</th>
                <th scope="col">in spreads</th>
                <th scope="col" class="right">
                  p
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => (
                <DifferenceLine
                  key={`${one.statistic} ${one.within} ${one.a} ${one.b}`}
                  one={one}
                  conditions={conditions}
                  most={most}
                  hasPair={pairs.size > 1}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {pairs.size === 1 && (
        <p class="muted small">{pairText(differences[0], conditions)}; p: permutation of seeds, two-sided.</p>
      )}
      {differences.length > FEW && (
        <button type="button" class="quiet" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
          {isAll ? 'Fewer' : `All ${differences.length} differences`}
        </button>
      )}
    </section>
  );
}

interface DifferenceLineProps {
  readonly one: DifferenceRow;
  readonly conditions: readonly ComparedCondition[];
  readonly most: number;
  readonly hasPair: boolean;
}

function DifferenceLine({ one, conditions, most, hasPair }: DifferenceLineProps) {
  const { title, within, estimate, low, high, p, unit } = one;
  return (
    <tr class={isDecided(one) ? 'decided' : ''}>
      <th scope="row">
        {title}
        {within !== '' && <span class="muted">{`, ${within}`}</span>}
      </th>
      {hasPair && <td>{pairText(one, conditions)}</td>}
      <td class="right">
        {valueText(estimate, unit)}{' '}
        <span class="muted small">{unit === 'accuracy' ? '' : unitText(unit)}</span>
      </td>
      <td>
        {low === null || high === null ? (
          <span class="muted">{Math.min(...one.seeds) < 2 ? 'one seed' : 'equal values'}</span>
        ) : (
          `${valueText(low, unit)} to ${valueText(high, unit)}`
        )}
      </td>
      <td>
        <Interval one={one} most={most} />
      </td>
      <td class="right">{number(p)}</td>
    </tr>
  );
}

const isDecided = ({ low, high }: DifferenceRow): boolean =>
  low !== null && high !== null && (low > 0 || high < 0);

/** Estimate and interval in standard deviations of one seed. */
function inSpreads({ estimate, low, high, spreads }: DifferenceRow): number[] {
  if (spreads === null || estimate === 0) return [0];
  const scale = spreads / estimate;
  return [spreads, ...(low === null || high === null ? [] : [low * scale, high * scale])];
}

const BAR = 150;

/** On a scale that is logarithmic beyond one spread. */
function Interval({ one, most }: { readonly one: DifferenceRow; readonly most: number }) {
  if (one.spreads === null) return <span class="muted">–</span>;
  const bend = (value: number): number => Math.sign(value) * Math.log1p(Math.abs(value));
  const x = (value: number): number =>
    Number((BAR / 2 + (bend(value) / bend(most)) * (BAR / 2 - 5)).toFixed(1));
  const [estimate, low, high] = inSpreads(one);
  return (
    <span class="interval">
      <svg viewBox={`0 0 ${BAR} 16`} width={BAR} height={16} aria-hidden="true" focusable="false">
        <line class="axis" x1={BAR / 2} x2={BAR / 2} y1={1} y2={15} />
        {low !== undefined && high !== undefined && (
          <line class="whisker" x1={x(low)} x2={x(high)} y1={8} y2={8} />
        )}
        <circle class={isDecided(one) ? 'estimate decided' : 'estimate'} cx={x(estimate)} cy={8} r={3.6} />
      </svg>
      <span class="small">{number(one.spreads)}</span>
    </span>
  );
}

export function pairText(
  { a, b }: { readonly a: number; readonly b: number },
  conditions: readonly ComparedCondition[],
): string {
  const label = (place: number): string => conditions.find((one) => one.place === place)?.label ?? '?';
  return `${label(a)} minus ${label(b)}`;
}

/** Every number by condition, a part of the page for each module. */
export function StatisticsPart({ statistics, conditions, modules, checkpoints }: Comparison) {
  const titles = new Map(modules.map(({ module, title }) => [module, title]));
  const byModule = new Map<string, StatisticRow[]>();
  for (const row of statistics) {
    const module = row.statistic.split('/')[0];
    byModule.set(module, [...(byModule.get(module) ?? []), row]);
  }
  return (
    <section aria-labelledby="statistics-title">
      <h2 id="statistics-title">Every number by condition</h2>
      <p class="muted">
        Means over the last checkpoint of each run, with 95 % intervals over seeds; runs that have not learned
        SUM by themselves.
      </p>
      {[...byModule].map(([module, rows]) => (
        <details key={module} class="card module">
          <summary>
            <b>{titles.get(module) ?? (module === 'learning' ? 'What was learned' : module)}</b>{' '}
            {plural(rows.length, 'number')}
          </summary>
          <ModuleTable rows={rows} conditions={conditions} name={titles.get(module) ?? module} />
        </details>
      ))}
      {checkpoints.some(({ counts }) => !counts) && (
        <p class="muted small">Of a run with several steps the last one counts here.</p>
      )}
    </section>
  );
}

interface ModuleTableProps {
  readonly rows: readonly StatisticRow[];
  readonly conditions: readonly ComparedCondition[];
  readonly name: string;
}

function ModuleTable({ rows, conditions, name }: ModuleTableProps) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Numbers of ${name}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">quantity</th>
            {conditions.map((condition) => (
              <ConditionHead key={condition.label} condition={condition} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.statistic} ${row.within}`}>
              <th scope="row" title={row.sentence}>
                {row.title}
                <span class="muted">
                  {row.within === '' ? '' : `, ${row.within}`}
                  {row.unit === '1' || row.unit === 'accuracy' ? '' : ` (${row.unit})`}
                </span>
              </th>
              {conditions.map(({ label, place }) => (
                <td key={label}>
                  {row.means
                    .filter((mean) => mean.place === place)
                    .map((mean) => (
                      <Mean key={String(mean.learned)} mean={mean} unit={row.unit} />
                    ))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Mean({
  mean: { mean, low, high, learned, values },
  unit,
}: {
  readonly mean: GroupMean;
  readonly unit: string;
}) {
  const range = low === null || high === null ? '' : ` (${valueText(low, unit)} to ${valueText(high, unit)})`;
  return (
    <div>
      {valueText(mean, unit)}
      <span class="muted small">
        {`${range}, ${plural(values.length, 'seed')}${learned === false ? ', not learned' : ''}`}
      </span>
    </div>
  );
}
