/** The notation of the paper's public pipeline against a reader written for its texts alone. */
import { describe, expect, it } from 'vitest';
import { chainBatch, nestedChains } from '../../../src/listops/prompts/beyond-training.js';
import type { DataConfig } from '../../../src/listops/data-config.js';
import { enumeratedPrompts, promptBatch } from '../../../src/listops/prompts/evaluation-prompts.js';
import { ROLES } from '../../../src/listops/language/expression.js';
import { createGenerator } from '../../../src/listops/sampling/generate.js';
import { leakReport } from '../../../src/listops/sampling/leak.js';
import { createSpelling } from '../../../src/listops/language/notation.js';
import { OPERATION_NAMES, createOperationContext } from '../../../src/listops/language/operations.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import { resultBatch } from '../../../src/listops/prompts/result-prompts.js';
import { SequenceWriter } from '../../../src/listops/language/sequence.js';
import type { TokenBatch } from '../../../src/listops/language/sequence.js';
import { digitFrequencies } from '../../../src/listops/sampling/statistics.js';
import { fillTemplate, flatTemplates, siteRows } from '../../../src/listops/prompts/templates.js';
import { authorsVocabulary, decode, encode, vocabulary } from '../../../src/listops/language/tokenizer.js';
import { examplesUsed } from '../../../src/listops/sampling/training-counts.js';
import { Rng } from '../../../src/tensor/rng.js';
import { dataWith } from '../settings.js';

const vocab = authorsVocabulary(10);
const AUTHORS: DataConfig = dataWith({
  notation: 'authors',
  tasks: ['MAX', 'MIN', 'MED', 'SUM', 'PROD', 'NADD'],
  depth: 3,
  nesting: 0.5,
  medianOfEven: 'upper',
});

type Tree = number | { name: string; children: Tree[] };

/** Reads `add_10 ( 7 max_10 ( 3 6 ) )`. */
function readTree(words: string[]): Tree {
  const word = words.shift() ?? '';
  if (/^\d+$/.test(word)) return Number(word);
  expect(words.shift()).toBe('(');
  const children: Tree[] = [];
  while (words[0] !== ')') children.push(readTree(words));
  words.shift();
  return { name: word, children };
}

function writeTree(tree: Tree): string {
  return typeof tree === 'number'
    ? String(tree)
    : `${tree.name} ( ${tree.children.map(writeTree).join(' ')} )`;
}

/** The operations as the pipeline defines them: on plain numbers, then the remainder. */
function valueOf(name: string, numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const plain: Record<string, number> = {
    min_10: sorted[0],
    max_10: sorted[sorted.length - 1],
    median_10: sorted[Math.floor(numbers.length / 2)],
    add_10: numbers.reduce((total, x) => total + x, 0),
    prod_10: numbers.reduce((total, x) => total * x, 1),
    nadd_10: numbers.reduce((total, x, i) => total + x * (-1) ** i, 0),
  };
  return ((plain[name] % 10) + 10) % 10;
}

/** One step of the pipeline's chain: from the root always to the first child that is a call; the last one is computed. */
function simplifyOnce(tree: Tree, reduced: number[][]): Tree {
  if (typeof tree === 'number') return tree;
  const next = tree.children.findIndex((child) => typeof child !== 'number');
  if (next < 0) {
    const numbers = tree.children.map(Number);
    reduced.push(numbers);
    return valueOf(tree.name, numbers);
  }
  return {
    ...tree,
    children: tree.children.map((child, i) => (i === next ? simplifyOnce(child, reduced) : child)),
  };
}

/** The text from the second token on, as the pipeline would write its first expression. @returns operands of every step */
function checkSample(text: string): number[][] {
  const words = text.split(' ');
  expect(words[0]).toBe('<eos>');
  let tree = readTree(words.slice(1, words.indexOf('=')));
  const steps = [writeTree(tree)];
  const reduced: number[][] = [];
  while (typeof tree !== 'number') steps.push(writeTree((tree = simplifyOnce(tree, reduced))));
  expect(words.slice(1).join(' ')).toBe(`${steps.join(' = ')} <eos>`);
  return reduced;
}

const texts = (data: DataConfig, count: number, seed = 3): string[] => {
  const generator = createGenerator(data, seed);
  return Array.from({ length: count }, (_, i) => decode(generator.example(i).tokens, vocab));
};

const firstText = ({ tokens, offsets }: TokenBatch): string =>
  decode(tokens.subarray(offsets[0], offsets[1]), vocab);

describe("the authors' vocabulary", () => {
  it('is their twenty tokens in their order', () => {
    expect(vocab.tokens.join(' ')).toBe(
      '<eos> ( ) = min_10 max_10 median_10 add_10 prod_10 nadd_10 0 1 2 3 4 5 6 7 8 9',
    );
    expect([
      vocab.size,
      vocab.numberOf(10),
      vocab.numberOf(9),
      vocab.operationOf(7),
      vocab.operationOf(10),
    ]).toEqual([20, 0, undefined, 'SUM', undefined]);
    expect(() => vocab.operationToken('FIRST')).toThrow('operation FIRST is not in the vocabulary');
    expect([...encode(vocab.tokens.join(' '), vocab)]).toEqual(vocab.tokens.map((_, id) => id));
  });
});

describe('samples', () => {
  it('are written as in the published data', () => {
    const standard = vocabulary(10);
    const expression = encode('(SUM (MAX 7 3 6) 6 0)', standard);
    const writer = new SequenceWriter(createOperationContext(AUTHORS), {
      format: 'steps',
      notation: 'authors',
    });
    writer.append(expression, expression.length);
    expect(decode(writer.sequence(0).tokens, vocab)).toBe(
      '<eos> add_10 ( max_10 ( 7 3 6 ) 6 0 ) = add_10 ( 7 6 0 ) = 3 <eos>',
    );
  });

  it('are reduced step by step as their code does, with their median of two', () => {
    for (const text of texts(AUTHORS, 2000)) checkSample(text);
    // the first call of every level goes first, however deep others lie
    for (const text of texts({ ...AUTHORS, depth: 5, operands: [2, 2], nesting: 0.7 }, 200))
      checkSample(text);
  });

  it('are the standard samples of the same seed, spelled otherwise', () => {
    const generators = [
      createGenerator(AUTHORS, 5),
      createGenerator({ ...AUTHORS, notation: undefined } as never, 5),
    ];
    const names = ['min', 'max', 'median', 'add', 'prod', 'nadd'];
    for (let i = 0; i < 300; i++) {
      const [authors, standard] = generators.map((generator) => generator.example(i));
      const text = decode(standard.tokens, vocabulary(10))
        .replace(
          /\((\w+)/g,
          (_, name: string) => `${names[['MIN', 'MAX', 'MED', 'SUM', 'PROD', 'NADD'].indexOf(name)]}_10 (`,
        )
        .replace(/\)/g, ' )')
        .replace(/>/g, '=')
        .replace(/^s | e$/g, '');
      expect(decode(authors.tokens, vocab)).toBe(`<eos> ${text} <eos>`);
      expect(authors.promptLength).toBe(standard.promptLength);
      expect([...authors.operations]).toEqual([...standard.operations]);
    }
  });

  it('have one result a step, and name the operation that was reduced', () => {
    const generator = createGenerator(AUTHORS, 8);
    for (let i = 0; i < 300; i++) {
      const { tokens, roles, operations, arities } = generator.example(i);
      const words = Array.from(tokens, (token) => vocab.tokens[token]);
      const reduced = checkSample(decode(tokens, vocab));
      let step = 0;
      words.forEach((word, t) => {
        const role = roles[t] < 0 ? 'prompt' : ROLES[roles[t]];
        if (t <= words.indexOf('=')) expect(role).toBe('prompt');
        else if (['<eos>', '=', '(', ')'].includes(word)) expect(role).toBe('format');
        else if (role === 'result') {
          expect(arities[t]).toBe(reduced[step].length);
          const name = `${['min', 'max', 'median', 'add', 'prod', 'nadd'][['MIN', 'MAX', 'MED', 'SUM', 'PROD', 'NADD'].indexOf(OPERATION_NAMES[operations[t]])]}_10`;
          expect(word).toBe(String(valueOf(name, reduced[step++])));
        } else expect(role).toBe('copy');
      });
      expect(step).toBe(reduced.length);
    }
  });

  it('are spelled back to the tokens they came from', () => {
    const spelling = createSpelling(AUTHORS);
    const expression = encode('(NADD 1 (MIN 2 (PROD 3 4)) (MED 5 6))', vocabulary(10));
    const spelled = Int32Array.from(expression);
    spelling.spell([spelled], 0, spelled.length);
    expect(decode(spelled, vocab)).toBe('nadd_10 ( 1 min_10 ( 2 prod_10 ( 3 4 ) ) median_10 ( 5 6 ) )');
    expect([...spelling.unspell(spelled)]).toEqual([...expression]);
    const first = encode('(FIRST 1 2)', vocabulary(10));
    expect(() => spelling.spell([first], 0, first.length)).toThrow(
      'operation FIRST is not in the vocabulary',
    );
  });
});

describe('prompts', () => {
  const data: DataConfig = { ...AUTHORS, tasks: ['MAX', 'SUM'], depth: 2, regime: 'pairs' };
  const context = createOperationContext(data);

  it.each(['steps', 'direct'] as const)(
    'of single operations ask for the result in the format %s',
    (format) => {
      const own = { ...data, format };
      const { batch, results } = resultBatch('SUM', [[7, 3, 6]], { data: own, context });
      expect(firstText(batch)).toBe('<eos> add_10 ( 7 3 6 ) =');
      expect(vocab.numberOf(batch.targets[batch.targets.length - 1])).toBe(6);
      expect(results[0]).toBe(6);
      const { prompts } = enumeratedPrompts(own, 'MAX');
      expect(decode(prompts[1].prompt, vocab)).toBe('<eos> max_10 ( 0 1 ) =');
      expect(decode(prompts[1].completion, vocab)).toBe('1 <eos>');
      expect(firstText(promptBatch(prompts.slice(1, 2), own))).toBe('<eos> max_10 ( 0 1 ) = 1');
    },
  );

  it('of whole chains come back as they were', () => {
    const chains = nestedChains(data, { depth: 2, count: 5, mostTokens: 80 });
    const batch = chainBatch(data, chains);
    chains.forEach(({ tokens }, s) => {
      checkSample(decode(tokens, vocab));
      expect([...batch.tokens.subarray(batch.offsets[s], batch.offsets[s + 1])]).toEqual([
        ...tokens.slice(0, -1),
      ]);
    });
  });

  it('of templates know their operand and bracket positions', () => {
    const [template] = flatTemplates(data, 'SUM');
    const filled = fillTemplate(template, { context, data, count: 2, rng: new Rng(1, 'data') });
    if (filled === undefined) throw new Error('no prompts');
    expect(firstText(filled.batch)).toMatch(/^<eos> add_10 \( \d \d \) = \d$/);
    // "(" stands behind the operation: 2, operands 3 and 4, ")" 5
    expect([...(siteRows(filled, 'operand and bracket positions', vocab) ?? [])].slice(0, 4)).toEqual([
      2, 3, 4, 5,
    ]);
    expect([...(siteRows(filled, 'result-predicting position', vocab) ?? [])]).toEqual([6, 14]);
  });

  it('and statistics read the same numbers in both notations', () => {
    const { notation: _, ...standard } = data;
    expect(digitFrequencies(data, 2, 500)).toEqual(digitFrequencies(standard, 2, 500));
    expect(leakReport(data, 2, 500)).toEqual(leakReport(standard, 2, 500));
    const direct = { ...data, format: 'direct' as const };
    expect(leakReport(direct, 2, 500)).toEqual(leakReport({ ...standard, format: 'direct' }, 2, 500));
  });
});

describe('windows', () => {
  const data: DataConfig = { ...AUTHORS, depth: 2, fixedSize: 50, window: 40, loss: 'all' };
  const whole = texts(data, 50, 7)
    .map((text) => text.replace(/^<eos> /, ''))
    .join(' ');

  it('are stretches of the samples written end to end, each token with the next as its target', () => {
    const generator = createGenerator(data, 7);
    const starts = new Set<number>();
    for (let step = 0; step < 40; step++) {
      const { tokens, targets, offsets } = generator.batch(step, 8);
      expect([...offsets]).toEqual(Array.from({ length: 9 }, (_, s) => 40 * s));
      for (let s = 0; s < 8; s++) {
        const row = [...tokens.subarray(40 * s, 40 * s + 40), targets[40 * s + 39]];
        expect([...targets.subarray(40 * s, 40 * s + 39)]).toEqual(row.slice(1, 40));
        const at = ` ${whole} `.indexOf(` ${decode(row, vocab)} `);
        expect(at).toBeGreaterThanOrEqual(0);
        starts.add(at);
      }
    }
    expect(starts.size).toBeGreaterThan(200);
  });

  it('are a pure function of the step, with roles from the samples', () => {
    const [a, b] = [createGenerator(data, 7), createGenerator(data, 7)];
    b.batch(2, 8);
    b.example(4);
    expect(a.batch(3, 8)).toEqual(b.batch(3, 8));
    expect(a.batch(3, 8)).not.toEqual(a.batch(4, 8));
    const { tokens, targets, roles } = a.batch(3, 64);
    let results = 0;
    for (let t = 0; t < tokens.length; t++) {
      // what follows the last "=" of a sample is its result; prompts have no role
      if (vocab.tokens[targets[t]] === '<eos>') expect(ROLES[roles[t]]).toBe('format');
      if (ROLES[roles[t]] === 'result') results++;
      if (roles[t] === 0) expect(vocab.numberOf(targets[t])).toBeDefined();
    }
    expect(results).toBeGreaterThan(100);
    const masked = createGenerator({ ...data, loss: 'completion' }, 7).batch(3, 64);
    masked.targets.forEach((target, t) => expect(target).toBe(roles[t] < 0 ? -1 : targets[t]));
  });

  it('keep the start token of the standard notation', () => {
    const { notation: _, ...standard } = data;
    const generator = createGenerator({ ...standard, window: 200 }, 7);
    expect(decode(generator.batch(0, 1).tokens, vocabulary(10))).toMatch(/ e s \(/);
  });

  it('are refused where the set is not longer', () => {
    expect(() => createGenerator({ ...data, fixedSize: 1, window: 400 }, 7).batch(0, 1)).toThrow(
      /^--window: found 400, expected fewer than the \d+ tokens of the set\. Raise --fixed-size or lower --window\.$/,
    );
    expect(() => createGenerator(dataWith({ window: 40 }), 7)).toThrow('--fixed-size: found "nothing"');
  });

  it('count the samples they show', () => {
    const perSample = whole.split(' ').length / 50;
    expect(examplesUsed(data, 7, 1000)).toBe(Math.round((1000 * 40) / perSample));
    expect(examplesUsed(dataWith({}), 7, 1000)).toBe(1000);
  });
});

describe('the ordered hold-out', () => {
  const data: DataConfig = {
    ...AUTHORS,
    tasks: ['MAX', 'SUM'],
    depth: 2,
    nesting: 0.25,
    regime: 'ordered-triples',
  };

  it('is 50 draws of three different numbers, which leave 45 to 50 triples', () => {
    for (let holdoutSeed = 0; holdoutSeed < 20; holdoutSeed++) {
      const { sets, level, draws } = createHoldout({ ...data, holdoutSeed });
      expect([level, draws]).toEqual(['ordered-triple', 50]);
      expect(sets.length).toBeGreaterThan(44);
      expect(new Set(sets.map(String)).size).toBe(sets.length);
      for (const set of sets) expect(new Set(set).size).toBe(3);
    }
  });

  it('keeps every triple out as it is written, and lets its numbers through in another order', () => {
    const holdout = createHoldout({ ...data, holdoutSeed: 4 });
    const { sets } = holdout;
    const held = new Set(sets.map(String));
    const others = new Set<string>();
    let examples = 0;
    const samples = texts({ ...data, holdoutSeed: 4 }, 5000, 4);
    for (const text of samples) {
      let shows = false;
      for (const operands of checkSample(text)) {
        expect(held.has(String(operands))).toBe(false);
        for (const set of sets) {
          if ([...set].sort().join() !== [...operands].sort().join()) continue;
          others.add(String(set));
          shows = true;
        }
      }
      if (shows) examples++;
    }
    expect(others.size).toBe(sets.length);
    const report = leakReport({ ...data, holdoutSeed: 4 }, 4, 5000);
    expect(report).toMatchObject({
      leaks: 0,
      sets: sets.length,
      ordered: { setsSeen: others.size, leaks: examples },
    });
    // the scan can fail: what nothing was held out of shows them all
    const free = createHoldout({ ...data, regime: 'full' });
    expect(holdout.isHeldOut(sets[0])).toBe(true);
    expect(holdout.isHeldOut([...sets[0]].reverse())).toBe(held.has(String([...sets[0]].reverse())));
    expect(free.isHeldOut(sets[0])).toBe(false);
  });
});
