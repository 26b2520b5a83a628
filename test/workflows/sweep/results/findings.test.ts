import { beforeAll, describe, expect, it } from 'vitest';
import { findPlan } from '../../../../src/workflows/sweep/bundled.js';
import { expandPlan, type SweepRun } from '../../../../src/workflows/sweep/plan/expand.js';
import { type Findings, findingsOf } from '../../../../src/workflows/sweep/results/findings.js';
import type { ResultLine } from '../../../../src/workflows/sweep/results/result-line.js';
import { standingNotes, standingOf } from '../../../../src/workflows/sweep/results/standing.js';
import { resultFor } from '../tiny.js';

/** Widths from which on an arm learns in the planted results; absent: at none. */
const LEARNS_FROM: Readonly<Record<string, number>> = {
  max: 2,
  min: 2,
  med: 4,
  joint: 8,
  'sum-large-start': 8,
  'joint-large-start': 6,
};

let runs: readonly SweepRun[];
beforeAll(() => {
  runs = expandPlan(findPlan('paper', 'paper'));
});

function planted(run: SweepRun): ResultLine {
  const { steps } = run.config.training;
  const from = LEARNS_FROM[run.places[0].arm] ?? Infinity;
  const right: [number, number] = [run.config.model.dModel >= from ? 100 : 10, 100];
  const trained = Object.fromEntries(run.config.data.tasks.map((task) => [task, right]));
  return {
    ...resultFor(run),
    parameters: run.parameters,
    evaluations: [1 / 8, 1 / 4, 1 / 2, 1]
      .map((share) => share * steps)
      .map((step) => ({ step, trained, lossNats: {} })),
  };
}

const thresholds = (): SweepRun[] => runs.filter(({ places }) => places[0].part === 'thresholds');

function found(some: readonly SweepRun[]): Findings {
  return findingsOf(new Map(some.map((run) => [run.id, planted(run)])), runs);
}

/** The cells of the row of a part. */
function row({ table }: Findings, part: string): string[] {
  const line = table.split('\n').find((text) => text.startsWith(`| ${part} `)) ?? '';
  return line.split('|').map((cell) => cell.trim());
}

describe('findingsOf', () => {
  it('says what was planted: who learned, the verdicts, and what is not finished', () => {
    const findings = found(thresholds());
    const [one, two, start, paper, own] = findings.sentences;
    expect(findings.sentences).toHaveLength(5);
    expect(one).toContain('SUM alone was learned by 0 of 40 seeds');
    expect(one).toMatch(/beside MAX and MED by 20 of 40 seeds \(.*; in most of each size's from [\d,]+ on\)/);
    expect(two).toBe('At depth 2 no run of SUM with nothing held out is finished yet.');
    expect(start).toContain('at depth 1 alone by 20 of 40 seeds');
    expect(start).toContain('only a flat start is supported, interim (M1, depth 1)');
    expect(paper).toContain('C1a and C2a supported, interim');
    expect(own).toContain('M1 supported, interim; M2, M3a, M3b and M4 undecided');
    // SUM alone never learned: its threshold lies above the sizes tested
    expect(row(findings, 'C2a').slice(2, 6)).toEqual([
      'supported, interim',
      expect.stringMatching(/^> \d/),
      expect.stringMatching(/, \+infinity\]$/),
      '80 of 96',
    ]);
    expect(findings.progress).toMatch(
      /^440 of 1,194 runs of the plan are finished; for lack of the others C1b,.* are undecided, and what is marked interim may change\.$/,
    );
    expect(findings.differences).toContain('Where M1 or M2 holds');
    expect(findings.picture?.table.rows).toHaveLength(32);
  });

  it('does not depend on the order of the lines, and says when all is there', () => {
    const some = thresholds();
    expect(found([...some].reverse())).toEqual(found(some));
    const [run] = some;
    const done = findingsOf(new Map([[run.id, planted(run)]]), [run]);
    expect(done.progress).toBe('All 1 runs of the plan are finished.');
    const idle = runs.find((one) => standingOf([one], new Map()).parts.length === 0);
    if (idle === undefined) throw new Error('every run of the plan is about a claim');
    expect(findingsOf(new Map([[run.id, planted(run)]]), [run, idle]).progress).toBe(
      '1 of 2 runs of the plan are finished; no claim waits for the others.',
    );
  });

  it('names a claim that comes out against the paper, with a reason that may be', () => {
    // alone SUM learns at every size, in company at the larger ones, alone from a larger start at none
    const lines = thresholds().map((run): [string, ResultLine] => {
      const [{ arm }] = run.places;
      const line = planted(run);
      const learns = arm === 'sum' || (arm !== 'sum-large-start' && run.config.model.dModel >= 12);
      const right: [number, number] = [learns ? 100 : 10, 100];
      const trained = Object.fromEntries(run.config.data.tasks.map((task) => [task, right]));
      return [run.id, { ...line, evaluations: line.evaluations.map((one) => ({ ...one, trained })) }];
    });
    const { differences } = findingsOf(new Map(lines), runs);
    expect(differences).toMatch(/^- C1a \(depth 1\) is contradicted, interim: /);
    expect(differences).toMatch(/^- C2a \(depth 1\) is contradicted, interim: /m);
    expect(differences).not.toContain('Where M1 or M2 holds');
  });
});

describe('standingOf', () => {
  it('counts the runs of each part of a claim', () => {
    const none = standingOf(runs, new Map());
    const counts = Object.fromEntries(none.parts.map(({ part, runs: n }) => [part, n]));
    // arms x sizes x seeds of the plan, counted by hand; 16 scratch runs of the part transfer stand at two of the sizes
    expect(counts).toMatchObject({
      C1a: 4 * 8 * 5 + 16,
      C2a: 2 * 8 * 5 + 16,
      C3b1: 14,
      C4: 16 + 14,
      C5: 24 + 8,
    });
    expect(counts).toMatchObject({ C1b: 3 * 6 * 5 + 6 * 8 + 16, C6a: 2 * 2 * 8, M3a: 2 * 2 * 8 });
    expect(none.finished).toBe(0);
    const done = new Map(thresholds().map((run) => [run.id, true]));
    const { finished, parts } = standingOf(runs, done);
    expect(finished).toBe(440);
    expect(parts.find(({ part }) => part === 'M1')).toEqual({ part: 'M1', runs: 176, finished: 160 });
    expect(standingNotes('paper', standingOf(runs, done))[0]).toContain('440 of 1,194 runs');
    expect(standingNotes('paper', standingOf(thresholds(), done))).toEqual([]);
  });
});
