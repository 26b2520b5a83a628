/** What a check of files found: one line that says where, what was found, what is expected and what to do. */
import { errorMessage, printable } from '../errors.js';

export const FINDING_KINDS = [
  // of a run
  'damaged-config',
  'damaged-step',
  'damaged-manifest',
  'broken-chain',
  'moved-aside',
  'damaged-resume',
  'lost-rows',
  'damaged-end',
  'no-last-step',
  'damaged-log',
  'torn-tail',
  'wrong-rows',
  'stale-lock',
  'live-lock',
  'leftover',
  'stray',
  // of weights, wherever they lie
  'shared-weights',
  'shared-tensors',
  'unchanged-tensors',
  'not-finite',
  'out-of-order',
  'too-far',
  'other-model',
  'unreadable',
  // of folders
  'damaged-cache',
  'link',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  readonly kind: FindingKind;
  /** `note`: nothing is lost or wrong, and the exit code does not tell of it */
  readonly level: 'error' | 'note';
  /** file or directory */
  readonly path: string;
  /** what was found and what is expected, one sentence or two */
  readonly problem: string;
  /** what to do */
  readonly remedy: string;
  /** number of the step it is about */
  readonly step?: number;
}

/** @param what.problem - a sentence, or the error that was met; level: default `error` */
export function finding(
  kind: FindingKind,
  path: string,
  what: {
    readonly problem: unknown;
    readonly remedy: string;
    readonly level?: Finding['level'];
    readonly step?: number;
  },
): Finding {
  const { level = 'error', remedy, step } = what;
  const problem = typeof what.problem === 'string' ? what.problem : errorMessage(what.problem);
  return { kind, level, path, problem, remedy, ...(step === undefined ? {} : { step }) };
}

/** `<path>: <problem> <remedy>`; a problem that names a path already is not given another. */
export function findingLine({ level, path, problem, remedy }: Finding): string {
  const where = problem.includes(printable(path, 300)) ? '' : `${printable(path, 300)}: `;
  return `${level === 'note' ? 'note: ' : ''}${where}${printable(problem, 1000)} ${remedy}`;
}
