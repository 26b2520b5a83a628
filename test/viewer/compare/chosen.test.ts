/** Addresses of the page of comparison: on the server, and as the page writes them. */
import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../src/viewer/contract.js';
import { chosenOf } from '../../../src/viewer/compare/chosen.js';

const run = (address: string, open = true): RunSummary => ({
  id: address,
  open,
  address,
  status: 'budget',
  condition: 'c',
  label: 'SUM, full, d=16',
  place: 0,
  tasks: ['SUM'],
  seed: 1,
  parameters: 1,
  step: 1,
  steps: 1,
  loss: null,
  accuracy: null,
  learned: null,
  sparkline: [],
  chance: 0.1,
});
const RUNS = ['a', 'b', 'x,y', 'odd@64', 'exp=2Frun', 'shut'].map((address) =>
  run(address, address !== 'shut'),
);
const texts = (of: string): string[] => chosenOf(of, RUNS).map(({ text }) => text);

describe('chosenOf', () => {
  it.each([
    ['a@64,b@last', ['a@64', 'b@last']],
    ['a,b@all', ['a@last', 'b@all']],
    ['a@64,a@128,a@64', ['a@64', 'a@128']],
    ['x,y@final,a', ['x,y@final', 'a@last']],
    ['odd@64', ['odd@64@last']],
    ['odd@64@128', ['odd@64@128']],
    ['exp=2Frun@0', ['exp=2Frun@0']],
  ])('reads %s', (of, expected) => {
    expect(texts(of)).toEqual(expected);
  });

  it.each(['none@64', 'a@64,none', 'shut@64', 'a@-1', 'a@64x', '../a', ',', 'a@64,,b'])(
    'refuses %s and says what is expected',
    (of) => {
      expect(() => texts(of)).toThrow(/^of: found ".*", expected a run of the list, such as <run>@<step>/);
    },
  );

  it('refuses more than a page can show', () => {
    const of = Array.from({ length: 65 }, (_, i) => `a@${i}`).join(',');
    expect(() => texts(of)).toThrow('of: found 65 parts, expected at most 64.');
  });
});
