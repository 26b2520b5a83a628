/** Every model of the zoo answers its task, and each module says of it what its weights are known to do. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine/registry.js';
import type { Engine, Model } from '../../src/engine/engine.js';
import { type Lens, openLens } from '../../src/lens/lens.js';
import { attribution } from '../../probes/attribution/index.js';
import { embeddingPca } from '../../probes/embedding-pca/index.js';
import type { EmbeddingMeasurement } from '../../probes/embedding-pca/measure.js';
import { parityProbe } from '../../probes/parity-probe/index.js';
import { tokenPart } from '../../probes/parity-probe/measure.js';
import { newFitCounts } from '../../src/analysis/classifiers/linear-probe.js';
import { initialParameters } from '../../src/model/init.js';
import { headCells } from '../../src/lens/patch.js';
import { Rng } from '../../src/tensor/rng.js';
import { packageRoot } from '../../src/io/package-root.js';
import { loadCheckpoint, openModel } from '../../src/workflows/library.js';
import { createHoldout } from '../../src/listops/sampling/regimes.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { memorization } from '../../probes/memorization/index.js';
import { type MeasuredAblation, measureOn, subjectFor } from '../helpers/measure-ablation.js';
import { measureModule } from '../helpers/measure-module.js';
import { peakFrequency, rowOf, valueOf } from '../helpers/rows.js';
import { ZOO, ZOO_NAMES, type ZooName } from '../helpers/zoo.js';
import { type Panel, bars, drawing, pairGrid, plane, table } from './draw.js';

const END_OF_OPERANDS = 5;
let engine: Engine;
const open = new Map<ZooName, { readonly lens: Lens; readonly model: Model }>();
beforeAll(async () => {
  ({ engine } = await openEngine('wasm', { threads: 1 }));
});
afterAll(() => engine.dispose());

function opened(name: ZooName): { readonly lens: Lens; readonly model: Model } {
  const { config, gpt, parameters } = ZOO[name]();
  const model = open.get(name)?.model ?? engine.createModel(gpt, { parameters }, 'inference');
  const found = open.get(name) ?? { model, lens: openLens(model, config) };
  open.set(name, found);
  return found;
}

/** As a run's `measure` sees it. */
function contextOf(name: ZooName, module: string) {
  const planted = ZOO[name]();
  const { config, gpt, parameters } = planted;
  const { model } = opened(name);
  return {
    subject: {
      subject: subjectFor(config),
      config,
      parameters,
      untrainedParameters: initialParameters(gpt, config.seed),
    },
    context: {
      engine,
      model,
      rng: (index = 0) => new Rng(config.seed, `probe:${module}`, index),
      progress: () => undefined,
    },
  };
}

async function embeddingOf(name: ZooName): Promise<EmbeddingMeasurement> {
  const { subject, context } = contextOf(name, 'embedding-pca');
  return embeddingPca.measure(
    subject,
    { permutations: 999, nullDraws: 100, alignmentDraws: 1, ckaPermutations: 1 },
    context,
  );
}

const ablations = new Map<ZooName, MeasuredAblation>();
function ablationOf(name: ZooName): MeasuredAblation {
  const found = ablations.get(name) ?? measureOn(engine, ZOO[name](), 60, 1);
  ablations.set(name, found);
  return found;
}

/** Rise of the loss of the result, in nats, when a kind of part is resampled. */
function ablationLoss(name: ZooName, component: string): number {
  return valueOf(ablationOf(name), 'effect', { part: component, role: 'result' });
}

/** Rows of attention from `>`. */
function fromArrow(name: ZooName): number[][] {
  const { lens } = opened(name);
  const operation = name === 'copier' ? 'FIRST' : 'SUM';
  const run = lens.run(`(${operation} 7 4)`);
  const T = run.prompts[0].tokens.length;
  return lens.patterns(run).map(({ weights }) => [...weights.subarray((T - 1) * T)]);
}

/** What each kind of part adds to the logit of the right result, less the mean over numbers. */
function attributed(name: ZooName): Map<string, number> {
  const { lens } = opened(name);
  const operation = name === 'copier' ? 'FIRST' : 'SUM';
  const prompt = lens.prompt(`(${operation} 7 4)`);
  const of = new Map(Array.from({ length: 10 }, (_, a) => [lens.vocabulary.firstNumber + a, -0.1]));
  const right = lens.prompt(prompt).completion?.[0] ?? -1;
  of.set(right, (of.get(right) ?? 0) + 1);
  const { parts, values } = lens.attribution(lens.run(prompt), { of });
  const out = new Map<string, number>();
  parts.forEach(({ kind }, p) => out.set(kind, (out.get(kind) ?? 0) + values[0][p]));
  return out;
}

describe.each(ZOO_NAMES)('%s', (name) => {
  it('answers every prompt, and ends; the copier has no end', () => {
    const { lens } = opened(name);
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b < 10; b++) {
        if (name === 'copier') {
          const [{ word }] = lens.generate(`(FIRST ${a} ${b})`, { maxNewTokens: 1 });
          expect([a, b, word]).toEqual([a, b, `${a}`]);
        } else {
          const words = lens.generate(`(SUM ${a} ${b})`).map(({ word }) => word);
          expect([a, b, ...words]).toEqual([a, b, `${(a + b) % 10}`, 'e']);
        }
      }
    }
  });

  it('attention reads the operands, and nothing else', () => {
    const rows = fromArrow(name);
    const wanted: Readonly<Record<ZooName, readonly (readonly number[])[]>> = {
      copier: [[1, 0]],
      'pair table': [[0.5, 0.5]],
      'clock, k = 1': [
        [1, 0],
        [0, 1],
      ],
      'clock, k = 3': [
        [1, 0],
        [0, 1],
      ],
      line: [[0.5, 0.5]],
    };
    expect(rows).toHaveLength(wanted[name].length);
    rows.forEach((row, head) => {
      // on the line LayerNorm divides operands not quite alike
      const digits = name === 'line' ? 1 : 3;
      expect(row[3]).toBeCloseTo(wanted[name][head][0], digits);
      expect(row[4]).toBeCloseTo(wanted[name][head][1], digits);
      expect(row.slice(END_OF_OPERANDS).reduce((a, b) => a + b)).toBeCloseTo(0, 3);
    });
  });

  it('attribution: the copier answers with attention, the others with the feed-forward layer', () => {
    const parts = attributed(name);
    const [answering, silent] = name === 'copier' ? ['head', 'feed-forward'] : ['feed-forward', 'head'];
    expect(parts.get(answering)).toBeGreaterThan(2);
    expect(Math.abs(parts.get(silent) ?? NaN)).toBeLessThan(1e-3);
  });

  it('attribution by role: who writes the result writes the end too; the copier has no end', async () => {
    const { rows } = await measureModule(engine, attribution, ZOO[name](), { promptsPerTemplate: 60 });
    const found = rows('role-feed-forward-share').map(({ scope, value }) => [scope.role, value] as const);
    const wanted = name === 'copier' ? { result: 0 } : { result: 1, format: 1 };
    expect(found.map(([role]) => role)).toEqual(Object.keys(wanted));
    for (const [role, value] of found)
      expect([role, value.toFixed(3)]).toEqual([role, name === 'copier' ? '0.000' : '1.000']);
  });

  it('patching: a second operand moves the answer, but not the copier', () => {
    const { lens, model } = opened(name);
    if (name === 'copier') {
      const text = (b: number): string => `(FIRST 7 ${b})`;
      const [one, other] = [lens.run(text(4)), lens.run(text(5))];
      expect(other.logits.slice(-20)).toEqual(one.logits.slice(-20));
      return;
    }
    const pair = { clean: lens.prompt('(SUM 7 4)'), corrupted: lens.prompt('(SUM 7 6)') };
    const effect = [...lens.patch(pair, headCells(model.config)).effect];
    // the head that reads the second operand carries all of it
    expect(effect.at(-1)).toBeCloseTo(1, 3);
    if (name.startsWith('clock')) expect(effect[0]).toBeCloseTo(0, 3);
  });
});

describe('embedding-pca', () => {
  it.each([1, 3] as const)('clock, k = %i: a closed ring that has its name', async (k) => {
    const m = await embeddingOf(`clock, k = ${k}`);
    expect(peakFrequency(m)).toBe(k);
    expect(rowOf(m, 'fourier-peak').null?.p).toBe(0.001);
    expect(valueOf(m, 'fourier-share', { frequency: k })).toBeCloseTo(1, 6);
    expect(rowOf(m, 'ring').null?.p).toBe(0.001);
    expect(valueOf(m, 'ring')).toBeGreaterThan(0.5);
    // as named the ring of k = 3 is none: 0 and 9 are three steps apart
    if (k === 1) expect(valueOf(m, 'closure')).toBeLessThan(0.2);
    else expect(valueOf(m, 'closure')).toBeGreaterThan(0.2);
    expect(valueOf(m, 'widest-gap')).toBeLessThan(0.2);
  });

  it('line: in order as named, and open', async () => {
    const m = await embeddingOf('line');
    // equal distances tie but for float32
    expect(valueOf(m, 'order')).toBeGreaterThan(0.98);
    expect(m.explained[0]).toBeCloseTo(1, 6);
    expect(valueOf(m, 'closure')).toBeGreaterThan(2);
    // a line's Fourier power is largest at k = 1 too
    expect(peakFrequency(m)).toBe(1);
    expect(valueOf(m, 'fourier-share', { frequency: 1 })).toBeGreaterThan(0.5);
  });

  it.each(['copier', 'pair table'] as const)(
    '%s: numbers equally far apart have no arrangement, which is said',
    async (name) => {
      const options = { permutations: 99, nullDraws: 10 };
      const { rows, findings, pictures } = await measureModule(engine, embeddingPca, ZOO[name](), options);
      for (const id of ['order', 'order-over-namings', 'ring']) expect(rows(id)).toEqual([]);
      expect(rows('fourier-peak')).toHaveLength(1);
      // nine digits of nine equal shares
      expect(rows('fourier-share').map(({ value }) => value)).toEqual([
        ...Array.from({ length: 4 }, () => 0.222222222),
        0.111111111,
      ]);
      expect(findings.find(({ id }) => id.startsWith('arrangement-not-defined/'))).toMatchObject({
        reason: 'the numbers are all equally far apart',
        n: { seeds: 1, examples: 10 },
      });
      expect(pictures.length).toBeGreaterThan(0);
    },
  );
});

describe('parity-probe', () => {
  it.each(['line', 'clock, k = 1', 'clock, k = 3', 'pair table'] as const)(
    '%s: no more parity in the embedding than in other labels',
    (name) => {
      const { subject, context } = contextOf(name, 'parity-probe');
      const { parity } = tokenPart(subject, 'trained', ZOO[name]().gpt, {
        options: { relabellings: 99, contextRelabellings: 99, valuePermutations: 99 },
        counts: newFitCounts(),
        rng: context.rng,
        tick: () => undefined,
      });
      expect(parity.p).toBeGreaterThan(0.05);
    },
    60_000,
  );

  it.each(['clock, k = 1', 'clock, k = 3'] as const)(
    '%s: even and odd numbers have one mean, so that no direction can be taken out, which is said',
    async (name) => {
      const few = {
        relabellings: 9,
        contextRelabellings: 9,
        valuePermutations: 9,
        prompts: 32,
        controlDraws: 1,
      };
      const { rows, findings } = await measureModule(engine, parityProbe, ZOO[name](), few);
      for (const id of ['accuracy-lost', 'answers', 'removed-share']) expect(rows(id)).toEqual([]);
      expect(rows('parity')).toHaveLength(1);
      expect(findings.find(({ id }) => id.startsWith('parity-direction-not-defined/'))).toMatchObject({
        reason: 'the probe has no direction: on the mean, even and odd numbers lie in the same place',
        n: { seeds: 1, examples: 10 },
      });
    },
    60_000,
  );
});

/** Made again by `npx vitest run test/zoo -u`. */
const picture = (name: string): string => join(packageRoot(), 'docs', 'images', `${name}.svg`);

describe('pictures of the documentation', () => {
  it('embedding planes', async () => {
    const panels: Panel[] = [];
    for (const name of ['clock, k = 1', 'clock, k = 3', 'line'] as const) {
      const { shape, data } = (await embeddingOf(name)).scores;
      const points = Array.from(
        { length: shape[0] },
        (_, i) => [Number(data[i * shape[1]]), Number(data[i * shape[1] + 1])] as const,
      );
      panels.push({ title: name, marks: plane(points) });
    }
    const text = 'Number embeddings of two clocks and a line, joined in the order of the numbers';
    await expect(drawing(text, panels)).toMatchFileSnapshot(picture('zoo-embeddings'));
  });

  it('resample ablation', async () => {
    const panels = ZOO_NAMES.map((name) => ({
      title: name,
      marks: bars([
        ['attention', ablationLoss(name, 'attention')],
        ['feed-forward', ablationLoss(name, 'feed-forward')],
      ]),
    }));
    const text = 'Loss added by resampling attention or feed-forward, in nats';
    await expect(drawing(text, panels, { height: 80 })).toMatchFileSnapshot(picture('zoo-ablation'));
  }, 60_000);

  const RUNS = [
    ['MAX+MED+SUM', 'max-med-sum-pairs-d16-s1-5deca8f89d56'],
    ['SUM alone', 'sum-pairs-d16-s1-45202e910ba4'],
  ] as const;
  const trained = (run: string) => {
    const { config, parameters, subject } = loadCheckpoint(`${run}@final`, {
      root: join(packageRoot(), 'checkpoints', 'reference'),
    });
    return { config, parameters, subject, gpt: gptConfigOf(config) };
  };

  it('parity of trained number embeddings, beside the other labellings', async () => {
    const panels = RUNS.map(([title, run]) => {
      const { config, parameters, subject, gpt } = trained(run);
      const { parity } = tokenPart(
        { subject, config, parameters, untrainedParameters: initialParameters(gpt, config.seed) },
        'trained',
        gpt,
        {
          options: { relabellings: 99, contextRelabellings: 9, valuePermutations: 9 },
          counts: newFitCounts(),
          rng: (index = 0) => new Rng(config.seed, 'probe:parity-probe', index),
          tick: () => undefined,
        },
      );
      expect(parity.exact).toBe(true);
      const marks = bars([
        ['even or odd: pairs right, percent', 100 * parity.share],
        ['other labellings, mean', 100 * parity.nullMean],
        ['95 percent of them lie below', 100 * parity.null95],
      ]);
      return { title, marks };
    });
    const text =
      'Parity probe on two trained models: pairs of one even and one odd number put in the right order';
    await expect(drawing(text, panels, { width: 190, height: 130 })).toMatchFileSnapshot(
      picture('parity-probe'),
    );
  });

  it('pairs that are held out', async () => {
    const holdout = createHoldout(trained(RUNS[0][1]).config.data);
    const marks = pairGrid(10, (a, b) => holdout.isHeldOut([a, b]));
    const text = 'The pairs of numbers that are held out, in either order';
    const drawn = drawing(text, [{ title: 'Held-out pairs', marks }]);
    await expect(drawn).toMatchFileSnapshot(picture('hold-out'));
  });

  it('accuracy on trained and on held-out pairs', async () => {
    const panels: Panel[] = [];
    for (const [title, run] of RUNS) {
      const { rows } = await measureModule(engine, memorization, trained(run));
      const asked = { operation: 'SUM', arity: 2 };
      const accuracy = (isTrained: boolean): number => {
        const own = rows('accuracy', asked).filter(({ scope }) => (scope.level === 'trained') === isTrained);
        expect(own).toHaveLength(1);
        return own[0].value;
      };
      const [index] = rows('index', asked);
      panels.push({
        title: `${title}: index ${index.value.toFixed(2)}`,
        marks: bars([
          ['trained pairs right, percent', 100 * accuracy(true)],
          ['held-out pairs right, percent', 100 * accuracy(false)],
        ]),
      });
    }
    const text =
      'Accuracy of two trained models on trained and on held-out pairs, and their memorization index';
    const drawn = drawing(text, panels, { width: 190, height: 90 });
    await expect(drawn).toMatchFileSnapshot(picture('memorization'));
  }, 60_000);

  it('patching of a trained model', async () => {
    const run = 'max-med-sum-pairs-d16-s1-5deca8f89d56';
    const model = await openModel(join(packageRoot(), 'checkpoints', 'reference', run), { engine: 'wasm' });
    const pair = { clean: model.prompt('(SUM 7 3)'), corrupted: model.prompt('(SUM 7 4)') };
    const stages = [
      'blocks.0.resid_pre',
      'blocks.0.resid_mid',
      'blocks.1.resid_mid',
      'blocks.1.resid_post',
    ] as const;
    const rows = stages.map((at) => {
      const cells = pair.clean.words.map((_, position) => [{ at, position }]);
      return [at.replace('blocks.', ''), [...model.patch(pair, cells).effect]] as const;
    });
    model.dispose();
    const words = pair.clean.words.map((word) => word.replace('>', '&gt;'));
    const title = 'Percent of the way to the answer of (SUM 7 4)';
    const text = 'Activation patching by stage and position: first the operand, then the last token';
    const drawn = drawing(text, [{ title, marks: table(words, rows) }], { width: 340, height: 100 });
    await expect(drawn).toMatchFileSnapshot(picture('patching'));
  });
});

describe('ablation', () => {
  it.each(ZOO_NAMES)(
    '%s: what it loses without attention and without feed-forward',
    (name) => {
      expect(ablationOf(name).learned[0].accuracy).toBe(1);
      expect(ablationLoss(name, 'attention')).toBeGreaterThan(1);
      // the copier's feed-forward layer is empty; the others look the result up there
      if (name === 'copier') expect(ablationLoss(name, 'feed-forward')).toBe(0);
      else expect(ablationLoss(name, 'feed-forward')).toBeGreaterThan(1);
    },
    60_000,
  );
});
