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
        <div
          class="pg-wide pg-far"
          tabIndex={0}
          role="region"
          aria-label={`Pattern of ${nameOf(shown)}, ${model}`}
        >
          <p class="pg-note">{nameOf(shown)}: each row is a position, and where it looks.</p>
          <table
            class={`pg-triangle${T > LONG ? ' pg-long' : ''}`}
            aria-label={`Pattern of ${nameOf(shown)} in percent`}
          >
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
            <tbody onMouseMove={sayWeight(shown.weights, words)}>
              {words.slice(0, T).map((word, query) => (
                <PatternRow
                  key={query}
                  word={word}
                  weights={shown.weights.subarray(query * T, query * T + query + 1)}
                  words={words}
                  isHere={query === position}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** From so many positions on, rows and columns are narrower. */
const LONG = 24;

interface PatternRowProps {
  readonly word: string;
  /** [position + 1] */
  readonly weights: Float32Array;
  readonly words: readonly string[];
  readonly isHere: boolean;
}

/** One element a row: a cell of its own for each of some thousand weights would take longer to draw than to compute. */
function PatternRow({ word, weights, words, isHere }: PatternRowProps) {
  const count = weights.length;
  return (
    <tr class={isHere ? 'pg-here' : ''}>
      <th scope="row">{word}</th>
      <td colSpan={words.length - 1}>
        <span
          class="pg-weights"
          role="img"
          aria-label={largest(weights, words)}
          data-query={count - 1}
          style={{ '--keys': String(count), '--shades': shades(weights) }}
        />
      </td>
    </tr>
  );
}

/** The weights of a row side by side, to the percent. */
function shades(weights: Float32Array): string {
  const stops: string[] = [];
  let from = 0;
  for (let key = 1; key <= weights.length; key++) {
    const own = Math.round(100 * weights[from]);
    if (key < weights.length && Math.round(100 * weights[key]) === own) continue;
    stops.push(`${shadeOf(own)} ${at(from, weights.length)} ${at(key, weights.length)}`);
    from = key;
  }
  return `linear-gradient(to right, ${stops.join(', ')})`;
}

const SHADES = Array.from(
  { length: 101 },
  (_, percents) => `color-mix(in srgb, var(--pg-shade) ${percents}%, transparent)`,
);
const shadeOf = (percents: number): string => (percents === 0 ? 'transparent' : SHADES[percents]);
const at = (key: number, of: number): string => `${Number(((100 * key) / of).toFixed(3))}%`;

/** What a row looks at, from the largest weight on, for who hears it. */
function largest(weights: Float32Array, words: readonly string[]): string {
  return Array.from(weights, (weight, key) => ({ key, percents: Math.round(100 * weight) }))
    .filter(({ percents }) => percents > 0)
    .sort((a, b) => b.percents - a.percents || a.key - b.key)
    .map(({ key, percents }) => `${words[key]} at ${key}: ${percents}`)
    .join(', ');
}

/** The weight under the pointer, as the row's title. */
function sayWeight(weights: Float32Array, words: readonly string[]) {
  return ({ target, clientX }: MouseEvent): void => {
    if (!(target instanceof HTMLElement) || target.dataset.query === undefined) return;
    const query = Number(target.dataset.query);
    const { left, width } = target.getBoundingClientRect();
    const key = Math.min(query, Math.max(0, Math.floor(((query + 1) * (clientX - left)) / width)));
    const weight = weights[query * (words.length - 1) + key];
    const text = `${words[query]} to ${words[key]} at ${key}: ${percent(weight)}`;
    if (target.title !== text) target.title = text;
  };
}

const nameOf = ({ layer, head }: { readonly layer: number; readonly head: number }): string =>
  `L${layer}H${head}`;
