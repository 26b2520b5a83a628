/** The ablation probe on models set by hand: every drop is known in closed form. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ablation } from '../../probes/ablation.js';
import type { AblationMeasurement, EffectKey } from '../../probes/ablation/measurement.js';
import { DOSES } from '../../src/analysis/dose.js';
import type { Engine } from '../../src/engine/engine.js';
import { measureOn, subjectFor, testEngine } from '../helpers/measure-ablation.js';
import {
  PLANTED,
  type PlantedModel,
  logitPerUnit,
  plantedCopier,
  plantedLookup,
  plantedPairTable,
} from '../helpers/planted-models.js';

const { V, G, MODULUS } = PLANTED;
let engine: Engine;
beforeAll(async () => {
  engine = await testEngine();
});

/** Measured rise of the loss in one cell. */
function drop(m: AblationMeasurement, cell: string, key: Partial<EffectKey>): number {
  const wanted = { site: 'all positions', effect: 'total', ...key };
  const row = m.effects.findIndex((effect) =>
    Object.entries(wanted).every(([field, value]) => effect[field as keyof EffectKey] === value),
  );
  if (row < 0) throw new Error(`no effect ${JSON.stringify(wanted)}`);
  return Number(m.deltaNats.data[row * m.cells.length + m.cells.indexOf(cell)]);
}

function clean(m: AblationMeasurement, cell: string): number {
  return Number(m.clean.nats.data[m.cells.indexOf(cell)]);
}

/** Loss when the right token stands `delta` above all others. */
const lossOf = (delta: number): number => Math.log1p((V - 1) * Math.exp(-delta));

describe('a copier: attention carries everything', () => {
  let m: AblationMeasurement;
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
    DOSES.forEach((_, i) => expect(curve?.nats[i]).toBeCloseTo(expected[i], 4));
    expect(m.dose[0].constantNats).toBeCloseTo(Math.log(MODULUS), 8);
  });

  it('is found to lean on attention', () => {
    const result = ablation.combine([measured(planted, m)], {});
    const dose = result.seeds[0].doses.find(({ method }) => method === 'resample');
    expect(dose?.area.feedForward).toBe(0);
    expect(dose?.share).toBeCloseTo(0.01 / ((dose?.area.attention ?? 0) + 0.02), 5);
    expect(dose?.share).toBeLessThan(0.03);
  });
});

describe('a look-up: the feed-forward layer carries everything', () => {
  let m: AblationMeasurement;
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

  it('gives no finding but that it has not learned, and no p value', () => {
    const [claim, ...others] = ablation.findings(ablation.combine([measured(planted, m)], {}));
    expect(claim.verdict).toBe('too few runs to say');
    expect(others.map(({ statement }) => statement)).toEqual([
      'SUM, full: has not learned SUM (accuracy 0.100)',
    ]);
    expect(others.every(({ p }) => p === undefined)).toBe(true);
  });
});

describe('a table of pairs: attention gathers, the feed-forward layer looks up', () => {
  let m: AblationMeasurement;
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
    DOSES.forEach((alpha, i) =>
      expect(curve?.nats[i]).toBeCloseTo(
        0.9 * loss(planted.differentOperands, alpha) + 0.1 * loss(planted.sameOperands, alpha),
        4,
      ),
    );
  });

  it('is usable for C4, and one run of one condition is too few', () => {
    const result = ablation.combine([measured(planted, m)], {});
    expect(result.seeds[0]).toMatchObject({ usable: true, accuracy: 1 });
    expect(result.conditions[0].side).toBe('SUM-only');
    expect(ablation.findings(result)[0]).toMatchObject({ claim: 'C4', verdict: 'too few runs to say' });
  });
});

function measured({ config }: PlantedModel, measurement: AblationMeasurement) {
  return { subject: subjectFor(config, 'planted', measurement.learned[0].accuracy), config, measurement };
}
