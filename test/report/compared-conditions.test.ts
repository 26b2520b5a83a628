/** The side-by-side chart: it compiles without a warning, shows every seed, and says when there is no interval. */
import { describe, expect, it } from 'vitest';
import { comparedConditions } from '../../src/report/charts/compared-conditions.js';
import { compileWarnings } from './compile.js';

const run = (seed: number, value: number) => ({ run: `run-${seed}`, seed, value });

describe('comparedConditions', () => {
  it('draws means with intervals and one dot a seed', () => {
    const chart = comparedConditions({
      id: 'order',
      title: 'Order',
      unit: '1',
      conditions: [
        { label: 'A', runs: [run(1, 0.25), run(2, 0.75)], mean: 0.5, interval: { low: -2, high: 3 } },
        { label: 'B', runs: [run(1, 0.125)], mean: 0.125, interval: null },
      ],
    });
    expect(chart.subtitle).toContain('One seed, so no interval: B.');
    expect(chart.table.rows).toEqual([
      ['A', 'run-1', 1, 0.25],
      ['A', 'run-2', 2, 0.75],
      ['B', 'run-1', 1, 0.125],
    ]);
    for (const value of ['0.25', '0.75', '0.125']) expect(chart.summary).toContain(value);
    expect(JSON.stringify(chart.spec)).not.toContain('Infinity');
    expect(compileWarnings(chart.spec, ['A', 'B'])).toEqual([]);
  });

  it('says that nothing was measured', () => {
    const chart = comparedConditions({ id: 'none', title: 'None', unit: 'nats', conditions: [] });
    expect(chart.summary).toBe('Nothing was measured.');
    expect(compileWarnings(chart.spec, ['A', 'B'])).toEqual([]);
  });
});
