/** Which module has measured how many of the checkpoints. */
import type { Comparison } from '../../../contract/compare.js';
import { plural } from '../../format.js';

export function ModuleList({ modules }: Pick<Comparison, 'modules'>) {
  return (
    <ul class="modules">
      {modules.map(({ module, title, measured, missing, leftOut }) => (
        <li key={module}>
          <b>{title}</b>{' '}
          <span class={missing > 0 ? 'warn-text' : 'muted'}>
            {`${measured} of ${plural(measured + missing, 'checkpoint')}`}
          </span>
          {leftOut.length > 0 && (
            <span class="muted small">{`; does not apply to ${leftOut[0].checkpoint}: ${leftOut[0].reason}`}</span>
          )}
        </li>
      ))}
    </ul>
  );
}
