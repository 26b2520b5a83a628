/**
 * `init`: a run that starts from another run's checkpoint. The configuration knows the source by the SHA-256 of its weights;
 * where it lies is said when training starts (train/init-source.ts) and changes no id.
 */
import { UserError, nearest, printable, unacceptable } from '../errors.js';
import { shownValue } from '../rules.js';

/**
 * all: every parameter. numbers: the number rows of the token embedding. all-but-numbers: every parameter but these.
 * numbers-permuted: the number rows, none at its own number. norm-of-numbers: random number rows of the same norm about
 * their mean.
 */
export const INIT_PARTS = [
  'all',
  'numbers',
  'all-but-numbers',
  'numbers-permuted',
  'norm-of-numbers',
] as const;
export type InitPart = (typeof INIT_PARTS)[number];

export interface InitConfig {
  readonly what: InitPart;
  /** SHA-256 of the source's weights */
  readonly weights: string;
  /** name of the source, `<run>@<step>`; not in the id, as a renamed run is the same */
  readonly from: string;
  /** condition of the source, so that runs from the seeds of one condition are replicates; not in the id */
  readonly condition: string;
  /** operations of the source, for labels; not in the id */
  readonly tasks: readonly string[];
  /** with what = all: AdamW's moments of the source, which are kept; absent: they start at zero */
  readonly optimizer?: {
    /** SHA-256 of the source's moments */
    readonly moments: string;
    /** updates that they are made of, which the bias correction counts on from */
    readonly updates: number;
  };
}

/** Fields that say where the source lies and what it was, and not what is computed. */
export const INIT_NAMES: readonly string[] = ['from', 'condition', 'tasks'];

const KEYS: readonly string[] = ['what', 'weights', 'from', 'condition', 'tasks', 'optimizer'];
const MOST_NAME = 400;

const isSha256 = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/** @throws UserError naming the field */
export function checkInit(value: unknown): InitConfig {
  const fields = record('init', value);
  const unknown = Object.keys(fields).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw new UserError(`init.${printable(unknown)}: unknown field, expected one of ${KEYS.join(', ')}.`);
  }
  const what = INIT_PARTS.find((part) => part === fields['what']);
  if (what === undefined) {
    const near = typeof fields['what'] === 'string' ? nearest(fields['what'], INIT_PARTS) : undefined;
    const remedy = near === undefined ? undefined : `Did you mean ${near}?`;
    throw unacceptable(
      'init.what (--init)',
      shownValue(fields['what']),
      `one of ${INIT_PARTS.join(', ')}`,
      remedy,
    );
  }
  const { weights, from, condition, tasks, optimizer } = fields;
  if (weights === undefined) {
    throw new UserError(
      'init.weights: found nothing, expected the SHA-256 of a checkpoint. Name the checkpoint with --init-from.',
    );
  }
  if (!isSha256(weights)) throw unacceptable('init.weights', shownValue(weights), '64 hexadecimal digits');
  if (typeof from !== 'string' || !/^[^/\\\p{Cc}]+$/u.test(from) || from.length > MOST_NAME) {
    throw unacceptable('init.from', shownValue(from), 'the name of a checkpoint without its folder');
  }
  if (typeof condition !== 'string' || !/^[0-9a-f]{12}$/.test(condition)) {
    throw unacceptable('init.condition', shownValue(condition), '12 hexadecimal digits');
  }
  if (!Array.isArray(tasks) || !tasks.every((task) => typeof task === 'string' && /^\w{1,16}$/.test(task))) {
    throw unacceptable('init.tasks', shownValue(tasks), 'a list of operation names');
  }
  if (optimizer !== undefined) checkOptimizer(what, record('init.optimizer', optimizer));
  // every field was checked just now
  return value as InitConfig;
}

function checkOptimizer(
  what: InitPart,
  { moments, updates, ...rest }: Readonly<Record<string, unknown>>,
): void {
  if (what !== 'all') {
    throw unacceptable(
      'init.optimizer (--init-optimizer)',
      'kept',
      `reset with --init ${what}`,
      'Only all is kept whole.',
    );
  }
  if (!isSha256(moments) || Object.keys(rest).length > 0) {
    throw unacceptable(
      'init.optimizer',
      shownValue({ moments, ...rest }),
      'moments (64 hexadecimal digits) and updates',
    );
  }
  if (typeof updates !== 'number' || !Number.isSafeInteger(updates) || updates < 0) {
    throw unacceptable('init.optimizer.updates', shownValue(updates), 'a whole number from 0');
  }
}

function record(field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unacceptable(field, shownValue(value), 'an object of named fields, as --init-from writes it');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** `numbers of MAX+MED@4000`; all of it: `MAX+MED@4000` */
export function initText({ what, tasks, from }: InitConfig): string {
  const at = from.lastIndexOf('@');
  const source = `${[...tasks].sort().join('+')}${at === -1 ? '' : from.slice(at)}`;
  return what === 'all' ? `from ${source}` : `${what} of ${source}`;
}
