/** Attention by layer and head: from the place looked into, and the whole pattern of the head under the pointer or focus. */
import { useState } from 'preact/hooks';
import type { Look } from '../player.js';
import { percent } from './words.js';

interface AttentionProps {
  readonly look: Look;
  /** told apart from the other model's for who does not see the page */
  readonly model: string;
  /** head whose pattern stays: `L0H1` */
  readonly pinned: string | undefined;
  readonly onPin: (head: string) => void;
}

export function Attention({ look, model, pinned, onPin }: AttentionProps) {
  const [under, setUnder] = useState<string>();
  const { patterns, position, words } = look;
  const T = words.length - 1;
  const shown = patterns.find((own) => nameOf(own) === (under ?? pinned)) ?? patterns[0];
  return (
    <>
      <p class="pg-note">
        From <q>{words[position]}</q> at position {position}, in percent; point at a head or focus it for its
        whole pattern, press it to keep that.
      </p>
      <div class="pg-wide" tabIndex={0} role="region" aria-label={`Attention by head, ${model}`}>
        <table class="pg-heads">
          <thead>
            <tr>
              <th scope="col">head</th>
              {words.slice(0, position + 1).map((word, t) => (
                <th scope="col" key={t}>
                  {word}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {patterns.map((own) => {
              const name = nameOf(own);
              return (
                <tr key={name} onMouseEnter={() => setUnder(name)} onMouseLeave={() => setUnder(undefined)}>
                  <th scope="row">
                    <button
                      type="button"
                      aria-pressed={name === nameOf(shown)}
                      onFocus={() => setUnder(name)}
                      onBlur={() => setUnder(undefined)}
                      onClick={() => onPin(name)}
                    >
                      {name}
                    </button>
                  </th>
                  {Array.from(
                    own.weights.subarray(position * T, position * T + position + 1),
                    (weight, t) => (
                      <td key={t} title={`${words[t]}: ${percent(weight)}`}>
                        <span class="pg-column" aria-hidden="true">
                          <span style={{ height: `${100 * weight}%` }} />
                        </span>
                        <span class="pg-small">{Math.round(100 * weight)}</span>
                      </td>
                    ),
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {shown === undefined ? null : (
        <div class="pg-wide" tabIndex={0} role="region" aria-label={`Pattern of ${nameOf(shown)}, ${model}`}>
          <p class="pg-note">{nameOf(shown)}: each row is a position, and where it looks.</p>
          <table class="pg-pattern" aria-label={`Pattern of ${nameOf(shown)} in percent`}>
            <thead>
              <tr>
                <td />
                {words.slice(0, T).map((word, t) => (
                  <th scope="col" key={t}>
                    {word}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {words.slice(0, T).map((word, query) => (
                <tr key={query} class={query === position ? 'pg-here' : ''}>
                  <th scope="row">{word}</th>
                  {Array.from(shown.weights.subarray(query * T, query * T + query + 1), (weight, key) => (
                    <td key={key} title={`${word} to ${words[key]}: ${percent(weight)}`}>
                      <span class="pg-cell" style={{ opacity: String(weight) }} aria-hidden="true" />
                      <span class="pg-hidden">{Math.round(100 * weight)}</span>
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

const nameOf = ({ layer, head }: { readonly layer: number; readonly head: number }): string =>
  `L${layer}H${head}`;
