/** How a click changes a part, where, and what is changed now. */
import { type Change, TREATMENTS, type Treatment, changeText } from '../changes.js';
import type { Look } from '../player.js';
import { changeWords } from './words.js';

interface ChangeBarProps {
  readonly look: Look | undefined;
  readonly changes: readonly Change[];
  readonly how: Treatment;
  readonly at: number | undefined;
  readonly onHow: (how: Treatment) => void;
  readonly onAt: (at: number | undefined) => void;
  readonly onToggle: (change: Change) => void;
  readonly onClear: () => void;
}

const CHOICES: Readonly<Record<Treatment, string>> = {
  zero: 'switches it off',
  mean: 'holds it at its mean',
  swap: 'takes it from the other prompt',
};

export function ChangeBar({ look, changes, how, at, onHow, onAt, onToggle, onClear }: ChangeBarProps) {
  const words = look?.words.slice(0, -1) ?? [];
  return (
    <div class="pg-change">
      <fieldset>
        <legend>A click on a part</legend>
        {TREATMENTS.map((own) => (
          <label key={own}>
            <input type="radio" name="pg-how" checked={how === own} onChange={() => onHow(own)} />{' '}
            {CHOICES[own]}
          </label>
        ))}
        <label class="pg-where">
          <span>at</span>
          <select
            aria-label="Position that a click changes"
            value={at !== undefined && at < words.length ? String(at) : ''}
            onChange={({ currentTarget: { value } }) => onAt(value === '' ? undefined : Number(value))}
          >
            <option value="">every position</option>
            {words.map((word, t) => (
              <option key={t} value={String(t)}>
                {t}: {word}
              </option>
            ))}
          </select>
        </label>
      </fieldset>
      {changes.length === 0 ? null : (
        <ul class="pg-changes" aria-label="What is changed">
          {changes.map((change) => (
            <li key={changeText(change)}>
              <button type="button" onClick={() => onToggle(change)}>
                {changeWords(change)} <span aria-hidden="true">{'\u00d7'}</span>
                <span class="pg-hidden">, undo</span>
              </button>
            </li>
          ))}
          <li>
            <button type="button" class="pg-plain" onClick={onClear}>
              Undo all
            </button>
          </li>
        </ul>
      )}
    </div>
  );
}
