/** The embedding probe on planted embeddings: what is planted must be found, and nothing else. */
import { compile } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { embeddingPca } from '../../probes/embedding-pca.js';
import type { Measured, MeasureContext, ProbeSubject } from '../../probes/contract.js';
import type { EmbeddingMeasurement } from '../../probes/embedding-pca/measure.js';
import { stouffer } from '../../src/analysis/multiple-testing.js';
import { renaming } from '../../src/analysis/naming.js';
import { VERDICT } from '../../src/analysis/verdict.js';
import { conditionId, conditionLabel, gptConfigOf } from '../../src/config/hash.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { OperationName } from '../../src/listops/operations.js';
import { FIRST_NUMBER } from '../../src/listops/tokenizer.js';
import { initialParameters } from '../../src/model/init.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../src/model/parameters.js';
import { parseReport } from '../../src/report/parse-report.js';
import type { Finding } from '../../src/report/schema.js';
import { themed } from '../../src/report/theme.js';
import { Rng } from '../../src/tensor/rng.js';
import { dot } from '../../src/tensor/sum.js';

const QUICK = { permutations: 199, nullDraws: 50, alignmentDraws: 9, ckaPermutations: 99 };
/** What `combine` is told: with fewer permutations C3 gets no verdict. Measuring with 199 keeps these tests short. */
const OPTIONS = { ...QUICK, permutations: 10_000 };
const MIXED: readonly OperationName[] = ['MAX', 'MED', 'SUM'];
type Place = (i: number) => readonly number[];

const line: Place = (i) => [(i - 4.5) / 3];
const parity: Place = (i) => [i % 2 === 0 ? 1 : -1];
const ring =
  (frequency: number, n = 10): Place =>
  (i) => [
    1.5 * Math.cos((2 * Math.PI * frequency * i) / n),
    1.5 * Math.sin((2 * Math.PI * frequency * i) / n),
  ];
const nothing: Place = () => [];

interface Plant {
  tasks?: readonly OperationName[];
  seed?: number;
  accuracy?: number | null;
  /** the smaller of the last two evaluations, if not `accuracy`; null: there was one only */
  learned?: number | null;
  place?: Place;
  noise?: number;
  regime?: 'full' | 'pairs';
  modulus?: number;
  step?: number;
  final?: boolean;
}

/** A subject whose digit rows are noise plus `place` laid into random orthogonal directions of its own. */
function plant(options: Plant): ProbeSubject {
  const { tasks = ['SUM'], seed = 1, place = nothing, noise = 0.1, regime = 'pairs', modulus = 10 } = options;
  const config = resolveRunConfig({ data: { tasks, regime, modulus }, seed });
  const model = gptConfigOf(config);
  const untrainedParameters = initialParameters(model, seed);
  const parameters = untrainedParameters.slice();
  const rows = parameterView(parameterTable(model), parameters, TOKEN_EMBEDDING);
  const rng = new Rng(seed, `planted ${tasks.join()}`);
  const [u, v] = [0, 1].map(() => Float64Array.from({ length: model.dModel }, () => rng.normal()));
  // orthogonal and of one length, so that a ring stays round
  const overlap = dot(u, v) / dot(u, u);
  const across = v.map((value, k) => value - overlap * u[k]);
  const directions = [u, across.map((value) => value * Math.sqrt(dot(u, u) / dot(across, across)))];
  for (let i = 0; i < modulus; i++) {
    for (let k = 0; k < model.dModel; k++) {
      let value = noise * rng.normal();
      place(i).forEach((at, axis) => (value += at * directions[axis][k]));
      rows[(FIRST_NUMBER + i) * model.dModel + k] = value;
    }
  }
  const { step = 100, final = true, accuracy = 1, learned = accuracy } = options;
  const byTask = (value: number) => Object.fromEntries(tasks.map((task) => [task, value]));
  const run = `${tasks.join('-')}-${regime}-s${seed}`;
  return {
    config,
    parameters,
    untrainedParameters,
    subject: {
      id: `${run}@${step}`,
      run,
      step,
      seed,
      condition: conditionId(config),
      label: conditionLabel(config),
      parameters: 8000,
      weightsSha256: '0'.repeat(64),
      final,
      accuracy: accuracy === null ? null : byTask(accuracy),
      ...(learned === null ? {} : { learned: byTask(learned) }),
    },
  };
}

async function measure(options: Plant): Promise<Measured<EmbeddingMeasurement>> {
  const subject = plant(options);
  const context = {
    rng: (index = 0) => new Rng(options.seed ?? 1, 'probe:embedding-pca', index),
    progress: () => undefined,
  } as unknown as MeasureContext;
  const measurement = await embeddingPca.measure(subject, QUICK, context);
  return { subject: subject.subject, config: subject.config, measurement };
}

const seeds = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const arm = (n: number, options: Plant): Promise<Measured<EmbeddingMeasurement>[]> =>
  Promise.all(seeds(n).map((seed) => measure({ ...options, seed })));

async function findingsOf(...arms: Promise<Measured<EmbeddingMeasurement>[]>[]): Promise<Finding[]> {
  const measured = (await Promise.all(arms)).flat();
  return embeddingPca.findings(embeddingPca.combine(measured, OPTIONS));
}
const byClaim = (findings: readonly Finding[], claim: string): Finding => {
  const found = findings.filter((finding) => finding.claim === claim);
  expect(found).toHaveLength(1);
  return found[0];
};

describe('embeddingPca.measure', () => {
  it('finds a planted line: ordered, open, k = 1 largest', async () => {
    const { embedding } = (await measure({ place: line })).measurement;
    expect(embedding.order.asNamed.value).toBeGreaterThan(0.95);
    expect(embedding.order.asNamed.p).toBe(0.005);
    expect(embedding.closure.asNamed).toBeGreaterThan(2.5);
    expect(embedding.fourier.peak.frequency).toBe(1);
    expect(embedding.fourier.share[0]).toBeGreaterThan(0.55);
    expect(embedding.explained[0]).toBeGreaterThan(0.9);
  });

  it('finds a planted ring of frequency 3: not in order, closed, a ring after renaming', async () => {
    const { embedding } = (await measure({ place: ring(3) })).measurement;
    expect(embedding.order.asNamed.p).toBeGreaterThan(0.05);
    expect(embedding.circular.asNamed.value).toBeLessThan(0.3);
    expect(embedding.circular.best.value).toBeGreaterThan(0.95);
    expect([3, 7]).toContain(embedding.circular.unit);
    expect(embedding.closure.widestGap).toBeLessThan(0.2);
    expect(embedding.fourier.peak).toMatchObject({ frequency: 3, p: 0.005 });
  });

  it('finds planted parity: all power at k = 5', async () => {
    const { embedding } = (await measure({ place: parity })).measurement;
    expect(embedding.fourier.peak.frequency).toBe(5);
    // one permutation in 126 keeps even and odd apart, so p cannot be much below 0.008
    expect(embedding.fourier.peak.p).toBeLessThanOrEqual(0.025);
    expect(embedding.fourier.share[4]).toBeGreaterThan(0.9);
    expect(Math.abs(embedding.order.asNamed.value)).toBeLessThan(0.3);
  });

  it('finds nothing in Gaussian embeddings more often than the level says', async () => {
    const all = await arm(40, { place: nothing });
    const tests = [
      (m: EmbeddingMeasurement) => m.embedding.order.asNamed.p,
      (m: EmbeddingMeasurement) => m.embedding.circular.best.p,
      (m: EmbeddingMeasurement) => m.embedding.fourier.peak.p,
      (m: EmbeddingMeasurement) => m.untrained.order.asNamed.p,
    ];
    for (const p of tests) {
      // binomial(40, 0.05): 8 or more with chance 0.0007
      expect(all.filter(({ measurement }) => p(measurement) <= 0.05).length).toBeLessThan(8);
    }
    const mean = all.reduce((sum, one) => sum + one.measurement.embedding.circular.excess, 0) / all.length;
    expect(Math.abs(mean)).toBeLessThan(0.08);
  });

  it('gives the same measurement twice, of plain JSON, and leaves the weights alone', async () => {
    const subject = plant({ place: line });
    const before = subject.parameters.slice();
    const [first, second] = await Promise.all([measure({ place: line }), measure({ place: line })]);
    expect(second).toEqual(first);
    expect(JSON.parse(JSON.stringify(first.measurement))).toEqual(first.measurement);
    expect(subject.parameters).toEqual(before);
    expect(first.measurement.unembedding).toBeNull();
    expect(first.measurement.scores.shape).toEqual([10, 9]);
  });

  it('changes when one weight of the embedding changes', async () => {
    const context = { rng: () => new Rng(1, 'x'), progress: () => undefined } as unknown as MeasureContext;
    const subject = plant({ place: line });
    const changed = subject.parameters.slice();
    const table = parameterTable(gptConfigOf(subject.config));
    parameterView(table, changed, TOKEN_EMBEDDING)[(FIRST_NUMBER + 4) * subject.config.model.dModel] += 0.1;
    const a = await embeddingPca.measure(subject, QUICK, context);
    const b = await embeddingPca.measure({ ...subject, parameters: changed }, QUICK, context);
    expect(b).not.toEqual(a);
  });

  it('refuses options that are not whole numbers, and models too small to have a geometry', async () => {
    await expect(async () =>
      embeddingPca.measure(plant({}), { permutations: 0.5 }, {} as MeasureContext),
    ).rejects.toThrow(
      'embedding-pca option permutations: found 0.5, expected a whole number from 1 to 1000000.',
    );
    expect(embeddingPca.isCompatible(plant({}).config)).toBe(true);
    expect(embeddingPca.isCompatible(plant({ modulus: 3 }).config)).toMatch(/at least 4 numbers/);
  });
});

describe('C3 through the verdict function', () => {
  const c3 = async (sum: Place, mixed: Place, n = 6): Promise<Record<'whole' | 'a' | 'c', string>> => {
    const findings = await findingsOf(arm(n, { place: sum }), arm(n, { place: mixed, tasks: MIXED }));
    const verdict = (claim: string): string => byClaim(findings, claim).verdict ?? 'none';
    return { whole: verdict('C3'), a: verdict('C3a'), c: verdict('C3c') };
  };

  it('supports parts a and c when mixed runs are ordered and SUM-only ones have no structure; b is missing', async () => {
    // c of pure noise has sd 0.10 over seeds: the interval of six seeds often reaches 0.2, that of sixteen does not
    expect(await c3(nothing, line, 16)).toEqual({
      whole: VERDICT.tooFew,
      a: VERDICT.supported,
      c: VERDICT.supported,
    });
  });

  it('does not support a when both are ordered alike', async () => {
    // near enough for noise to tell the runs apart: without any spread there would be no interval
    const short: Place = (i) => [(i - 4.5) / 8];
    expect((await c3(short, short, 10)).a).toBe(VERDICT.notSupported);
    expect((await c3(line, line)).a).toBe(VERDICT.tooFew);
  });

  it('contradicts a when SUM-only runs are the ordered ones, and c when they are rings under another name', async () => {
    expect((await c3(line, nothing)).a).toBe(VERDICT.contradicted);
    const rings = await c3(ring(3), line);
    expect(rings.c).toBe(VERDICT.contradicted);
    expect(rings.whole).toBe(VERDICT.contradicted);
  });

  it('needs six learned runs a condition', async () => {
    const findings = await findingsOf(arm(5, { place: nothing }), arm(6, { place: line, tasks: MIXED }));
    expect(byClaim(findings, 'C3a')).toMatchObject({ verdict: VERDICT.tooFew });
    expect(byClaim(findings, 'C3a').reason).toContain('SUM-only has 5, 6 a condition needed');
    expect(byClaim(findings, 'C3a').interval).toBeDefined();
  });

  it('says too few when one condition, or every SUM run, is absent', async () => {
    const none = await findingsOf(arm(2, { place: line, tasks: MIXED }));
    expect(byClaim(none, 'C3a')).toMatchObject({ verdict: VERDICT.tooFew });
    expect(byClaim(none, 'C3c').estimate).toBeUndefined();
    const only = await findingsOf(arm(2, { place: line, tasks: ['MAX', 'MED'] }));
    expect(byClaim(only, 'C3')).toMatchObject({ verdict: VERDICT.tooFew });
  });

  it('leaves out runs that have not learned SUM, says so, and describes them', async () => {
    const [sum, mixed] = await Promise.all([
      arm(6, { place: nothing, accuracy: 0.114 }),
      arm(6, { place: line, tasks: MIXED }),
    ]);
    const result = embeddingPca.combine([...sum, ...mixed], OPTIONS);
    expect(result.leftOut).toHaveLength(6);
    expect(result.leftOut[0].reason).toBe('has not learned SUM (accuracy 0.11)');
    expect(result.groups.map(({ name }) => name)).toEqual([
      'MAX+MED+SUM, pairs, d=16',
      'SUM, pairs, d=16, not learned',
    ]);
    const findings = embeddingPca.findings(result);
    expect(byClaim(findings, 'C3c')).toMatchObject({
      verdict: VERDICT.tooFew,
      n: { seeds: 0, examples: 10 },
    });
    expect(findings.map(({ statement }) => statement).join('\n')).toContain(
      'SUM, pairs, d=16 has not learned SUM (accuracy 0.11): 6 runs',
    );
    expect(embeddingPca.charts(result)[0].summary).toContain('has not learned SUM (accuracy 0.11)');
  });

  it('compares only conditions that differ in tasks alone, and decides in regime pairs', async () => {
    const findings = await findingsOf(
      arm(6, { place: nothing }),
      arm(6, { place: line, tasks: MIXED }),
      arm(2, { place: line, regime: 'full', accuracy: 0.1 }),
      arm(2, { place: line, regime: 'full', tasks: MIXED }),
    );
    expect(byClaim(findings, 'C3a').verdict).toBe(VERDICT.supported);
    expect(byClaim(findings, 'C3a').statement).toContain('pairs, d=16');
  });

  it('is not decided by runs of another regime, however many', async () => {
    const findings = await findingsOf(
      arm(6, { place: ring(3), regime: 'full' }),
      arm(6, { place: line, tasks: MIXED, regime: 'full' }),
    );
    for (const claim of ['C3', 'C3a', 'C3c']) {
      expect(byClaim(findings, claim)).toMatchObject({ verdict: VERDICT.tooFew, n: { seeds: 0 } });
    }
    for (const claim of ['C3', 'C3a', 'C3c']) {
      expect(byClaim(findings, claim).reason).toContain('only runs in regime pairs count');
    }
    // shown all the same
    expect(findings.find(({ id }) => id.startsWith('circular-difference'))?.n.seeds).toBe(12);
  });

  it('does not count a run whose last evaluation alone is good', async () => {
    const [one] = await arm(1, { place: line, accuracy: 1, learned: 0.5 });
    expect(embeddingPca.combine([one], OPTIONS).leftOut[0].reason).toBe(
      'has not learned SUM (accuracy 0.50 one evaluation before)',
    );
  });

  it('does not count a checkpoint that is not the last of its run', async () => {
    const [one] = await arm(1, { place: line, final: false, step: 50 });
    expect(embeddingPca.combine([one], OPTIONS).leftOut[0].reason).toBe(
      'step 50 is not the last checkpoint of its run',
    );
  });
});

describe('embeddingPca.combine', () => {
  it('does not depend on the order of the measurements', async () => {
    const all = [...(await arm(3, { place: line })), ...(await arm(3, { place: ring(1), tasks: MIXED }))];
    expect(embeddingPca.combine([...all].reverse(), OPTIONS)).toEqual(embeddingPca.combine(all, OPTIONS));
  });

  it('aligns seeds: equal geometry in random directions agrees far beyond chance, noise does not', async () => {
    const [lines, noise] = await Promise.all([
      arm(5, { place: line }),
      arm(5, { place: nothing, tasks: MIXED }),
    ]);
    const [mixed, sum] = embeddingPca.combine([...lines, ...noise], OPTIONS).groups;
    expect(sum.agreement?.unexplained).toBeLessThan(0.1);
    expect(sum.agreement?.p).toBe(0.1);
    // in all n - 1 dimensions even noise can be turned onto itself well: the null says how well
    const { unexplained = 0, nullMean = 1 } = mixed.agreement ?? {};
    expect(Math.abs(unexplained - nullMean)).toBeLessThan(0.02);
    expect(sum.ellipses).toHaveLength(10);
    const [first, last] = [sum.consensus[0][0], sum.consensus[9][0]];
    expect(Math.sign(first)).toBe(-Math.sign(last));
  });

  it('finds SUM-only and mixed rings equal up to renaming', async () => {
    const renamed: Place = (i) => ring(1)(renaming(10, 3)[i]);
    const findings = await findingsOf(arm(4, { place: renamed }), arm(4, { place: ring(1), tasks: MIXED }));
    const same = findings.find(({ id }) => id.startsWith('same-geometry'));
    expect(Number(same?.estimate)).toBeGreaterThan(0.5);
    expect(same?.p).toBeLessThan(0.001);
    expect(same?.verdict).toBeUndefined();
  });

  it('follows a run over its steps and takes its last checkpoint for the rest', async () => {
    const early = await measure({ place: nothing, step: 10, final: false });
    const late = await measure({ place: line, step: 100 });
    const result = embeddingPca.combine([late, early], OPTIONS);
    expect(result.series.map(({ step }) => step)).toEqual([10, 100]);
    expect(result.groups[0].seeds).toHaveLength(1);
    expect(result.groups[0].seeds[0].subject).toContain('@100');
    expect(result.groups[0].agreement).toBeNull();
  });
});

describe('embeddingPca.findings', () => {
  it('give C3 no verdict with the cheaper options of a series, and adjust its p values like the others', async () => {
    const measured = [
      ...(await arm(6, { place: ring(3) })),
      ...(await arm(6, { place: line, tasks: MIXED })),
    ];
    const series = embeddingPca.options['permutations'].series;
    const few = embeddingPca.findings(
      embeddingPca.combine(measured, { ...OPTIONS, permutations: series ?? 0 }),
    );
    expect(few.every(({ claim, verdict }) => claim === undefined && verdict === undefined)).toBe(true);
    const c = few.find(({ id }) => id === 'c3c');
    expect(c?.reason).toBe('no verdict: 999 permutations, and C3 asks for 10000');
    expect(c?.estimate).toBeGreaterThan(0.2);
    expect(few.find(({ id }) => id === 'c3a')?.pAdjusted).toBeDefined();
    expect(byClaim(embeddingPca.findings(embeddingPca.combine(measured, OPTIONS)), 'C3c').verdict).toBe(
      VERDICT.contradicted,
    );
  });

  it.each([7, 10, 11])('print the closure of an exact line of %i numbers', async (n) => {
    const straight: Place = (i) => [(4 * i) / n];
    const measured = await measure({ place: straight, noise: 0, modulus: n });
    const planted = measured.measurement.embedding.closure.asNamed;
    const [closure] = embeddingPca
      .findings(embeddingPca.combine([measured], OPTIONS))
      .filter(({ id }) => id.startsWith('closure-'));
    expect(closure.statement).toContain(`(an exact line ${planted.toFixed(2)}, a ring below 0.2)`);
    if (n === 7) expect(planted).toBeCloseTo(3, 4);
  });

  it('join seeds by mid-p', async () => {
    const measured = await arm(3, { place: line, noise: 2 });
    const tests = measured.map(({ measurement }) => measurement.embedding.order.asNamed);
    expect(tests.every(({ p, midP }) => midP < p)).toBe(true);
    const [order] = embeddingPca
      .findings(embeddingPca.combine(measured, OPTIONS))
      .filter(({ id }) => id.startsWith('order-'));
    expect(order.p).toBeCloseTo(stouffer(tests.map(({ midP }) => midP)).p, 8);
    expect(order.pMethod).toContain('mid-p');
  });

  it('give exploratory numbers no verdict and adjust every p', async () => {
    const findings = await findingsOf(arm(3, { place: line }), arm(3, { place: line, tasks: MIXED }));
    const exploratory = findings.filter(({ claim }) => claim === undefined);
    expect(exploratory.length).toBeGreaterThan(8);
    for (const finding of exploratory) {
      expect(finding.verdict).toBeUndefined();
      expect(finding.pAdjusted === undefined).toBe(finding.p === undefined);
      if (finding.p !== undefined) expect(finding.pAdjusted).toBeGreaterThanOrEqual(finding.p);
    }
    expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
  });
});

describe('embeddingPca.charts', () => {
  const compileCounting = (spec: object): string[] => {
    const warnings: string[] = [];
    const logger = {
      level: () => logger,
      error: (...m: unknown[]) => (warnings.push(m.join(' ')), logger),
      warn: (...m: unknown[]) => (warnings.push(m.join(' ')), logger),
      info: () => logger,
      debug: () => logger,
    };
    compile(spec as Parameters<typeof compile>[0], { logger: logger });
    return warnings;
  };

  it.each([1, 4])('compile without a warning for %i seeds, with summary and table', async (n) => {
    const measured = [
      ...(await arm(n, { place: line })),
      ...(await arm(n, { place: ring(1), tasks: MIXED })),
    ];
    const charts = embeddingPca.charts(embeddingPca.combine(measured, OPTIONS));
    expect(charts.map(({ id }) => id)).toEqual([
      'embedding-plane',
      'embedding-statistics',
      'embedding-fourier',
      'embedding-variance',
      'embedding-cosine',
      'embedding-distances',
    ]);
    for (const chart of charts) {
      expect(compileCounting(themed(chart.spec, 'light', ['a'])), chart.id).toEqual([]);
      expect(chart.summary.length).toBeGreaterThan(40);
      expect(chart.summary).not.toMatch(/NaN|undefined/);
      expect(chart.table.rows.length).toBeGreaterThan(0);
      for (const row of chart.table.rows) expect(row).toHaveLength(chart.table.columns.length);
    }
  });

  it('say of the ellipses what they are, and nothing where there are none', async () => {
    const of = async (n: number) =>
      embeddingPca.charts(embeddingPca.combine(await arm(n, { place: line }), OPTIONS))[0].subtitle;
    expect(await of(4)).toContain('95 % of a normal distribution estimated from 4 seeds');
    expect(await of(2)).not.toContain('ellipse');
  });

  it('add curves over steps when a run was measured more than once', async () => {
    const measured = [
      await measure({ place: nothing, step: 0, final: false }),
      await measure({ place: line, step: 100 }),
    ];
    const charts = embeddingPca.charts(embeddingPca.combine(measured, OPTIONS));
    const series = charts.find(({ id }) => id === 'embedding-series');
    expect(series?.table.rows).toHaveLength(2);
    expect(compileCounting(themed(series?.spec ?? {}, 'light', []))).toEqual([]);
  });

  it('fit the report: result, findings and charts pass its runtime check', async () => {
    const measured = [...(await arm(3, { place: line })), ...(await arm(1, { place: line, tasks: MIXED }))];
    const result = embeddingPca.combine(measured, OPTIONS);
    const { version, title, question, text } = embeddingPca;
    const report = {
      schemaVersion: 1,
      title: 'test',
      subjects: measured.map(({ subject }) => subject),
      training: [],
      modules: {
        'embedding-pca': {
          ...{ version, title, question, text, options: OPTIONS, status: 'ok', leftOut: [], result },
          findings: embeddingPca.findings(result),
          charts: embeddingPca.charts(result),
        },
      },
      provenance: { version: '0', claimsSha256: '0'.repeat(64), configs: {}, engines: {}, dataNotes: [] },
    };
    expect(() => parseReport(JSON.stringify(report), 'test')).not.toThrow();
  });

  it('say in words that there is nothing when no subject is given', () => {
    const result = embeddingPca.combine([], OPTIONS);
    for (const chart of embeddingPca.charts(result)) {
      expect(compileCounting(themed(chart.spec, 'dark', [])), chart.id).toEqual([]);
    }
    expect(embeddingPca.findings(result)).toHaveLength(3);
  });
});
