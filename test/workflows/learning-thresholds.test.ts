/** C1 and C2 from made-up runs of planted thresholds; the numbers against test/analysis/fixtures/make_thresholds.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLAIMS_LEVEL, claimById } from '../../src/evidence/claims-file.js';
import { VERDICT } from '../../src/evidence/verdict.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { OperationName } from '../../src/listops/operations.js';
import type { Finding } from '../../src/report/schema.js';
import type { EvalRow } from '../../src/train/metrics.js';
import { learningModule } from '../../src/workflows/learning.js';
import type { TrainedRun } from '../../src/workflows/trained-run.js';

const fixture = JSON.parse(
  readFileSync(new URL('../analysis/fixtures/thresholds.json', import.meta.url), 'utf8'),
) as {
  differences: {
    alone: [number[], number[]];
    others: [number[], number[]][];
    difference: Record<string, number>;
  }[];
};
const SIZES = [1590, 2504, 4908, 8080, 16_728, 28_448];
const B = claimById('C1').budgetSteps;
const JOINT: readonly OperationName[] = ['MAX', 'MED', 'SUM'];

function evaluation(step: number, operation: string, accuracy: number): EvalRow {
  const correct = Math.round(accuracy * 1000);
  const cell = { operation, arity: 2, held: false, enumerated: true, total: 1000, multisets: 55 };
  return {
    kind: 'eval',
    step,
    cells: [{ ...cell, correct, exact: correct, lossNats: 0.1, divisors: {} }],
  };
}

interface Made {
  readonly steps?: number;
  /** step from which the operation is known; absent: never */
  readonly from?: number;
  readonly rate?: number;
  readonly depth?: number;
  /** the last evaluation, when training stopped short of its steps */
  readonly until?: number;
  readonly ended?: boolean;
}

function run(tasks: readonly OperationName[], size: number, seed: number, made: Made): TrainedRun {
  const { steps = B, from = Infinity, rate = 2e-3, depth = 1, until = steps, ended } = made;
  const operation = tasks.includes('SUM') ? 'SUM' : tasks[0];
  const config = resolveRunConfig({
    data: { tasks, depth },
    model: { dModel: 2 * (size + 3) },
    optimizer: { learningRate: rate },
    training: { steps },
    seed,
  });
  const rows: EvalRow[] = [];
  for (let step = B / 16; step <= until; step += B / 16) {
    rows.push(evaluation(step, operation, step >= from ? 1 : 0.1));
  }
  return {
    id: `${tasks.join('-')}-${size}-${steps}-${seed}-${rate}`,
    config,
    label: tasks.join('+'),
    parameters: SIZES[size],
    rows,
    ...(ended === undefined ? {} : { ended }),
  };
}

/** As many of the seeds at each size as `learned` says know the operation from B/4 on. */
function arm(tasks: readonly OperationName[], learned: readonly number[], more: Made = {}, seeds = 5) {
  return learned.flatMap((k, size) =>
    Array.from({ length: seeds }, (_, seed) =>
      run(tasks, size, seed + 1, { ...(seed < k ? { from: B / 4 } : {}), ...more }),
    ),
  );
}

const findingOf = (runs: readonly TrainedRun[], claim: string): Finding => {
  const found = learningModule(runs).findings.filter((one) => one.claim === claim);
  expect(found).toHaveLength(1);
  return found[0];
};
const single = (learned: Record<'SUM' | 'MAX' | 'MIN' | 'MED', readonly number[]>): TrainedRun[] =>
  (['SUM', 'MAX', 'MIN', 'MED'] as const).flatMap((task) => arm([task], learned[task]));
const always = [5, 5, 5, 5, 5, 5];
const never = [0, 0, 0, 0, 0, 0];

describe('C1', () => {
  it.each(fixture.differences)(
    'has the interval of the brute force: case %#',
    ({ alone, others, difference }) => {
      const [MAX, MIN, MED] = others.map(([learned]) => learned);
      const finding = findingOf(single({ SUM: alone[0], MAX, MIN, MED }), 'C1');
      expect(finding.estimate).toBeCloseTo(difference['0.5'], 8);
      expect(finding.interval).toMatchObject({ level: CLAIMS_LEVEL });
      expect(finding.interval?.low).toBeCloseTo(difference['0.00415'], 8);
      expect(finding.interval?.high).toBeCloseTo(difference['0.99585'], 8);
      expect(finding.n.seeds).toBe(120);
    },
  );

  it('is supported when SUM needs far more parameters, and contradicted when it needs fewer', () => {
    const easy = [0, 5, 5, 5, 5, 5];
    const hard = [0, 0, 0, 0, 0, 5];
    const yes = findingOf(single({ SUM: hard, MAX: easy, MIN: easy, MED: easy }), 'C1');
    expect(yes.verdict).toBe(VERDICT.supported);
    expect(yes.statement).toMatch(/SUM alone 2\d,000 \[.*MAX alone 2,\d00 \[/);
    expect(yes.reason).not.toContain('not a size threshold');
    const against = findingOf(single({ SUM: always, MAX: easy, MIN: hard, MED: easy }), 'C1');
    expect(against.verdict).toBe(VERDICT.contradicted);
  });

  it('says that SUM fails at every size, or has no trend, beside the verdict', () => {
    const failing = findingOf(single({ SUM: never, MAX: always, MIN: always, MED: always }), 'C1');
    expect(failing.verdict).toBe(VERDICT.supported);
    expect(failing.statement).toContain('SUM alone > 28,448');
    expect(failing.statement).toContain('MAX alone <= 1,590');
    expect(failing.reason).toContain('not a size threshold: SUM fails at every size tested');
    const trendless = findingOf(
      single({ SUM: [4, 2, 1, 4, 5, 1], MAX: always, MIN: always, MED: always }),
      'C1',
    );
    expect(trendless.reason).toMatch(/learned in 17 of 30 runs, without trend.*p = 0\.\d+/);
  });

  it('fails its assay when MAX is not learned at the largest size', () => {
    const finding = findingOf(
      single({ SUM: never, MAX: [0, 0, 5, 5, 5, 3], MIN: always, MED: always }),
      'C1',
    );
    expect(finding.verdict).toBe(VERDICT.tooFew);
    expect(finding.reason).toContain('assay failed: MAX learned in 3 of 5 runs at 28448 parameters');
  });

  it('names what is missing: sizes, seeds, runs that were too short', () => {
    const five = [0, 0, 0, 0, 5];
    const short = [
      ...arm(['SUM'], five),
      ...arm(['MAX'], five),
      ...arm(['MIN'], five),
      ...arm(['MED'], five, {}, 4),
    ];
    const finding = findingOf([...short, ...arm(['SUM'], [5], { steps: B / 2 })], 'C1');
    expect(finding.verdict).toBe(VERDICT.tooFew);
    expect(finding.reason).toContain(
      '0 of at least 6 model sizes with 5 seeds of every condition, regime full, depth 1, 8000 steps or more (sizes with so many: SUM alone 5, MAX alone 5, MIN alone 5, MED alone 0)',
    );
    expect(finding.reason).toContain('5 runs of fewer steps do not count');
    expect(finding.estimate).toBeUndefined();
    expect(findingOf([], 'C1').verdict).toBe(VERDICT.tooFew);
  });

  it('takes depth 1 only, and does not join runs that differ in more than the arm', () => {
    const deep = (['SUM', 'MAX', 'MIN', 'MED'] as const).flatMap((task) => arm([task], always, { depth: 2 }));
    expect(findingOf(deep, 'C1').reason).toContain('0 of at least 6');
  });

  it('does not count what was interrupted, and counts what diverged', () => {
    const others = (['MAX', 'MIN', 'MED'] as const).flatMap((task) => arm([task], always));
    const stopped = arm(['SUM'], never, { until: B / 2 });
    expect(findingOf([...others, ...stopped], 'C1').verdict).toBe(VERDICT.tooFew);
    const diverged = arm(['SUM'], never, { until: B / 2, ended: true });
    expect(findingOf([...others, ...diverged], 'C1').verdict).toBe(VERDICT.supported);
  });
});

describe('C2', () => {
  const late = [0, 0, 0, 0, 0, 5];

  it('is supported when company lowers the threshold, contradicted when it raises it', () => {
    expect(findingOf([...arm(['SUM'], late), ...arm(JOINT, always)], 'C2').verdict).toBe(VERDICT.supported);
    const against = findingOf([...arm(['SUM'], always), ...arm(JOINT, late)], 'C2');
    expect(against.verdict).toBe(VERDICT.contradicted);
    expect(against.estimate).toBeLessThan(-1);
  });

  it('is taken back when the sign changes at equal numbers of SUM examples', () => {
    // SUM alone is there at B, but not yet at B/3, which is what the mixed runs see of SUM
    const slow = arm(['SUM'], [0, 0, 0, 0, 0, 0], { from: B / 2 });
    const finding = findingOf([...slow, ...arm(JOINT, [0, 0, 5, 5, 5, 5])], 'C2');
    expect(finding.verdict).toBe(VERDICT.notSupported);
    expect(finding.reason).toContain('at equal numbers of SUM examples');
  });

  it('is not supported, or too wide, when both thresholds are the same', () => {
    const same = [0, 0, 0, 5, 5, 5];
    const few = findingOf([...arm(['SUM'], same), ...arm(JOINT, same)], 'C2');
    expect([VERDICT.notSupported, VERDICT.tooFew]).toContain(few.verdict);
    const many = findingOf(
      [...arm(['SUM'], [0, 0, 0, 20, 20, 20], {}, 20), ...arm(JOINT, [0, 0, 0, 20, 20, 20], {}, 20)],
      'C2',
    );
    expect(many.estimate).toBeCloseTo(0, 8);
    expect(many.verdict).not.toBe(VERDICT.supported);
  });

  it('takes the verdict at 4 B, with that at B as a note', () => {
    // by B the joint runs know SUM and the others do not; by 4 B all do
    const longer = { steps: 4 * B };
    const slow = arm(['SUM'], never, { ...longer, from: 2 * B });
    const runs = [...slow, ...arm(JOINT, always, longer)];
    const both = findingOf(runs, 'C2');
    expect(both.statement).toContain('by 32,000 steps');
    expect(both.verdict).not.toBe(VERDICT.supported);
    expect(both.reason).toContain('at B: supported');
    // own runs of B steps are taken at B rather than the beginning of longer ones
    const withShort = [...runs, ...arm(['SUM'], always), ...arm(JOINT, always)];
    expect(findingOf(withShort, 'C2').reason).not.toContain('at B: supported');
  });

  it('says that 4 B is missing when it is', () => {
    const finding = findingOf([...arm(['SUM'], late), ...arm(JOINT, always)], 'C2');
    expect(finding.reason).toContain('at 32,000 steps: not enough runs');
  });

  it('counts the learning rate of most runs, whatever the others learned, and names unequal rates', () => {
    const pilot = arm(['SUM'], always, { rate: 5e-4, from: 0 }, 2);
    const finding = findingOf([...arm(['SUM'], late), ...pilot, ...arm(JOINT, always, { rate: 1e-3 })], 'C2');
    expect(finding.verdict).toBe(VERDICT.supported);
    expect(finding.n.seeds).toBe(60);
    expect(finding.reason).toContain('learning rates: SUM alone 0.002, MAX+MED+SUM 0.001');
  });
});

describe('other company', () => {
  it('is compared with MAX and MED where six sizes were trained', () => {
    const at = (learned: readonly number[]): TrainedRun[] =>
      arm(
        ['FIRST', 'SUM'],
        learned.map((k) => 4 * k),
        {},
        20,
      );
    const joint = arm(JOINT, [0, 0, 20, 20, 20, 20], {}, 20);
    const find = (runs: readonly TrainedRun[]): Finding | undefined =>
      learningModule(runs).findings.find(({ id }) => id === 'threshold-beside-first+sum');
    expect(find([...at([0, 0, 5, 5, 5, 5]), ...joint])?.estimate).toBeCloseTo(0, 8);
    const worse = find([...at([0, 0, 0, 0, 0, 5]), ...joint]);
    expect(worse?.estimate).toBeGreaterThan(1);
    expect(worse?.statement).toContain('Not within 1 octave');
    expect(worse?.verdict).toBeUndefined();
    expect(find(joint)).toBeUndefined();
  });
});
