/** The embedding probe on planted embeddings: what is planted must be found, and nothing else. */
import { compile } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import type { Measured, MeasureContext, ProbeSubject } from '../../../probes/contract.js';
import { groupsOf } from '../../../probes/embedding-pca/groups.js';
import { embeddingPca } from '../../../probes/embedding-pca/index.js';
import { type EmbeddingMeasurement, geometry } from '../../../probes/embedding-pca/measure.js';
import { stouffer } from '../../../src/analysis/statistics/multiple-testing.js';
import { type Matrix, matrix } from '../../../src/analysis/matrix.js';
import { renaming } from '../../../src/analysis/geometry/naming.js';
import { VERDICT } from '../../../src/evidence/verdict.js';
import { gptConfigOf } from '../../../src/config/names.js';
import type { ClaimResult } from '../../../src/evidence/claims.js';
import { decideClaims } from '../../../src/evidence/decide.js';
import { type Evidence, evidenceOf } from '../../../src/evidence/evidence.js';
import type { Finding } from '../../../src/evidence/finding.js';
import { moduleFindings } from '../../../src/evidence/findings.js';
import {
  combineMeasurements,
  type CombinedModule,
} from '../../../src/workflows/probing/combine-measurements.js';
import { madeConfig, madeSubject } from '../../helpers/made-subject.js';
import { peakFrequency, rowOf, valueOf } from '../../helpers/rows.js';
import type { OperationName } from '../../../src/listops/language/operations.js';
import { FIRST_NUMBER } from '../../../src/listops/language/tokenizer.js';
import { initialParameters } from '../../../src/model/init.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../../src/model/parameters.js';
import { themed } from '../../../src/report/theme.js';
import { Rng } from '../../../src/tensor/rng.js';
import { dot } from '../../../src/tensor/sum.js';

const OPTIONS = { permutations: 199, nullDraws: 50, alignmentDraws: 9, ckaPermutations: 99 };
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
  steps?: number;
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
  const config = madeConfig({ tasks, regime, modulus, seed });
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
  const subject = madeSubject({ ...options, tasks, regime, modulus, seed });
  return { config, parameters, untrainedParameters, subject };
}

/** [n, d] embeddings of the numbers. */
function plantedRows({ config, parameters }: ProbeSubject): Matrix {
  const model = gptConfigOf(config);
  const all = parameterView(parameterTable(model), parameters, TOKEN_EMBEDDING);
  const first = FIRST_NUMBER * model.dModel;
  const n = config.data.modulus;
  return matrix(n, model.dModel, all.subarray(first, first + n * model.dModel));
}

async function measure(options: Plant): Promise<Measured<EmbeddingMeasurement>> {
  const subject = plant(options);
  const context = {
    rng: (index = 0) => new Rng(options.seed ?? 1, 'probe:embedding-pca', index),
    progress: () => undefined,
  } as unknown as MeasureContext;
  const measurement = await embeddingPca.measure(subject, OPTIONS, context);
  return { subject: subject.subject, config: subject.config, measurement };
}

const seeds = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const arm = (n: number, options: Plant): Promise<Measured<EmbeddingMeasurement>[]> =>
  Promise.all(seeds(n).map((seed) => measure({ ...options, seed })));

interface Together extends CombinedModule {
  readonly evidence: Evidence;
  readonly findings: readonly Finding[];
  readonly claims: readonly ClaimResult[];
}

/** As a report has it: observations, findings and the claims decided from them. */
function together(measured: readonly Measured<EmbeddingMeasurement>[]): Together {
  const combined = combineMeasurements(embeddingPca, OPTIONS, measured);
  const named = combined.statistics.map((info) => [`embedding-pca/${info.id}`, info] as const);
  const subjects = measured.map(({ subject }) => subject);
  const evidence = evidenceOf(subjects, combined.observations, new Map(named));
  const findings = moduleFindings(
    evidence,
    named.map(([id]) => id),
    { sideBySide: true, learnedAccuracy: 0.99, further: combined.further },
  );
  return { ...combined, evidence, findings, claims: decideClaims(evidence) };
}

async function of(...arms: Promise<Measured<EmbeddingMeasurement>[]>[]): Promise<Together> {
  return together((await Promise.all(arms)).flat());
}
const part = ({ claims }: Together, id: string): ClaimResult => {
  const found = claims.filter((one) => (one.part ?? one.claim) === id);
  expect(found).toHaveLength(1);
  return found[0];
};
const mean = ({ findings }: Together, id: string): Finding | undefined =>
  findings.find((one) => one.id.startsWith(`mean/${id}/`));

describe('embeddingPca.measure', () => {
  it('finds a planted line: ordered, open, k = 1 largest', async () => {
    const m = (await measure({ place: line })).measurement;
    expect(valueOf(m, 'order')).toBeGreaterThan(0.95);
    expect(rowOf(m, 'order').null?.p).toBe(0.005);
    expect(valueOf(m, 'closure')).toBeGreaterThan(2.5);
    expect(peakFrequency(m)).toBe(1);
    expect(valueOf(m, 'fourier-share', { frequency: 1 })).toBeGreaterThan(0.55);
    expect(m.explained[0]).toBeGreaterThan(0.9);
  });

  it('finds a planted ring of frequency 3: not in order, closed, a ring after renaming', async () => {
    const m = (await measure({ place: ring(3) })).measurement;
    expect(rowOf(m, 'order').null?.p).toBeGreaterThan(0.05);
    const rows = plantedRows(plant({ place: ring(3) }));
    const { circular } = geometry(rows, OPTIONS.permutations, new Rng(1, 'ring'));
    expect(circular?.asNamed.observed).toBeLessThan(0.3);
    expect(circular?.best.observed).toBeGreaterThan(0.95);
    expect(valueOf(m, 'ring')).toBeCloseTo(circular?.excess ?? NaN, 1);
    expect([3, 7]).toContain(m.ringUnit);
    expect(valueOf(m, 'widest-gap')).toBeLessThan(0.2);
    expect(peakFrequency(m)).toBe(3);
    expect(rowOf(m, 'fourier-peak').null?.p).toBe(0.005);
  });

  it('finds planted parity: all power at k = 5', async () => {
    const m = (await measure({ place: parity })).measurement;
    expect(peakFrequency(m)).toBe(5);
    // one permutation in 126 keeps even and odd apart, so p cannot be much below 0.008
    expect(rowOf(m, 'fourier-peak').null?.p).toBeLessThanOrEqual(0.025);
    expect(valueOf(m, 'fourier-share', { frequency: 5 })).toBeGreaterThan(0.9);
    expect(Math.abs(valueOf(m, 'order'))).toBeLessThan(0.3);
  });

  it('finds nothing in Gaussian embeddings more often than the level says', async () => {
    const all = await arm(40, { place: nothing });
    for (const id of ['order', 'order-over-namings', 'ring', 'fourier-peak'] as const) {
      const found = all.filter(({ measurement }) => (rowOf(measurement, id).null?.p ?? 0) <= 0.05);
      // binomial(40, 0.05): 8 or more with chance 0.0007
      expect(found.length, id).toBeLessThan(8);
    }
    const mean = all.reduce((sum, one) => sum + valueOf(one.measurement, 'ring'), 0) / all.length;
    expect(Math.abs(mean)).toBeLessThan(0.08);
  });

  it('gives the same measurement twice, of plain JSON, and leaves the weights alone', async () => {
    const subject = plant({ place: line });
    const before = subject.parameters.slice();
    const [first, second] = await Promise.all([measure({ place: line }), measure({ place: line })]);
    expect(second).toEqual(first);
    expect(JSON.parse(JSON.stringify(first.measurement))).toEqual(first.measurement);
    expect(subject.parameters).toEqual(before);
    expect(first.measurement.scores.shape).toEqual([10, 9]);
  });

  it('changes when one weight of the embedding changes', async () => {
    const context = { rng: () => new Rng(1, 'x'), progress: () => undefined } as unknown as MeasureContext;
    const subject = plant({ place: line });
    const changed = subject.parameters.slice();
    const table = parameterTable(gptConfigOf(subject.config));
    parameterView(table, changed, TOKEN_EMBEDDING)[(FIRST_NUMBER + 4) * subject.config.model.dModel] += 0.1;
    const a = await embeddingPca.measure(subject, OPTIONS, context);
    const b = await embeddingPca.measure({ ...subject, parameters: changed }, OPTIONS, context);
    expect(b).not.toEqual(a);
  });

  it('does not apply to models too small to have a geometry', () => {
    expect(embeddingPca.isCompatible?.(plant({}).config)).toBe(true);
    expect(embeddingPca.isCompatible?.(plant({ modulus: 3 }).config)).toMatch(/at least 4 numbers/);
  });
});

describe('C3 decided from the observations', () => {
  const c3 = async (sum: Place, mixed: Place, n = 6): Promise<Record<'a' | 'c', string>> => {
    const all = await of(arm(n, { place: sum }), arm(n, { place: mixed, tasks: MIXED }));
    return { a: part(all, 'C3a').verdict, c: part(all, 'C3c').verdict };
  };

  it('supports parts a and c when mixed runs are ordered and SUM-only ones have no structure', async () => {
    // c of pure noise has sd 0.10 over seeds: the interval of six seeds often reaches 0.2, that of sixteen does not
    expect(await c3(nothing, line, 16)).toEqual({ a: VERDICT.supported, c: VERDICT.supported });
  });

  it('reads SUM-only order over all namings, and mixed order as named', async () => {
    // a SUM-only ring has the same geometry under every naming: its order does not depend on the one it fell into
    const named = await of(arm(6, { place: ring(1) }), arm(6, { place: line, tasks: MIXED }));
    const renamed = await of(arm(6, { place: ring(3) }), arm(6, { place: line, tasks: MIXED }));
    expect(part(named, 'C3a').estimate).toBeCloseTo(part(renamed, 'C3a').estimate ?? NaN, 1);
    expect(part(named, 'C3a').verdict).toBe(VERDICT.supported);
  });

  it('contradicts a when mixed runs have less order than SUM-only ones, and c when those are rings under another name', async () => {
    const reversed: Place = (i) => [((i * 5) % 10) / 3 + (i % 2)];
    expect((await c3(line, reversed)).a).not.toBe(VERDICT.supported);
    expect((await c3(ring(3), line)).c).toBe(VERDICT.contradicted);
  });

  it('needs six learned runs a condition, and marks a verdict before the planned number', async () => {
    const few = await of(arm(5, { place: nothing }), arm(6, { place: line, tasks: MIXED }));
    expect(part(few, 'C3a')).toMatchObject({ verdict: VERDICT.tooFew });
    expect(part(few, 'C3a').reason).toContain('SUM-only has 5, 6 a condition needed');
    expect(part(few, 'C3a').interval).toBeDefined();
    const six = await of(arm(6, { place: nothing }), arm(6, { place: line, tasks: MIXED }));
    expect(part(six, 'C3a')).toMatchObject({ verdict: VERDICT.supported, interim: true });
    expect(part(six, 'C3a').notes).toContain(
      'interim: MAX+MED+SUM, pairs, d=16 has 6 of 14, SUM, pairs, d=16 has 6 of 14 planned runs',
    );
  });

  it('says too few when one condition, or every SUM run, is absent', async () => {
    const none = await of(arm(2, { place: line, tasks: MIXED }));
    expect(part(none, 'C3a')).toMatchObject({ verdict: VERDICT.tooFew });
    expect(part(none, 'C3c').estimate).toBeUndefined();
    const only = await of(arm(2, { place: line, tasks: ['MAX', 'MED'] }));
    expect(part(only, 'C3')).toMatchObject({ verdict: VERDICT.tooFew });
  });

  it('leaves out runs that have not learned SUM, says so, and describes them', async () => {
    const all = await of(arm(6, { place: nothing, accuracy: 0.114 }), arm(6, { place: line, tasks: MIXED }));
    expect(part(all, 'C3c')).toMatchObject({
      verdict: VERDICT.tooFew,
      counts: [{ condition: 'SUM, pairs, d=16', usable: 0, runs: 6, planned: 14 }],
      notes: ['left out: 6 of 6 SUM-only (seed 1, 2, 3, 4, 5, 6)'],
    });
    const statements = all.findings.map(({ statement }) => statement).join('\n');
    expect(statements).toContain('SUM, pairs, d=16, not learned: order of the numbers as named.');
    expect(all.charts[0].summary).toContain('SUM, pairs, d=16, not learned');
  });

  it('is decided at the place that claims.json names, and nowhere else', async () => {
    const elsewhere = await of(
      arm(6, { place: ring(3), regime: 'full' }),
      arm(6, { place: line, tasks: MIXED, regime: 'full' }),
    );
    for (const id of ['C3', 'C3a', 'C3c']) {
      expect(part(elsewhere, id)).toMatchObject({ verdict: VERDICT.tooFew });
    }
    expect(part(elsewhere, 'C3a').counts.map(({ runs }) => runs)).toEqual([0, 0]);
    expect(part(elsewhere, 'C3a').place).toContain('regime pairs, modulus 10, depth 1');
    // shown all the same
    const shown = elsewhere.findings.find(
      ({ about }) => about?.statistic === 'embedding-pca/ring' && about.kind === 'difference',
    );
    expect(shown?.n.seeds).toBe(12);
  });

  it('takes the verdict at 4 B where there are runs of it, with that at B as a note', async () => {
    const at = (steps: number, place: Place) => [
      arm(6, { place, steps }),
      arm(6, { place: line, tasks: MIXED, steps }),
    ];
    const all = await of(...at(16_000, nothing), ...at(64_000, ring(3)));
    expect(part(all, 'C3c')).toMatchObject({ verdict: VERDICT.contradicted });
    expect(part(all, 'C3c').place).toContain('64,000 steps');
    expect(part(all, 'C3c').notes.some((note) => note.startsWith('at B: '))).toBe(true);
  });
});

describe('embeddingPca together', () => {
  it('does not depend on the order of the measurements', async () => {
    const all = [...(await arm(3, { place: line })), ...(await arm(3, { place: ring(1), tasks: MIXED }))];
    expect(together([...all].reverse()).findings).toEqual(together(all).findings);
    expect(together([...all].reverse()).charts).toEqual(together(all).charts);
  });

  it('aligns seeds: equal geometry in random directions agrees far beyond chance, noise does not', async () => {
    const [lines, noise] = await Promise.all([
      arm(5, { place: line }),
      arm(5, { place: nothing, tasks: MIXED }),
    ]);
    const [sum, mixed] = groupsOf([...lines, ...noise], 9);
    expect(sum.agreement?.unexplained).toBeLessThan(0.1);
    expect(sum.agreement?.p).toBe(0.1);
    // in all n - 1 dimensions even noise can be turned onto itself well: the null says how well
    const { unexplained = 0, nullMean = 1 } = mixed.agreement ?? {};
    expect(Math.abs(unexplained - nullMean)).toBeLessThan(0.02);
    expect(sum.ellipses).toHaveLength(10);
  });

  it('draws a ring under another naming as a ring: neighbours lie beside each other', async () => {
    const [group] = groupsOf(await arm(4, { place: ring(3) }), 9);
    expect(group.namings.every((unit) => unit === 3 || unit === 7)).toBe(true);
    const turn = (i: number): number => Math.atan2(group.consensus[i][1], group.consensus[i][0]);
    for (let i = 0; i < 10; i++) {
      const step = Math.abs(turn((i + 1) % 10) - turn(i));
      expect(Math.min(step, 2 * Math.PI - step)).toBeLessThan(0.9);
    }
  });

  it('finds SUM-only and mixed rings equal up to renaming', async () => {
    const renamed: Place = (i) => ring(1)(renaming(10, 3)[i]);
    const same = mean(
      await of(arm(4, { place: renamed }), arm(4, { place: ring(1), tasks: MIXED })),
      'same-geometry',
    );
    expect(Number(same?.estimate)).toBeGreaterThan(0.5);
    expect(same?.p).toBeLessThan(0.001);
    expect(same?.verdict).toBeUndefined();
  });

  it('joins seeds by mid-p', async () => {
    const measured = await arm(3, { place: line, noise: 2 });
    const tests = measured.map(({ measurement }) => rowOf(measurement, 'order').null ?? { mean: NaN });
    expect(tests.every(({ p = NaN, midP = NaN }) => midP < p)).toBe(true);
    const order = mean(together(measured), 'order');
    expect(order?.p).toBeCloseTo(stouffer(tests.map(({ midP = NaN }) => midP)).p, 8);
    expect(order?.pMethod).toContain('mid-p');
  });

  it('gives exploratory numbers no verdict and adjusts every p', async () => {
    const { findings } = await of(arm(3, { place: line }), arm(3, { place: line, tasks: MIXED }));
    expect(findings.length).toBeGreaterThan(15);
    for (const finding of findings) {
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
    const charts = together(measured).charts;
    expect(charts.map(({ id }) => id)).toEqual([
      'embedding-plane',
      'embedding-statistics',
      'embedding-fourier',
      'embedding-variance',
      'embedding-cosine',
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
    const subtitle = async (n: number) => together(await arm(n, { place: line })).charts[0].subtitle;
    expect(await subtitle(4)).toContain('95 % of a normal distribution estimated from 4 seeds');
    expect(await subtitle(2)).not.toContain('ellipse');
  });

  it('say in words that there is nothing when no subject is given', () => {
    for (const chart of together([]).charts) {
      expect(compileCounting(themed(chart.spec, 'dark', [])), chart.id).toEqual([]);
    }
    expect(together([]).findings).toEqual([]);
  });
});
