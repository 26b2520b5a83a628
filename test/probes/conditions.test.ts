/** Which runs count in a claim, and which conditions are set beside each other: one definition for C3, C4 and C5. */
import { describe, expect, it } from 'vitest';
import { claimComparisons, placeOf } from '../../probes/claim-parts.js';
import { compareArms, hasLearned, type Run, sideOf, whyUnusable } from '../../probes/conditions.js';
import { conditionId, conditionLabel } from '../../src/config/hash.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { OperationName } from '../../src/listops/operations.js';

interface Made {
  readonly tasks?: readonly OperationName[];
  readonly regime?: 'full' | 'pairs';
  readonly accuracy?: number | null;
  readonly learned?: number | null;
  readonly final?: boolean;
  readonly depth?: number;
}

function made({
  tasks = ['SUM'],
  regime = 'pairs',
  accuracy = 1,
  learned = accuracy,
  final = true,
  depth = 1,
}: Made): Run {
  const config = resolveRunConfig({ data: { tasks, regime, depth }, model: { nCtx: 256 }, seed: 1 });
  const byTask = (value: number) => Object.fromEntries(tasks.map((task) => [task, value]));
  return {
    config,
    subject: {
      id: 'a@100',
      run: `${tasks.join('-')}-${regime}`,
      step: 100,
      seed: 1,
      condition: conditionId(config),
      label: conditionLabel(config),
      parameters: 8000,
      weightsSha256: '',
      final,
      accuracy: accuracy === null ? null : byTask(accuracy),
      ...(learned === null ? {} : { learned: byTask(learned) }),
    },
  };
}

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
    expect(whyUnusable(made({}))).toBeUndefined();
    expect(whyUnusable(made({ final: false }), 'C4')).toBe('step 100 is not the last checkpoint of its run');
    expect(whyUnusable(made({ accuracy: null, learned: null }), 'C4')).toBe('SUM was not evaluated');
    expect(whyUnusable(made({ accuracy: 0.11 }))).toBe('has not learned SUM (accuracy 0.11)');
    expect(whyUnusable(made({ accuracy: 1, learned: null }))).toBe(
      'SUM was evaluated once, and learned needs two evaluations',
    );
    expect(whyUnusable(made({ accuracy: 1, learned: 0.4 }), 'C5')).toBe(
      'has not learned SUM (accuracy 0.40 one evaluation before)',
    );
  });

  it('asks for the accuracy that the claim names, and does not round up to it', () => {
    expect(whyUnusable(made({ accuracy: 0.9899 }))).toBe('has not learned SUM (accuracy 0.9899)');
    expect(whyUnusable(made({ accuracy: 0.96 }), 'C1')).toBeUndefined();
  });
});

describe('hasLearned', () => {
  it('reads two evaluations where there are two, and the only one otherwise', () => {
    expect(hasLearned(made({ accuracy: 1, learned: 0.4 }))).toBe(false);
    expect(hasLearned(made({ accuracy: 1, learned: null }))).toBe(true);
    expect(hasLearned(made({ tasks: ['MAX', 'MED'] }))).toBeNull();
  });

  it('is unknown where expressions nest and what is inside them is not', () => {
    expect(hasLearned(made({ depth: 2, accuracy: 1, learned: null }))).toBeNull();
    expect(hasLearned(made({ depth: 2, accuracy: 1, learned: 0.99 }))).toBe(true);
    const run = made({ depth: 2 });
    const untold = { ...run, subject: { ...run.subject, learned: {} } };
    expect(hasLearned(untold)).toBeNull();
    expect(whyUnusable(untold)).toBe(
      'its evaluations do not tell the accuracy of SUM inside nested expressions',
    );
    expect(whyUnusable(made({ depth: 2, accuracy: 1, learned: 0.52 }))).toBe(
      'has not learned SUM (accuracy 0.52 at one of the last two evaluations, alone or inside nested expressions)',
    );
  });
});

describe('compareArms', () => {
  it('sets MAX+MED+SUM beside SUM, and neither a control nor a larger mixture', () => {
    const [only, ...rest] = compareArms([
      made({}),
      made({ tasks: ['SUM', 'FIRST'] }),
      made({ tasks: ['MAX', 'SUM'] }),
      made({ tasks: ['MAX', 'MIN', 'MED', 'SUM'] }),
      made({ tasks: ['MAX', 'MED', 'SUM'] }),
      made({ tasks: ['MAX', 'MED', 'MAXp'] }),
    ]);
    expect(only.mixed?.map(({ subject }) => subject.label.split(',')[0])).toEqual(['MAX+MED+SUM']);
    expect(only.orderOnly).toBeUndefined();
    // the other mixture has no SUM-only condition left to itself: it is matched too, and listed in no other comparison
    expect(rest).toEqual([]);
  });

  it('gives an empty comparison in the regime of the claim, which alone decides', () => {
    const all = compareArms([
      made({ regime: 'full' }),
      made({ regime: 'full', tasks: ['MAX', 'MED', 'SUM'] }),
    ]).map(({ regime, sumOnly, mixed }) => ({
      regime,
      sumOnly: sumOnly === undefined ? null : { label: sumOnly[0].subject.label, runs: 1, usable: [1] },
      mixed: mixed === undefined ? null : { label: mixed[0].subject.label, runs: 1, usable: [1] },
    }));
    expect(all.map(({ regime }) => regime)).toEqual(['full', 'pairs']);
    const deciding = claimComparisons(all);
    expect(deciding).toEqual([{ regime: 'pairs', sumOnly: null, mixed: null }]);
    expect(placeOf(deciding[0])).toBe('no runs in regime pairs');
  });
});
