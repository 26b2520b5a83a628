/** C1 and C2 from made-up runs of planted thresholds; the numbers against test/analysis/fixtures/make_thresholds.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { companyThresholds } from '../../probes/learning/company.js';
import type { ClaimResult } from '../../src/evidence/claims.js';
import { CLAIMS_LEVEL, claimPart } from '../../src/evidence/claims-file.js';
import { decideClaims } from '../../src/evidence/decide.js';
import { type Evidence, evidenceOf } from '../../src/evidence/evidence.js';
import type { Finding } from '../../src/evidence/finding.js';
import { EVALUATION } from '../../src/evidence/ladders.js';
import type { Observation } from '../../src/evidence/statistic.js';
import type { Subject } from '../../src/evidence/subject.js';
import { VERDICT } from '../../src/evidence/verdict.js';
import type { OperationName } from '../../src/listops/language/operations.js';
import { madeSubject, observed } from '../helpers/made-subject.js';

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
const B = claimPart('C1a').place.steps;
const JOINT: readonly OperationName[] = ['MAX', 'MED', 'SUM'];

interface TrainedRun {
  readonly subject: Subject;
  readonly observations: readonly Observation[];
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
  const stopped = until < steps && ended !== true;
  const subject = madeSubject({
    ...{ tasks, seed, depth, steps, rate, step: until, regime: 'full', dModel: 2 * (size + 3) },
    parameters: SIZES[size],
    end: stopped ? 'interrupted' : until < steps ? 'diverged' : 'budget',
  });
  const observations: Observation[] = [];
  for (let step = B / 16; step <= until; step += B / 16) {
    observations.push(observed(subject, EVALUATION, step >= from ? 1 : 0.1, { scope: { operation, step } }));
  }
  return { subject, observations };
}

/** As many of the seeds at each size as `learned` says know the operation from B/4 on. */
function arm(tasks: readonly OperationName[], learned: readonly number[], more: Made = {}, seeds = 5) {
  return learned.flatMap((k, size) =>
    Array.from({ length: seeds }, (_, seed) =>
      run(tasks, size, seed + 1, { ...(seed < k ? { from: B / 4 } : {}), ...more }),
    ),
  );
}

const evidence = (runs: readonly TrainedRun[]): Evidence =>
  evidenceOf(
    runs.map(({ subject }) => subject),
    runs.flatMap(({ observations }) => observations),
    new Map(),
  );
const resultOf = (runs: readonly TrainedRun[], part: string): ClaimResult => {
  const found = decideClaims(evidence(runs)).filter((one) => one.part === part);
  expect(found).toHaveLength(1);
  return found[0];
};
const textOf = ({ reason, notes }: ClaimResult): string => [reason, ...notes].join('; ');
const single = (learned: Record<'SUM' | 'MAX' | 'MIN' | 'MED', readonly number[]>): TrainedRun[] =>
  (['SUM', 'MAX', 'MIN', 'MED'] as const).flatMap((task) => arm([task], learned[task]));
const always = [5, 5, 5, 5, 5, 5];
const never = [0, 0, 0, 0, 0, 0];

describe('C1a', () => {
  it.each(fixture.differences)(
    'has the interval of the brute force: case %#',
    ({ alone, others, difference }) => {
      const [MAX, MIN, MED] = others.map(([learned]) => learned);
      const finding = resultOf(single({ SUM: alone[0], MAX, MIN, MED }), 'C1a');
      // an arm that never, or always, learns leaves a bound and no estimate
      if (finding.bound === undefined) expect(finding.estimate).toBeCloseTo(difference['0.5'], 8);
      expect(finding.interval).toMatchObject({ level: CLAIMS_LEVEL });
      const { low, high } = finding.interval ?? {};
      if (low !== '-Infinity') expect(low).toBeCloseTo(difference['0.00415'], 8);
      if (high !== 'Infinity') expect(high).toBeCloseTo(difference['0.99585'], 8);
      expect([low, high]).not.toEqual(['-Infinity', 'Infinity']);
      expect(finding.counts.map(({ usable }) => usable)).toEqual([5, 5, 5, 5]);
    },
  );

  it('is supported when SUM needs far more parameters, and contradicted when it needs fewer', () => {
    const easy = [0, 5, 5, 5, 5, 5];
    const hard = [0, 0, 0, 0, 0, 5];
    const yes = resultOf(single({ SUM: hard, MAX: easy, MIN: easy, MED: easy }), 'C1a');
    expect(yes.verdict).toBe(VERDICT.supported);
    expect(textOf(yes)).toMatch(/SUM alone 2\d,000 \[.*MAX alone 2,\d00 \[/);
    expect(textOf(yes)).not.toContain('not a size threshold');
    const against = resultOf(single({ SUM: always, MAX: easy, MIN: hard, MED: easy }), 'C1a');
    expect(against.verdict).toBe(VERDICT.contradicted);
  });

  it('says that SUM fails at every size, or has no trend, beside the verdict', () => {
    const failing = resultOf(single({ SUM: never, MAX: always, MIN: always, MED: always }), 'C1a');
    expect(failing.verdict).toBe(VERDICT.supported);
    expect(textOf(failing)).toContain('SUM alone > 28,448');
    expect(textOf(failing)).toContain('MAX alone <= 1,590');
    expect(textOf(failing)).toContain('not a size threshold: SUM alone fails at every size tested');
    const trendless = resultOf(
      single({ SUM: [4, 2, 1, 4, 5, 1], MAX: always, MIN: always, MED: always }),
      'C1a',
    );
    expect(textOf(trendless)).toMatch(/learned in 17 of 30 runs, without trend.*p = 0\.\d+/);
  });

  it('fails its assay when MAX is not learned at the largest size', () => {
    const finding = resultOf(
      single({ SUM: never, MAX: [0, 0, 5, 5, 5, 3], MIN: always, MED: always }),
      'C1a',
    );
    expect(finding.verdict).toBe(VERDICT.tooFew);
    expect(textOf(finding)).toContain('assay failed: MAX alone: learned in 3 of 5 runs at 28,448 parameters');
  });

  it('names what is missing: sizes, seeds, runs that were too short', () => {
    const five = [0, 0, 0, 0, 5];
    const short = [
      ...arm(['SUM'], five),
      ...arm(['MAX'], five),
      ...arm(['MIN'], five),
      ...arm(['MED'], five, {}, 4),
    ];
    const finding = resultOf([...short, ...arm(['SUM'], [5], { steps: B / 2 })], 'C1a');
    expect(finding.verdict).toBe(VERDICT.tooFew);
    expect(textOf(finding)).toContain(
      '0 of at least 6 model sizes with 5 seeds of every condition (sizes with so many: SUM alone 5, MAX alone 5, MIN alone 5, MED alone 0)',
    );
    expect(textOf(finding)).toContain('5 runs of fewer steps do not count');
    expect(finding.estimate).toBeUndefined();
    expect(resultOf([], 'C1a').verdict).toBe(VERDICT.tooFew);
  });

  it('takes depth 1 only, and does not join runs that differ in more than the arm', () => {
    const deep = (['SUM', 'MAX', 'MIN', 'MED'] as const).flatMap((task) => arm([task], always, { depth: 2 }));
    expect(textOf(resultOf(deep, 'C1a'))).toContain('0 of at least 6');
  });

  it('does not count what was interrupted, and counts what diverged', () => {
    const others = (['MAX', 'MIN', 'MED'] as const).flatMap((task) => arm([task], always));
    const stopped = arm(['SUM'], never, { until: B / 2 });
    expect(resultOf([...others, ...stopped], 'C1a').verdict).toBe(VERDICT.tooFew);
    const diverged = arm(['SUM'], never, { until: B / 2, ended: true });
    expect(resultOf([...others, ...diverged], 'C1a').verdict).toBe(VERDICT.supported);
  });
});

describe('C2a', () => {
  const late = [0, 0, 0, 0, 0, 5];

  it('is supported when company lowers the threshold, contradicted when it raises it', () => {
    expect(resultOf([...arm(['SUM'], late), ...arm(JOINT, always)], 'C2a').verdict).toBe(VERDICT.supported);
    const against = resultOf([...arm(['SUM'], always), ...arm(JOINT, late)], 'C2a');
    expect(against.verdict).toBe(VERDICT.contradicted);
    expect(against.bound).toMatchObject({ side: 'below' });
    expect(against.bound?.value).toBeLessThan(-1);
  });

  it('is taken back when the sign changes at equal numbers of SUM examples', () => {
    // SUM alone is there at B, but not yet at B/3, which is what the mixed runs see of SUM
    const slow = arm(['SUM'], [0, 0, 0, 0, 0, 0], { from: B / 2 });
    const finding = resultOf([...slow, ...arm(JOINT, [0, 0, 5, 5, 5, 5])], 'C2a');
    expect(finding.verdict).toBe(VERDICT.notSupported);
    expect(textOf(finding)).toContain('at equal numbers of SUM examples');
  });

  it('is not supported, or too wide, when both thresholds are the same', () => {
    const same = [0, 0, 0, 5, 5, 5];
    const few = resultOf([...arm(['SUM'], same), ...arm(JOINT, same)], 'C2a');
    expect([VERDICT.notSupported, VERDICT.tooFew]).toContain(few.verdict);
    const many = resultOf(
      [...arm(['SUM'], [0, 0, 0, 20, 20, 20], {}, 20), ...arm(JOINT, [0, 0, 0, 20, 20, 20], {}, 20)],
      'C2a',
    );
    expect(many.estimate).toBeCloseTo(0, 8);
    expect(many.verdict).not.toBe(VERDICT.supported);
  });

  it('takes the verdict at 4 B, with that at B as a note', () => {
    // by B the joint runs know SUM and the others do not; by 4 B all do
    const longer = { steps: 4 * B };
    const slow = arm(['SUM'], never, { ...longer, from: 2 * B });
    const runs = [...slow, ...arm(JOINT, always, longer)];
    const both = resultOf(runs, 'C2a');
    expect(both.place).toContain('32,000 steps');
    expect(both.verdict).not.toBe(VERDICT.supported);
    expect(textOf(both)).toContain('at B: supported');
    // own runs of B steps are taken at B rather than the beginning of longer ones
    const withShort = [...runs, ...arm(['SUM'], always), ...arm(JOINT, always)];
    expect(textOf(resultOf(withShort, 'C2a'))).not.toContain('at B: supported');
  });

  it('says that 4 B is missing when it is', () => {
    const finding = resultOf([...arm(['SUM'], late), ...arm(JOINT, always)], 'C2a');
    expect(textOf(finding)).toContain('at 32,000 steps: not enough runs');
  });

  it('counts the learning rate of most runs, whatever the others learned, and names unequal rates', () => {
    const pilot = arm(['SUM'], always, { rate: 5e-4, from: 0 }, 2);
    const finding = resultOf([...arm(['SUM'], late), ...pilot, ...arm(JOINT, always, { rate: 1e-3 })], 'C2a');
    expect(finding.verdict).toBe(VERDICT.supported);
    expect(finding.counts.map(({ usable }) => usable)).toEqual([5, 5]);
    expect(textOf(finding)).toContain('learning rates: SUM alone 0.002, SUM in MAX+MED+SUM 0.001');
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
      companyThresholds(evidence(runs)).find(({ id }) => id.startsWith('threshold-beside-first+sum'));
    expect(find([...at([0, 0, 5, 5, 5, 5]), ...joint])?.estimate).toBeCloseTo(0, 8);
    const worse = find([...at([0, 0, 0, 0, 0, 5]), ...joint]);
    expect(worse?.estimate).toBeGreaterThan(1);
    expect(worse?.statement).toContain('Not within 1 octave');
    expect(find(joint)).toBeUndefined();
  });
});
