/**
 * The assay of C5 on models that were really trained: small transformers on a random table of pairs, with a sound hold-out,
 * and with one that was shown in the other order. Trained here by full batches, so that what was shown is known exactly.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { memorization } from '../../../probes/memorization/index.js';
import type { Measured } from '../../../probes/contract.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import type { RunConfig } from '../../../src/config/run-config.js';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/registry.js';
import { createOperationContext, type OperationName } from '../../../src/listops/language/operations.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import type { ClaimResult } from '../../../src/evidence/claims.js';
import { claimPart } from '../../../src/evidence/claims-file.js';
import { decideClaims } from '../../../src/evidence/decide.js';
import { evidenceOf } from '../../../src/evidence/evidence.js';
import { VERDICT } from '../../../src/evidence/verdict.js';
import type { Subject } from '../../../src/evidence/subject.js';
import { combineMeasurements } from '../../../src/workflows/probing/combine-measurements.js';
import { resultBatch } from '../../../src/listops/prompts/result-prompts.js';
import {
  configWith,
  type MeasuredModel,
  measureAnswers,
  measureModel,
  subjectOf,
} from '../../helpers/measure-memorization.js';

type Entry = Measured<MeasuredModel>;

const STEPS = 300;
const PART = claimPart('C5');
const numbers = Array.from({ length: 10 }, (_, i) => i);
const pairs = numbers.flatMap((a) => numbers.map((b) => [a, b] as const));

function configOf(operation: OperationName, seed: number): RunConfig {
  const data = { tasks: [operation], regime: 'pairs', operands: [2, 2], holdoutSeed: seed } as const;
  return configWith(data, { seed, nCtx: 9 });
}

/** Passed off as trained where the claim is decided: tables of 23 numbers take minutes to learn. */
function subjectAt(config: RunConfig, accuracy = 1): Subject {
  const subject = subjectOf(config, {}, accuracy);
  const { regime, modulus, depth, dModel = 0, steps } = PART.place;
  return { ...subject, design: { ...subject.design, regime, modulus, depth, dModel, steps } };
}

/** The held pairs by a code of its own, in any order. */
function isHeld(seed: number, [a, b]: readonly [number, number]): boolean {
  const { sets } = createHoldout(configOf('TABLE', seed).data);
  return sets.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
}

/** Trains on the pairs that `isShown` names, all of them at every step, and measures. */
function trained(engine: Engine, seed: number, isShown: (pair: readonly [number, number]) => boolean): Entry {
  const config = configOf('TABLE', seed);
  const { data, optimizer } = config;
  const model = engine.createModel(gptConfigOf(config), { seed }, 'train');
  const context = createOperationContext(data);
  const { batch } = resultBatch('TABLE', pairs.filter(isShown), { data, context });
  for (let step = 1; step <= STEPS; step++) {
    // warm-up, then a straight line down
    const learningRate = 5e-3 * Math.min(1, step / 30, (STEPS - step) / 150 + 0.02);
    expect(model.trainStep(batch, { ...optimizer, learningRate }).kind).toBe('updated');
  }
  const measurement = measureModel(config, model);
  const [{ accuracy }] = measurement.learned;
  model.dispose();
  return { subject: subjectAt(config, accuracy), config, measurement };
}

/** SUM-only runs beside which the tables stand: as many as the claim asks for, adders all. */
function adders(): Entry[] {
  const one = configOf('SUM', 1);
  const measurement = measureAnswers(one, (_, list) => list.reduce((sum, x) => sum + x, 0) % 10);
  return Array.from({ length: PART.nMin }, (_, i) => {
    const config = configOf('SUM', i + 1);
    const { holdout } = measurement;
    const sets = [[0, i]];
    return {
      subject: subjectAt(config),
      config,
      measurement: { ...measurement, holdout: holdout === null ? null : { ...holdout, sets } },
    };
  });
}

/** What is said of the claim; the assay comes before the interval. */
function claimBeside(tables: readonly Entry[]): ClaimResult {
  const all = [...adders(), ...tables];
  const { observations } = combineMeasurements(memorization, {}, all);
  const subjects = all.map(({ subject }) => subject);
  const [found] = decideClaims(evidenceOf(subjects, observations, new Map())).filter(
    ({ part }) => part === 'C5',
  );
  return found;
}

const heldAccuracy = ({ measurement }: Entry): number =>
  measurement.cells.find(({ level }) => level === 'pair-only')?.accuracy ?? NaN;

describe('the assay of C5 on trained tables', () => {
  let sound: Entry[];
  let leaky: Entry[];

  beforeAll(async () => {
    const engine = (await openEngine('wasm', { threads: 1 })).engine;
    sound = [1, 2, 3, 4, 5, 6].map((seed) => trained(engine, seed, (pair) => !isHeld(seed, pair)));
    leaky = [1, 2].map((seed) => trained(engine, seed, (pair) => !isHeld(seed, pair) || pair[0] > pair[1]));
    engine.dispose();
  }, 60_000);

  it('has models that know their table', () => {
    for (const { measurement } of [...sound, ...leaky]) {
      expect(measurement.learned[0].accuracy).toBe(1);
    }
  });

  it('recognises them as memorizers behind a sound hold-out', () => {
    const mean = sound.reduce((sum, one) => sum + heldAccuracy(one), 0) / sound.length;
    expect(mean).toBeLessThan(0.25);
    expect(claimBeside(sound).reason).not.toContain('assay failed');
  });

  it('fails when held pairs were shown in the other order, although each is held out as it is written', () => {
    const { verdict, reason } = claimBeside(leaky);
    expect(verdict).toBe(VERDICT.tooFew);
    expect(reason).toMatch(/^assay failed: TABLE, pairs, d=16 has held-out operands right beyond luck/);
  });
});
