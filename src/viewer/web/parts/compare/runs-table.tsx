/** The runs that are compared: a line each with condition, seed, steps, and what it gets right. */
import type { ComponentChildren } from 'preact';
import type { ComparedRun, Comparison } from '../../../contract/compare.js';
import { colorClass, percent, whole } from '../../format.js';

export interface RunsTableProps {
  readonly comparison: Comparison;
  /** in place of the number of the seed */
  readonly seed?: (run: ComparedRun) => ComponentChildren;
  /** in place of its steps */
  readonly steps?: (run: ComparedRun) => ComponentChildren;
  /** a column more: what can be done with a run */
  readonly action?: (run: ComparedRun) => ComponentChildren;
}

export function RunsTable({ comparison, seed, steps, action }: RunsTableProps) {
  const { runs, checkpoints } = comparison;
  return (
    <div class="scroll card" tabIndex={0} role="region" aria-label="Table of runs">
      <table class="chosen">
        <thead>
          <tr>
            <th scope="col">condition</th>
            <th scope="col">seed</th>
            <th scope="col">step</th>
            <th scope="col">right</th>
            {action !== undefined && (
              <th scope="col">
                <span class="hidden">leave out</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => {
            const last = checkpoints.findLast((one) => one.run === run.run);
            return (
              <tr key={run.run} class={colorClass(run.place)}>
                <th scope="row">
                  <span class="swatch" />
                  {run.label}
                </th>
                <td>{seed === undefined ? run.seed : seed(run)}</td>
                <td>{steps === undefined ? run.chosen.map(whole).join(', ') : steps(run)}</td>
                <td>
                  {accuracyText(last?.accuracy ?? null)}
                  {last?.learned === false && <span class="badge warn">not learned</span>}
                </td>
                {action !== undefined && <td>{action(run)}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function accuracyText(accuracy: Readonly<Record<string, number>> | null): string {
  if (accuracy === null) return 'not evaluated ';
  return `${Object.entries(accuracy)
    .map(([operation, share]) => `${operation} ${percent(share)}`)
    .join(', ')} `;
}
