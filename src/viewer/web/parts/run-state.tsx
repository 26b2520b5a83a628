/** The state of a run as a badge, and how far it has come where it is not at its end. */
import type { RunSummary } from '../../contract.js';
import { statusWord, whole } from '../format.js';

export function StateBadge({ run }: { readonly run: RunSummary }) {
  return <span class={`badge ${run.status}`}>{statusWord(run.status)}</span>;
}

export function RunState({ run }: { readonly run: RunSummary }) {
  const { step, steps, status } = run;
  const isAtEnd = steps === null || status === 'budget' || status === 'solved';
  return (
    <span class="state">
      <StateBadge run={run} />
      {!isAtEnd && (
        <>
          <progress max={steps} value={Math.min(step, steps)} aria-label="steps done" />
          <span class="muted small">
            {whole(step)} / {whole(steps)}
          </span>
        </>
      )}
    </span>
  );
}
