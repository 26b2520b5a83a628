/** The playground: one expression, one or two models, what they write and why. Knows nothing of the page around it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { UserError, errorMessage } from '../../errors.js';
import { type Change, type Treatment, toggled } from '../changes.js';
import { type Look, type Player, neighbourOf } from '../player.js';
import { MOST_MODELS, type PlaygroundState, START, parseState, stateText } from '../state.js';
import { ChangeBar } from './change-bar.js';
import type { AddressBar, Library, ModelChoice } from './library.js';
import { ModelColumn } from './model-column.js';
import { ModelPicker } from './model-picker.js';
import { usePlayers } from './use-players.js';
import { changeWords, percent } from './words.js';

export interface PlaygroundProps {
  readonly library: Library;
  readonly address: AddressBar;
}

interface Read {
  readonly state: PlaygroundState;
  /** why the address could not be read */
  readonly problem?: string;
}

function readAddress(address: AddressBar): Read {
  try {
    return { state: parseState(address.read()) };
  } catch (error) {
    if (error instanceof UserError) return { state: START, problem: error.message };
    throw error;
  }
}

export interface Answer {
  readonly look?: Look;
  readonly problem?: string;
}

/** What a model says now; where the question cannot be read, what it said last, and why. */
function useAnswer(player: Player | undefined, state: PlaygroundState): Answer {
  const last = useRef<{ readonly player: Player; readonly look: Look }>(undefined);
  return useMemo(() => {
    if (player === undefined) return {};
    try {
      const look = player.look(state);
      last.current = { player, look };
      return { look };
    } catch (error) {
      const before = last.current?.player === player ? { look: last.current.look } : {};
      return { ...before, problem: errorMessage(error) };
    }
  }, [player, state.ask, state.donor, state.changes, state.token]);
}

export function Playground({ library, address }: PlaygroundProps) {
  const [{ state, problem }, setRead] = useState<Read>(() => readAddress(address));
  const [choices, setChoices] = useState<readonly ModelChoice[]>();
  const [failure, setFailure] = useState<string>();
  const [how, setHow] = useState<Treatment>('zero');
  const [at, setAt] = useState<number>();

  useEffect(() => address.onChange(() => setRead(readAddress(address))), [address]);
  useEffect(() => {
    library.choices().then(setChoices, (error: unknown) => setFailure(errorMessage(error)));
  }, [library]);

  const change = (fields: Partial<PlaygroundState>): void => {
    const next = { ...state, ...fields };
    address.write(stateText(next));
    setRead({ state: next });
  };
  /** Another expression has other tokens. */
  const ask = (text: string): void => {
    const { token: _, ...others } = state;
    const next = { ...others, ask: text };
    address.write(stateText(next));
    setRead({ state: next });
  };

  const names =
    state.models.length > 0
      ? state.models
      : (choices ?? [])
          .filter(({ isUntried }) => isUntried !== true)
          .slice(0, MOST_MODELS)
          .map(({ key }) => key);
  const slots = usePlayers(library, names);
  const players = slots.map((slot) => (slot.kind === 'open' ? slot.player : undefined));
  // the number of hooks is fixed, that of models is not
  const answers = [useAnswer(players[0], state), useAnswer(players[1], state)].slice(0, slots.length);
  const first = answers.find(({ look }) => look !== undefined)?.look;
  const firstPlayer = players.find((player) => player !== undefined);
  const unread =
    firstPlayer === undefined
      ? undefined
      : answers.map((own) => own.problem).find((own) => own !== undefined);

  // means are made while nobody waits for them
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const player of players) {
        try {
          player?.prepare(state.ask);
        } catch {
          // said when it is asked for
        }
      }
    }, 150);
    return () => clearTimeout(timer);
  }, [state.ask, ...slots.map(({ kind }) => kind)]);

  const withDonor = (): Partial<PlaygroundState> =>
    state.donor.trim() === '' && firstPlayer !== undefined ? { donor: donorFor(firstPlayer, state.ask) } : {};
  const toggle = (own: Change): void =>
    change({ changes: toggled(state.changes, own), ...(own.how === 'swap' ? withDonor() : {}) });

  if (failure !== undefined)
    return (
      <p class="pg-problem" role="alert">
        {failure}
      </p>
    );
  if (choices !== undefined && names.length === 0) {
    return (
      <p class="pg-note">
        There is no trained model here yet. Train one with <code>sumlens train</code>, then come back.
      </p>
    );
  }
  return (
    <div class="pg">
      {problem === undefined ? null : (
        <p class="pg-problem" role="alert">
          This address could not be read: {problem}
        </p>
      )}
      <form class="pg-ask" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>Expression</span>
          <input
            type="text"
            value={state.ask}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            aria-invalid={unread !== undefined}
            aria-describedby="pg-unread"
            onInput={(event) => ask(event.currentTarget.value)}
          />
        </label>
        <label>
          <span>Other prompt, to swap from</span>
          <input
            type="text"
            value={state.donor}
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            placeholder={firstPlayer === undefined ? '' : donorFor(firstPlayer, state.ask)}
            onInput={(event) => change({ donor: event.currentTarget.value })}
          />
        </label>
      </form>
      <p id="pg-unread" class="pg-problem" aria-live="polite" hidden={unread === undefined}>
        {unread}
      </p>
      <ModelPicker
        library={library}
        choices={choices ?? []}
        names={names}
        onChange={(models) => change({ models })}
      />
      <ChangeBar
        look={first}
        changes={state.changes}
        how={how}
        at={at}
        onHow={(next) => {
          setHow(next);
          if (next === 'swap') change(withDonor());
        }}
        onAt={setAt}
        onToggle={toggle}
        onClear={() => change({ changes: [] })}
      />
      <p class="pg-hidden" role="status">
        {spoken(slots, answers, state.changes)}
      </p>
      <div class={`pg-columns pg-columns-${slots.length}`}>
        {slots.map((slot, i) => (
          <ModelColumn
            key={slot.name}
            slot={slot}
            answer={answers[i]}
            state={state}
            how={how}
            at={at}
            onToken={(token) => change({ token })}
            onHead={(head) => change({ head })}
            onToggle={toggle}
          />
        ))}
      </div>
    </div>
  );
}

function donorFor(player: Player, ask: string): string {
  try {
    return neighbourOf(player.lens, ask);
  } catch {
    return '';
  }
}

/** One sentence a model for who does not see the page. */
function spoken(
  slots: ReturnType<typeof usePlayers>,
  answers: readonly Answer[],
  changes: readonly Change[],
): string {
  const changed = changes.length === 0 ? '' : `With ${changes.map(changeWords).join(', ')}: `;
  return slots
    .map((slot, i) => {
      const look = answers[i]?.look;
      if (slot.kind !== 'open' || look === undefined || answers[i].problem !== undefined) return '';
      const { written } = look;
      const token = written.tokens[look.token];
      const verdict = written.right === null ? '' : written.right ? ', right' : ', wrong';
      return `${slot.player.model.label}: ${changed}${token.word} with ${percent(token.probability)}${verdict}.`;
    })
    .join(' ');
}
