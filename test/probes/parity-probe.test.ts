/** The parity probe on planted embeddings and models: what is planted must be found, and nothing else. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Measured } from '../../probes/contract.js';
import { PROBES } from '../../probes/index.js';
import { parityProbe } from '../../probes/parity-probe.js';
import type { ParityResult } from '../../probes/parity-probe/combine.js';
import type { ParityMeasurement } from '../../probes/parity-probe/measurement.js';
import { existence } from '../../probes/parity-probe/findings.js';
import { labelsOf, tokenNumbers } from '../../probes/parity-probe/token-probes.js';
import { newFitCounts } from '../../src/analysis/linear-probe.js';
import { stouffer } from '../../src/analysis/multiple-testing.js';
import { type Matrix, matrix } from '../../src/analysis/matrix.js';
import { VERDICT } from '../../src/analysis/verdict.js';
import { conditionId, conditionLabel, gptConfigOf } from '../../src/config/hash.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { Engine } from '../../src/engine/engine.js';
import type { OperationName } from '../../src/listops/operations.js';
import { initialParameters } from '../../src/model/init.js';
import type { CellNumbers } from '../../src/report/charts/parity-data.js';
import { countRows } from '../../src/report/charts/common.js';
import type { Finding, Subject } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { checkPlainJson, resolveOptions } from '../../src/workflows/probe-plan.js';
import { joinClaimParts } from '../../src/workflows/joined-claims.js';
import { subjectFor, testEngine } from '../helpers/measure-ablation.js';
import { plantedPairTable } from '../helpers/planted-models.js';
import { compileWarnings } from '../report/compile.js';

const MIXED: readonly OperationName[] = ['MAX', 'MED', 'SUM'];
const SUM_ONLY: readonly OperationName[] = ['SUM'];
const D = 16;

/** Noise with even and odd numbers `shift` standard deviations away from their middle. */
function embeddingOf(seed: number, shift: number, name: string): Matrix {
  const rng = new Rng(seed, name);
  const direction = Float64Array.from({ length: D }, () => rng.normal());
  const norm = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  return matrix(
    10,
    D,
    Float64Array.from({ length: 10 * D }, (_, at) => {
      const sign = Math.floor(at / D) % 2 === 0 ? -1 : 1;
      return rng.normal() + (sign * shift * direction[at % D]) / norm;
    }),
  );
}

function tokensOf(x: Matrix): ParityMeasurement['embedding'] {
  const options = {
    relabellings: 99,
    contextRelabellings: 99,
    valuePermutations: 99,
    rng: (test: number) => new Rng(1, 'tokens', test),
    tick: () => undefined,
  };
  return tokenNumbers(x, options, newFitCounts());
}

/** One for all: nothing of the claim depends on it. */
const untrained = tokensOf(embeddingOf(1, 0, 'untrained'));

interface Arm {
  readonly tasks: readonly OperationName[];
  readonly shift: number;
  readonly accuracy?: number;
  readonly regime?: 'full' | 'pairs';
}

/** A run whose embeddings are planted and whose activations were not looked at. */
function measured(
  seed: number,
  { tasks, shift, accuracy = 1, regime = 'pairs' }: Arm,
): Measured<ParityMeasurement> {
  const config = resolveRunConfig({ data: { tasks, regime }, seed });
  const run = `${tasks.join('-')}-${regime}-s${seed}`;
  const byTask = Object.fromEntries(tasks.map((task) => [task, accuracy]));
  const subject: Subject = {
    ...subjectFor(config, run),
    condition: conditionId(config),
    label: conditionLabel(config),
    accuracy: byTask,
    learned: byTask,
  };
  const x = embeddingOf(seed, shift, tasks.join());
  return {
    config,
    subject,
    measurement: {
      n: 10,
      d: D,
      embedding: tokensOf(x),
      untrained,
      crossCheck: {
        program: 'another',
        points: 10,
        steps: 1,
        foldSteps: 1,
        learningRate: 1,
        agreement: 1,
        ownAccuracy: 1,
        otherAccuracy: 1,
        ownHeldOut: 1,
        otherHeldOut: 1,
      },
      context: null,
      lookAhead: [],
      causal: null,
      fits: { count: 10, notConverged: 0, mostIterations: 4 },
    },
  };
}

const arm = (seeds: number, options: Arm): Measured<ParityMeasurement>[] =>
  Array.from({ length: seeds }, (_, i) => measured(i + 1, options));
const findingsOf = (...arms: Measured<ParityMeasurement>[][]): Finding[] =>
  parityProbe.findings(parityProbe.combine(arms.flat(), {}));
const byClaim = (findings: readonly Finding[], claim: string): Finding => {
  const found = findings.filter((finding) => finding.claim === claim);
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
    const of = (modulus: number) => parityProbe.isCompatible(resolveRunConfig({ data: { modulus } }));
    expect(of(6)).toBe(true);
    expect(of(5)).toBe('needs at least 6 numbers for a null of relabellings, and modulus 5 has 5');
  });
});

describe('C3b through the verdict function', () => {
  const strong = 4;

  it('is supported when mixed runs have parity and SUM-only runs have none', () => {
    const findings = findingsOf(
      arm(8, { tasks: SUM_ONLY, shift: 0 }),
      arm(8, { tasks: MIXED, shift: strong }),
    );
    const part = byClaim(findings, 'C3b');
    expect(part.verdict).toBe(VERDICT.supported);
    expect(part.estimate).toBeGreaterThan(0.3);
  });

  it('is not supported when both have it alike', () => {
    const c3b = (shift: number): Finding =>
      byClaim(findingsOf(arm(6, { tasks: SUM_ONLY, shift }), arm(6, { tasks: MIXED, shift })), 'C3b');
    expect(c3b(2)).toMatchObject({ verdict: VERDICT.notSupported });
    // every score at its ceiling: no spread, so no interval
    expect(c3b(4)).toMatchObject({ verdict: VERDICT.tooFew, estimate: 0 });
  });

  it('is contradicted when SUM-only runs are the ones that have it', () => {
    const findings = findingsOf(
      arm(8, { tasks: SUM_ONLY, shift: strong }),
      arm(8, { tasks: MIXED, shift: 0 }),
    );
    expect(byClaim(findings, 'C3b').verdict).toBe(VERDICT.contradicted);
  });

  it('needs six runs a condition that learned SUM at 0.99', () => {
    const mixed = arm(6, { tasks: MIXED, shift: strong });
    const alone = [
      ...arm(5, { tasks: SUM_ONLY, shift: 0 }),
      measured(6, { tasks: SUM_ONLY, shift: 0, accuracy: 0.98 }),
    ];
    const part = byClaim(findingsOf(mixed, alone), 'C3b');
    expect(part.verdict).toBe(VERDICT.tooFew);
    expect(part.reason).toContain('SUM-only has 5, 6 a condition needed');
  });

  it('compares within one regime', () => {
    const findings = findingsOf(
      arm(6, { tasks: SUM_ONLY, shift: 0 }),
      arm(6, { tasks: MIXED, shift: strong, regime: 'full' }),
    );
    expect(byClaim(findings, 'C3b').verdict).toBe(VERDICT.tooFew);
  });

  it('does not depend on the order of the measurements', () => {
    const all = [...arm(2, { tasks: SUM_ONLY, shift: 0 }), ...arm(2, { tasks: MIXED, shift: strong })];
    const result = JSON.stringify(parityProbe.combine(all, {}));
    expect(JSON.stringify(parityProbe.combine(all.toReversed(), {}))).toBe(result);
  });
});

describe('options cheaper than the defined ones', () => {
  const drawn = (relabellings: number): Measured<ParityMeasurement>[] =>
    [...arm(6, { tasks: SUM_ONLY, shift: 0 }), ...arm(6, { tasks: MIXED, shift: 8 })].map((one) => {
      const { embedding } = one.measurement;
      const parity = { ...embedding.parity, exact: false, relabellings };
      return { ...one, measurement: { ...one.measurement, embedding: { ...embedding, parity } } };
    });

  it('give C3 b no verdict, but its numbers, adjusted like all others', () => {
    const findings = findingsOf(drawn(999));
    expect(findings.filter(({ claim, verdict }) => claim !== undefined || verdict !== undefined)).toEqual([]);
    const part = findings.find(({ id }) => id === 'c3b');
    expect(part?.reason).toBe('no verdict: 999 relabellings drawn, and C3 b asks for 9999');
    expect(part?.estimate).toBeGreaterThan(0.3);
    expect(part?.pAdjusted).toBeGreaterThanOrEqual(part?.p ?? 1);
  });

  it('leave the verdict where all relabellings were enumerated, or as many drawn as defined', () => {
    expect(byClaim(findingsOf(drawn(9999)), 'C3b').verdict).toBeDefined();
    const exact = [...arm(6, { tasks: SUM_ONLY, shift: 0 }), ...arm(6, { tasks: MIXED, shift: 8 })];
    expect(byClaim(findingsOf(exact), 'C3b').verdict).toBeDefined();
  });

  it('are declared for many steps of a run, and cost less', () => {
    const module = PROBES.find(({ name }) => name === parityProbe.name);
    if (module === undefined) throw new Error('parity-probe is not listed');
    const series = resolveOptions(module, {}, true);
    const once = resolveOptions(module);
    for (const name of Object.keys(parityProbe.options)) {
      expect(series[name], name).toBeLessThan(Number(once[name]));
    }
    expect(once['relabellings']).toBe(9999);
  });
});

describe('existence', () => {
  it('joins seeds by their mid-p as they are, also next to 1', () => {
    const near = { p: 1, midP: 1 - 0.5 / 20_000 };
    const { p } = existence([near, { p: 1, midP: 0.5 }], 'test');
    // Phi of the quantile of 1 - 1/40,000 over the root of 2, by scipy
    expect(p).toBeCloseTo(0.997933, 6);
    expect(existence([near], 'test').p).toBe(1);
  });

  it('takes the mid-p of the value test', () => {
    const runs = arm(2, { tasks: ['MAX', 'MED'], shift: 0 });
    const value = findingsOf(runs).find(({ id }) => id.startsWith('value-'));
    const midPs = runs.map(({ measurement }) => measurement.embedding.value.midP);
    expect(value?.p).toBeCloseTo(stouffer(midPs).p, 8);
  });
});

describe('joinClaimParts', () => {
  const part = (id: string, claim: string, verdict: Finding['verdict'], place = 'pairs'): Finding => ({
    id,
    claim,
    statement: `Something (${place}): counts.`,
    statistic: '',
    unit: '1',
    n: { seeds: 1, examples: 1 },
    ...(verdict === undefined ? {} : { verdict }),
  });
  const moduleOf = (findings: Finding[]) => ({
    version: 1,
    title: '',
    question: '',
    text: { shows: '', doesNotShow: '', method: '' },
    options: {},
    status: 'ok' as const,
    leftOut: [],
    findings,
    charts: [],
  });
  const whole = (
    a: Finding['verdict'],
    b: Finding['verdict'] | null,
    c: Finding['verdict'],
    place?: string,
  ): Finding => {
    const first = moduleOf([part('c3', 'C3', VERDICT.tooFew), part('c3a', 'C3a', a), part('c3c', 'C3c', c)]);
    const second = moduleOf(b === null ? [] : [part('c3b', 'C3b', b, place)]);
    return byClaim(joinClaimParts({ first, second }).first.findings, 'C3');
  };

  it('decides C3 from the parts of both modules', () => {
    const { supported, contradicted, notSupported, tooFew } = VERDICT;
    expect(whole(supported, supported, supported).verdict).toBe(supported);
    expect(whole(supported, contradicted, supported)).toMatchObject({
      verdict: contradicted,
      reason: 'so is part b',
    });
    expect(whole(supported, notSupported, supported).verdict).toBe(notSupported);
    expect(whole(supported, tooFew, supported)).toMatchObject({
      verdict: tooFew,
      reason: 'part b undecided',
    });
  });

  it('leaves C3 as it is without part b, or with one of another comparison', () => {
    const { supported, contradicted, tooFew } = VERDICT;
    expect(whole(supported, null, supported).verdict).toBe(tooFew);
    expect(whole(supported, contradicted, supported, 'full').verdict).toBe(tooFew);
  });
});

describe('what is not there', () => {
  it('is called significant in at most the binomial 99 % of single runs on noise', () => {
    const runs = 100;
    let significant = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const findings = findingsOf([measured(seed, { tasks: ['MAX', 'MED'], shift: 0 })]);
      if (findings.some(({ pAdjusted }) => pAdjusted !== undefined && pAdjusted <= 0.05)) significant++;
    }
    // 11 of 100 at level 0.05
    expect(significant).toBeLessThanOrEqual(11);
  });
});

describe('a whole measurement', () => {
  let engine: Engine;
  let result: ParityResult;
  let measurement: ParityMeasurement;
  const options = {
    relabellings: 99,
    contextRelabellings: 99,
    valuePermutations: 99,
    prompts: 90,
    controlDraws: 2,
  };
  const planted = plantedPairTable();

  const measure = async (): Promise<ParityMeasurement> => {
    const { config, gpt, parameters } = planted;
    const model = engine.createModel(gpt, { parameters }, 'inference');
    const subject = {
      subject: subjectFor(config),
      config,
      parameters,
      untrainedParameters: initialParameters(gptConfigOf(config), config.seed),
    };
    try {
      return await parityProbe.measure(subject, options, {
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
    engine = await testEngine();
    measurement = await measure();
    result = parityProbe.combine(
      ['a', 'b'].map((run) => ({
        subject: subjectFor(planted.config, run),
        config: planted.config,
        measurement,
      })),
      {},
    );
  });

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

  it('converges in every fit and gives plain JSON, the same twice', async () => {
    expect(measurement.fits.notConverged).toBe(0);
    expect(measurement.fits.count).toBeGreaterThan(1000);
    checkPlainJson(measurement, 'measurement');
    expect(JSON.stringify(await measure())).toBe(JSON.stringify(measurement));
  });

  it('takes the direction out: intact answers are right, moves of the embeddings cost something', () => {
    const { causal } = measurement;
    expect(causal?.intact.accuracy).toBe(1);
    expect(causal?.removedShare).toBeGreaterThan(0);
    expect(causal?.parity.lossNats).toBeGreaterThan(causal?.intact.lossNats ?? Infinity);
  });

  it('draws charts without a warning, for several runs, one and none', () => {
    const one = parityProbe.combine(
      [{ subject: subjectFor(planted.config), config: planted.config, measurement }],
      {},
    );
    const series = ['a', 'b'].map((run, i) => ({
      subject: { ...subjectFor(planted.config, 'a'), id: run, step: i * 10 },
      config: planted.config,
      measurement,
    }));
    const several = parityProbe.combine(series, {});
    expect(several.series).toHaveLength(2);
    for (const shown of [result, one, several, { ...result, groups: [] }]) {
      for (const chart of parityProbe.charts(shown)) {
        expect(compileWarnings(chart.spec, ['SUM, full']), chart.id).toEqual([]);
        for (const row of chart.table.rows) expect(row.length, chart.id).toBe(chart.table.columns.length);
      }
    }
    const charts = parityProbe.charts(result);
    // an interval of two seeds reaches far outside 0 to 1 and must not take the width of the picture
    const causal = charts.find(({ id }) => id === 'parity-causal');
    expect(JSON.stringify(causal?.spec)).toContain('"clip":true');
    expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
    for (const { id, spec, summary } of charts) {
      expect(countRows(spec), id).toBeGreaterThan(0);
      expect(summary.length, id).toBeGreaterThan(20);
    }
  });
});
