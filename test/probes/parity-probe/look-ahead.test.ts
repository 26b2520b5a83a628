/** Nested expressions: what is asked at which position, and that a planted look-ahead is found where it is and nowhere else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parityProbe } from '../../../probes/parity-probe/index.js';
import {
  describeBattery,
  fillFlat,
  fillNested,
  nestedTemplates,
} from '../../../probes/parity-probe/battery.js';
import type { ContextNumbers } from '../../../probes/parity-probe/context-probes.js';
import { outerBracket } from '../../../probes/parity-probe/measurement.js';
import { type Reading, readingsOf, rises } from '../../../probes/parity-probe/reading.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import { resolveRunConfig } from '../../../src/config/parse.js';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/registry.js';
import { evidenceOf } from '../../../src/evidence/evidence.js';
import type { DataConfig } from '../../../src/listops/data-config.js';
import type { OperationName } from '../../../src/listops/language/operations.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import { decode, vocabularyOf } from '../../../src/listops/language/tokenizer.js';
import { initialParameters } from '../../../src/model/init.js';
import { Rng } from '../../../src/tensor/rng.js';
import {
  type CombinedModule,
  combineMeasurements,
} from '../../../src/workflows/probing/combine-measurements.js';
import { madeSubject } from '../../helpers/made-subject.js';
import { type MeasuredParity, measureParity } from '../../helpers/measure-parity.js';
import { plantedLookAhead } from '../../helpers/planted-look-ahead.js';
import { compileWarnings } from '../../report/compile.js';

const dataOf = (data: Partial<DataConfig> & { readonly tasks: readonly OperationName[] }): DataConfig =>
  resolveRunConfig({ data: { depth: 2, nesting: 0.4, ...data } }).data;
const rng = (index: number): Rng => new Rng(1, 'look-ahead', index);

describe('nestedTemplates', () => {
  const idsOf = (data: DataConfig): string[] => nestedTemplates(data).map(({ id }) => id);

  it('asks SUM inside SUM, and another operation that was trained inside SUM', () => {
    expect(idsOf(dataOf({ tasks: ['SUM'] }))).toEqual(['(SUM (SUM # #) #)']);
    expect(idsOf(dataOf({ tasks: ['MAX', 'MED', 'SUM'] }))).toEqual([
      '(SUM (SUM # #) #)',
      '(SUM (MAX # #) #)',
    ]);
    expect(idsOf(dataOf({ tasks: ['SUM'], operands: [3, 3] }))).toEqual(['(SUM (SUM # # #) # #)']);
  });

  it('asks nothing of runs that have seen no nested expression', () => {
    expect(idsOf(dataOf({ tasks: ['SUM'], depth: 1 }))).toEqual([]);
    expect(idsOf(dataOf({ tasks: ['SUM'], nesting: 0 }))).toEqual([]);
  });
});

describe('describeBattery', () => {
  const describeFirst = (data: DataConfig) => {
    const [filled] = fillNested(data, 64, 40, rng);
    return { filled, positions: describeBattery(data, filled).positions };
  };

  it('names the value at every position of a nested expression', () => {
    const data = dataOf({ tasks: ['SUM'] });
    const { filled, positions } = describeFirst(data);
    const vocabulary = vocabularyOf(data);
    for (let prompt = 0; prompt < filled.nPrompts; prompt++) {
      const tokens = filled.batch.tokens.subarray(prompt * filled.length, (prompt + 1) * filled.length);
      const [a, b, c] = filled.numbers[prompt];
      const [inner, final] = [(a + b) % 10, (a + b + c) % 10];
      expect(decode(tokens, vocabulary)).toBe(
        `s (SUM (SUM ${a} ${b}) ${c}) > (SUM ${inner} ${c}) > ${final}`,
      );
      const asked = positions.map(({ name, kind, offset, values }) => [name, kind, offset, values[prompt]]);
      expect(asked).toEqual([
        ['inner number 2', 'running', 6, inner],
        ['inner )', 'result', 7, inner],
        ['outer number 2', 'ahead', 8, final],
        ['outer )', 'ahead', 9, final],
        ['>', 'ahead', 10, final],
        ['predicts inner', 'result', 12, inner],
        ['inner result', 'own', 13, inner],
        ['predicts final', 'predicted', 16, final],
      ]);
    }
  });

  it('keeps prompts with the same numbers in one group, in any order and bracket', () => {
    const { filled, positions } = describeFirst(dataOf({ tasks: ['SUM'] }));
    const outer = positions.find(({ name }) => name === 'outer )');
    filled.numbers.forEach((row, p) => {
      expect(outer?.groups[p]).toBe(row.toSorted((x, y) => x - y).join(' '));
    });
  });

  it('asks mixed templates for the final answer alone, inner numbers apart from outer ones', () => {
    const data = dataOf({ tasks: ['MAX', 'SUM'] });
    const mixed = fillNested(data, 64, 30, rng)[1];
    const { positions } = describeBattery(data, mixed);
    expect(positions.map(({ name }) => name)).toEqual(['outer number 2', 'outer )', '>', 'predicts final']);
    mixed.numbers.forEach(([a, b, c], p) => {
      expect(positions[0].values[p]).toBe((Math.max(a, b) + c) % 10);
      expect(positions[0].groups[p]).toBe(`(${Math.min(a, b)} ${Math.max(a, b)}) ${c}`);
    });
  });

  it('has no inner step to predict where results are written directly', () => {
    const { positions } = describeFirst(dataOf({ tasks: ['SUM'], format: 'direct' }));
    expect(positions.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
      'inner number 2: running',
      'inner ): result',
      'outer number 2: ahead',
      'outer ): ahead',
      'predicts final: predicted',
      'final result: own',
    ]);
  });

  it('leaves held-out operands out at every step', () => {
    const data = dataOf({ tasks: ['SUM'], regime: 'pairs' });
    const holdout = createHoldout(data);
    for (const { numbers } of [...fillFlat(data, 64, 100, rng(0)), ...fillNested(data, 64, 100, rng)]) {
      for (const row of numbers) {
        expect(holdout.isHeldOut(row.slice(0, 2))).toBe(false);
      }
    }
  });
});

describe('a planted look-ahead', () => {
  const options = {
    relabellings: 9,
    contextRelabellings: 9,
    valuePermutations: 9,
    prompts: 200,
    controlDraws: 1,
    codeStages: 1,
    codeLabellings: 2,
  };
  let engine: Engine;
  interface Found {
    readonly measurement: MeasuredParity;
    readonly reading: Reading;
    readonly combined: CombinedModule;
  }
  const found = new Map<'all' | 'inner', Found>();
  beforeAll(async () => {
    ({ engine } = await openEngine('wasm', { threads: 1 }));
    for (const reads of ['all', 'inner'] as const) {
      const { config, gpt, parameters } = plantedLookAhead(reads);
      const model = engine.createModel(gpt, { parameters }, 'inference');
      const subject = {
        subject: madeSubject({ depth: 2 }),
        config,
        parameters,
        untrainedParameters: initialParameters(gptConfigOf(config), config.seed),
      };
      const measurement = measureParity(subject, options, {
        engine,
        model,
        rng: (index = 0) => new Rng(config.seed, 'probe:parity-probe', index),
        progress: () => undefined,
      });
      model.dispose();
      const measured = [{ subject: subject.subject, config, measurement }];
      const combined = combineMeasurements(parityProbe, options, measured);
      const named = new Map(combined.statistics.map((info) => [`parity-probe/${info.id}`, info]));
      const evidence = evidenceOf([subject.subject], combined.observations, named);
      const [reading] = readingsOf(evidence, measured, ({ lookAhead }) => lookAhead);
      found.set(reads, { measurement, reading, combined });
    }
  }, 120_000);
  afterAll(() => engine.dispose());

  const of = (reads: 'all' | 'inner') => {
    const one = found.get(reads);
    if (one === undefined) throw new Error('not measured');
    const [context] = one.measurement.lookAhead;
    return { ...one, context };
  };
  const accuracyAt = (context: ContextNumbers, position: string, stage: string): number => {
    const cell = context.cells.find(
      (one) => context.positions[one.position].name === position && context.stages[one.stage] === stage,
    );
    return cell?.accuracy.at(-1) ?? NaN;
  };
  const lookAheadText = ({ further }: CombinedModule): string =>
    further.find(({ id }) => id.startsWith('look-ahead-from'))?.statement ?? '';

  it('is found at the closing bracket after the feed-forward layer that computes it, every residue and frequency', () => {
    const { context, reading, combined } = of('all');
    expect(accuracyAt(context, 'outer )', 'feed-forward 0')).toBeGreaterThan(0.95);
    // attention alone brings the sum as a height, of which no line reads the residue
    expect(accuracyAt(context, 'outer )', 'attention 0')).toBeLessThan(0.4);
    const at = outerBracket(context);
    for (const m of [2, 5, 10]) expect(rises(reading, at, m)).toBe('feed-forward 0');
    const cell = context.cells.filter(({ position }) => position === at).at(-1);
    for (const r2 of cell?.circleR2 ?? []) expect(r2).toBeGreaterThan(0.9);
    expect(lookAheadText(combined)).toContain(
      'modulo 2 from feed-forward 0 on, modulo 5 from feed-forward 0 on',
    );
  });

  it('is not found at other positions of the same model', () => {
    const { context, reading } = of('all');
    for (const name of ['outer number 2', '>']) {
      const at = context.positions.findIndex((position) => position.name === name);
      expect(accuracyAt(context, name, 'feed-forward 0'), name).toBeLessThan(0.3);
      for (const m of [2, 5, 10]) expect(rises(reading, at, m), name).toBeUndefined();
      expect(rises(reading, at, 'strict'), name).toBeUndefined();
    }
  });

  it('is not found in a model whose bracket holds the inner result alone', () => {
    const { context, reading, combined } = of('inner');
    const at = outerBracket(context);
    expect(accuracyAt(context, 'outer )', 'feed-forward 0')).toBeLessThan(0.3);
    for (const m of [2, 5, 10]) expect(rises(reading, at, m)).toBeUndefined();
    expect(lookAheadText(combined)).toContain('modulo 2 nowhere, modulo 5 nowhere, the final answer nowhere');
  });

  it('passes its positive control: the inner result token says its own value', () => {
    for (const reads of ['all', 'inner'] as const) {
      expect(accuracyAt(of(reads).context, 'inner result', 'embedding')).toBe(1);
    }
  });

  it('is drawn without a warning, crossed out where it is not, and a number of the run', () => {
    const { combined } = of('all');
    const { charts, observations } = combined;
    expect(charts.map(({ id }) => id)).toContain('parity-look-ahead');
    for (const { id, spec, table } of charts) {
      expect(compileWarnings(spec, ['SUM, full']), id).toEqual([]);
      for (const row of table.rows) expect(row.length, id).toBe(table.columns.length);
    }
    const numbers = observations.filter(({ statistic }) => statistic === 'parity-probe/look-ahead');
    expect(numbers).toHaveLength(1);
    expect(numbers[0].value).toBeGreaterThan(0.95);
    expect(numbers[0].scope).toEqual({
      template: '(SUM (SUM # #) #)',
      part: 'feed-forward',
      layer: 0,
      position: 'outer )',
      divisor: 10,
    });
    const picture = charts.find(({ id }) => id === 'parity-look-ahead');
    const crossed = JSON.stringify(picture?.spec).match(/\{[^{}]*"x":"outer \)"[^{}]*\}/g) ?? [];
    const at = (stage: string): string => crossed.find((row) => row.includes(`"y":"${stage}"`)) ?? '';
    expect(at('feed-forward 0')).toContain('"cross":""');
    expect(at('attention 0')).toContain('"cross":"\u00d7"');
  });
});
