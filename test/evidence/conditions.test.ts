/** Which runs count in a claim, and which conditions are set beside each other: one definition for every claim. */
import { describe, expect, it } from 'vitest';
import {
  comparisonsOf,
  conditionsOf,
  hasLearned,
  sideOf,
  whyUnusable,
} from '../../src/evidence/conditions.js';
import { madeSubject } from '../helpers/made-subject.js';

const C3 = { operation: 'SUM', learnedAccuracy: 0.99 };

describe('sideOf', () => {
  it.each([
    ['SUM', 'SUM-only'],
    ['MAX MED SUM', 'mixed'],
    ['MAX MIN MED SUM PROD', 'mixed'],
    ['MAX MED', 'order-only'],
    ['MAX SUM', 'other'],
    ['MED SUM', 'other'],
    ['SUM FIRST', 'other'],
    ['MAX MED SUM FIRST', 'other'],
    ['MAX MED MAXp', 'other'],
    ['LATIN', 'other'],
    ['MAX', 'other'],
  ])('%s: %s', (tasks, side) => {
    expect(sideOf(tasks.split(' '))).toBe(side);
  });
});

describe('whyUnusable', () => {
  it('asks for the last checkpoint and for SUM at two evaluations', () => {
    expect(whyUnusable(madeSubject({}), C3)).toBeUndefined();
    expect(whyUnusable(madeSubject({ final: false, step: 100 }), C3)).toBe(
      'step 100 is not the last checkpoint of its run',
    );
    expect(whyUnusable(madeSubject({ accuracy: null, learned: null }), C3)).toBe('SUM was not evaluated');
    expect(whyUnusable(madeSubject({ accuracy: 0.11 }), C3)).toBe('has not learned SUM (accuracy 0.11)');
    expect(whyUnusable(madeSubject({ learned: null }), C3)).toBe(
      'SUM was evaluated once, and learned needs two evaluations',
    );
    expect(whyUnusable(madeSubject({ learned: 0.4 }), C3)).toBe(
      'has not learned SUM (accuracy 0.40 one evaluation before)',
    );
  });

  it('asks for the accuracy that the claim names, and does not round up to it', () => {
    expect(whyUnusable(madeSubject({ accuracy: 0.9899 }), C3)).toBe('has not learned SUM (accuracy 0.9899)');
    expect(whyUnusable(madeSubject({ accuracy: 0.96 }), { ...C3, learnedAccuracy: 0.95 })).toBeUndefined();
  });
});

describe('hasLearned', () => {
  it('reads two evaluations where there are two, and the only one otherwise', () => {
    expect(hasLearned(madeSubject({ learned: 0.4 }))).toBe(false);
    expect(hasLearned(madeSubject({ learned: null }))).toBe(true);
    expect(hasLearned(madeSubject({ tasks: ['MAX', 'MED'] }))).toBeNull();
  });

  it('is unknown where expressions nest and what is inside them is not', () => {
    expect(hasLearned(madeSubject({ depth: 2, learned: null }))).toBeNull();
    expect(hasLearned(madeSubject({ depth: 2, learned: 0.99 }))).toBe(true);
    const untold = { ...madeSubject({ depth: 2 }), learned: {} };
    expect(hasLearned(untold)).toBeNull();
    expect(whyUnusable(untold, C3)).toBe(
      'its evaluations do not tell the accuracy of SUM inside nested expressions',
    );
    expect(whyUnusable(madeSubject({ depth: 2, learned: 0.52 }), C3)).toBe(
      'has not learned SUM (accuracy 0.52 at one of the last two evaluations, alone or inside nested expressions)',
    );
  });
});

describe('conditionsOf', () => {
  it('takes the last checkpoint of every run as its replicate, and keeps the others', () => {
    const [condition, ...rest] = conditionsOf([
      madeSubject({ seed: 2 }),
      madeSubject({ step: 16_000 }),
      madeSubject({ step: 64, final: false }),
    ]);
    expect(rest).toEqual([]);
    expect(condition.runs.map(({ seed, step }) => [seed, step])).toEqual([
      [1, 16_000],
      [2, 16_000],
    ]);
    expect(condition.subjects).toHaveLength(3);
  });
});

describe('comparisonsOf', () => {
  it('sets MAX+MED+SUM beside SUM, and neither a control nor a larger mixture', () => {
    const all = comparisonsOf(
      conditionsOf([
        madeSubject({}),
        madeSubject({ tasks: ['SUM', 'FIRST'] }),
        madeSubject({ tasks: ['MAX', 'SUM'] }),
        madeSubject({ tasks: ['MAX', 'MIN', 'MED', 'SUM'] }),
        madeSubject({ tasks: ['MAX', 'MED', 'SUM'] }),
        madeSubject({ tasks: ['MAX', 'MED', 'MAXp'] }),
      ]),
    );
    expect(all).toHaveLength(1);
    expect(all[0].mixed?.label).toBe('MAX+MED+SUM, pairs, d=16');
    expect(all[0].control).toBeUndefined();
    expect(all[0].label).toBe('pairs, d=16');
  });

  it('keeps settings apart that differ in more than tasks and seeds', () => {
    const all = comparisonsOf(
      conditionsOf([
        madeSubject({}),
        madeSubject({ seed: 2, tasks: ['MAX', 'MED', 'SUM'] }),
        madeSubject({ tasks: ['MAX', 'MED', 'SUM'], dModel: 32 }),
        madeSubject({ tasks: ['MAX', 'MED'] }),
      ]),
    );
    expect(all).toHaveLength(2);
    expect(
      all.map(({ sumOnly, mixed, control }) => [sumOnly, mixed, control].map((one) => one?.label)),
    ).toEqual([
      ['SUM, pairs, d=16', 'MAX+MED+SUM, pairs, d=16', 'MAX+MED, pairs, d=16'],
      [undefined, 'MAX+MED+SUM, pairs, d=32', undefined],
    ]);
  });
});
