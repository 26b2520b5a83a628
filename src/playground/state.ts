/** The playground's state as text of an address (the part after `#`), and back. Browser-safe. */
import { UserError, unacceptable } from '../errors.js';
import { type Change, changeText, parseChange } from './changes.js';

export interface PlaygroundState {
  /** one or two models, by the names that their source has for them; none: the source's own first ones */
  readonly models: readonly string[];
  readonly ask: string;
  readonly donor: string;
  readonly changes: readonly Change[];
  /** which written token is looked into; absent: the first result */
  readonly token?: number;
  /** head whose pattern is shown whole: `L0H1`; absent: none */
  readonly head?: string;
}

export const START: PlaygroundState = { models: [], ask: '(SUM 7 3 6)', donor: '', changes: [] };

export const MOST_MODELS = 2;
const MOST_CHANGES = 64;
const MOST_TEXT = 2000;
const HEAD = /^L\d{1,3}H\d{1,4}$/;
const KEYS = ['model', 'ask', 'other', 'change', 'token', 'head'] as const;

/** Equal states give equal text; what is as at the start is left out. */
export function stateText(state: PlaygroundState): string {
  const out = new URLSearchParams();
  for (const model of state.models) out.append('model', model);
  if (state.ask !== START.ask) out.set('ask', state.ask);
  if (state.donor !== START.donor) out.set('other', state.donor);
  for (const change of state.changes) out.append('change', changeText(change));
  if (state.token !== undefined) out.set('token', String(state.token));
  if (state.head !== undefined) out.set('head', state.head);
  return out.toString();
}

/**
 * @param text - what stands after `#`
 * @throws UserError in one line for what no page of ours would write
 */
export function parseState(text: string): PlaygroundState {
  if (text.length > 3 * MOST_TEXT)
    throw unacceptable('address', `${text.length} letters`, `at most ${3 * MOST_TEXT}`);
  const given = new URLSearchParams(text);
  for (const key of given.keys()) {
    if (!KEYS.some((known) => known === key))
      throw unacceptable('address', key, `fields among ${KEYS.join(', ')}`, 'Open the page anew without it.');
  }
  const models = given.getAll('model');
  if (models.length > MOST_MODELS)
    throw unacceptable('models in the address', models.length, `at most ${MOST_MODELS}`);
  const changes = given.getAll('change').map(parseChange);
  if (changes.length > MOST_CHANGES)
    throw unacceptable('changes in the address', changes.length, `at most ${MOST_CHANGES}`);
  const token = given.get('token');
  if (token !== null && !/^\d{1,4}$/.test(token))
    throw unacceptable('token in the address', token, 'a whole number from 0');
  const head = given.get('head');
  if (head !== null && !HEAD.test(head))
    throw unacceptable('head in the address', head, 'a layer and a head such as L0H1');
  return {
    models,
    ask: shortText(given, 'ask', START.ask),
    donor: shortText(given, 'other', START.donor),
    changes,
    ...(token === null ? {} : { token: Number(token) }),
    ...(head === null ? {} : { head }),
  };
}

function shortText(given: URLSearchParams, key: string, otherwise: string): string {
  const text = given.get(key) ?? otherwise;
  if (text.length > MOST_TEXT)
    throw new UserError(
      `${key} in the address: found ${text.length} letters, expected at most ${MOST_TEXT}.`,
    );
  return text;
}
