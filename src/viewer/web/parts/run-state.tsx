/** The state of a run as a badge, and how far it has come where it is not at its end. */
import type { RunSummary } from '../../contract.js';
import { whole } from '../format.js';
import { stateOf } from '../runs/state.js';

export function StateBadge({ run }: { readonly run: RunSummary }) {
  const { word, tone } = stateOf(run);
  return (
    <span class={`badge ${tone}`} title={run.reason}>
      {word}
    </span>
  );
}

export function RunState({ run }: { readonly run: RunSummary }) {
  const { step, steps, status } = run;
  const isAtEnd = steps === null || status === 'budget' || status === 'solved' || status === 'corrupt';
  return (
    <span class="state">
      <StateBadge run={run} />
      {!isAtEnd && (
        <progress
          max={steps}
          value={Math.min(step, steps)}
          aria-label={`${whole(step)} of ${whole(steps)} steps done`}
        />
      )}
    </span>
  );
}
