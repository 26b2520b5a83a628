import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../../src/viewer/contract.js';
import {
  arrange,
  type Arrangement,
  sortOf,
  sortText,
  UNREADABLE,
} from '../../../../src/viewer/web/runs/arrange.js';
import { stateOf } from '../../../../src/viewer/web/runs/state.js';

const run = (id: string, condition: string, more: Partial<RunSummary> = {}): RunSummary => ({
  id,
  open: true,
  address: id,
  status: 'budget',
  condition,
  label: condition.toUpperCase(),
  place: 0,
  tasks: ['SUM'],
  seed: 1,
  parameters: 100,
  step: 10,
  steps: 10,
  loss: 1,
  accuracy: { SUM: 0.5 },
  learned: true,
  sparkline: [],
  chance: 0.1,
  ...more,
});

const RUNS = [
  run('x/one', 'b', { accuracy: { SUM: 0.9 }, loss: null }),
  run('two', 'a', { accuracy: { SUM: 0.2 }, seed: 2, loss: 0.1 }),
  run('three', 'a', { accuracy: null, seed: 1, loss: 0.3 }),
  run('four', 'c', { status: 'running', accuracy: { SUM: 1 }, loss: 0.2 }),
  run('bad', '', { status: 'corrupt', accuracy: null, loss: null, seed: null }),
];

function lines(more: Partial<Arrangement> & { sort?: Arrangement['sort'] }): string[] {
  const search = { test: () => true, problems: [] };
  const rows = arrange(RUNS, {
    search,
    filter: '',
    sort: sortOf(undefined),
    grouping: 'condition',
    isOpen: () => true,
    ...more,
  });
  return rows.map((row) => (row.kind === 'group' ? `# ${row.label}` : row.run.id));
}

describe('arrange', () => {
  it('groups by condition: what trains first, what cannot be read last', () => {
    expect(lines({})).toEqual([
      '# C',
      'four',
      '# A',
      'three',
      'two',
      '# B',
      'x/one',
      '# Not readable',
      'bad',
    ]);
  });

  it('shows a closed group as one line', () => {
    expect(lines({ isOpen: (key) => key === 'a' })).toEqual([
      '# C',
      '# A',
      'three',
      'two',
      '# B',
      '# Not readable',
    ]);
    expect(lines({ isOpen: (key) => key === UNREADABLE }).at(-1)).toBe('bad');
  });

  it('sorts groups by their best run, what is not known last whichever way', () => {
    expect(lines({ sort: sortOf('-accuracy') })).toEqual([
      '# C',
      'four',
      '# B',
      'x/one',
      '# A',
      'two',
      'three',
      '# Not readable',
      'bad',
    ]);
    expect(lines({ sort: sortOf('accuracy'), grouping: 'none' })).toEqual([
      'two',
      'x/one',
      'four',
      'bad',
      'three',
    ]);
    expect(lines({ sort: sortOf('loss'), grouping: 'none' })).toEqual([
      'two',
      'four',
      'three',
      'bad',
      'x/one',
    ]);
    expect(lines({ sort: sortOf('-loss'), grouping: 'none' })).toEqual([
      'three',
      'four',
      'two',
      'bad',
      'x/one',
    ]);
  });

  it('groups by folder', () => {
    expect(lines({ grouping: 'folder' })).toEqual([
      '# checkpoints',
      'three',
      'two',
      'four',
      '# x',
      'x/one',
      '# Not readable',
      'bad',
    ]);
  });

  it('reads a sort as it writes it', () => {
    for (const text of ['-run', 'state', '-accuracy', 'loss']) expect(sortText(sortOf(text))).toBe(text);
    expect(sortText(sortOf('nonsense'))).toBeUndefined();
  });
});

describe('stateOf', () => {
  it('is good only for what has learned', () => {
    const tone = (status: RunSummary['status'], learned: boolean | null): string => {
      const { word, tone: found } = stateOf({ status, learned });
      return `${word}: ${found}`;
    };
    expect(tone('budget', true)).toBe('learned: good');
    expect(tone('budget', false)).toBe('not learned: warn');
    expect(tone('budget', null)).toBe('finished: plain');
    expect(tone('solved', true)).toBe('solved: good');
    for (const status of ['running', 'diverged', 'interrupted', 'stopped', 'corrupt'] as const) {
      expect(tone(status, false)).not.toContain('good');
      expect(tone(status, true)).not.toContain('good');
    }
  });
});
