/** The parity probe on planted embeddings and models: what is planted must be found, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Measured } from '../../../probes/contract.js';
import { PROBES } from '../../../probes/index.js';
import { parityProbe } from '../../../probes/parity-probe/index.js';
import { tokenPart } from '../../../probes/parity-probe/measure.js';
import type { CellNumbers, ContextNumbers } from '../../../probes/parity-probe/context-probes.js';
import type { EmbeddingNumbers } from '../../../probes/parity-probe/measure.js';
import { labelsOf } from '../../../probes/parity-probe/token-probes.js';
import { newFitCounts } from '../../../src/analysis/classifiers/linear-probe.js';
import { type Matrix, matrix } from '../../../src/analysis/matrix.js';
import { stouffer } from '../../../src/analysis/statistics/multiple-testing.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import { resolveRunConfig } from '../../../src/config/parse.js';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/registry.js';
import type { ClaimResult } from '../../../src/evidence/claims.js';
import { decideClaims } from '../../../src/evidence/decide.js';
import { type Evidence, evidenceOf } from '../../../src/evidence/evidence.js';
import type { Finding } from '../../../src/evidence/finding.js';
import { moduleFindings } from '../../../src/evidence/findings.js';
import { summariesOf } from '../../../src/evidence/summaries.js';
import { VERDICT } from '../../../src/evidence/verdict.js';
import type { OperationName } from '../../../src/listops/language/operations.js';
import { vocabularyOf } from '../../../src/listops/language/tokenizer.js';
import { initialParameters } from '../../../src/model/init.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../../src/model/parameters.js';
import { countRows } from '../../../src/report/charts/common.js';
import { Rng } from '../../../src/tensor/rng.js';
import {
  type CombinedModule,
  combineMeasurements,
} from '../../../src/workflows/probing/combine-measurements.js';
import { resolveOptions } from '../../../src/workflows/probing/probe-plan.js';
import { type MadeSubject, madeConfig, madeSubject } from '../../helpers/made-subject.js';
import { type MeasuredParity, measureParity, withRows } from '../../helpers/measure-parity.js';
import { plantedPairTable } from '../../helpers/planted-models.js';
import { compileWarnings } from '../../report/compile.js';

const MIXED: readonly OperationName[] = ['MAX', 'MED', 'SUM'];
const SUM_ONLY: readonly OperationName[] = ['SUM'];
/** Where C3b is decided. */
const D = 48;

/** Noise with even and odd numbers `shift` standard deviations away from their middle. */
function embeddingOf(seed: number, shift: number, name: string, n = 10): Matrix {
  const rng = new Rng(seed, name);
  const direction = Float64Array.from({ length: D }, () => rng.normal());
  const norm = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  return matrix(
    n,
    D,
    Float64Array.from({ length: n * D }, (_, at) => {
      const sign = Math.floor(at / D) % 2 === 0 ? -1 : 1;
      return rng.normal() + (sign * shift * direction[at % D]) / norm;
    }),
  );
}

interface Plant extends MadeSubject {
  /** of even from odd numbers, in standard deviations of the noise */
  readonly shift: number;
}

/** The number embeddings as `measure` looks at them; equal ones once. */
const known = new Map<string, EmbeddingNumbers>();
function embeddingNumbers(plant: Plant, x: Matrix): EmbeddingNumbers {
  const key = x.data.join();
  const found = known.get(key) ?? lookedAt(plant, x);
  known.set(key, found);
  return found;
}

function lookedAt(plant: Plant, x: Matrix): EmbeddingNumbers {
  const config = madeConfig({ dModel: D, ...plant });
  const gpt = gptConfigOf(config);
  const parameters = initialParameters(gpt, config.seed);
  const first = vocabularyOf(config.data).firstNumber * D;
  parameterView(parameterTable(gpt), parameters, TOKEN_EMBEDDING).set(x.data, first);
  const subject = { subject: madeSubject(plant), config, parameters, untrainedParameters: parameters };
  return tokenPart(subject, 'trained', gpt, {
    options: { relabellings: 99, contextRelabellings: 99, valuePermutations: 99 },
    counts: newFitCounts(),
    rng: (test = 0) => new Rng(1, 'tokens', test),
    tick: () => undefined,
  });
}

/** One for all: no claim depends on it. */
const untrained = embeddingNumbers({ shift: 0 }, embeddingOf(1, 0, 'untrained'));

/** A run whose embeddings are planted and whose activations were not looked at. */
function measured(plant: Plant): Measured<MeasuredParity> {
  const { seed = 1, tasks = SUM_ONLY, shift, modulus = 10 } = plant;
  return {
    config: madeConfig({ dModel: D, ...plant }),
    subject: madeSubject({ dModel: D, ...plant }),
    measurement: withRows({
      n: modulus,
      sharedBlocks: false,
      embedding: embeddingNumbers(plant, embeddingOf(seed, shift, tasks.join(), modulus)),
      untrained,
      crossCheck: { program: 'another', agreement: 1, ownHeldOut: 1, otherHeldOut: 1 },
      context: null,
      lookAhead: [],
      causal: null,
      code: null,
      fits: { count: 10, notConverged: 0, mostIterations: 4 },
    }),
  };
}

const arm = (seeds: number, plant: Plant): Measured<MeasuredParity>[] =>
  Array.from({ length: seeds }, (_, i) => measured({ ...plant, seed: i + 1 }));

interface Together extends CombinedModule {
  readonly evidence: Evidence;
  readonly findings: readonly Finding[];
  readonly claims: readonly ClaimResult[];
}

/** As a report has it. */
function together(...arms: readonly Measured<MeasuredParity>[][]): Together {
  const combined = combineMeasurements(parityProbe, {}, arms.flat());
  const named = new Map(combined.statistics.map((info) => [`parity-probe/${info.id}`, info]));
  const subjects = arms.flat().map(({ subject }) => subject);
  const evidence = evidenceOf(subjects, combined.observations, named);
  const findings = moduleFindings(evidence, [...named.keys()], {
    sideBySide: false,
    learnedAccuracy: 0.99,
    further: combined.further,
  });
  return { ...combined, evidence, findings, claims: decideClaims(evidence) };
}

const part = ({ claims }: Together, id: string): ClaimResult => {
  const found = claims.filter((one) => one.part === id);
  expect(found).toHaveLength(1);
  return found[0];
};

describe('labelsOf', () => {
  it('divides the numbers as the names say, also when they are odd in number', () => {
    expect([...labelsOf('half', 10)]).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    expect([...labelsOf('half', 7)]).toEqual([1, 1, 1, 1, 0, 0, 0]);
    expect([...labelsOf('prime', 12)].flatMap((label, i) => (label === 1 ? [i] : []))).toEqual([
      2, 3, 5, 7, 11,
    ]);
    expect([...labelsOf('parity', 7)]).toEqual([0, 1, 0, 1, 0, 1, 0]);
  });
});

describe('parityProbe.isCompatible', () => {
  it('needs six numbers', () => {
    const of = (modulus: number) => parityProbe.isCompatible?.(resolveRunConfig({ data: { modulus } }));
    expect(of(6)).toBe(true);
    expect(of(5)).toBe('needs at least 6 numbers for a null of relabellings, and modulus 5 has 5');
  });
});

describe('parity power', () => {
  const powerOf = (shift: number): number[] =>
    arm(14, { shift }).flatMap(({ measurement: { embedding } }) =>
      'power' in embedding.power ? embedding.power.power : [],
    );
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;

  it('is about 0 in noise, and has no ceiling where the leave-pair-out score has one', () => {
    expect(Math.abs(mean(powerOf(0)))).toBeLessThan(0.1);
    // share = (signal + noise) / (signal + 9 noise), per number: shift^2 and 48 / 10
    const expected = (shift: number): number => {
      const [signal, noise] = [shift ** 2, D / 10];
      return Math.log2((9 * (signal + noise)) / (signal + 9 * noise));
    };
    expect(mean(powerOf(5))).toBeCloseTo(expected(5), 0);
    expect(mean(powerOf(12))).toBeCloseTo(expected(12), 1);
    expect(mean(powerOf(12))).toBeGreaterThan(mean(powerOf(5)) + 0.5);
  });

  it('is a row with its own null and the untrained model as control', () => {
    const run = measured({ shift: 12 });
    const rows = together([run]).observations.filter(({ statistic }) => statistic.endsWith('/parity-power'));
    expect(rows).toHaveLength(1);
    const [{ value, null: test, control }] = rows;
    expect(value).toBeGreaterThan(test?.high ?? Infinity);
    expect(test).toMatchObject({ mean: 0, p: 0.00793650794 });
    expect(control).toBe('power' in untrained.power ? untrained.power.power : NaN);
  });

  it('has no row for an odd number of numbers, and a finding says why', () => {
    const told = together(arm(2, { shift: 1, modulus: 7 }));
    expect(told.observations.some(({ statistic }) => statistic.endsWith('/parity-power'))).toBe(false);
    expect(told.observations.some(({ statistic }) => statistic.endsWith('/parity'))).toBe(true);
    const [finding] = told.findings.filter(({ id }) => id.startsWith('parity-power'));
    expect(finding.reason).toBe('7 is odd, so there is no frequency n/2');
    expect(finding.estimate).toBeUndefined();
    expect(finding.statement).toContain('parity power of 2 of 2 runs is not defined');
  });
});

describe('C3b from the table', () => {
  const strong = 12;
  const decided = (joint: number, alone: number, id: 'C3b1' | 'C3b2', seeds = 8): ClaimResult =>
    part(
      together(arm(seeds, { tasks: SUM_ONLY, shift: alone }), arm(seeds, { tasks: MIXED, shift: joint })),
      id,
    );

  it('is supported when mixed runs have parity and SUM-only runs have none', () => {
    const difference = decided(strong, 0, 'C3b2');
    expect(difference).toMatchObject({ verdict: VERDICT.supported, interim: true });
    expect(difference.estimate).toBeGreaterThan(1);
    expect(decided(strong, 0, 'C3b1').verdict).toBe(VERDICT.supported);
    // the planned number of seeds
    expect(decided(strong, 0, 'C3b2', 14)).toMatchObject({ verdict: VERDICT.supported, interim: false });
  });

  it('is not supported when both have it alike, also where the old score was at its ceiling', () => {
    for (const shift of [5, strong]) {
      expect(decided(shift, shift, 'C3b2').verdict, String(shift)).toBe(VERDICT.notSupported);
      expect(decided(shift, shift, 'C3b1').verdict, String(shift)).toBe(VERDICT.supported);
    }
  });

  it('is contradicted when SUM-only runs are the ones that have it', () => {
    expect(decided(0, strong, 'C3b2').verdict).toBe(VERDICT.contradicted);
  });

  it('needs six runs a condition that learned SUM at 0.99', () => {
    const alone = [
      ...arm(5, { tasks: SUM_ONLY, shift: 0 }),
      measured({ seed: 6, tasks: SUM_ONLY, shift: 0, accuracy: 0.98 }),
    ];
    const told = part(together(arm(6, { tasks: MIXED, shift: strong }), alone), 'C3b2');
    expect(told.verdict).toBe(VERDICT.tooFew);
    expect(told.reason).toContain('SUM-only has 5, 6 a condition needed');
    expect(told.notes.join()).toContain('left out: 1 of 6 SUM-only (seed 6)');
  });

  it('compares within one regime, and at the width that the claim names', () => {
    const alone = arm(6, { tasks: SUM_ONLY, shift: 0 });
    const full = part(together(alone, arm(6, { tasks: MIXED, shift: strong, regime: 'full' })), 'C3b2');
    expect(full.verdict).toBe(VERDICT.tooFew);
    const narrow = [SUM_ONLY, MIXED].map((tasks) =>
      arm(6, { tasks, shift: 0 }).map((one, i) => ({
        ...one,
        subject: madeSubject({ tasks, seed: i + 1, dModel: 16 }),
      })),
    );
    expect(part(together(...narrow), 'C3b2').verdict).toBe(VERDICT.tooFew);
  });

  it('does not depend on the order of the measurements', () => {
    const all = [...arm(2, { tasks: SUM_ONLY, shift: 0 }), ...arm(2, { tasks: MIXED, shift: strong })];
    const words = (one: Together): string => JSON.stringify([one.observations, one.findings, one.charts]);
    expect(words(together(all.toReversed()))).toBe(words(together(all)));
  });
});

describe('options', () => {
  it('cost less for many steps of a run, and have a range', () => {
    const module = PROBES.find(({ name }) => name === parityProbe.name);
    if (module === undefined) throw new Error('parity-probe is not listed');
    const series = resolveOptions(module, {}, true);
    const once = resolveOptions(module);
    for (const name of Object.keys(parityProbe.options ?? {})) {
      // the last layer alone, in a series too; 0: none
      if (name === 'codeStages') continue;
      expect(series[name], name).toBeLessThan(Number(once[name]));
      expect(() => resolveOptions(module, { [name]: 0 }), name).toThrow(/a whole number from 1 to 10+/);
    }
    expect(once['relabellings']).toBe(9999);
  });
});

describe('findings', () => {
  const mean = ({ findings }: Together, id: string): Finding | undefined =>
    findings.find((one) => one.id.startsWith(`mean/${id}/`));

  it('join seeds by the mid-p of the value test', () => {
    const runs = arm(2, { tasks: ['MAX', 'MED'], shift: 0 });
    const midPs = runs.map(({ measurement }) => measurement.embedding.value.midP);
    expect(mean(together(runs), 'value')?.p).toBeCloseTo(stouffer(midPs).p, 8);
    expect(mean(together(runs.slice(1)), 'value')?.p).toBe(runs[1].measurement.embedding.value.p);
  });

  it('take the mean of its relabellings off every labelling, and of the untrained model as control', () => {
    const [run] = arm(1, { shift: 4 });
    const { embedding } = run.measurement;
    for (const name of ['parity', 'half', 'residue3', 'prime'] as const) {
      const own = embedding[name];
      expect(mean(together([run]), name)).toMatchObject({ p: own.p, unit: '1' });
      expect(mean(together([run]), name)?.estimate).toBeCloseTo(own.share - own.nullMean, 8);
    }
    const gained = embedding.parity.share - embedding.parity.nullMean;
    const before = untrained.parity.share - untrained.parity.nullMean;
    expect(mean(together([run]), 'parity-trained')?.estimate).toBeCloseTo(gained - before, 8);
  });

  it('are called significant in at most the binomial 99 % of single runs on noise', () => {
    const runs = 100;
    let significant = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const { findings } = together([measured({ seed, tasks: ['MAX', 'MED'], shift: 0 })]);
      if (findings.some(({ pAdjusted }) => pAdjusted !== undefined && pAdjusted <= 0.05)) significant++;
    }
    // 11 of 100 at level 0.05
    expect(significant).toBeLessThanOrEqual(11);
    // three times what is needed when other work takes the cores
  }, 180_000);
});

describe('a whole measurement', () => {
  let engine: Engine;
  let measurement: MeasuredParity;
  const options = {
    relabellings: 99,
    contextRelabellings: 99,
    valuePermutations: 99,
    prompts: 90,
    controlDraws: 2,
    codeStages: 1,
    codeLabellings: 2,
  };
  const planted = plantedPairTable();

  const measure = (): MeasuredParity => {
    const { config, gpt, parameters } = planted;
    const model = engine.createModel(gpt, { parameters }, 'inference');
    const subject = {
      subject: madeSubject({}),
      config,
      parameters,
      untrainedParameters: initialParameters(gptConfigOf(config), config.seed),
    };
    try {
      return measureParity(subject, options, {
        engine,
        model,
        rng: (index = 0) => new Rng(config.seed, 'probe:parity-probe', index),
        progress: () => undefined,
      });
    } finally {
      model.dispose();
    }
  };

  beforeAll(async () => {
    ({ engine } = await openEngine('wasm', { threads: 1 }));
    measurement = measure();
  });
  afterAll(() => engine.dispose());

  /** The planted model passed off as these runs. */
  const runs = (...all: readonly MadeSubject[]): Measured<MeasuredParity>[] =>
    all.map((made) => ({ subject: madeSubject(made), config: planted.config, measurement }));

  it('reads the result of a planted table where it is predicted, after the last layer and not before the first', () => {
    const { context } = measurement;
    if (context === null) throw new Error('no prompts');
    const at = context.positions.findIndex(({ label }) => label === 'result, predicted here');
    const own = context.cells.filter(({ position }) => position === at);
    const last = context.moduli.length - 1;
    expect(own[0].accuracy[last]).toBeLessThan(0.3);
    expect(own[own.length - 1].accuracy[last]).toBeGreaterThan(0.8);
    const controls = context.untrained.filter(({ position }) => position === at);
    expect(controls).toHaveLength(own.length);
    for (const control of controls) expect(control.accuracy[last]).toBeLessThan(0.35);
  });

  it('asks untrained weights the same everywhere, and strict parity wherever activations differ by value', () => {
    const { context } = measurement;
    const placeOf = ({ stage, position }: CellNumbers): string => `${stage} ${position}`;
    expect(context?.untrained.map(placeOf)).toEqual(context?.cells.map(placeOf));
    expect(context?.bag.map(placeOf)).toEqual(context?.positions.map((_, position) => `0 ${position}`));
    const asked = context?.cells.filter(({ strict }) => strict !== null) ?? [];
    // before the first layer a bracket and the arrow are the same in every prompt
    const blind = context?.cells.filter(({ strict }) => strict === null) ?? [];
    const names = new Set(blind.map(({ position }) => context?.positions[position].name));
    expect([...names]).toEqual([')', '>']);
    expect(blind.every(({ stage }) => stage === 0)).toBe(true);
    for (const { strict } of asked) expect(strict).toMatchObject({ exact: true, relabellings: 126 });
  });

  it('passes its positive control: a result token says its own value', () => {
    const { context } = measurement;
    const control = context?.cells.filter(({ position }) => position === context.positions.length - 1) ?? [];
    expect(control[0].accuracy.every((accuracy) => accuracy > 0.95)).toBe(true);
  });

  it('converges in every fit and gives plain JSON, the same twice', () => {
    expect(measurement.fits.notConverged).toBe(0);
    expect(measurement.fits.count).toBeGreaterThan(1000);
    expect(JSON.stringify(measure())).toBe(JSON.stringify(measurement));
  });

  it('takes the direction out: intact answers are right, moves of the embeddings cost something', () => {
    const { causal } = measurement;
    expect(causal?.intact?.accuracy).toBe(1);
    expect(causal?.removedShare).toBeGreaterThan(0);
    expect(causal?.parity?.lossNats).toBeGreaterThan(causal?.intact?.lossNats ?? Infinity);
  });

  it('says where the result is readable, by template, layer, position and divisor', () => {
    const { evidence, findings } = together(runs({ seed: 1 }, { seed: 2 }));
    const context = measurement.context as ContextNumbers;
    const last = context.stages.length - 1;
    const readout = summariesOf(evidence, 'parity-probe/readout');
    const found = (layer: number, divisor: number): number | undefined =>
      readout.find(
        ({ scope }) =>
          scope.part === 'feed-forward' &&
          scope.layer === layer &&
          scope.position === '>' &&
          scope.divisor === divisor,
      )?.mean;
    const at = context.positions.findIndex(({ kind }) => kind === 'predicted');
    const cell = context.cells.find(({ stage, position }) => stage === last && position === at);
    expect(found(last / 2 - 1, 10)).toBe(cell?.accuracy.at(-1));
    const readable = findings.filter(({ id }) => id.startsWith('mean/readable/'));
    expect(readable.map(({ about }) => about?.scope.divisor)).toEqual([2, 5, 10]);
    expect(readable[2].estimate).toBe(cell?.accuracy.at(-1));
    expect(readable[2].n.seeds).toBe(2);
    const [from] = findings.filter(({ id }) => id.startsWith('readable-from/'));
    expect(from.statement).toContain(`the result from ${context.stages[last]} on`);
    expect(from.estimate).toBe(cell?.accuracy.at(-1));
  });

  it('counts and draws runs that have not learned apart, and never says of unknown ones that they have', () => {
    const of = (...all: readonly MadeSubject[]): Together => together(runs(...all));
    const subtitles = ({ charts }: Together): string => charts.map(({ subtitle }) => subtitle).join(' ');
    const learned = of({ seed: 1 }, { seed: 2, accuracy: 0.2 });
    expect(subtitles(learned)).toContain('1 run that learned SUM');
    expect(learned.findings.filter(({ id }) => id.startsWith('mean/causal/'))).toHaveLength(1);
    // MAX beside FIRST: nobody has asked these runs for SUM
    const unknown = of({ tasks: ['MAX'], accuracy: 0.1 }, { tasks: ['FIRST'], accuracy: 0.2 });
    expect(subtitles(unknown)).toContain('2 runs, 90 prompts');
    expect(subtitles(unknown)).not.toContain('learned SUM');
    const unlearned = of({ seed: 1, accuracy: 0.2 }, { seed: 2, accuracy: 0 });
    expect(subtitles(unlearned)).not.toContain('that learned SUM');
    expect(unlearned.findings.some(({ id }) => /^(mean\/(causal|readable)|readable-from)/.test(id))).toBe(
      false,
    );
  });

  it('draws pictures without a warning, for several runs, one, unlearned ones and a series', () => {
    const one = together(runs({ seed: 1 }));
    const series = together(runs({ step: 10, final: false }, { step: 20 }));
    const mixed = together(runs({ seed: 1 }, { seed: 2, accuracy: 0.2 }, { seed: 3, tasks: MIXED }));
    for (const { charts, evidence } of [one, series, mixed]) {
      for (const { id, spec, table, summary } of charts) {
        const labels = evidence.conditions.map(({ label }) => label);
        expect(compileWarnings(spec, labels), id).toEqual([]);
        for (const row of table.rows) expect(row.length, id).toBe(table.columns.length);
        expect(countRows(spec), id).toBeGreaterThan(0);
        expect(summary.length, id).toBeGreaterThan(20);
      }
      expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
    }
    const idsOf = ({ charts }: Together): string[] => charts.map(({ id }) => id);
    expect(idsOf(one)).toEqual([
      'parity-scores',
      'parity-readout',
      'parity-causal',
      'parity-strict',
      'parity-frequencies',
    ]);
    expect(idsOf(series)).toEqual(idsOf(one));
  });
});
