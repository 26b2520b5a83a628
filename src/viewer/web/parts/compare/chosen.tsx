/** What is compared: a line for each run with its steps, and the list from which more are chosen. */
import { useState } from 'preact/hooks';
import type { RunSummary } from '../../../contract.js';
import type { ComparedRun, Comparison } from '../../../contract/compare.js';
import { type Part, show } from '../../compare-state.js';
import { colorClass, plural, whole } from '../../format.js';
import { A } from '../link.js';
import { RunsTable } from './runs-table.js';

export interface ChosenProps {
  readonly comparison: Comparison;
  readonly parts: readonly Part[];
}

/** Every step of every run: more than this is no picture. */
const MOST_PARTS = 64;

export function ChosenPart({ comparison, parts }: ChosenProps) {
  const { conditions, runs, checkpoints, others } = comparison;
  const partOf = ({ address }: ComparedRun): Part | undefined =>
    parts.find((part) => part.address === address);
  const isAll = parts.every(({ steps }) => steps === 'all');
  return (
    <section aria-labelledby="chosen-title">
      <h2 id="chosen-title">
        {plural(runs.length, 'run')}, {plural(checkpoints.length, 'checkpoint')}
      </h2>
      <RunsTable
        comparison={comparison}
        seed={({ address, seed }) => (address === undefined ? seed : <A to={`/runs/${address}`}>{seed}</A>)}
        steps={(run) => {
          const part = partOf(run);
          return part === undefined ? (
            run.chosen.map(whole).join(', ')
          ) : (
            <StepSelect part={part} run={run} parts={parts} />
          );
        }}
        action={(run) => {
          const part = partOf(run);
          return (
            part !== undefined &&
            parts.length > 1 && (
              <button
                type="button"
                class="quiet small"
                aria-label={`Leave out ${run.label}, seed ${run.seed}`}
                onClick={() => show(parts.filter(({ address }) => address !== part.address))}
              >
                Leave out
              </button>
            )
          );
        }}
      />
      <div class="button-row">
        <button
          type="button"
          class="quiet"
          aria-pressed={isAll}
          onClick={() =>
            show(distinct(parts).map(({ address }) => ({ address, steps: isAll ? 'last' : 'all' })))
          }
        >
          Every step
        </button>
        {others.length > 0 && (
          <button
            type="button"
            class="quiet"
            onClick={() =>
              show(
                [...parts, ...others.map(({ address }) => ({ address, steps: 'last' }))].slice(0, MOST_PARTS),
              )
            }
          >
            {`Add ${plural(others.length, 'run')} of the same ${conditions.length === 1 ? 'condition' : 'conditions'}`}
          </button>
        )}
      </div>
      {others.length > 0 && (
        <p class="muted small">
          Not chosen, and of the same conditions: {others.map(({ label }) => label).join(', ')}. A report
          names them, and gives no verdict without them.
        </p>
      )}
    </section>
  );
}

function distinct(parts: readonly Part[]): Part[] {
  return parts.filter(({ address }, i) => parts.findIndex((other) => other.address === address) === i);
}

interface StepSelectProps {
  readonly part: Part;
  readonly parts: readonly Part[];
  readonly run: Comparison['runs'][number];
}

function StepSelect({ part, parts, run }: StepSelectProps) {
  const own = parts.filter(({ address }) => address === part.address);
  const value = own.length === 1 ? part.steps : '';
  const change = (steps: string): void =>
    show(
      distinct(parts).map((one) => (one.address === part.address ? { address: one.address, steps } : one)),
    );
  return (
    <select
      aria-label={`Step of ${run.label}, seed ${run.seed}`}
      value={value}
      onChange={(event) => change(event.currentTarget.value)}
    >
      {value === '' && <option value="">{own.map(({ steps }) => steps).join(', ')}</option>}
      <option value="last">last</option>
      <option value="all">every step</option>
      {value === 'final' && <option value="final">final</option>}
      {run.steps.map((step) => (
        <option key={step} value={String(step)}>
          {whole(step)}
        </option>
      ))}
    </select>
  );
}

export interface ChooserProps {
  readonly runs: readonly RunSummary[];
  readonly parts: readonly Part[];
}

/** Conditions that show at once; a search finds the others. */
const MOST_SHOWN = 40;

/** The runs there are, by condition, to be ticked. */
export function Chooser({ runs, parts }: ChooserProps) {
  const [wanted, setWanted] = useState('');
  const words = wanted.toLowerCase().split(/\s+/);
  const groups = new Map<string, RunSummary[]>();
  for (const run of runs) {
    if (!run.open || run.step === 0) continue;
    const text = `${run.label} ${run.id}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    groups.set(run.condition, [...(groups.get(run.condition) ?? []), run]);
  }
  const chosen = new Set(parts.map(({ address }) => address));
  const toggle = (own: readonly RunSummary[], isIn: boolean): void => {
    const addresses = new Set(own.map(({ address }) => address));
    const kept = parts.filter(({ address }) => !addresses.has(address));
    const added = own.map(({ address }): Part => ({ address, steps: 'last' }));
    show(isIn ? kept : [...kept, ...added].slice(0, MOST_PARTS));
  };
  const shown = [...groups.values()].sort((a, b) => (a[0].label < b[0].label ? -1 : 1)).slice(0, MOST_SHOWN);
  return (
    <div class="chooser">
      <label class="choice">
        Search{' '}
        <input
          type="search"
          value={wanted}
          placeholder="SUM pairs d=16"
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
      </label>
      {shown.length === 0 && <p class="muted">No run that has begun fits.</p>}
      <ul>
        {shown.map((own) => {
          const isAll = own.every(({ address }) => chosen.has(address));
          return (
            <li key={own[0].condition} class={colorClass(own[0].place)}>
              <fieldset>
                <legend>
                  <span class="swatch" />
                  {own[0].label}
                </legend>
                {[...own]
                  .sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0))
                  .map(({ address, seed, id }) => (
                    <label key={address} class="chip" title={id}>
                      <input
                        type="checkbox"
                        checked={chosen.has(address)}
                        onChange={() =>
                          toggle(
                            own.filter((run) => run.address === address),
                            chosen.has(address),
                          )
                        }
                      />{' '}
                      seed {seed ?? '?'}
                    </label>
                  ))}
                {own.length > 1 && (
                  <button type="button" class="quiet small" onClick={() => toggle(own, isAll)}>
                    {isAll ? 'none' : `all ${own.length}`}
                  </button>
                )}
              </fieldset>
            </li>
          );
        })}
      </ul>
      {groups.size > MOST_SHOWN && (
        <p class="muted small">{`${MOST_SHOWN} of ${groups.size} conditions; search for the others.`}</p>
      )}
    </div>
  );
}
