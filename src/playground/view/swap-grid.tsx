/** Stage by stage and position by position: how far the other prompt's residual stream would turn the answer; a cell swaps it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { errorMessage } from '../../errors.js';
import { type Change, isSamePlace } from '../changes.js';
import type { Player, SwapMap } from '../player.js';
import type { PlaygroundState } from '../state.js';
import { streamWords } from './words.js';

interface SwapGridProps {
  readonly player: Player;
  readonly state: PlaygroundState;
  readonly onToggle: (change: Change) => void;
}

type Made = { readonly map: SwapMap } | { readonly problem: string } | undefined;

export function SwapGrid({ player, state, onToggle }: SwapGridProps) {
  const { ask, donor, token } = state;
  const [made, setMade] = useState<Made>();
  const [focus, setFocus] = useState<readonly [number, number]>([0, 0]);
  const grid = useRef<HTMLTableElement>(null);
  // many forward passes: after the answer stands on the page
  useEffect(() => {
    const timer = setTimeout(() => {
      try {
        setMade({ map: player.swapMap({ ask, donor, changes: [], token }) });
      } catch (error) {
        setMade({ problem: errorMessage(error) });
      }
    }, 30);
    return () => clearTimeout(timer);
  }, [player, ask, donor, token]);

  if (made === undefined) return <p class="pg-note">Measuring</p>;
  if ('problem' in made) return <p class="pg-note">{made.problem}</p>;
  const { stages, words, donorWords, effects, answer, donorAnswer } = made.map;
  const isSame = Number.isNaN(effects[0][0]);
  const move = (event: KeyboardEvent): void => {
    const step = STEPS.get(event.key);
    if (step === undefined) return;
    event.preventDefault();
    const row = Math.min(stages.length - 1, Math.max(0, focus[0] + step[0]));
    const column = Math.min(words.length - 1, Math.max(0, focus[1] + step[1]));
    setFocus([row, column]);
    grid.current?.querySelector<HTMLButtonElement>(`[data-cell="${row} ${column}"]`)?.focus();
  };
  return (
    <>
      <p class="pg-note">
        {isSame
          ? `Both prompts go on with ${answer} here, so that no swap can be told from none; a swap can be made all the same.`
          : `From ${answer} (0 %) to ${donorAnswer} (100 %), by the difference of their logits. A cell swaps in what the other prompt has there; arrow keys move.`}
      </p>
      <div class="pg-wide" tabIndex={-1}>
        <table
          class="pg-pattern pg-swap"
          ref={grid}
          role="grid"
          aria-label="Swaps by stage and position"
          onKeyDown={move}
        >
          <thead>
            <tr role="row">
              <td />
              {words.map((word, t) => (
                <th scope="col" key={t} class={word === donorWords[t] ? '' : 'pg-differs'}>
                  {word === donorWords[t] ? word : `${word}\u2192${donorWords[t]}`}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {stages.map((stage, s) => (
              <tr key={stage} role="row">
                <th scope="row">{streamWords(stage)}</th>
                {words.map((word, t) => {
                  const change: Change = { part: stage, at: t, how: 'swap' };
                  const effect = effects[s][t];
                  const isOn = state.changes.some((own) => isSamePlace(own, change) && own.how === 'swap');
                  const said = isSame ? '' : `, ${Math.round(100 * effect)} %`;
                  return (
                    <td key={t} role="gridcell">
                      <button
                        type="button"
                        data-cell={`${s} ${t}`}
                        tabIndex={
                          s === Math.min(focus[0], stages.length - 1) &&
                          t === Math.min(focus[1], words.length - 1)
                            ? 0
                            : -1
                        }
                        aria-pressed={isOn}
                        aria-label={`${streamWords(stage)}, position ${t} ${word}${said}`}
                        title={`${streamWords(stage)}, ${word}${said}`}
                        onFocus={() => setFocus([s, t])}
                        onClick={() => onToggle(change)}
                      >
                        <span
                          class={effect < 0 ? 'pg-cell pg-cell-minus' : 'pg-cell'}
                          style={{ opacity: String(isSame ? 0 : Math.min(1, Math.abs(effect))) }}
                        />
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

const STEPS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['ArrowUp', [-1, 0]],
  ['ArrowDown', [1, 0]],
  ['ArrowLeft', [0, -1]],
  ['ArrowRight', [0, 1]],
]);
