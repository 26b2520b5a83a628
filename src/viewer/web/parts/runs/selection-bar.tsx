/** At the foot of the window: how many runs are chosen, and what to do with them. */
import { plural } from '../../format.js';
import { chooseNone, selection } from '../../runs/selection.js';
import { href } from '../../router.js';
import { A } from '../link.js';

/** Longest address that the server takes (guard.ts). */
const MOST_CHARACTERS = 2000;

export function SelectionBar() {
  const chosen = [...selection.value];
  if (chosen.length === 0) return null;
  const query = { of: chosen.join(',') };
  const isTooMany = href('/compare', query).length > MOST_CHARACTERS;
  return (
    <section class="selection" aria-label="Chosen runs">
      <span role="status">{plural(chosen.length, 'run')} chosen</span>
      {isTooMany ? (
        <span class="muted">too many for one page of comparison</span>
      ) : (
        <A class="button primary" to="/compare" query={query}>
          Compare
        </A>
      )}
      <button type="button" class="quiet" onClick={chooseNone}>
        Choose none
      </button>
    </section>
  );
}
