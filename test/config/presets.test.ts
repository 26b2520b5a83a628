import { describe, expect, it } from 'vitest';
import { conditionLabel, runId } from '../../src/config/hash.js';
import { getPreset, presets } from '../../src/config/presets.js';
import { checkpointSteps } from '../../src/config/schedule.js';

/** label -> [runs, steps] */
function summary(name: string): Record<string, [number, number]> {
  const result: Record<string, [number, number]> = {};
  for (const run of getPreset(name).runs) {
    const label = `${conditionLabel(run)}, depth ${run.data.depth}`;
    result[label] = [(result[label]?.[0] ?? 0) + 1, run.training.steps];
  }
  return result;
}

describe('presets', () => {
  it('has the arms, seeds and steps of the quick experiment', () => {
    expect(summary('quick')).toEqual({
      'MAX+MED+SUM, full, d=16, depth 1': [6, 8000],
      'SUM, full, d=16, depth 1': [6, 8000],
      'MAX+MED+SUM, pairs, d=16, depth 1': [8, 16_000],
      'SUM, pairs, d=16, depth 1': [8, 16_000],
      'FIRST+SUM, full, d=16, depth 1': [4, 8000],
    });
    for (const { seed, data } of getPreset('quick').runs) expect(data.holdoutSeed).toBe(seed);
  });

  it('adds depth 2 at two widths to the standard experiment', () => {
    expect(summary('standard')).toMatchObject({
      ...summary('quick'),
      'MAX+MED+SUM, full, d=32, depth 2': [3, 16_000],
      'SUM, full, d=32, depth 2': [3, 16_000],
      'MAX+MED+SUM, full, d=48, depth 2': [3, 16_000],
      'SUM, full, d=48, depth 2': [3, 16_000],
    });
  });

  it('never lists a run twice', () => {
    for (const { runs } of Object.values(presets)) expect(new Set(runs.map(runId)).size).toBe(runs.length);
  });

  it('names the nearest preset', () => {
    expect(() => getPreset('quik')).toThrow(
      'preset: found "quik", expected one of authors, quick, smoke, standard. Did you mean quick?',
    );
    expect(() => getPreset('constructor')).toThrow('preset: found "constructor"');
  });
});

describe('checkpointSteps', () => {
  it('starts at 0, is log-spaced and ends at the budget', () => {
    expect(checkpointSteps(8000)).toEqual([0, 64, 256, 1024, 4096, 8000]);
    expect(checkpointSteps(60)).toEqual([0, 60]);
    expect(checkpointSteps(64)).toEqual([0, 64]);
    expect(checkpointSteps(1)).toEqual([0, 1]);
    expect(() => checkpointSteps(0)).toThrow(RangeError);
  });
});
