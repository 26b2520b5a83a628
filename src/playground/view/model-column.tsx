/** Everything of one model: what it writes, what it looks at, when it knows, which part says so. */
import type { Change, Treatment } from '../changes.js';
import type { Look, Written, WrittenToken } from '../player.js';
import type { PlaygroundState } from '../state.js';
import { Attention } from './attention.js';
import { LogitLensTable } from './logit-lens-table.js';
import { Parts } from './parts.js';
import type { Answer } from './playground.js';
import { SwapGrid } from './swap-grid.js';
import type { Slot } from './use-players.js';
import { percent } from './words.js';

interface ColumnProps {
  readonly slot: Slot;
  readonly answer: Answer;
  readonly state: PlaygroundState;
  readonly how: Treatment;
  readonly at: number | undefined;
  readonly onToken: (token: number) => void;
  readonly onHead: (head: string) => void;
  readonly onToggle: (change: Change) => void;
}

export function ModelColumn({ slot, answer, state, how, at, onToken, onHead, onToggle }: ColumnProps) {
  if (slot.kind !== 'open') {
    return (
      <section class="pg-model" aria-label={slot.name}>
        <h3>{slot.name}</h3>
        {slot.kind === 'failed' ? (
          <p class="pg-problem" role="alert">
            {slot.message}
          </p>
        ) : (
          <p class="pg-note">Opening the model</p>
        )}
      </section>
    );
  }
  const { player } = slot;
  const { name, label, gpt } = player.model;
  const { look, problem } = answer;
  return (
    <section class="pg-model" aria-label={`${label}, ${name}`} data-stale={problem !== undefined}>
      <h3>{label}</h3>
      <p class="pg-note">
        <code>{name}</code>, {gpt.nLayers} {gpt.nLayers === 1 ? 'layer' : 'layers'} of {gpt.nHeads}{' '}
        {gpt.nHeads === 1 ? 'head' : 'heads'}, width {gpt.dModel}
      </p>
      {look === undefined ? (
        <p class="pg-note">No answer yet.</p>
      ) : (
        <>
          <WrittenLine look={look} onToken={onToken} />
          <Next look={look} />
          <h4>What each part adds</h4>
          <Parts look={look} gpt={gpt} changes={state.changes} how={how} at={at} onToggle={onToggle} />
          <h4>When it can be read off</h4>
          <LogitLensTable look={look} />
          <h4>What it looks at</h4>
          <Attention look={look} model={name} pinned={state.head} onPin={onHead} />
          {state.donor.trim() === '' ? null : (
            <>
              <h4>Where the other prompt would turn the answer</h4>
              <SwapGrid player={player} state={state} onToggle={onToggle} />
            </>
          )}
        </>
      )}
    </section>
  );
}

function WrittenLine({ look, onToken }: { readonly look: Look; readonly onToken: (token: number) => void }) {
  const { words, promptLength, written, before, token } = look;
  return (
    <>
      <div class="pg-written">
        {words.slice(0, promptLength).map((word, t) => (
          <span key={t} class="pg-token">
            <span class="pg-word">{word}</span>
          </span>
        ))}
        {written.tokens.map((own, t) => (
          <button
            key={`w${t}`}
            type="button"
            class={`pg-token pg-${toneOf(own)}`}
            aria-pressed={t === token}
            aria-label={tokenWords(own)}
            onClick={() => onToken(t)}
          >
            <span class="pg-word">{own.word}</span>
            <small>{`${percent(own.probability)}${MARKS[toneOf(own)]}`}</small>
          </button>
        ))}
      </div>
      <p class="pg-verdict">
        <Verdict written={written} />
        {before === undefined ? null : <> Before the changes: {answerText(before, token)}.</>}
      </p>
    </>
  );
}

function toneOf({ word, expected }: WrittenToken): 'right' | 'wrong' | 'open' {
  if (expected === undefined) return 'open';
  return expected === word ? 'right' : 'wrong';
}

const MARKS = { right: ' \u2713', wrong: ' \u2717', open: '' } as const;

/** What a written token is called: as it is seen, and what its mark and its frame say. */
function tokenWords(token: WrittenToken): string {
  const { word, probability, expected = '' } = token;
  const said = {
    right: 'right',
    wrong: `wrong: ${expected} is right`,
    open: 'no longer on the right way',
  }[toneOf(token)];
  return `${word} ${percent(probability)}, ${said}`;
}

function Verdict({ written }: { readonly written: Written }) {
  if (written.right === null) return <>What is right here is not known.</>;
  if (written.right) return <strong class="pg-right">Right.</strong>;
  const wrong = written.tokens.find((token) => toneOf(token) === 'wrong');
  return (
    <>
      <strong class="pg-wrong">Wrong</strong>
      {wrong === undefined
        ? ': it does not end where it should.'
        : `: ${wrong.word} where ${wrong.expected ?? ''} is right.`}
    </>
  );
}

function answerText({ tokens, right }: Written, at: number): string {
  const own = tokens[Math.min(at, tokens.length - 1)];
  return `${own.word} with ${percent(own.probability)}${right === null ? '' : right ? ', right' : ', wrong'}`;
}

/** The most probable tokens at the place that is looked into. */
function Next({ look }: { readonly look: Look }) {
  const own = look.written.tokens[look.token];
  return (
    <table class="pg-bars">
      <caption>
        Token {look.token + 1} of the answer, after <q>{look.words[look.position]}</q>
      </caption>
      <tbody>
        {own.candidates.map(({ word, probability }) => (
          <tr key={word} class={word === own.expected ? 'pg-is-right' : ''}>
            <th scope="row">
              {word}
              {word === own.expected ? <span class="pg-hidden"> (right)</span> : null}
            </th>
            <td class="pg-bar">
              <span aria-hidden="true" style={{ width: `${100 * probability}%` }} />
            </td>
            <td class="pg-number">{percent(probability)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
