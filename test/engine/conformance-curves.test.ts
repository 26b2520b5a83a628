/**
 * Loss curves of 100 steps: every engine stays within three times the greatest distance from the reference that
 * fixtures/measure-curves.mjs found over five seeds, and so does the double build, around which they scatter.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { KernelModel } from '../../src/engine/kernels/model.js';
import { openEngine } from '../../src/engine/registry.js';
import { ENGINE_NAMES } from '../../src/engine/engine.js';
import { initialParameters } from '../../src/model/init.js';
import { CURVE, curveOf, distance, REFERENCE_ENGINE } from './conformance.js';
import { describeNeeding } from '../helpers/needs.js';
import { describeEngines, isRequired, openDoubleBuild, missingEngine } from './engines.js';

interface CurveFixture {
  readonly reference: string;
  readonly steps: number;
  /** greatest difference of a loss in nats from the reference's, by seed */
  readonly greatest: Readonly<Record<string, readonly number[]>>;
}

const { greatest, reference, steps } = JSON.parse(
  readFileSync(new URL('fixtures/curves.json', import.meta.url), 'utf8'),
) as CurveFixture;
const BOUND = 3 * Math.max(...ENGINE_NAMES.flatMap((name) => greatest[name] ?? []));
const seeds = Array.from({ length: CURVE.seeds }, (_, seed) => seed);

const curves = new Map<number, readonly number[]>();
/** The reference's curve of a seed, computed once. */
async function referenceCurve(seed: number): Promise<readonly number[]> {
  const known = curves.get(seed);
  if (known !== undefined) return known;
  const { engine } = await openEngine(REFERENCE_ENGINE, { threads: 1 });
  const curve = curveOf(engine.createModel(CURVE.config, { seed }, 'train'), seed);
  engine.dispose();
  curves.set(seed, curve);
  return curve;
}

it('the fixture was measured with this reference, this many steps, and every engine', () => {
  expect({ reference, steps }).toEqual({ reference: REFERENCE_ENGINE, steps: CURVE.steps });
  for (const name of ENGINE_NAMES) expect(greatest[name]).toHaveLength(CURVE.seeds);
  // rounding, amplified by training: neither nothing nor another computation
  expect(BOUND).toBeGreaterThan(1e-7);
  expect(BOUND).toBeLessThan(1e-3);
});

describeNeeding(missingEngine(REFERENCE_ENGINE), `curves against ${REFERENCE_ENGINE}`, () => {
  describeEngines(
    'loss curves',
    (under) => {
      it.each(seeds)('seed %d: every loss is within the bound', async (seed) => {
        const expected = await referenceCurve(seed);
        const found = curveOf(under.engine.createModel(CURVE.config, { seed }, 'train'), seed);
        expect(distance(found, expected)).toBeLessThanOrEqual(BOUND);
        // it has learned: the distance is not that of two curves that stand still
        expect(found[CURVE.steps - 1]).toBeLessThan(0.7 * found[0]);
      });
    },
    ENGINE_NAMES.filter((name) => name !== REFERENCE_ENGINE),
  );

  it.each(seeds)('seed %d: the double build lies within the bound too', async (seed) => {
    const module = await openDoubleBuild();
    if (typeof module === 'string') {
      if (isRequired('native')) throw new Error(module);
      return;
    }
    const parameters = Float64Array.from(initialParameters(CURVE.config, seed));
    const model = new KernelModel(module, CURVE.config, { parameters }, 'train');
    expect(distance(curveOf(model, seed), await referenceCurve(seed))).toBeLessThanOrEqual(BOUND);
  });
});
