import { describe, expect, it } from 'vitest';
import { LossWindow, metricNumber, parseMetricRows } from '../../src/train/metrics.js';

const roles = (...pairs: [number, number][]): { sumNats: number; count: number }[] =>
  pairs.map(([sumNats, count]) => ({ sumNats, count }));

describe('LossWindow', () => {
  it('averages each role over its targets and the loss over updates', () => {
    const window = new LossWindow();
    window.add(1, roles([3, 2], [0, 0], [1, 2]), 4);
    window.add(0.5, roles([1, 1], [1, 1], [0, 2]), 4);
    expect(window.take()).toEqual({
      lossNats: 0.75,
      lossByRole: { result: 1.33333333, copy: 1, format: 0.25 },
    });
  });

  it('counts targets that no role accounts for under prompt', () => {
    const window = new LossWindow();
    window.add(2, roles([1, 1], [0, 0], [1, 1]), 5);
    const { lossByRole } = window.take();
    expect(lossByRole.prompt).toBeCloseTo((10 - 2) / 3, 8);
  });

  it('goes on from its stored state, written as JSON, with the same bits', () => {
    const whole = new LossWindow();
    const first = new LossWindow();
    for (const window of [whole, first]) window.add(0.1 + 0.2, roles([0.3, 3], [1 / 3, 1], [0.7, 2]), 6);
    const second = new LossWindow(
      JSON.parse(JSON.stringify(first.state())) as ReturnType<LossWindow['state']>,
    );
    for (const window of [whole, second]) window.add(1 / 7, roles([0.9, 3], [0.2, 1], [1 / 9, 2]), 6);
    expect(second.state()).toEqual(whole.state());
    expect(second.take()).toEqual(whole.take());
  });

  it('is empty after taking', () => {
    const window = new LossWindow();
    window.add(1, roles([1, 1]), 1);
    window.take();
    expect(window.isEmpty).toBe(true);
    expect(window.state()).toEqual(new LossWindow().state());
  });
});

describe('metricNumber', () => {
  it('keeps nine digits and names what is not finite', () => {
    expect(metricNumber(1 / 3)).toBe(0.333333333);
    expect([NaN, Infinity, -Infinity].map(metricNumber)).toEqual(['NaN', 'Infinity', '-Infinity']);
  });
});

describe('parseMetricRows', () => {
  it('refuses a line that is no row, naming file and line', () => {
    expect(() =>
      parseMetricRows([{ kind: 'train', step: 1, lossNats: 1, lossByRole: {} }, 7], 'm.jsonl'),
    ).toThrow('m.jsonl line 2: found no kind and step, expected a metrics row.');
  });

  it('leaves out kinds it does not know', () => {
    expect(parseMetricRows([{ kind: 'future', step: 1 }], 'm.jsonl')).toEqual([]);
  });

  it('refuses steps out of their order and rows that are there twice: two processes wrote the file', () => {
    const row = (kind: string, step: number): object => ({
      kind,
      step,
      lossNats: 1,
      lossByRole: {},
      cells: [],
    });
    const good = [row('train', 1), row('train', 50), row('eval', 50), row('diverged', 50), row('train', 100)];
    expect(parseMetricRows(good, 'm.jsonl')).toHaveLength(5);
    expect(() => parseMetricRows([...good, row('train', 50)], 'm.jsonl')).toThrow(
      'm.jsonl line 6: found a train row of step 50 after one of step 100, expected steps in their order',
    );
    expect(() => parseMetricRows([...good, row('train', 100)], 'm.jsonl')).toThrow(
      'm.jsonl line 6: found a train row of step 100 after another one, expected',
    );
  });
});
