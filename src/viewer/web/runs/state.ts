/** The state of a run in a word and a tone. A run that ended without having learned is never shown as done well. Pure. */
import type { RunSummary } from '../../contract.js';

export const TONES = ['live', 'good', 'warn', 'bad', 'plain'] as const;
export type StateTone = (typeof TONES)[number];

export interface RunStateWords {
  readonly word: string;
  readonly tone: StateTone;
}

export function stateOf({ status, learned }: Pick<RunSummary, 'status' | 'learned'>): RunStateWords {
  switch (status) {
    case 'running':
      return { word: 'training', tone: 'live' };
    case 'solved':
      return { word: 'solved', tone: 'good' };
    case 'budget':
      if (learned === null) return { word: 'finished', tone: 'plain' };
      return learned ? { word: 'learned', tone: 'good' } : { word: 'not learned', tone: 'warn' };
    case 'diverged':
      return { word: 'diverged', tone: 'bad' };
    case 'interrupted':
      return { word: 'interrupted', tone: 'warn' };
    case 'stopped':
      return { word: 'stopped', tone: 'warn' };
    case 'corrupt':
      return { word: 'not readable', tone: 'bad' };
  }
}

/** Its operation of most interest: SUM where it has it. */
export function subjectOf({ tasks }: Pick<RunSummary, 'tasks'>): string {
  return tasks.includes('SUM') ? 'SUM' : (tasks[0] ?? 'result');
}

export function subjectAccuracy(run: RunSummary): number | undefined {
  return run.accuracy?.[subjectOf(run)];
}
