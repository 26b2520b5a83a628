/** The memorization probe on models whose knowledge is known: tables, adders, copiers, on made-up and on real weights. */
import { describe, expect, it } from 'vitest';
import { memorization } from '../../../probes/memorization/index.js';
import { type CellRow, indexRows } from '../../../probes/memorization/cells.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import { openEngine } from '../../../src/engine/registry.js';
import type { DataConfig } from '../../../src/listops/data-config.js';
import { OPERATION_NAMES } from '../../../src/listops/language/operations.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import { FIRST_NUMBER } from '../../../src/listops/language/tokenizer.js';
import { combineMeasurements } from '../../../src/workflows/probing/combine-measurements.js';
import { parameterTable, parameterView } from '../../../src/model/parameters.js';
import { answerModel } from '../../helpers/answer-model.js';
import {
  configWith,
  type MeasuredModel,
  measureAnswers,
  measureModel,
  subjectOf,
} from '../../helpers/measure-memorization.js';
import { compileWarnings } from '../../report/compile.js';
import { PLANTED, plantedPairTable } from '../../helpers/planted-models.js';

const SUM = OPERATION_NAMES.indexOf('SUM');
const sum = (operands: readonly number[], n: number): number => operands.reduce((a, b) => a + b, 0) % n;

/** Whether operands contain a held pair, written apart from the product's own check. */
function containsHeld(operands: readonly number[], sets: readonly (readonly number[])[]): boolean {
  return sets.some((set) => {
    const rest = [...operands];
    return set.every((value) => {
      const at = rest.indexOf(value);
      if (at >= 0) rest.splice(at, 1);
      return at >= 0;
    });
  });
}

function cell(m: MeasuredModel, arity: number, held: boolean, operation = 'SUM'): CellRow {
  const found = m.cells.find(
    (row) => row.operation === operation && row.arity === arity && (row.level !== 'trained') === held,
  );
  if (found === undefined) throw new Error(`no cell of ${arity} operands, held ${held}`);
  return found;
}

describe.each([
  ['pairs', [2, 3], 'pair-closed', 2],
  ['pairs', [2, 2], 'pair-only', 2],
  ['triples', [2, 3], 'triple', 3],
] as const)('regime %s, %o operands', (regime, operands, level, arity) => {
  const data: Partial<DataConfig> = { tasks: ['SUM'], regime, operands, holdoutSeed: 3 };
  const config = configWith(data);
  const { sets } = createHoldout(config.data);
  const held = (list: readonly number[]): boolean => containsHeld(list, sets);
  /** the result that most held multisets of this size have */
  const majority = ((): { result: number; rate: number } => {
    const counts = new Array<number>(10).fill(0);
    for (const set of sets) counts[sum(set, 10)]++;
    const most = Math.max(...counts);
    return { result: counts.indexOf(most), rate: most / sets.length };
  })();

  it(`gives a planted adder M 0 and a planted table M 1 on level ${level}`, () => {
    const adder = measureAnswers(config, (_, list) => sum(list, 10));
    const table = measureAnswers(config, (_, list) => (held(list) ? majority.result : sum(list, 10)));
    const index = (m: MeasuredModel) =>
      indexRows(m.cells).find((row) => row.operation === 'SUM' && row.arity === arity);
    expect(index(adder)).toMatchObject({ level, trained: 1, held: 1, m: 0, heldMultisets: sets.length });
    expect(index(table)).toMatchObject({ level, trained: 1 });
    expect(index(table)?.held).toBeCloseTo(majority.rate, 8);
    expect(index(table)?.chance).toBeCloseTo(majority.rate, 8);
    expect(index(table)?.m).toBeCloseTo(1, 8);
    expect(adder.learned).toEqual([
      { operation: 'SUM', accuracy: 1, lossNats: expect.any(Number) as number },
    ]);
    expect(table.learned[0].accuracy).toBe(1);
    expect(table.holdout).toMatchObject({ level, sets });
    expect(table.leak).toEqual({ examples: 200, leaks: 0, setsSeen: 0 });
  });
});

describe('what a table and an adder show beside the index', () => {
  const config = configWith({ tasks: ['SUM'], regime: 'pairs', holdoutSeed: 5 });
  const { sets } = createHoldout(config.data);
  const m = measureAnswers(config, (_, list) =>
    // knows the sum modulo 5 of what it never saw
    containsHeld(list, sets) ? (sum(list, 10) + 5) % 10 : sum(list, 10),
  );

  it('held-out answers that are right modulo 5 show as cosets and as differences of 5', () => {
    const held = cell(m, 2, true);
    expect(held.accuracy).toBe(0);
    expect(held.cosets.map(({ divisor, accuracy }) => [divisor, accuracy])).toEqual([
      [2, 0],
      [5, 1],
      [10, 0],
    ]);
    expect(held.differences).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    expect(held.order).toMatchObject({ agreement: 1 });
  });

  it('counts multisets: 50 trained and 5 held pairs, and every triple that contains a held pair', () => {
    expect([cell(m, 2, false).multisets, cell(m, 2, true).multisets]).toEqual([50, 5]);
    const triples = [cell(m, 3, false).multisets, cell(m, 3, true).multisets];
    expect(triples[0] + triples[1]).toBe(220);
    expect(m.holdout?.share).toBeCloseTo(5 / 55, 8);
    expect(cell(m, 3, true).level).toBe('pair-closed');
  });

  it('draws the right answer of every ordered pair: near 1 where trained, near 0 in both orders where held', () => {
    const { shape, data } = m.pairs ?? { shape: [], data: [] };
    expect(shape).toEqual([10, 10]);
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b < 10; b++) {
        const p = Number(data[a * 10 + b]);
        if (containsHeld([a, b], sets)) expect(p).toBeLessThan(0.01);
        else expect(p).toBeGreaterThan(0.9);
      }
    }
  });

  it('gives held-out operands the row of those never drawn', () => {
    const never = m.frequency.find(({ arity, atLeast }) => arity === 2 && atLeast === 0);
    expect(never).toMatchObject({ multisets: 5, accuracy: 0, meanDraws: 0 });
    const drawn = m.frequency.filter(({ arity, atLeast }) => arity === 2 && atLeast > 0);
    expect(drawn.reduce((total, { multisets }) => total + multisets, 0)).toBe(50);
    // 1,000 steps of 64, half of them pairs
    expect(drawn.reduce((total, { multisets, meanDraws }) => total + multisets * meanDraws, 0)).toBeCloseTo(
      32_000,
      3,
    );
    expect(m.frequencyMethod).toBe('expected');
  });

  it('sees that the order of operands matters to a model, and that repeats or 0 do', () => {
    const lopsided = measureAnswers(config, (_, list) =>
      list.every((value, i) => i === 0 || list[i - 1] <= value) ? sum(list, 10) : (sum(list, 10) + 1) % 10,
    );
    const trained = cell(lopsided, 2, false);
    expect(trained.order?.agreement).toBe(0);
    const strata = Object.fromEntries(trained.strata.map(({ stratum, accuracy }) => [stratum, accuracy]));
    expect(strata).toMatchObject({ distinct: 0.5, repeated: 1 });
    const zeroBlind = measureAnswers(config, (_, list) => (list.includes(0) ? 9 : sum(list, 10)));
    const rows = cell(zeroBlind, 2, false).strata;
    expect(rows.find(({ stratum }) => stratum === 'without 0')?.accuracy).toBe(1);
    expect(rows.find(({ stratum }) => stratum === 'with 0')?.accuracy).toBeLessThan(0.3);
  });

  it('asks more operands and deeper nesting, with the positions that training showed apart', () => {
    const adder = measureAnswers(config, (_, list) => sum(list, 10));
    expect(adder.beyond.map(({ kind, value, positions }) => [kind, value, positions])).toEqual([
      ['arity', 4, 'seen'],
      ['arity', 5, 'new'],
      ['arity', 6, 'new'],
      ['depth', 2, 'new'],
    ]);
    for (const row of adder.beyond.slice(0, 3))
      expect(row).toMatchObject({ accuracy: 1, exact: 1, noNumber: 0 });
    // the made-up model answers `e` wherever more than one call stands
    expect(adder.beyond[3].exact).toBe(0);
    // the most frequent of ten results in a few hundred sums
    expect(adder.beyond[3].chance).toBeGreaterThan(0.1);
    expect(adder.beyond[3].chance).toBeLessThan(0.3);
    const ends = measureAnswers(config, (_, list) => (list.length > 3 ? { token: 1 } : sum(list, 10)));
    expect(ends.beyond[0]).toMatchObject({ accuracy: 0, noNumber: 1 });
  });
});

describe('several operations', () => {
  it('scores each by its own rule, and order only where it does not matter', () => {
    const config = configWith({ tasks: ['MAX', 'SUM', 'FIRST', 'LATIN'], regime: 'pairs', holdoutSeed: 1 });
    const m = measureAnswers(config, (operation, list) =>
      operation === SUM ? sum(list, 10) : Math.max(...list),
    );
    expect(m.primary).toBe('SUM');
    expect(cell(m, 2, false, 'MAX').accuracy).toBe(1);
    expect(cell(m, 2, true, 'MAX').accuracy).toBe(1);
    expect(cell(m, 2, false, 'FIRST').order).toBeNull();
    // right for a >= b: every pair in one order of two, or in its only one
    const first = cell(m, 2, false, 'FIRST');
    const repeated = first.strata.find(({ stratum }) => stratum === 'repeated');
    const distinct = first.strata.find(({ stratum }) => stratum === 'distinct');
    expect([repeated?.accuracy, distinct?.accuracy]).toEqual([1, 0.5]);
    expect(cell(m, 2, false, 'LATIN').order).not.toBeNull();
    expect(cell(m, 3, false, 'LATIN').order).toBeNull();
  });
});

describe('edges', () => {
  it.each([7, 11])('a prime modulus %i has no coset but the number itself', (modulus) => {
    const config = configWith({ tasks: ['SUM'], regime: 'pairs', modulus });
    const m = measureAnswers(config, (_, list) => sum(list, modulus));
    expect(cell(m, 2, true).cosets.map(({ divisor }) => divisor)).toEqual([modulus]);
  });

  it('modulus 2 with one held pair: its result is the best fixed answer, so there is no index', () => {
    const config = configWith({ tasks: ['SUM'], regime: 'pairs', modulus: 2, operands: [2, 2] });
    const m = measureAnswers(config, (_, list) => sum(list, 2));
    expect(indexRows(m.cells)).toHaveLength(1);
    expect(indexRows(m.cells)[0]).toMatchObject({ chance: 1, held: 1, m: undefined });
    expect(m.pairs?.shape).toEqual([2, 2]);
  });

  it('regime full has no level but trained, no index, and no leak to find', () => {
    const config = configWith({ tasks: ['SUM'], regime: 'full' });
    const m = measureAnswers(config, (_, list) => sum(list, 10));
    expect(new Set(m.cells.map(({ level }) => level))).toEqual(new Set(['trained']));
    expect([indexRows(m.cells), m.holdout, m.leak.leaks]).toEqual([[], null, 0]);
  });

  it('no two operands in training: no map, and pairs are asked as fewer operands', () => {
    const config = configWith({ tasks: ['SUM'], regime: 'full', operands: [3, 3] });
    const m = measureAnswers(config, (_, list) => sum(list, 10));
    expect(m.pairs).toBeNull();
    expect(m.beyond[0]).toMatchObject({ kind: 'arity', value: 2, positions: 'seen', accuracy: 1 });
  });

  it('depth 2 adds the level expression, and a short context takes nesting away', () => {
    const deep = configWith({ tasks: ['SUM'], regime: 'pairs', depth: 2 });
    const m = measureAnswers(deep, (_, list) => sum(list, 10));
    expect(m.beyond[0]).toMatchObject({ kind: 'expression', value: 2, positions: 'seen' });
    expect(m.frequencyMethod).toBe('sampled');
    const short = configWith({ tasks: ['SUM'], regime: 'pairs' }, { nCtx: 10 });
    const s = measureAnswers(short, (_, list) => sum(list, 10));
    expect(s.beyond.map(({ kind, value }) => [kind, value])).toEqual([
      ['arity', 4],
      ['arity', 5],
    ]);
  });

  it('the direct format asks behind the equals sign', () => {
    const config = configWith({ tasks: ['SUM'], regime: 'pairs', format: 'direct' });
    const m = measureAnswers(config, (_, list) => sum(list, 10));
    expect(m.learned[0].accuracy).toBe(1);
  });

  it('a set of fixed size: what was never drawn is neither trained nor held out', () => {
    const config = configWith({ tasks: ['SUM'], regime: 'pairs', fixedSize: 40 });
    const m = measureAnswers(config, (_, list) => sum(list, 10));
    const never = m.frequency.find(({ arity, atLeast }) => arity === 2 && atLeast === 0);
    expect(cell(m, 2, false).multisets).toBeLessThan(30);
    expect((never?.multisets ?? 0) + cell(m, 2, false).multisets).toBe(55);
    expect(cell(m, 2, true).multisets).toBe(5);
    expect(m.frequencyMethod).toBe('counted');
  });

  it('an untrained checkpoint has drawn nothing and still has its trained and held cells', () => {
    const config = configWith({ tasks: ['SUM'], regime: 'pairs' });
    const gpt = gptConfigOf(config);
    const constant = answerModel({ gpt, modulus: 10, answer: () => 0 });
    const m = measureModel(config, constant, subjectOf(config, { step: 0 }));
    expect(indexRows(m.cells).map(({ m: index }) => index)).toEqual([undefined, undefined]);
    expect([cell(m, 2, false).multisets, cell(m, 2, true).multisets]).toEqual([50, 5]);
    expect(m.frequency.map(({ atLeast }) => atLeast)).toEqual([0, 0]);
    // always the same answer: agreement of orders is no more than chance
    expect(cell(m, 2, false).order).toMatchObject({ agreement: 1, byChance: 1 });
  });

  it('answers that are no numbers, and weights that are not finite, are shares and names, never a throw', () => {
    const config = configWith({ tasks: ['SUM'], regime: 'pairs' });
    const silent = measureAnswers(config, () => ({ token: 1 }));
    expect(cell(silent, 2, true)).toMatchObject({ accuracy: 0, outside: 1 });
    expect(indexRows(silent.cells)[0].m).toBeUndefined();
    const gpt = gptConfigOf(config);
    const broken = answerModel({ gpt, modulus: 10, answer: () => 0 });
    const m = measureModel(config, {
      ...broken,
      forward: (batch) => {
        const result = broken.forward(batch);
        return { ...result, logits: result.logits.fill(NaN), losses: result.losses.fill(NaN) };
      },
    });
    expect(m.learned[0]).toMatchObject({ accuracy: 0, lossNats: NaN });
    expect(m.pairs?.data[0]).toBe('NaN');
    const { charts } = combineMeasurements(memorization, {}, [
      { subject: subjectOf(config), config, measurement: m },
    ]);
    for (const { id, spec } of charts) expect(compileWarnings(spec), id).toEqual([]);
  });
});

describe('real weights', () => {
  it('a pair table with held-out rows left out has M 1 and above; the whole table has M 0', async () => {
    const engine = (await openEngine('wasm', { threads: 1 })).engine;
    const planted = plantedPairTable();
    const config = {
      ...planted.config,
      data: { ...planted.config.data, regime: 'pairs' as const, holdoutSeed: 2 },
    };
    const { sets } = createHoldout(config.data);
    const { parameters, gpt } = planted;
    const measured = (values: Float32Array) =>
      measureModel(config, engine.createModel(gpt, { parameters: values }, 'inference'));
    const whole = measured(parameters);
    expect(indexRows(whole.cells)[0]).toMatchObject({ level: 'pair-only', trained: 1, held: 1, m: 0 });

    // one neuron a pair, in ascending order: those of held pairs write another result
    const forgetful = parameters.slice();
    const table = parameterTable(gpt);
    const out = parameterView(table, forgetful, 'transformer.h.0.mlp.c_proj.weight');
    const { dMlp, dModel } = gpt;
    const counts = new Array<number>(10).fill(0);
    for (const set of sets) counts[sum(set, 10)]++;
    const guess = counts.indexOf(Math.max(...counts));
    let neuron = 0;
    for (let a = 0; a < 10; a++) {
      for (let b = a; b < 10; b++, neuron++) {
        if (!containsHeld([a, b], sets)) continue;
        const right = (dModel - PLANTED.V + FIRST_NUMBER + sum([a, b], 10)) * dMlp + neuron;
        const wrong = (dModel - PLANTED.V + FIRST_NUMBER + guess) * dMlp + neuron;
        const size = out[right];
        out[right] = 0;
        out[wrong] = size;
      }
    }
    const memorizer = measured(forgetful);
    expect(indexRows(memorizer.cells)[0].trained).toBe(1);
    expect(indexRows(memorizer.cells)[0].m).toBeCloseTo(1, 8);
    expect(memorizer.learned[0].accuracy).toBe(1);
    engine.dispose();
  });
});
