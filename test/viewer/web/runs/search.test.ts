import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../../src/viewer/contract.js';
import { settingsOf } from '../../../../src/viewer/disk/run-detail.js';
import { type Listed, parseSearch, searchNames } from '../../../../src/viewer/web/runs/search.js';
import { resolveRunConfig } from '../../../../src/config/parse.js';

const sample = (
  id: string,
  config: Parameters<typeof resolveRunConfig>[0],
  more: Partial<RunSummary>,
): Listed => {
  const resolved = resolveRunConfig(config);
  const { tasks } = resolved.data;
  const run: RunSummary = {
    id,
    open: true,
    address: id.replaceAll('/', '=2F'),
    status: 'budget',
    condition: id,
    label: `${tasks.join('+')}, d=${resolved.model.dModel}`,
    place: 0,
    tasks,
    seed: resolved.seed,
    parameters: 8080,
    step: 8000,
    steps: 8000,
    loss: 0.02,
    accuracy: Object.fromEntries(tasks.map((task) => [task, 0.99])),
    learned: true,
    sparkline: [],
    chance: 0.1,
    ...more,
  };
  return { run, settings: settingsOf(resolved) };
};

const LIST: readonly Listed[] = [
  sample('a', { data: { tasks: ['SUM'], regime: 'full' }, model: { dModel: 16 }, seed: 1 }, {}),
  sample(
    'b',
    { data: { tasks: ['MAX', 'SUM'], regime: 'full' }, model: { dModel: 32 }, seed: 2 },
    { tags: ['Old one'] },
  ),
  sample(
    'exp/c',
    { data: { tasks: ['MAX', 'MED', 'SUM'], regime: 'pairs' }, model: { dModel: 64 }, seed: 3 },
    { learned: false, accuracy: { SUM: 0.12, MAX: 1, MED: 0.5 }, note: 'look at the plateau', shipped: true },
  ),
  sample(
    'd',
    {
      data: { tasks: ['GSUM'], modulus: 16 },
      model: { dModel: 32 },
      optimizer: { learningRate: 0.001 },
      seed: 4,
    },
    { status: 'running', learned: null, accuracy: null, step: 100, loss: null },
  ),
];

const found = (text: string): string => {
  const search = parseSearch(text, LIST);
  expect(search.problems).toEqual([]);
  return LIST.filter(search.test)
    .map(({ run }) => run.id)
    .join(' ');
};

describe('parseSearch', () => {
  it.each([
    ['', 'a b exp/c d'],
    ['dModel>=32 tasks:SUM', 'b exp/c'],
    ['dmodel<32', 'a'],
    ['model.dModel=32', 'b d'],
    ['dModel!=32', 'a exp/c'],
    ['tasks:SUM', 'a b exp/c'],
    ['tasks=SUM', 'a'],
    ['tasks:MAX+SUM', 'b exp/c'],
    ['tasks=MAX+SUM', 'b'],
    ['tasks=SUM+MAX', 'b'],
    ['-tasks:MAX', 'a d'],
    ['regime:pairs', 'exp/c'],
    ['learningRate=1e-3', 'd'],
    ['learningRate>0.001', 'a b exp/c'],
    ['SUM>=95%', 'a b'],
    ['SUM<0.5', 'exp/c'],
    ['med<=50%', 'exp/c'],
    ['learned:no', 'exp/c'],
    ['learned:yes', 'a b'],
    ['learned:unknown', 'd'],
    ['state:training', 'd'],
    ['state="not learned"', 'exp/c'],
    ['tag:"old one"', 'b'],
    ['-tag:old', 'a exp/c d'],
    ['plateau', 'exp/c'],
    ['"at the"', 'exp/c'],
    ['-plateau seed>1', 'b d'],
    ['folder:exp', 'exp/c'],
    ['shipped:yes', 'exp/c'],
    ['loss<1', 'a b exp/c'],
    ['data.loss:completion', 'a b exp/c d'],
    ['loss:none', 'd'],
    ['tied:yes', 'a b exp/c d'],
    ['tied:no', ''],
    ['>=3', ''],
  ])('%s finds %s', (text, ids) => expect(found(text)).toBe(ids));

  it('says what means nothing, and keeps the rest', () => {
    const search = parseSearch('dModle>3 seed:1', LIST);
    expect(search.problems).toEqual(['No column, operation or setting is called dModle. Near it: dModel.']);
    expect(LIST.filter(search.test)).toHaveLength(1);
    expect(parseSearch('dModel>big', LIST).problems).toEqual([
      'dModel>big: expected a number after >, such as 32, 1e-3 or 95%.',
    ]);
    expect(parseSearch('dModel:', LIST).problems).toEqual(['dModel: needs a value, such as dModel:1.']);
  });

  it('knows every setting, operation and column', () => {
    const names = searchNames(LIST);
    expect(names).toEqual(
      expect.arrayContaining(['dModel', 'tasks', 'learningRate', 'SUM', 'GSUM', 'learned']),
    );
    expect(new Set(names).size).toBe(names.length);
  });
});
