/** The ablation probe on models set by hand: every drop is known in closed form. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { EffectKey } from '../../../probes/ablation/treatments.js';
import { DOSES } from '../../../probes/ablation/dose.js';
import { ablation } from '../../../probes/ablation/index.js';
import { decideClaims } from '../../../src/evidence/decide.js';
import { evidenceOf } from '../../../src/evidence/evidence.js';
import { moduleFindings } from '../../../src/evidence/findings.js';
import { isWithin, type Scope } from '../../../src/evidence/scope.js';
import { infoOf, observe } from '../../../src/evidence/statistic.js';
import { VERDICT } from '../../../src/evidence/verdict.js';
import type { Engine } from '../../../src/engine/engine.js';
import {
  type MeasuredAblation,
  measureOn,
  subjectFor,
  testEngine,
  withRows,
} from '../../helpers/measure-ablation.js';
import { rowsOf } from '../../helpers/rows.js';
import {
  PLANTED,
  type PlantedModel,
  logitPerUnit,
  plantedCopier,
  plantedLookup,
  plantedPairTable,
} from '../../helpers/planted-models.js';

const { V, G, MODULUS } = PLANTED;
/** With fewer prompts than C4 asks for. */
const COARSE = 'resample, coarse';
let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

/** Measured rise of the loss in one cell. */
function drop(m: MeasuredAblation, cell: string, key: Partial<EffectKey>): number {
  const wanted = { site: 'all positions', effect: 'total', ...key };
  const row = m.effects.findIndex((effect) =>
    Object.entries(wanted).every(([field, value]) => effect[field as keyof EffectKey] === value),
  );
  if (row < 0) throw new Error(`no effect ${JSON.stringify(wanted)}`);
  return m.deltaNats[row * m.cells.length + m.cells.indexOf(cell)];
}

/** One number that the statistics read off. */
function numberOf(m: MeasuredAblation, id: string, scope: Scope = {}): number | undefined {
  return m.rows.find((row) => row.statistic === id && isWithin(row.scope ?? {}, scope))?.value;
}

/** The table of one run. */
function tableOf({ config }: PlantedModel, m: MeasuredAblation) {
  const subject = subjectFor(config, 'planted', m.learned[0].accuracy);
  const statistics = new Map(ablation.statistics.map((one) => [`ablation/${one.id}`, infoOf(one)]));
  return evidenceOf([subject], observe('ablation', ablation.statistics, subject.id, m), statistics);
}

function clean(m: MeasuredAblation, cell: string): number {
  return m.clean.nats[m.cells.indexOf(cell)];
}

/** Loss when the right token stands `delta` above all others. */
const lossOf = (delta: number): number => Math.log1p((V - 1) * Math.exp(-delta));

describe('a copier: attention carries everything', () => {
  let m: MeasuredAblation;
  let planted: PlantedModel;
  const rest = { sum: 2, squares: 2 };
  let delta: number;
  beforeAll(() => {
    planted = plantedCopier();
    m = measureOn(engine, planted);
    delta = G * logitPerUnit(planted.gpt.dModel, rest, [G]);
  });

  it('is intact with the loss that its weights give', () => {
    expect(clean(m, 'FIRST result')).toBeCloseTo(lossOf(delta), 5);
    expect(m.learned).toEqual([{ operation: 'FIRST', accuracy: 1, prompts: 1100, enumerated: true }]);
  });

  it('loses ln V without attention, and exactly the logit gap to the donor under resample', () => {
    for (const component of ['attention', 'attention 0', 'head 0.0']) {
      expect(drop(m, 'FIRST result', { component, method: 'zero' })).toBeCloseTo(
        Math.log(V) - lossOf(delta),
        4,
      );
      expect(drop(m, 'FIRST result', { component, method: 'resample' })).toBeCloseTo(delta, 4);
      expect(drop(m, 'FIRST result', { component, method: 'resample', effect: 'direct' })).toBeCloseTo(
        delta,
        4,
      );
    }
  });

  it('loses it at the result-predicting position and nothing at operands and brackets', () => {
    const at = (site: string) =>
      drop(m, 'FIRST result', { component: 'attention', method: 'resample', site });
    expect(at('result-predicting position')).toBeCloseTo(delta, 4);
    expect(at('operand and bracket positions')).toBe(0);
  });

  it('loses nothing with the feed-forward layer, whatever takes its place', () => {
    for (const method of ['zero', 'mean', 'resample', 'random'] as const) {
      for (const component of ['feed-forward', 'feed-forward 0']) {
        expect(drop(m, 'FIRST result', { component, method })).toBe(0);
      }
    }
  });

  it('loses nothing when the pattern is frozen: it always looks at the same place', () => {
    expect(drop(m, 'FIRST result', { component: 'attention', method: 'pattern mean' })).toBeCloseTo(0, 6);
  });

  it('has the dose curve of two competing logits', () => {
    const curve = m.dose[0].curves.find(({ kind, method }) => kind === 'attention' && method === 'resample');
    const expected = DOSES.map((alpha) => {
      const unit = logitPerUnit(planted.gpt.dModel, rest, [(1 - alpha) * G, alpha * G]);
      const own = (1 - alpha) * G * unit;
      return Math.log1p(Math.exp(alpha * G * unit - own) + (V - 2) * Math.exp(-own));
    });
    DOSES.forEach((dose, i) => expect(curve?.nats[curve.doses.indexOf(dose)]).toBeCloseTo(expected[i], 4));
    expect(m.dose[0].constantNats).toBeCloseTo(Math.log(MODULUS), 8);
  });

  it('is found to lean on attention', () => {
    const area = numberOf(m, 'area', { part: 'attention' }) ?? 0;
    expect(numberOf(m, 'area', { part: 'feed-forward' })).toBe(0);
    expect(numberOf(m, 'share', { method: 'resample' })).toBeCloseTo(0.01 / (area + 0.02), 8);
    expect(numberOf(m, 'share', { method: 'resample' })).toBeLessThan(0.03);
  });

  it('loses half of its answers where two logits meet, and without feed-forward never: no half-dose difference', () => {
    // below one half the own number stands above the donor's, above it below: the crossing lies next to 1/2
    const half = numberOf(m, 'half-dose-of-part', { part: 'attention', method: COARSE });
    expect(half).toBeGreaterThan(-1.5);
    expect(half).toBeLessThanOrEqual(-0.5);
    expect(numberOf(m, 'half-dose-of-part', { part: 'feed-forward' })).toBeUndefined();
    expect(numberOf(m, 'half-dose-accuracy')).toBeUndefined();
    const along = (dose: number) => numberOf(m, 'dose-accuracy', { part: 'attention', dose });
    expect([along(2 ** -8), along(1 / 4), along(1)]).toEqual([1, 1, 0]);
  });
});

describe('a look-up: the feed-forward layer carries everything', () => {
  let m: MeasuredAblation;
  let planted: PlantedModel;
  let delta: number;
  beforeAll(() => {
    planted = plantedLookup();
    m = measureOn(engine, planted);
    delta = G * logitPerUnit(planted.gpt.dModel, { sum: 2, squares: 2 }, [G]);
  });

  it('loses exactly 0 nats without attention, under every method', () => {
    for (const method of ['zero', 'mean', 'resample', 'random'] as const) {
      for (const cell of ['SUM result', 'SUM format']) {
        expect(drop(m, cell, { component: 'attention', method })).toBe(0);
      }
    }
  });

  it('loses ln V on the format without the feed-forward layer', () => {
    expect(clean(m, 'SUM format')).toBeCloseTo(lossOf(delta), 5);
    expect(drop(m, 'SUM format', { component: 'feed-forward', method: 'zero' })).toBeCloseTo(
      Math.log(V) - lossOf(delta),
      4,
    );
  });

  it('loses nothing under mean and resample: the write is constant over prompts', () => {
    for (const method of ['mean', 'resample'] as const) {
      expect(drop(m, 'SUM format', { component: 'feed-forward', method })).toBeCloseTo(0, 6);
      expect(drop(m, 'SUM result', { component: 'feed-forward', method })).toBeCloseTo(0, 6);
    }
  });

  it('gains on results without its constant guess, and the gain is printed unclipped', () => {
    const right = clean(m, 'SUM result');
    const measuredDrop = drop(m, 'SUM result', { component: 'feed-forward', method: 'zero' });
    expect(measuredDrop).toBeCloseTo(Math.log(V) - right, 4);
    expect(measuredDrop).toBeLessThan(0);
  });

  it('has not learned SUM', () => {
    expect(m.learned[0].accuracy).toBeCloseTo(0.1, 2);
  });

  it('has nothing to lose: no dose curve, no p value, no verdict', () => {
    const table = tableOf(planted, m);
    const ids = new Set(table.observations.map(({ statistic }) => statistic.slice('ablation/'.length)));
    for (const id of ['half-dose-accuracy', 'share', 'specific', 'dose-accuracy', 'area', 'freeze']) {
      expect(ids.has(id), id).toBe(false);
    }
    expect(numberOf(m, 'clean-loss')).toBeCloseTo(clean(m, 'SUM result'), 8);
    const findings = moduleFindings(table, [...table.statistics.keys()], {
      sideBySide: true,
      learnedAccuracy: 0.99,
    });
    expect(findings.length).toBeGreaterThan(0);
    expect(findings.every(({ p }) => p === undefined)).toBe(true);
    expect(decideClaims(table).find(({ part }) => part === 'C4')?.verdict).toBe(VERDICT.tooFew);
  });
});

describe('a table of pairs: attention gathers, the feed-forward layer looks up', () => {
  let m: MeasuredAblation;
  let planted: ReturnType<typeof plantedPairTable>;
  let gaps: { different: number; same: number };
  beforeAll(() => {
    planted = plantedPairTable();
    m = measureOn(engine, planted);
    const gap = (rest: { sum: number; squares: number }) => G * logitPerUnit(planted.gpt.dModel, rest, [G]);
    gaps = { different: gap(planted.differentOperands), same: gap(planted.sameOperands) };
  });

  it('knows every sum, with the loss that its weights give', () => {
    expect(m.learned).toEqual([{ operation: 'SUM', accuracy: 1, prompts: 100, enumerated: true }]);
    expect(clean(m, 'SUM result')).toBeCloseTo(0.9 * lossOf(gaps.different) + 0.1 * lossOf(gaps.same), 5);
    expect(m.freeRunning[0]).toMatchObject({ component: 'none', exact: 1 });
  });

  it('loses the same gap by resampling either kind at full dose', () => {
    const expected = 0.9 * gaps.different + 0.1 * gaps.same;
    expect(drop(m, 'SUM result', { component: 'attention', method: 'resample' })).toBeCloseTo(expected, 4);
    expect(drop(m, 'SUM result', { component: 'feed-forward', method: 'resample' })).toBeCloseTo(expected, 4);
  });

  it('loses ln V by zeroing either kind', () => {
    const expected = Math.log(V) - clean(m, 'SUM result');
    expect(drop(m, 'SUM result', { component: 'attention', method: 'zero' })).toBeCloseTo(expected, 4);
    expect(drop(m, 'SUM result', { component: 'feed-forward', method: 'zero' })).toBeCloseTo(expected, 4);
  });

  it('loses nothing directly by attention: all of it passes through the feed-forward layer', () => {
    // only LayerNorm sees the operands that stay behind
    expect(
      Math.abs(drop(m, 'SUM result', { component: 'attention', method: 'resample', effect: 'direct' })),
    ).toBeLessThan(0.01);
  });

  it('has the feed-forward dose curve of two competing logits', () => {
    const curve = m.dose[0].curves.find(
      ({ kind, method }) => kind === 'feed-forward' && method === 'resample',
    );
    const loss = (rest: { sum: number; squares: number }, alpha: number): number => {
      const unit = logitPerUnit(planted.gpt.dModel, rest, [(1 - alpha) * G, alpha * G]);
      const own = (1 - alpha) * G * unit;
      return Math.log1p(Math.exp(alpha * G * unit - own) + (V - 2) * Math.exp(-own));
    };
    DOSES.forEach((alpha) =>
      expect(curve?.nats[curve.doses.indexOf(alpha)]).toBeCloseTo(
        0.9 * loss(planted.differentOperands, alpha) + 0.1 * loss(planted.sameOperands, alpha),
        4,
      ),
    );
  });

  it('stands more in its feed-forward writes: a pair is recognised by whole operands only', () => {
    const half = (part: string) => numberOf(m, 'half-dose-of-part', { part, method: COARSE }) ?? NaN;
    // two logits meet at dose 1/2
    expect(half('feed-forward')).toBeGreaterThan(-1.5);
    expect(half('feed-forward')).toBeLessThanOrEqual(-0.5);
    // a neuron is silent once its operands fall below its threshold, which lies above the half
    expect(half('attention')).toBeLessThan(-1.5);
    const h = numberOf(m, 'half-dose-accuracy', { operation: 'SUM', method: COARSE });
    expect(h).toBeCloseTo(half('feed-forward') - half('attention'), 8);
    expect(h).toBeGreaterThan(1);
  });

  it('has half doses of another name with fewer prompts or doses than those of C4, and no claim counts them', () => {
    const methods = (own: MeasuredAblation) =>
      rowsOf(own, 'half-dose-accuracy').map(({ scope }) => scope?.method ?? '');
    expect(methods(m)).toContain('resample, coarse');
    expect(methods(measureOn(engine, planted, 256))).toContain('resample');
    const series = measureOn(engine, planted, 256, 1);
    expect(methods(series)).toContain('resample, coarse');
    const doses = series.dose[0].curves.find(
      ({ kind, method }) => kind === 'attention' && method === 'random',
    )?.doses;
    expect(doses?.filter((dose) => dose < 1 / 8)).toEqual([1 / 256, 1 / 128, 1 / 64, 1 / 32, 1 / 16]);
  });

  it('is usable for C4, and one run of one condition is too few', () => {
    const whole = withRows({ ...m, asked: { promptsPerTemplate: 256, dosesPerOctave: 2 } });
    const table = tableOf(planted, whole);
    expect(table.conditions[0].side).toBe('SUM-only');
    expect(decideClaims(table).find(({ part }) => part === 'C4')).toMatchObject({ verdict: VERDICT.tooFew });
  });
});
