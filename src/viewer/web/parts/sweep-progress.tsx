/** How far a sweep has come: a bar where the plan is known, and the same in words. */
import type { SweepSummary } from '../../contract.js';
import { durationText, percent, plural, whole } from '../format.js';

export function SweepProgress({ sweep }: { readonly sweep: SweepSummary }) {
  const { running, finished, total, share, etaMs } = sweep;
  const runs =
    total === null
      ? `${plural(finished, 'run')} finished`
      : `${whole(finished)} of ${plural(total, 'run')} finished`;
  const isDone = total !== null && finished >= total;
  const eta = !running || isDone || etaMs === null ? '' : `, about ${durationText(etaMs)} left`;
  const work = share === null ? '' : `${percent(share)} of the work, `;
  return (
    <div>
      {share !== null && <progress max={1} value={share} aria-label="work done" />}
      <p class="muted">{`${work}${runs}${eta}${isDone || running ? '' : ', not running now'}`}</p>
    </div>
  );
}
