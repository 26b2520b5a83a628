/** How far a plan is: its runs that have a result, in all and for each part of a claim that they are to decide. */
import { BUDGET_MULTIPLIERS, type ClaimPart, CLAIMS, SMALL_START } from '../../../evidence/claims-file.js';
import { sideOf } from '../../../evidence/conditions.js';
import { isAt } from '../../../evidence/decide.js';
import { isOfArm } from '../../../evidence/ladders.js';
import { grouped } from '../../../evidence/results.js';
import type { Subject } from '../../../evidence/subject.js';
import type { SweepRun } from '../plan/expand.js';
import { asLearned } from '../plan/reach.js';

export interface PartStanding {
  /** part of a claim */
  readonly part: string;
  /** of the plan, that the part is about */
  readonly runs: number;
  readonly finished: number;
}

export interface Standing {
  readonly runs: number;
  readonly finished: number;
  /** parts that any run of the plan is about, in the order of claims.json */
  readonly parts: readonly PartStanding[];
}

/** @param results - by the runs' ids in the plan */
export function standingOf(runs: readonly SweepRun[], results: ReadonlyMap<string, unknown>): Standing {
  const subjects = runs.map((run) => ({ subject: asLearned(run), isDone: results.has(run.id) }));
  return {
    runs: runs.length,
    finished: subjects.filter(({ isDone }) => isDone).length,
    parts: CLAIMS.flatMap(({ parts }) => parts).flatMap((part) => {
      const own = subjects.filter(({ subject }) => isAbout(part, subject));
      if (own.length === 0) return [];
      return [{ part: part.id, runs: own.length, finished: own.filter(({ isDone }) => isDone).length }];
    }),
  };
}

/** Whether a verdict looks at a run, were it finished. */
function isAbout({ place, evidence }: ClaimPart, subject: Subject): boolean {
  const { design, seed } = subject;
  const isThere = (steps: number): boolean => isAt(design, place, steps);
  const isScratch = design.startKind === 'scratch';
  switch (evidence.kind) {
    case 'threshold': {
      const { interaction } = evidence;
      const others = interaction === undefined ? [] : [interaction.alone, interaction.joint];
      const arms = [evidence.of, ...evidence.minus, ...others];
      return (
        design.steps >= place.steps && isThere(design.steps) && arms.some((arm) => isOfArm(subject, arm))
      );
    }
    case 'proportion': {
      // the second half of the budget alone, where another run took the first
      const steps = isScratch || design.startKind === 'phases' ? place.steps : place.steps / 2;
      return (
        isThere(steps) &&
        seed >= (place.firstSeed ?? 0) &&
        [evidence.of, evidence.minus].some((arm) => isOfArm(subject, arm))
      );
    }
    case 'difference':
    case 'mean': {
      const sides = evidence.kind === 'mean' ? [evidence.of.side] : [evidence.of.side, evidence.minus.side];
      const controls = evidence.kind === 'mean' ? (evidence.control?.tasks ?? []) : [];
      return (
        isScratch &&
        design.embeddingInit === SMALL_START &&
        BUDGET_MULTIPLIERS.some((multiple) => isThere(multiple * place.steps)) &&
        (sides.some((side) => side === sideOf(design.tasks)) ||
          controls.some((tasks) => tasks.join() === design.tasks.join()))
      );
    }
  }
}

/** What readers of a report are told of an unfinished plan; empty when every run has its result. */
export function standingNotes(name: string, { runs, finished, parts }: Standing): string[] {
  if (finished >= runs) return [];
  const open = parts.filter((part) => part.finished < part.runs);
  return [
    `${grouped(finished)} of ${grouped(runs)} runs of the plan ${name} are finished: what these decide may change until all are.`,
    ...(open.length === 0
      ? []
      : [
          `Runs are missing for ${open.map((part) => `${part.part} (${part.finished} of ${part.runs})`).join(', ')}.`,
        ]),
  ];
}
