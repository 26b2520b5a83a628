/**
 * The known null: 200 untrained models, each reported alone, in which every module may call something significant in at most
 * 18 (the binomial 99 % of 200 at level 0.05). Level on noise at every attainable p: test/analysis/classifiers/linear-probe.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ablation } from '../../probes/ablation/index.js';
import type { Measured, MeasureContext, Options, Probe, ProbeSubject } from '../../probes/contract.js';
import { embeddingPca } from '../../probes/embedding-pca/index.js';
import { memorization } from '../../probes/memorization/index.js';
import { parityProbe } from '../../probes/parity-probe/index.js';
import { tokenPart } from '../../probes/parity-probe/measure.js';
import type { EmbeddingNumbers } from '../../probes/parity-probe/measure.js';
import { newFitCounts } from '../../src/analysis/classifiers/linear-probe.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { getPreset } from '../../src/config/presets.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { Engine, Model } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/registry.js';
import { initialParameters } from '../../src/model/init.js';
import { evidenceOf } from '../../src/evidence/evidence.js';
import type { Finding } from '../../src/evidence/finding.js';
import { moduleFindings } from '../../src/evidence/findings.js';
import { scopeText } from '../../src/evidence/scope.js';
import { LEARNED_ACCURACY } from '../../src/evidence/claims-file.js';
import type { Subject } from '../../src/evidence/subject.js';
import { Rng } from '../../src/tensor/rng.js';
import { combineMeasurements } from '../../src/workflows/probing/combine-measurements.js';
import { resolveOptions } from '../../src/workflows/probing/probe-plan.js';
import { subjectFor } from '../helpers/measure-ablation.js';
import { type MeasuredParity, measureParity, withRows } from '../helpers/measure-parity.js';

const SEEDS = 200;
const MOST_SIGNIFICANT = 18;
const LEVEL = 0.05;
/** Runs in one report of several: twice what a claim asks for. */
const TOGETHER = 12;
/** Three times what is needed when other work takes the cores. */
const TIMEOUT_MS = 180_000;

/** The checkpoint as it is, and the same weights passed off as a run that has learned: modules then say the most. */
const VIEWS = ['untrained', 'passed off as learned'] as const;

let engine: Engine;
beforeAll(async () => {
  ({ engine } = await openEngine('auto', { threads: 1 }));
});
afterAll(() => engine.dispose());

/** SUM alone in regime pairs, as the preset `quick` trains it. */
function configAt(seed: number): RunConfig {
  const found = getPreset('quick').runs.find(
    ({ data }) => data.regime === 'pairs' && data.tasks.join() === 'SUM',
  );
  if (found === undefined) throw new Error('the preset quick has no SUM-only run in regime pairs');
  expect(found.model.dModel).toBe(16);
  return { ...found, seed };
}

function subjectAt(seed: number, view: (typeof VIEWS)[number]): ProbeSubject {
  const config = configAt(seed);
  const parameters = initialParameters(gptConfigOf(config), seed);
  const isLearned = view !== 'untrained';
  const subject: Subject = {
    ...subjectFor(config, `seed-${seed}`, isLearned ? 1 : 0.1),
    final: isLearned,
  };
  return { subject, config, parameters, untrainedParameters: parameters };
}

function contextOf(name: string, seed: number, model: Model): MeasureContext {
  return {
    engine,
    model,
    rng: (index = 0) => new Rng(seed, `probe:${name}`, index),
    progress: () => undefined,
  };
}

/** `measure` on a model with the subject's weights. */
async function measureWhole<M>(probe: Probe<M>, subject: ProbeSubject, given: Options): Promise<M> {
  const options = resolveOptions(probe as unknown as Probe, given);
  const { config, parameters } = subject;
  const model = engine.createModel(gptConfigOf(config), { parameters }, 'inference');
  try {
    return await probe.measure(subject, options, contextOf(probe.name, config.seed, model));
  } finally {
    model.dispose();
  }
}

type View = (typeof VIEWS)[number];

interface Told {
  /** runs reported alone in which something is significant after the module's own correction */
  readonly significant: number;
  /** findings that have a p, in every run the same */
  readonly tested: readonly string[];
  /** findings of all runs, with a p or without */
  readonly findings: number;
  /** the same as `tested` for one report of the first TOGETHER runs */
  readonly testedTogether: readonly string[];
}

/** Every seed measured once and reported alone. */
async function tell<M>(
  probe: Probe<M>,
  measure: (subject: ProbeSubject) => Promise<M> | M,
): Promise<(view: View) => Told> {
  const measurements: M[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) measurements.push(await measure(subjectAt(seed, 'untrained')));
  return (view) => {
    const measured = measurements.map((measurement, i) => {
      const { subject, config } = subjectAt(i + 1, view);
      return { subject, config, measurement };
    });
    const alone = measured.map((one) => findingsOf(probe, [one]));
    const tested = new Set(alone.map((findings) => findings.filter(hasP).map(nameOf).join()));
    expect([...tested], `${probe.name}, ${view}: findings with a p`).toHaveLength(1);
    return {
      significant: alone.filter((findings) => findings.some(isSignificant)).length,
      tested: alone[0].filter(hasP).map(nameOf),
      findings: alone.flat().length,
      testedTogether: findingsOf(probe, measured.slice(0, TOGETHER)).filter(hasP).map(nameOf),
    };
  };
}

/** What a report of these checkpoints says in the module's section. */
function findingsOf<M>(probe: Probe<M>, measured: readonly Measured<M>[]): Finding[] {
  const options = resolveOptions(probe as unknown as Probe);
  const { statistics, observations, further } = combineMeasurements(probe, options, measured);
  const named = statistics.map((info) => [`${probe.name}/${info.id}`, info] as const);
  const subjects = measured.map(({ subject }) => subject);
  return moduleFindings(
    evidenceOf(subjects, observations, new Map(named)),
    named.map(([id]) => id),
    { sideBySide: true, learnedAccuracy: LEARNED_ACCURACY, further },
  );
}

const hasP = ({ p, pAdjusted }: Finding): boolean => p !== undefined || pAdjusted !== undefined;
const isSignificant = ({ p, pAdjusted }: Finding): boolean => (pAdjusted ?? p ?? 1) <= LEVEL;
const nameOf = ({ about, id }: Finding): string =>
  about === undefined
    ? id
    : [about.statistic.replace(/^.*\//, ''), scopeText(about.scope)].filter(Boolean).join(': ');

describe('200 untrained models', () => {
  it(
    'have no geometry in embedding-pca',
    async () => {
      const options = { permutations: Number(embeddingPca.options?.permutations.series), nullDraws: 1 };
      const told = await tell(embeddingPca, (subject) => measureWhole(embeddingPca, subject, options));
      for (const view of VIEWS) {
        const one = told(view);
        expect(one.tested, view).toEqual(['order', 'order-over-namings', 'ring', 'fourier-peak']);
        // some are, or the p values are not looked at
        expect(one.significant, view).toBeGreaterThan(0);
        expect(one.significant, view).toBeLessThanOrEqual(MOST_SIGNIFICANT);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'have no parity in parity-probe',
    async () => {
      // activations and the causal check give findings without a p: one whole measurement stands for all, and shows it
      const first = subjectAt(1, 'untrained');
      const options = {
        prompts: 20,
        contextRelabellings: 9,
        controlDraws: 1,
        codeStages: 1,
        codeLabellings: 2,
      };
      const { config, parameters } = first;
      const model = engine.createModel(gptConfigOf(config), { parameters }, 'inference');
      const given = { ...parityDefaults(), ...options };
      const whole = measureParity(first, given, contextOf(parityProbe.name, config.seed, model));
      model.dispose();
      expect(whole.context).not.toBeNull();
      expect(whole.causal).not.toBeNull();
      expect(embeddingOf(first)).toEqual(whole.embedding);

      const told = await tell(parityProbe, (subject): MeasuredParity => {
        const embedding = embeddingOf(subject);
        return withRows({ ...whole, embedding, untrained: embedding });
      });
      for (const view of VIEWS) {
        const one = told(view);
        expect(one.tested, view).toEqual(['parity-power', 'parity', 'half', 'residue3', 'prime', 'value']);
        // some are, or the p values are not looked at
        expect(one.significant, view).toBeGreaterThan(0);
        expect(one.significant, view).toBeLessThanOrEqual(MOST_SIGNIFICANT);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'are not tested by ablation: its tests are over seeds, and of models that have learned',
    async () => {
      const told = await tell(ablation, (subject) =>
        measureWhole(ablation, subject, { promptsPerTemplate: 4, dosesPerOctave: 1 }),
      );
      for (const view of VIEWS) {
        const one = told(view);
        expect(one, view).toMatchObject({ significant: 0, tested: [], testedTogether: [] });
        expect(one.findings, view).toBeGreaterThanOrEqual(SEEDS);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'are not tested by memorization: its tests are over seeds, and of models that have learned',
    async () => {
      const options = { beyondPrompts: 1, leakExamples: 1 };
      const told = await tell(memorization, (subject) => measureWhole(memorization, subject, options));
      const [untrained, passedOff] = VIEWS.map(told);
      for (const one of [untrained, passedOff]) {
        expect(one).toMatchObject({ significant: 0, tested: [] });
        expect(one.findings).toBeGreaterThanOrEqual(SEEDS);
      }
      expect(untrained.testedTogether).toEqual([]);
      // whether a run has learned is what its log says: several seeds of it are then tested, and only as such
      const overSeeds = memorization.statistics.filter(({ tested }) => tested !== undefined);
      expect(overSeeds.every(({ tested, counts }) => tested === 'against-0' && counts === 'learned')).toBe(
        true,
      );
      const tested = new Set(passedOff.testedTogether.map((name) => name.replace(/:.*/, '')));
      expect(tested).toEqual(new Set(['gap', 'repeated', 'order', 'coset', 'near']));
    },
    TIMEOUT_MS,
  );
});

function parityDefaults() {
  const { relabellings, contextRelabellings, valuePermutations } = resolveOptions(
    parityProbe as unknown as Probe,
  );
  return {
    relabellings: Number(relabellings),
    contextRelabellings: Number(contextRelabellings),
    valuePermutations: Number(valuePermutations),
  };
}

/** The part of `measure` that findings with a p rest on, with its default options and random numbers. */
function embeddingOf(subject: ProbeSubject): EmbeddingNumbers {
  return tokenPart(subject, 'trained', gptConfigOf(subject.config), {
    options: parityDefaults(),
    counts: newFitCounts(),
    rng: (index = 0) => new Rng(subject.config.seed, `probe:${parityProbe.name}`, index),
    tick: () => undefined,
  });
}
