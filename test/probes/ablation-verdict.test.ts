/** What the ablation probe concludes from results that were made up: a planted effect, none, and the opposite. */
import { describe, expect, it } from 'vitest';
import { ablation } from '../../probes/ablation.js';
import type { AblationMeasurement, DoseCurve } from '../../probes/ablation/measurement.js';
import { METHODS, type Method } from '../../probes/ablation/components.js';
import type { Measured } from '../../probes/contract.js';
import { DOSES } from '../../src/analysis/dose.js';
import { DEFAULT_RUN } from '../../src/config/defaults.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { OperationName } from '../../src/listops/operations.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { subjectFor } from '../helpers/measure-ablation.js';

type Entry = Measured<AblationMeasurement>;

interface Made {
  readonly tasks: readonly OperationName[];
  readonly regime?: 'full' | 'pairs';
  readonly accuracy?: number;
  readonly cleanNats?: number;
  /** share lost by each kind, the same at every dose but the noise */
  readonly lost: (method: Method) => { readonly attention: number; readonly feedForward: number };
  readonly steps?: number;
}

const LN10 = Math.log(10);

function made(
  seed: number,
  { tasks, regime = 'pairs', accuracy = 1, cleanNats = 0.01, lost, steps }: Made,
): Entry {
  const config: RunConfig = {
    ...DEFAULT_RUN,
    data: { ...DEFAULT_RUN.data, tasks, regime, holdoutSeed: seed },
    training: { ...DEFAULT_RUN.training, ...(steps === undefined ? {} : { steps }) },
    seed,
  };
  const noise = new Rng(seed, `made ${tasks.join('+')} ${regime}`);
  const curves = METHODS.flatMap((method): DoseCurve[] => {
    const { attention, feedForward } = lost(method);
    return (
      [
        ['attention', attention],
        ['feed-forward', feedForward],
        ['both', 1],
      ] as const
    ).map(([kind, level]) => {
      const own = level + 0.01 * noise.normal();
      return {
        kind,
        method,
        nats: DOSES.map(() => cleanNats + own * (LN10 - cleanNats)),
        accuracy: DOSES.map(() => 0.5),
        lowNats: [],
      };
    });
  });
  const measurement: AblationMeasurement = {
    primary: tasks.includes('SUM') ? 'SUM' : tasks[0],
    tasks,
    regime,
    modulus: 10,
    sharedBlocks: false,
    learned: tasks.map((operation) => ({ operation, accuracy, prompts: 100, enumerated: true })),
    templates: [{ id: '(SUM # #)', prompts: 100, hasMean: true, sameResult: 0 }],
    cells: ['SUM result'],
    clean: {
      nats: { shape: [1], data: [cleanNats] },
      accuracy: { shape: [1], data: [accuracy] },
      count: { shape: [1], data: [100] },
    },
    effects: [{ component: 'attention', method: 'resample', site: 'all positions', effect: 'total' }],
    deltaNats: { shape: [1, 1], data: [1] },
    deltaAccuracy: { shape: [1, 1], data: [-0.5] },
    dose: [
      {
        operation: 'SUM',
        examples: 100,
        cleanNats,
        cleanAccuracy: accuracy,
        cleanNatsMean: cleanNats,
        constantNats: LN10,
        curves,
      },
    ],
    norms: [],
    freeRunning: [{ component: 'none', method: 'zero', exact: 1, result: 0, copy: 0, format: 0 }],
  };
  const subject = subjectFor(config, `${tasks.join('-')}-${regime}-${seed}`);
  return { subject: { ...subject, condition: `${tasks.join('+')} ${regime}` }, config, measurement };
}

function runs(n: number, options: Made): Entry[] {
  return Array.from({ length: n }, (_, i) => made(i + 1, options));
}

const SUM_ONLY: readonly OperationName[] = ['SUM'];
const MIXED: readonly OperationName[] = ['MAX', 'MED', 'SUM'];
const leaning = (feedForward: number) => () => ({ attention: 0.4, feedForward });

function c4(entries: readonly Entry[]): Finding {
  return ablation.findings(ablation.combine(entries, {}))[0];
}

describe('C4 from made-up shares', () => {
  it('is supported by a planted effect in the direction of the claim', () => {
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7) }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2) }),
    ]);
    expect(finding).toMatchObject({ claim: 'C4', verdict: 'supported', n: { seeds: 12, examples: 200 } });
    // (0.7 + 0.01) / (0.7 + 0.4 + 0.02) - (0.2 + 0.01) / (0.2 + 0.4 + 0.02)
    expect(finding.estimate).toBeCloseTo(0.71 / 1.12 - 0.21 / 0.62, 1);
    // all six of one side above all six of the other: 2 of C(12, 6)
    expect(finding.p).toBeCloseTo(2 / 924, 8);
    expect(finding.interval).toMatchObject({ level: 0.9917, method: 'Welch t over seeds' });
    expect(finding.reason).toContain('only path between positions');
  });

  it('is contradicted by the opposite effect', () => {
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.2) }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.7) }),
    ]);
    expect(finding.verdict).toBe('contradicted');
  });

  it('is not supported when there is no effect and the interval excludes one of 0.1', () => {
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.4) }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.4) }),
    ]);
    expect(finding.verdict).toBe('not supported');
  });

  it('says too few with five runs on one side, and does not count runs that have not learned', () => {
    const mixed = runs(6, { tasks: MIXED, lost: leaning(0.2) });
    const five = c4([...runs(5, { tasks: SUM_ONLY, lost: leaning(0.7) }), ...mixed]);
    expect(five.verdict).toBe('too few runs to say');
    const unlearned = made(6, { tasks: SUM_ONLY, lost: leaning(0.7), accuracy: 0.98 });
    const finding = c4([...runs(5, { tasks: SUM_ONLY, lost: leaning(0.7) }), unlearned, ...mixed]);
    expect(finding.verdict).toBe('too few runs to say');
    expect(finding.reason).toContain('has not learned SUM (accuracy 0.980)');
  });

  it('leaves out a run whose loss on results is above 0.05 nats', () => {
    const vague = made(6, { tasks: SUM_ONLY, lost: leaning(0.7), cleanNats: 0.06 });
    const result = ablation.combine([vague], {});
    expect(result.seeds[0]).toMatchObject({ usable: false });
    expect(result.seeds[0].reason).toContain('0.060 nats');
  });

  it('depends on the ablation when mean ablation says the opposite', () => {
    const swapped = (high: number, low: number) => (method: Method) =>
      method === 'mean' ? { attention: 0.4, feedForward: low } : { attention: 0.4, feedForward: high };
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: swapped(0.7, 0.2) }),
      ...runs(6, { tasks: MIXED, lost: swapped(0.2, 0.7) }),
    ]);
    expect(finding.verdict).toBe('not supported');
    expect(finding.reason).toContain('depends on the ablation');
  });

  it('compares within a regime and with equal training only', () => {
    const otherRegime = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), regime: 'pairs' }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), regime: 'full' }),
    ]);
    expect(otherRegime).toMatchObject({ verdict: 'too few runs to say', n: { seeds: 0 } });
    expect(otherRegime.reason).toContain('equal in everything but their tasks');
    const otherBudget = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), steps: 100 }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), steps: 200 }),
    ]);
    expect(otherBudget.verdict).toBe('too few runs to say');
  });

  it('takes the pair of conditions that has enough learned runs: pairs, when SUM alone is not learned in full', () => {
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), regime: 'full', accuracy: 0.1 }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), regime: 'full' }),
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), regime: 'pairs' }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), regime: 'pairs' }),
      ...runs(4, { tasks: ['SUM', 'FIRST'], lost: leaning(0.2), regime: 'full' }),
    ]);
    expect(finding.verdict).toBe('supported');
    expect(finding.reason).toContain('regime pairs');
  });
});

describe('other findings', () => {
  const result = ablation.combine(
    [
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), accuracy: 0.1, regime: 'full' }),
      ...runs(6, {
        tasks: MIXED,
        lost: (method) => leaning(method === 'random' ? 0.1 : 0.5)(),
        regime: 'full',
      }),
    ],
    {},
  );
  const all = ablation.findings(result);

  it('carry no verdict and no claim, and every p is adjusted', () => {
    expect(all.slice(1).every(({ verdict, claim }) => verdict === undefined && claim === undefined)).toBe(
      true,
    );
    expect(all.slice(1).every(({ p, pAdjusted }) => p === undefined || (pAdjusted ?? -1) >= p)).toBe(true);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('say that a condition has not learned SUM, with its accuracy, and nothing else of it', () => {
    const own = all.filter(({ statement }) => statement.startsWith('SUM, full'));
    expect(own.map(({ statement }) => statement)).toEqual([
      'SUM, full: has not learned SUM (accuracy 0.100)',
    ]);
    expect(own[0].estimate).toBeCloseTo(0.1, 9);
  });

  it('tell real damage from a disturbance of equal size', () => {
    const specific = all.find(({ id }) => id === 'specific-feed-forward/MAX+MED+SUM, full');
    expect(specific?.estimate).toBeCloseTo(0.4, 1);
    expect(specific?.p).toBeLessThan(1e-4);
    const attention = all.find(({ id }) => id === 'specific-attention/MAX+MED+SUM, full');
    expect(Math.abs(Number(attention?.estimate))).toBeLessThan(0.03);
  });

  it('uses only the last step of a run', () => {
    const entries = runs(2, { tasks: MIXED, lost: leaning(0.5) });
    const early = { ...entries[0], subject: { ...entries[0].subject, id: 'early', step: -1 } };
    expect(ablation.combine([...entries, early], {}).seeds.map(({ id }) => id)).not.toContain('early');
  });
});
