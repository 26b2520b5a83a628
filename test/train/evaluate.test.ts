import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gptConfigOf } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { Engine, Model } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/registry.js';
import { createGenerator } from '../../src/listops/sampling/generate.js';
import { type Vocabulary, vocabulary } from '../../src/listops/language/tokenizer.js';
import { evaluate, properDivisors } from '../../src/train/evaluate.js';
import { type EvaluationSetOptions, createEvaluationSet } from '../../src/train/evaluation-set.js';
import type { EvalRow } from '../../src/train/metrics.js';
import { learningRateAt, scheduleOf } from '../../src/train/schedule.js';

let engine: Engine;
beforeAll(async () => {
  ({ engine } = await openEngine('wasm', { threads: 1 }));
});
afterAll(() => {
  engine.dispose();
});

const SET: EvaluationSetOptions = { chunkTokens: 300, final: false };
const noPause = (): Promise<void> => Promise.resolve();

/** A model trained for some steps: right often, wrong often. */
function trained(config: RunConfig, steps: number): Model {
  const model = engine.createModel(gptConfigOf(config), { seed: config.seed }, 'train');
  train(model, config, 0, steps);
  return model;
}

function train(model: Model, config: RunConfig, from: number, to: number): void {
  const generator = createGenerator(config.data, config.seed);
  for (let step = from; step < to; step++) {
    model.trainStep(generator.batch(step, config.training.batchSize), {
      ...config.optimizer,
      learningRate: learningRateAt(scheduleOf(config), step + 1),
    });
  }
}

/** Greedy decoding that recomputes the whole sequence for every token: no cache, no teacher. */
function generateSlowly(model: Model, prompt: number[], vocab: Vocabulary, most: number): number[] {
  const tokens = [...prompt];
  while (tokens.length - prompt.length < most) {
    const targets = new Int32Array(tokens.length).fill(-1);
    targets[tokens.length - 1] = 0;
    const { logits } = model.forward({
      tokens: Int32Array.from(tokens),
      targets,
      roles: new Int32Array(tokens.length).fill(-1),
      offsets: Int32Array.of(0, tokens.length),
    });
    tokens.push(logits.indexOf(Math.max(...logits)));
    if (tokens.at(-1) === vocab.end) break;
  }
  return tokens.slice(prompt.length);
}

const idsOf = (text: string, vocab: Vocabulary): number[] =>
  text.split(' ').map((word) => vocab.tokens.indexOf(word));

/** Arithmetic of its own, from text. */
const ANSWERS: Record<string, (numbers: number[], n: number) => number> = {
  MAX: (numbers) => numbers.reduce((a, b) => (a > b ? a : b)),
  SUM: (numbers, n) => numbers.reduce((a, b) => a + b) % n,
};

function allLists(arity: number, n: number): number[][] {
  return arity === 0
    ? [[]]
    : allLists(arity - 1, n).flatMap((rest) => Array.from({ length: n }, (_, i) => [...rest, i]));
}

const shallow = resolveRunConfig({
  data: { tasks: ['MAX', 'SUM'], modulus: 6 },
  model: { dModel: 12, nLayers: 1, nCtx: 16 },
  training: { steps: 400, batchSize: 32 },
});

describe('evaluate at depth 1', () => {
  let model: Model;
  let row: EvalRow;
  beforeAll(async () => {
    model = trained(shallow, 250);
    row = await evaluate(model, createEvaluationSet(shallow.data, SET), 250, noPause);
  });

  it('counts what token-by-token generation with full recomputation counts', () => {
    const vocab = vocabulary(6);
    let wrong = 0;
    for (const cell of row.cells) {
      const counts = { correct: 0, exact: 0, mod2: 0, mod3: 0 };
      const lists = allLists(cell.arity, 6);
      for (const numbers of lists) {
        const prompt = idsOf(`s ( ${cell.operation} ${numbers.join(' ')} ) >`, vocab);
        const answer = generateSlowly(model, prompt, vocab, 2);
        const said = Number(vocab.tokens[answer[0]]);
        const right = ANSWERS[cell.operation](numbers, 6);
        if (said === right) counts.correct++;
        else wrong++;
        if (said === right && vocab.tokens[answer[1]] === 'e') counts.exact++;
        if (said % 2 === right % 2) counts.mod2++;
        if (said % 3 === right % 3) counts.mod3++;
      }
      expect(cell).toMatchObject({
        total: lists.length,
        correct: counts.correct,
        exact: counts.exact,
        divisors: { '2': counts.mod2, '3': counts.mod3 },
        held: false,
        enumerated: true,
      });
    }
    // the comparison says nothing about a model that is always right or always wrong
    const total = row.cells.reduce((sum, cell) => sum + cell.total, 0);
    expect(wrong).toBeGreaterThan(20);
    expect(wrong).toBeLessThan(total - 20);
  });

  it("counts what the engine's own generation counts, whatever the chunks", async () => {
    for (const chunkTokens of [1, 64, 4096]) {
      const set = createEvaluationSet(shallow.data, { chunkTokens, final: true });
      expect(await evaluate(model, set, 250, noPause)).toEqual(row);
    }
    const vocab = vocabulary(6);
    const cell = row.cells.find(({ operation, arity }) => operation === 'SUM' && arity === 3);
    const lists = allLists(3, 6);
    const prompts = lists.map((numbers) => Int32Array.from(idsOf(`s ( SUM ${numbers.join(' ')} ) >`, vocab)));
    const answers = model.generate(prompts, { maxNewTokens: 2, stopToken: vocab.end });
    const exact = answers.filter(
      (answer, i) =>
        answer.length === 2 &&
        vocab.tokens[answer[0]] === String(ANSWERS.SUM(lists[i], 6)) &&
        answer[1] === vocab.end,
    );
    expect(exact).toHaveLength(cell?.exact ?? -1);
  });

  it('changes no bit of what training does next', async () => {
    const [evaluated, plain] = [trained(shallow, 100), trained(shallow, 100)];
    await evaluate(evaluated, createEvaluationSet(shallow.data, SET), 100, noPause);
    expect(evaluated.getState()).toEqual(plain.getState());
    for (const other of [evaluated, plain]) train(other, shallow, 100, 120);
    expect(evaluated.getState()).toEqual(plain.getState());
    expect(evaluated.getState().step).toBe(120);
  });
});

/** Up to the end of the first bracket that holds no other: the one that is reduced next. */
function innermostFirst(segment: string): string {
  return segment.slice(0, segment.indexOf(')') + 1);
}

describe('evaluate at depth 2', () => {
  const deep = resolveRunConfig({
    data: { tasks: ['MAX', 'SUM'], modulus: 5, depth: 2, operands: [2, 2] },
    model: { dModel: 16, nLayers: 2, nCtx: 40 },
    training: { steps: 300, batchSize: 32 },
    optimizer: { learningRate: 4e-3 },
  });

  it('scores whole chains as generated, token by token at their own places', async () => {
    const model = trained(deep, 250);
    const set = createEvaluationSet(deep.data, SET);
    const sequences = set.nested?.slice(0, 150) ?? [];
    const { nested } = await evaluate(model, { ...set, nested: sequences }, 250, noPause);

    const vocab = vocabulary(5);
    const counts: Record<string, number> = { exact: 0, result: 0, copy: 0, format: 0 };
    const inside = new Map<string, { total: number; correct: number }>();
    for (const { tokens, promptLength } of sequences) {
      const words = Array.from(tokens, (token) => vocab.tokens[token]);
      const truth = words.slice(promptLength);
      const prompt = Array.from(tokens.slice(0, promptLength));
      const said = generateSlowly(model, prompt, vocab, truth.length).map((token) => vocab.tokens[token]);
      if (said.join(' ') === truth.join(' ')) counts.exact++;
      const roles = rolesOf(words, promptLength);
      truth.forEach((word, i) => {
        if (said[i] === word) counts[roles[i]]++;
      });
      // by the text alone: two brackets or more nest, and the segments' first-reduced operations end in the results in turn
      if (prompt.filter((token) => vocab.tokens[token] === '(').length < 2) continue;
      const segments = words.slice(1).join(' ').split(' > ');
      const results = truth.flatMap((word, i) => (roles[i] === 'result' ? [said[i] === word] : []));
      results.forEach((isRight, i) => {
        const [, operation] = /.*\(\s*([A-Z]+)[^()]*\)/.exec(innermostFirst(segments[i])) ?? [];
        const entry = inside.get(operation) ?? { total: 0, correct: 0 };
        inside.set(operation, { total: entry.total + 1, correct: entry.correct + (isRight ? 1 : 0) });
      });
    }
    expect(nested?.inside).toEqual(
      [...inside].sort(([a], [b]) => (a < b ? -1 : 1)).map(([operation, entry]) => ({ operation, ...entry })),
    );
    expect(nested?.inside?.length).toBe(2);
    expect(nested).toMatchObject({
      total: 150,
      exact: counts.exact,
      roles: {
        result: { correct: counts.result },
        copy: { correct: counts.copy },
        format: { correct: counts.format },
      },
    });
    expect(counts.result).toBeGreaterThan(50);
    const sum = (field: 'total' | 'correct'): number =>
      nested?.results.reduce((total, result) => total + result[field], 0) ?? 0;
    expect(sum('correct')).toBe(counts.result);
    expect(sum('total')).toBe(nested?.roles.result.total);
  });

  it('asks 4,000 whole expressions at the end and 500 before, the same ones first', () => {
    const [middle, last] = [false, true].map(
      (final) => createEvaluationSet(deep.data, { ...SET, final }).nested ?? [],
    );
    expect([middle.length, last.length]).toEqual([500, 4000]);
    expect(last.slice(0, 500)).toEqual(middle);
    const texts = new Set(last.map(({ tokens }) => tokens.join(' ')));
    expect(texts.size).toBeGreaterThan(500);
  });
});

/** Roles from the text alone: the new number of a segment stands where the closed call stood in the one before. */
function rolesOf(words: readonly string[], promptLength: number): string[] {
  const segments = words
    .slice(1, -1)
    .join(' ')
    .split(' > ')
    .map((segment) => segment.split(' '));
  const roles: string[] = [];
  for (let s = 1; s < segments.length; s++) {
    const close = segments[s - 1].indexOf(')');
    const open = segments[s - 1].lastIndexOf('(', close);
    if (s > 1) roles.push('format');
    segments[s].forEach((word, i) => {
      if (i === open) roles.push('result');
      else roles.push(word === '(' || word === ')' ? 'format' : 'copy');
    });
  }
  roles.push('format');
  expect(roles).toHaveLength(words.length - promptLength);
  return roles;
}

describe('createEvaluationSet', () => {
  const cellsOf = (data: Parameters<typeof resolveRunConfig>[0]['data']) =>
    createEvaluationSet(resolveRunConfig({ data, model: { nCtx: 64 } }).data, {
      chunkTokens: 4096,
      final: false,
    }).cells;

  it('enumerates every input once, held out and trained apart', () => {
    const cells = cellsOf({ tasks: ['SUM'], regime: 'pairs' });
    expect(cells.map(({ arity, held }) => `${arity} ${held ? 'held' : 'trained'}`)).toEqual([
      '2 held',
      '2 trained',
      '3 held',
      '3 trained',
    ]);
    expect(cells.reduce((sum, { total }) => sum + total, 0)).toBe(1100);
    // five unordered pairs; a pair of equal numbers has one order
    expect(cells[0].multisets).toBe(5);
    expect(cells[0].multisets + cells[1].multisets).toBe(55);
    expect(cells[2].multisets + cells[3].multisets).toBe(220);
    for (const { total, batches } of cells) {
      expect(batches.reduce((sum, { offsets }) => sum + offsets.length - 1, 0)).toBe(total);
    }
  });

  it('samples 4,000 inputs where there are more than 20,000, the same in every run', () => {
    const cells = cellsOf({ tasks: ['SUM'], operands: [2, 5] });
    expect(cells.every(({ enumerated }) => !enumerated)).toBe(true);
    expect(cells.reduce((sum, { total }) => sum + total, 0)).toBe(4000);
    for (const { total } of cells) expect(Math.abs(total - 1000)).toBeLessThan(120);
    expect(cellsOf({ tasks: ['SUM'], operands: [2, 5] })).toEqual(cells);
  });
});

describe('properDivisors', () => {
  it('leaves out 1 and n, and is empty for a prime', () => {
    expect([properDivisors(10), properDivisors(12), properDivisors(11), properDivisors(2)]).toEqual([
      [2, 5],
      [2, 3, 4, 6],
      [],
      [],
    ]);
  });
});
