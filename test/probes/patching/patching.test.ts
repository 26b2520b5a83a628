/** Pairs that differ in one thing, models set by hand whose paths are known, what holds in any model, and the pooling by hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patching } from '../../../probes/patching/index.js';
import { type Patched, type PatchingMeasurement, STAGES } from '../../../probes/patching/measure.js';
import { drawPairs } from '../../../probes/patching/pairs.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import type { RunConfig } from '../../../src/config/run-config.js';
import type { Engine } from '../../../src/engine/engine.js';
import { evidenceOf } from '../../../src/evidence/evidence.js';
import { observe } from '../../../src/evidence/statistic.js';
import { openLens } from '../../../src/lens/lens.js';
import { METRICS } from '../../../src/lens/patch.js';
import type { DataConfig } from '../../../src/listops/data-config.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import { initialParameters } from '../../../src/model/init.js';
import { numberOf } from '../../../src/report/report-json.js';
import { Rng } from '../../../src/tensor/rng.js';
import { type Measurable, subjectFor, testEngine } from '../../helpers/measure-ablation.js';
import { plantedCopier, plantedPairTable } from '../../helpers/planted-models.js';
import { strongWeights } from '../../lens/setup.js';

let engine: Engine;
beforeAll(async () => (engine = await testEngine()));
afterAll(() => engine.dispose());

const rngOf =
  (seed: number) =>
  (index = 0): Rng =>
    new Rng(seed, 'probe:patching', index);

async function measureOn({ config, gpt, parameters }: Measurable, pairs = 24) {
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const subject = {
    subject: subjectFor(config),
    config,
    parameters,
    untrainedParameters: initialParameters(gpt, config.seed),
  };
  const context = { engine, model, rng: rngOf(config.seed), progress: () => undefined };
  const measured = await patching.measure(subject, { pairs }, context);
  model.dispose();
  return { measured, subject };
}

/** Weights of standard deviation 0.5 throughout, so that every part matters. */
function random(config: RunConfig): Measurable {
  const gpt = gptConfigOf(config);
  return { config, gpt, parameters: strongWeights(gpt, 3) };
}

const MIXED: RunConfig = {
  ...DEFAULT_RUN,
  data: { ...DEFAULT_RUN.data, tasks: ['MAX', 'SUM'], regime: 'pairs', operands: [2, 3] },
  model: { ...DEFAULT_RUN.model, nHeads: 2 },
};

/** Share of a place of the trained or untrained model. */
function place(
  { positions, ...own }: Patched,
  layer: number,
  stage: (typeof STAGES)[number],
  position: string,
  which: 'trained' | 'untrained' = 'trained',
): number {
  const at = (layer * STAGES.length + STAGES.indexOf(stage)) * positions.length + positions.indexOf(position);
  return numberOf(own[which].places.data[at]);
}

function path({ paths }: PatchingMeasurement, own: Patched, name: string): number {
  return numberOf(own.trained.paths.data[paths.findIndex(({ from, to }) => `${from} to ${to}` === name)]);
}

describe('pairs', () => {
  const { data } = MIXED;
  const draw = (options: Partial<Parameters<typeof drawPairs>[1]> & { data?: DataConfig }) => {
    const { gpt, parameters } = random(MIXED);
    const model = engine.createModel(gpt, { parameters }, 'inference');
    const groups = drawPairs(openLens(model, { data }), {
      data,
      operation: 'SUM',
      corruption: 'operand',
      count: 60,
      rng: new Rng(1, 'pairs'),
      ...options,
    });
    model.dispose();
    return groups;
  };

  it.each(['operand', 'operation'] as const)('differ in the %s alone, and in the result', (corruption) => {
    const groups = draw({ corruption });
    const holdout = createHoldout(data);
    expect(groups.map(({ changed }) => changed)).toEqual(corruption === 'operand' ? [0, 1] : [null]);
    expect(groups.flatMap(({ pairs }) => pairs)).toHaveLength(60);
    for (const { changed, pairs } of groups) {
      for (const { clean, corrupted } of pairs) {
        const differ = [...clean.tokens].flatMap((token, t) => (token === corrupted.tokens[t] ? [] : [t]));
        expect(differ).toEqual([changed === null ? 2 : 3 + changed]);
        expect(clean.completion?.[0]).not.toBe(corrupted.completion?.[0]);
        for (const { expression } of [clean, corrupted])
          expect(holdout.isHeldOut((expression?.operands ?? []).map(Number))).toBe(false);
      }
    }
  });

  it('are none where no change changes the result', () => {
    const alone = { ...data, tasks: ['SUM' as const] };
    expect(draw({ data: alone, corruption: 'operation' })).toEqual([]);
    expect(draw({ operation: 'FIRST' }).map(({ changed }) => changed)).toEqual([0]);
  });
});

describe('models set by hand', () => {
  it('a copier: attention carries the operand, and writes the answer itself', async () => {
    const { measured } = await measureOn(plantedCopier());
    expect(measured.measured).toHaveLength(1);
    const [own] = measured.measured;
    expect(place(own, 0, 'resid_pre', 'changed operand')).toBeCloseTo(1, 5);
    expect(place(own, 0, 'resid_mid', 'changed operand')).toBeCloseTo(0, 5);
    expect(place(own, 0, 'resid_mid', 'result')).toBeCloseTo(1, 5);
    expect(numberOf(own.trained.heads.data[0])).toBeCloseTo(1, 5);
    const expected = {
      'embedding to attention 0': 1,
      'attention 0 to logits': 1,
      'embedding to feed-forward 0': 0,
      'embedding to logits': 0,
      'attention 0 to feed-forward 0': 0,
      'feed-forward 0 to logits': 0,
    };
    for (const [name, share] of Object.entries(expected))
      expect(path(measured, own, name), name).toBeCloseTo(share, 5);
  });

  it('a table of pairs: attention brings the operands, the feed-forward layer answers', async () => {
    const { measured } = await measureOn(plantedPairTable());
    const [own] = measured.measured;
    expect(place(own, 0, 'resid_mid', 'result')).toBeCloseTo(1, 5);
    expect(path(measured, own, 'embedding to attention 0')).toBeCloseTo(1, 5);
    // the operands stay in the last LayerNorm's input and scale the logits where both are equal
    expect(path(measured, own, 'attention 0 to feed-forward 0')).toBeCloseTo(1, 1);
    expect(path(measured, own, 'feed-forward 0 to logits')).toBeCloseTo(1, 1);
    expect(path(measured, own, 'attention 0 to logits')).toBeCloseTo(0, 1);
    expect(path(measured, own, 'embedding to logits')).toBeCloseTo(0, 5);
  });
});

describe('any model', () => {
  it('moves the whole way by what was changed, not at all by equal tokens, and at the end by the last position', async () => {
    const { measured } = await measureOn(random(MIXED));
    expect(measured.measured.map(({ operation, corruption }) => `${operation} ${corruption}`)).toEqual([
      'MAX operand',
      'MAX operation',
      'SUM operand',
      'SUM operation',
    ]);
    const end = MIXED.model.nLayers - 1;
    for (const own of measured.measured) {
      for (const which of ['trained', 'untrained'] as const) {
        const isOperand = own.corruption === 'operand';
        const share = (layer: number, stage: (typeof STAGES)[number], position: string): number =>
          place(own, layer, stage, position, which);
        expect(share(0, 'resid_pre', isOperand ? 'changed operand' : 'operation')).toBeCloseTo(1, 4);
        expect(share(0, 'resid_pre', isOperand ? 'other operands' : 'operands')).toBe(0);
        expect(share(0, 'resid_pre', 'result')).toBe(0);
        expect(share(end, 'resid_post', 'result')).toBeCloseTo(1, 4);
        expect(share(end, 'resid_mid', 'closing bracket')).toBe(0);
        // before the first changed token nothing differs in any layer
        if (isOperand) for (const stage of STAGES) expect(share(end, stage, 'operation')).toBe(0);
      }
    }
  });

  it('shares are those of single pairs, joined by hand', async () => {
    const under = random(MIXED);
    const { measured } = await measureOn(under);
    const own = measured.measured.find(
      ({ operation, corruption }) => operation === 'SUM' && corruption === 'operand',
    );
    if (own === undefined) throw new Error('SUM was not measured');
    const model = engine.createModel(under.gpt, { parameters: under.parameters }, 'inference');
    const lens = openLens(model, { data: MIXED.data });
    const groups = drawPairs(lens, {
      data: MIXED.data,
      operation: 'SUM',
      corruption: 'operand',
      count: 24,
      rng: rngOf(MIXED.seed)(2),
    });
    const sums = { moved: 0, whole: 0 };
    for (const { changed, pairs } of groups) {
      for (const pair of pairs) {
        const logitsOf = (prompt: typeof pair.clean, position?: number): number => {
          const there = lens.run(pair.corrupted, { capture: ['blocks.1.resid_pre'] });
          const value = there.activations.get('blocks.1.resid_pre');
          const run = lens.run(prompt, {
            interventions:
              position === undefined || value === undefined
                ? []
                : [{ at: 'blocks.1.resid_pre', op: 'set', value, positions: Int32Array.of(position) }],
          });
          return METRICS['logit difference'](run.logits.slice(-under.gpt.dVocab), pair);
        };
        const clean = logitsOf(pair.clean);
        sums.moved += logitsOf(pair.clean, 3 + (changed ?? 0)) - clean;
        sums.whole += logitsOf(pair.corrupted) - clean;
      }
    }
    model.dispose();
    expect(place(own, 1, 'resid_pre', 'changed operand')).toBeCloseTo(sums.moved / sums.whole, 5);
  });
});

it('gives rows and pictures', async () => {
  const { measured, subject } = await measureOn(random(MIXED), 8);
  const table = observe('patching', patching.statistics, subject.subject.id, measured);
  const count = (id: string): number =>
    table.filter(({ statistic }) => statistic === `patching/${id}`).length;
  // four kinds of pairs: 2 layers; 5 senders; 2 layers x 3 stages x (5 or 4) positions; 2 x 2 heads; 5 + 4 + 3 + 2 + 1 paths
  expect(['arrived', 'direct', 'place', 'head', 'path'].map(count)).toEqual([8, 20, 2 * 30 + 2 * 24, 16, 60]);
  const infos = new Map(patching.statistics.map(({ of: _, ...info }) => [`patching/${info.id}`, info]));
  const evidence = evidenceOf([subject.subject], table, infos);
  const last = [{ subject: subject.subject, config: subject.config, measurement: measured }];
  const pictures = patching.combine?.({ measured: last, last, options: {}, evidence }).pictures ?? [];
  expect(pictures.map(({ id, table: own }) => [id, own.rows.length])).toEqual([
    // a layer begins with what the one before it left, which is drawn once
    ['patching-places', 108 - (2 * 5 + 2 * 4)],
    ['patching-paths', 60],
    ['patching-heads', 16],
  ]);
});
