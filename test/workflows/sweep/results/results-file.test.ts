import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { hasLearned } from '../../../../src/train/learned.js';
import { evaluationRows, type ResultLine } from '../../../../src/workflows/sweep/results/result-line.js';
import {
  appendResult,
  readResults,
  repairResults,
} from '../../../../src/workflows/sweep/results/results-file.js';
import { resultFor, tinyRuns } from '../tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-results-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'results.jsonl');
const [a, b] = tinyRuns().map((run) => resultFor(run));

beforeEach(() => {
  rmSync(path, { force: true });
  appendResult(path, a);
  appendResult(path, b);
});

describe('results.jsonl', () => {
  it('gives back what was appended', () => {
    expect([...readResults(path).values()]).toEqual([a, b]);
  });

  it('drops a torn last line, and no other byte', () => {
    const whole = readFileSync(path);
    appendFileSync(path, '{"id":"sum-fu');
    expect(readResults(path).size).toBe(2);
    expect(repairResults(path)).toBe(13);
    expect(readFileSync(path)).toEqual(whole);
  });

  it.each([
    ['hello', 'line 3: found hello, expected a result of a run as JSON'],
    ['{"id": 1}', 'line 3: id: '],
    [
      JSON.stringify({ ...a, configuration: b.configuration }),
      `found ${a.id}, but its configuration is that of ${b.id}`,
    ],
    [
      JSON.stringify({ ...a, weightsSha256: 'c'.repeat(64) }),
      'ended with other weights than in a line before',
    ],
    [JSON.stringify({ ...a, extra: 1 }), 'extra'],
    [JSON.stringify({ ...a, end: { reason: 'interrupted', step: 1 } }), 'end.reason'],
    ['', 'line 3: found , expected a result'],
  ])('refuses the line %j by its number', (line, message) => {
    appendFileSync(path, `${line}\n`);
    expect(() => readResults(path)).toThrow(message);
  });

  it('takes a result that is there twice once', () => {
    appendResult(path, { ...a, seconds: 99 });
    expect(readResults(path).get(a.id)?.seconds).toBe(1.5);
  });

  it('says which operations were learned by which budget', () => {
    const evaluations = [100, 200, 300].map((step) => ({
      step,
      trained: { SUM: [step < 150 ? 5 : 19, 20] as [number, number], MAX: [20, 20] as [number, number] },
      lossNats: {},
    }));
    const rows = evaluationRows({ ...a, evaluations });
    expect(hasLearned(rows, 'SUM')).toBe(true);
    expect(hasLearned(rows, 'SUM', { budget: 200 })).toBe(false);
    expect(hasLearned(rows, 'MAX', { budget: 200 })).toBe(true);
    // where expressions nest: a line that does not tell is unknown, one that does is read
    expect(hasLearned(rows, 'SUM', { nested: true })).toBeNull();
    const told = evaluations.map((one) => ({
      ...one,
      inside: { SUM: [50, 50] as [number, number], MAX: [20, 50] as [number, number] },
      chains: [30, 50] as [number, number],
    }));
    const configuration = { ...a.configuration, data: { ...a.configuration.data, tasks: ['MAX', 'SUM'] } };
    const both = evaluationRows({ ...a, configuration, evaluations: told } as ResultLine);
    expect(hasLearned(both, 'SUM', { nested: true })).toBe(true);
    expect(hasLearned(both, 'MAX', { nested: true })).toBe(false);
    // whole expressions of an operation that is not trained say nothing of the one that is
    const other = evaluationRows({ ...a, evaluations: told });
    expect(hasLearned(other, 'SUM', { nested: true })).toBeNull();
  });

  it('is empty where there is no file', () => {
    expect(readResults(join(folder, 'none.jsonl')).size).toBe(0);
    writeFileSync(path, '');
    expect(readResults(path).size).toBe(0);
  });
});
