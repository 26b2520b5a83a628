/** What the model would say if it ended after each stage. */
import type { Look } from '../player.js';
import { percent, stageWords } from './words.js';

export function LogitLensTable({ look }: { readonly look: Look }) {
  return (
    <table class="pg-bars">
      <caption>
        Read off after each stage: the most probable token, and <q>{look.target}</q>
      </caption>
      <tbody>
        {look.logitLens.map(({ stage, top, target }) => (
          <tr key={stage} class={top.word === look.target ? 'pg-is-right' : ''}>
            <th scope="row">{stageWords(stage)}</th>
            <td>
              {top.word} <small>{percent(top.probability)}</small>
            </td>
            <td class="pg-bar">
              <span aria-hidden="true" style={{ width: `${100 * target}%` }} />
            </td>
            <td class="pg-number">{percent(target)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
