/** Drops of the ablation probe against a float64 forward pass with the definitions written out by hand. */
import { beforeAll, describe, expect, it } from 'vitest';
import { STREAM } from '../../../probes/ablation/measure.js';
import type { EffectKey } from '../../../probes/ablation/treatments.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import type { RunConfig } from '../../../src/config/run-config.js';
import type { Batch, Engine, Intervention, Model } from '../../../src/engine/engine.js';
import { RESULT, ROLES } from '../../../src/listops/language/expression.js';
import { OPERATION_NAMES, createOperationContext } from '../../../src/listops/language/operations.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import {
  type TemplateBatch,
  batteryTemplates,
  chooseDonors,
  fillTemplate,
} from '../../../src/listops/prompts/templates.js';
import { initialParameters } from '../../../src/model/init.js';
import { Rng } from '../../../src/tensor/rng.js';
import { type MeasuredAblation, measureOn, testEngine } from '../../helpers/measure-ablation.js';
import { type Edit, naiveForward } from '../../helpers/naive-gpt.js';
import { plantedPairTable } from '../../helpers/planted-models.js';

const PROMPTS = 70;
const config: RunConfig = {
  ...DEFAULT_RUN,
  data: { ...DEFAULT_RUN.data, tasks: ['MAX', 'SUM'], modulus: 7 },
  model: { ...DEFAULT_RUN.model, dModel: 8, dMlp: 12, nHeads: 2, nCtx: 16 },
  seed: 5,
};
const gpt = gptConfigOf(config);
// far from the small initial weights, so that every part matters
const parameters = initialParameters(gpt, 5).map((w) => (w === 1 ? 1 : 12 * w));

interface Filled {
  readonly filled: TemplateBatch;
  readonly donor: Int32Array;
}

/** The battery, from the same random streams as the probe's. */
function battery({ data, seed } = config, count = PROMPTS): Filled[] {
  const context = createOperationContext(data);
  return batteryTemplates(data).flatMap((template, index) => {
    const rng = (stream: number) => new Rng(seed, 'probe:ablation', stream + index);
    const filled = fillTemplate(template, {
      context,
      data,
      count,
      rng: rng(STREAM.prompts),
    });
    return filled === undefined
      ? []
      : [{ filled, donor: chooseDonors(filled.results, rng(STREAM.donors)).donor }];
  });
}

/** Replacement of x [P, T, C] at prompt p, position t, column c. */
type Replace = (
  x: Float64Array,
  at: (p: number, t: number, c: number) => number,
  p: number,
  t: number,
  c: number,
) => number;

interface Case {
  readonly key: Partial<EffectKey>;
  /** activations replaced, and by which columns */
  readonly at: readonly { readonly name: string; readonly from?: number; readonly to?: number }[];
  readonly frozen?: readonly string[];
  readonly isHere?: (batch: TemplateBatch, t: number) => boolean;
}

const METHODS: Record<string, (item: Filled) => Replace> = {
  zero: () => () => 0,
  resample:
    ({ donor }) =>
    (x, at, p, t, c) =>
      x[at(donor[p], t, c)],
  mean:
    ({ filled }) =>
    (x, at, p, t, c) => {
      let total = 0;
      for (let q = 0; q < filled.nPrompts; q++) if (q !== p) total += x[at(q, t, c)];
      return total / (filled.nPrompts - 1);
    },
};

/** The pure templates of SUM that are large enough for a mean. */
function pureSum(items: readonly Filled[]): TemplateBatch[] {
  return items.flatMap(({ filled }) =>
    filled.nPrompts < 64 || filled.template.operation !== 'SUM' ? [] : [filled],
  );
}

/** Mean loss on result tokens, intact and with every attention pattern at its mean over the other prompts. */
function naiveFreeze(
  model: typeof gpt,
  weights: Float32Array,
  batches: readonly TemplateBatch[],
): { readonly clean: number; readonly frozen: number; readonly rise: number } {
  const sums = { clean: 0, frozen: 0, count: 0 };
  for (const { batch, nPrompts: P } of batches) {
    const clean = naiveForward(model, weights, batch);
    const frozen = naiveForward(model, weights, batch, (name, values) => {
      const x = name.endsWith('attn.pattern') ? clean.activations.get(name) : undefined;
      if (x === undefined) return;
      const width = x.length / P;
      for (let p = 0; p < P; p++) {
        for (let w = 0; w < width; w++) {
          let total = 0;
          for (let q = 0; q < P; q++) if (q !== p) total += x[q * width + w];
          values[p * width + w] = total / (P - 1);
        }
      }
    });
    const targets = [...batch.targets.keys()].filter((row) => batch.targets[row] >= 0);
    targets.forEach((row, i) => {
      if (batch.roles[row] !== RESULT) return;
      sums.clean += clean.losses[i];
      sums.frozen += frozen.losses[i];
      sums.count++;
    });
  }
  const [clean, frozen] = [sums.clean / sums.count, sums.frozen / sums.count];
  return { clean, frozen, rise: frozen - clean };
}

/** Mean rise of the loss on result tokens of `operation`, over the templates that the method allows. */
function naiveDrop(
  items: readonly Filled[],
  test: Case,
  method: string,
  operation: string,
  alpha = 1,
): number {
  let rise = 0;
  let count = 0;
  for (const item of items) {
    const { batch, length: T, nPrompts: P } = item.filled;
    if (method === 'mean' && P < 64) continue;
    const clean = naiveForward(gpt, parameters, batch);
    const C = gpt.dModel;
    const at = (p: number, t: number, c: number): number => (p * T + t) * C + c;
    const edit: Edit = (name, values) => {
      const x = clean.activations.get(name);
      if (x === undefined) return;
      if (test.frozen?.includes(name) === true) values.set(x);
      const site = test.at.find((candidate) => candidate.name === name);
      if (site === undefined) return;
      const replace = METHODS[method](item);
      for (let p = 0; p < P; p++) {
        for (let t = 0; t < T; t++) {
          if (test.isHere?.(item.filled, t) === false) continue;
          for (let c = site.from ?? 0; c < (site.to ?? C); c++) {
            values[at(p, t, c)] = (1 - alpha) * values[at(p, t, c)] + alpha * replace(x, at, p, t, c);
          }
        }
      }
    };
    const ablated = naiveForward(gpt, parameters, batch, edit);
    let target = 0;
    batch.targets.forEach((token, row) => {
      if (token < 0) return;
      const i = target++;
      if (batch.roles[row] !== RESULT || OPERATION_NAMES[batch.operations[row]] !== operation) return;
      rise += ablated.losses[i] - clean.losses[i];
      count++;
    });
  }
  return rise / count;
}

const attention = [{ name: 'blocks.0.attn_out' }, { name: 'blocks.1.attn_out' }];
const sublayers = [0, 1].flatMap((layer) => [`blocks.${layer}.attn_out`, `blocks.${layer}.mlp_out`]);
const CASES: Record<string, Case> = {
  'all attention': { key: { component: 'attention' }, at: attention },
  'all feed-forward': {
    key: { component: 'feed-forward' },
    at: [{ name: 'blocks.0.mlp_out' }, { name: 'blocks.1.mlp_out' }],
  },
  'one attention layer': { key: { component: 'attention 1' }, at: [attention[1]] },
  'one feed-forward layer': { key: { component: 'feed-forward 0' }, at: [{ name: 'blocks.0.mlp_out' }] },
  'one head': { key: { component: 'head 0.1' }, at: [{ name: 'blocks.0.attn.z', from: 4, to: 8 }] },
};

describe('drops of a random model', () => {
  let engine: Engine;
  let m: MeasuredAblation;
  const items = battery();
  const measuredDrop = (key: Partial<EffectKey>, operation: string): number => {
    const wanted = { site: 'all positions', effect: 'total', ...key };
    const row = m.effects.findIndex((e) =>
      Object.entries(wanted).every(([field, value]) => e[field as keyof EffectKey] === value),
    );
    return m.deltaNats[row * m.cells.length + m.cells.indexOf(`${operation} result`)];
  };
  beforeAll(async () => {
    engine = await testEngine();
    m = measureOn(engine, { config, gpt, parameters }, PROMPTS);
  });

  it('uses the templates it says: pairs have too few prompts for a mean', () => {
    expect(
      m.templates.map(({ id, prompts, hasMean, sameResult }) => [id, prompts, hasMean, sameResult]),
    ).toEqual([
      ['(SUM # #)', 49, false, 0],
      ['(SUM # # #)', 70, true, 0],
      ['(MAX # #)', 49, false, 0],
      ['(MAX # # #)', 70, true, 0],
    ]);
  });

  for (const [name, test] of Object.entries(CASES)) {
    for (const method of ['zero', 'mean', 'resample'] as const) {
      it(`agree for ${name}, ${method}`, () => {
        for (const operation of ['SUM', 'MAX']) {
          const expected = naiveDrop(items, test, method, operation);
          expect(measuredDrop({ ...test.key, method }, operation)).toBeCloseTo(expected, 4);
          expect(Math.abs(expected)).toBeGreaterThan(1e-4);
        }
      });
    }
  }

  it('agree for the direct effect of a feed-forward layer and of a head', () => {
    const layer = {
      ...CASES['one feed-forward layer'],
      frozen: sublayers.filter((n) => n !== 'blocks.0.mlp_out'),
    };
    const head = { ...CASES['one head'], frozen: sublayers.filter((n) => n !== 'blocks.0.attn_out') };
    for (const test of [layer, head]) {
      expect(measuredDrop({ ...test.key, method: 'resample', effect: 'direct' }, 'SUM')).toBeCloseTo(
        naiveDrop(items, test, 'resample', 'SUM'),
        4,
      );
    }
  });

  it('agree at the result-predicting position, and at operands and brackets', () => {
    const arrow = ({ length }: TemplateBatch): number => length - 2;
    const here = {
      'result-predicting position': (batch: TemplateBatch, t: number) => t === arrow(batch),
      // "(" stands behind `s`; the operation is no operand
      'operand and bracket positions': (batch: TemplateBatch, t: number) =>
        t === 1 || (t > 2 && t < arrow(batch)),
    };
    for (const [site, isHere] of Object.entries(here)) {
      const expected = naiveDrop(items, { ...CASES['all attention'], isHere }, 'resample', 'SUM');
      expect(measuredDrop({ component: 'attention', method: 'resample', site }, 'SUM')).toBeCloseTo(
        expected,
        4,
      );
    }
  });

  it('agree along the dose curve, where a dose acts on what earlier doses have changed', () => {
    const both = { key: {}, at: sublayers.map((name) => ({ name })) };
    const dose = m.dose.find(({ operation }) => operation === 'SUM');
    for (const [kind, test] of [
      ['attention', CASES['all attention']],
      ['both', both],
    ] as const) {
      const curve = dose?.curves.find((c) => c.kind === kind && c.method === 'resample');
      const expected = (dose?.cleanNats ?? 0) + naiveDrop(items, test, 'resample', 'SUM', 3 / 8);
      expect(curve?.nats[curve.doses.indexOf(3 / 8)]).toBeCloseTo(expected, 4);
    }
  });

  it('agree when attention patterns are frozen at their template mean', () => {
    const { rise } = naiveFreeze(gpt, parameters, pureSum(items));
    expect(measuredDrop({ component: 'attention', method: 'pattern mean' }, 'SUM')).toBeCloseTo(rise, 4);
  });

  it('takes the freeze of the dose from pure templates alone, intact loss and frozen loss alike', () => {
    const nested: RunConfig = {
      ...config,
      data: { ...config.data, depth: 2, nesting: 0.5 },
      model: { ...config.model, nCtx: 48 },
    };
    const wide = gptConfigOf(nested);
    const weights = initialParameters(wide, 5).map((w) => (w === 1 ? 1 : 12 * w));
    const own = measureOn(engine, { config: nested, gpt: wide, parameters: weights }, 64);
    const { clean, frozen, rise } = naiveFreeze(wide, weights, pureSum(battery(nested, 64)));
    const dose = own.dose.find(({ operation }) => operation === 'SUM');
    expect(dose?.cleanNatsMean).toBeCloseTo(clean, 4);
    expect(dose?.patternFreezeNats).toBeCloseTo(frozen, 4);
    // the table of effects has mixed templates as well, so it is another number
    const row = own.effects.findIndex(
      (key) => key.component === 'attention' && key.method === 'pattern mean' && key.effect === 'total',
    );
    const inTable = own.deltaNats[row * own.cells.length + own.cells.indexOf('SUM result')];
    expect(Math.abs(inTable - rise)).toBeGreaterThan(1e-3);
  });

  it('moves as far as resample does in the random control: norms of the two are equal at every row', () => {
    const seen: Intervention[][] = [];
    measureOn(
      spied(engine, (interventions) => seen.push(interventions)),
      { config, gpt, parameters },
      PROMPTS,
    );
    const onlyAt = (name: string, op: string) =>
      seen.filter(
        (list) =>
          list.length === 1 && list[0].at === name && list[0].op === op && list[0].positions === undefined,
      );
    const [replaced] = onlyAt('blocks.0.mlp_out', 'set').filter(({ 0: i }) => i.value !== 0);
    const [added] = onlyAt('blocks.0.mlp_out', 'add');
    const x =
      naiveForward(gpt, parameters, items[0].filled.batch).activations.get('blocks.0.mlp_out') ??
      new Float64Array();
    const r = replaced[0].value as Float32Array;
    const random = added[0].value as Float32Array;
    const norm = (of: (i: number) => number, row: number): number =>
      Math.sqrt(Array.from({ length: 8 }, (_, c) => of(row * 8 + c) ** 2).reduce((a, b) => a + b));
    for (let row = 0; row < x.length / 8; row++) {
      expect(norm((i) => random[i], row)).toBeCloseTo(
        norm((i) => r[i] - x[i], row),
        4,
      );
    }
  });
});

describe('free-running accuracy', () => {
  it('equals greedy generation with the ablation active at every token', async () => {
    const planted = plantedPairTable();
    const seen: { batch: Batch; interventions: readonly Intervention[] }[] = [];
    const engine = await testEngine();
    const m = measureOn(
      spied(engine, (interventions, batch) => {
        seen.push({ batch, interventions });
      }),
      planted,
    );
    const model = engine.createModel(planted.gpt, { parameters: planted.parameters }, 'inference');
    let compared = 0;
    for (const row of m.freeRunning.filter(({ method }) => ['random', 'zero', 'resample'].includes(method))) {
      const op = { random: 'add', zero: 'set', resample: 'set' }[
        row.method as 'random' | 'zero' | 'resample'
      ];
      const at = { attention: 'blocks.0.attn_out', 'feed-forward': 'blocks.0.mlp_out' }[row.component];
      const call = seen.find(
        ({ interventions: [first, ...rest] }) =>
          rest.length === 0 &&
          first.at === at &&
          first.op === op &&
          (row.method === 'zero') === (first.value === 0) &&
          first.positions === undefined,
      );
      if (call === undefined) continue;
      expect(generated(model, call.batch, call.interventions)).toEqual({
        exact: row.exact,
        result: row.result,
        copy: row.copy,
        format: row.format,
      });
      compared++;
    }
    expect(compared).toBe(6);
    // the random control leaves some chains right and breaks others, so the comparison has something to see
    const random = m.freeRunning.find(
      ({ component, method }) => component === 'attention' && method === 'random',
    );
    expect(random?.exact).toBeGreaterThan(0);
    expect(random?.exact).toBeLessThan(1);
  });
});

/** The engine, telling which interventions its models are asked for. */
function spied(engine: Engine, tell: (interventions: Intervention[], batch: Batch) => unknown): Engine {
  return {
    ...engine,
    createModel: (...args): Model => {
      const model = engine.createModel(...args);
      const { forward, dispose } = { forward: model.forward.bind(model), dispose: model.dispose.bind(model) };
      return {
        ...model,
        config: model.config,
        mode: model.mode,
        dispose,
        forward: (batch, options) => {
          // copies: the probe writes into the same arrays again
          const asked = (options?.interventions ?? []).map((i) =>
            typeof i.value === 'number' ? i : { ...i, value: i.value.slice() },
          );
          if (asked.length > 0) tell(treatmentOf(asked), batch);
          return forward(batch, options);
        },
      };
    },
  };
}

/** Without the values of the intact model that spare what lies before the first change (probes/ablation/resume.ts). */
function treatmentOf(interventions: readonly Intervention[]): Intervention[] {
  const [first, second, ...rest] = interventions.filter(({ at }) => !/\.resid_(pre|mid)$/.test(at));
  const isResumed = second !== undefined && first.op === 'set' && first.at === second.at;
  return [...(isResumed ? [] : [first]), ...(second === undefined ? [] : [second]), ...rest];
}

/** Greedy generation token by token: each step is a new forward pass over what has been written, ablation included. */
function generated(model: Model, full: Batch, interventions: readonly Intervention[]) {
  const P = full.offsets.length - 1;
  const T = full.offsets[1];
  const isTarget = (t: number): boolean => full.targets[t] >= 0;
  const prompt = full.targets.findIndex((target) => target >= 0) + 1;
  const written = Array.from({ length: P }, (_, p) => [...full.tokens.subarray(p * T, p * T + prompt)]);
  for (let length = prompt; length <= T; length++) {
    const rows = Int32Array.from({ length: P * length }, (_, i) => Math.floor(i / length) * T + (i % length));
    const cut = interventions.map((i): Intervention => {
      if (typeof i.value === 'number') return i;
      const width = i.value.length / (P * T);
      const value = new Float32Array(rows.length * width);
      rows.forEach((row, n) =>
        value.set((i.value as Float32Array).subarray(row * width, (row + 1) * width), n * width),
      );
      return { ...i, value };
    });
    const tokens = Int32Array.from(written.flat());
    const targets = Int32Array.from(rows, (_, i) => (i % length === length - 1 ? 0 : -1));
    const offsets = Int32Array.from({ length: P + 1 }, (_, p) => p * length);
    const { logits } = model.forward({ tokens, targets, roles: targets, offsets }, { interventions: cut });
    const width = logits.length / P;
    written.forEach((own, p) => {
      const row = logits.subarray(p * width, (p + 1) * width);
      own.push(row.indexOf(Math.max(...row)));
    });
  }
  const counts = { exact: 0, result: 0, copy: 0, format: 0 };
  written.forEach((own, p) => {
    const wrong = Array.from({ length: T }, (_, t) => t).find(
      (t) => isTarget(p * T + t) && own[t + 1] !== full.targets[p * T + t],
    );
    counts[wrong === undefined ? 'exact' : ROLES[full.roles[p * T + wrong]]] += 1 / P;
  });
  return Object.fromEntries(
    Object.entries(counts).map(([name, share]) => [name, Number(share.toPrecision(9))]),
  );
}

describe('the loss of the best constant', () => {
  it('is over the inputs that training may show', async () => {
    const held: RunConfig = {
      ...config,
      data: { ...config.data, tasks: ['MAX'], modulus: 8, regime: 'pairs', holdoutSeed: 3 },
    };
    const model = gptConfigOf(held);
    const m = measureOn(
      await testEngine(),
      { config: held, gpt: model, parameters: initialParameters(model, 1) },
      64,
    );
    const holdout = createHoldout(held.data);
    const entropy = (arity: number, isShown: (operands: readonly number[]) => boolean): number => {
      const counts = new Map<number, number>();
      let total = 0;
      for (let input = 0; input < 8 ** arity; input++) {
        const operands = Array.from({ length: arity }, (_, i) => Math.floor(input / 8 ** i) % 8);
        if (!isShown(operands)) continue;
        const most = Math.max(...operands);
        counts.set(most, (counts.get(most) ?? 0) + 1);
        total++;
      }
      return -[...counts.values()].reduce((sum, k) => sum + (k / total) * Math.log(k / total), 0);
    };
    const [two, three] = m.templates.map(({ prompts }) => prompts);
    const expected = (isShown: (operands: readonly number[]) => boolean): number =>
      (two * entropy(2, isShown) + three * entropy(3, isShown)) / (two + three);
    const trained = expected((operands) => !holdout.isHeldOut(operands));
    expect(m.dose[0].constantNats).toBeCloseTo(trained, 8);
    expect(Math.abs(trained - expected(() => true))).toBeGreaterThan(1e-3);
  });
});
