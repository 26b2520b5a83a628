/** What a player says against the float64 reference, the lens's own ablation and patching, and the shipped runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/registry.js';
import { promptsAlike } from '../../src/lens/alike.js';
import { probabilitiesOf, rowOf } from '../../src/lens/run.js';
import { activationName } from '../../src/model/activations.js';
import type { Change } from '../../src/playground/changes.js';
import { readPlaygroundDocument } from '../../src/playground/document.js';
import { type Player, neighbourOf, openPlayer } from '../../src/playground/player.js';
import { Rng } from '../../src/tensor/rng.js';
import { distance, reference } from '../lens/setup.js';
import { MIXED, SUM_ONLY, randomDocument, referenceDocument } from './documents.js';

const ASK = '(SUM 7 (MAX 3 6))';
const DONOR = '(SUM 7 (MAX 9 6))';
/** float32 forward passes against float64 ones, as in the tests of the lens */
const CLOSE = 1e-4;

let engine: Engine;
const open = (document: unknown): Player => openPlayer(engine, readPlaygroundDocument(document));
beforeAll(async () => void ({ engine } = await openEngine('wasm', { threads: 1 })));
afterAll(() => engine.dispose());

describe('a player of a model with random weights', () => {
  let player: Player;
  beforeAll(() => void (player = open(randomDocument())));
  const look = (changes: readonly Change[], token?: number) =>
    player.look({ ask: ASK, donor: DONOR, changes, token });
  /** logits at the position that was looked into, of the sequence that was written, in float64 */
  const expected = (found: ReturnType<typeof look>, change?: (name: string, x: Float64Array) => void) => {
    const { gpt, parameters } = player.model;
    const words = found.words.slice(0, -1);
    const prompt = player.lens.prompt(words.map((word) => player.lens.vocabulary.tokens.indexOf(word)));
    const all = reference({ gpt, parameters }, [prompt], change);
    return all.subarray(found.position * gpt.dVocab, (found.position + 1) * gpt.dVocab);
  };

  it('says what the float64 reference says of the written sequence, intact and with parts off', () => {
    const intact = look([]);
    expect(distance(intact.logits, expected(intact))).toBeLessThan(CLOSE);
    expect(intact.before).toBeUndefined();
    const { dModel, nHeads } = player.model.gpt;
    const changes = [
      { part: 'L1.mlp', how: 'zero' },
      { part: 'L0.H1', how: 'zero', at: 3 },
    ] as const;
    const off = look(changes);
    const zeroed = expected(off, (name, x) => {
      if (name === 'blocks.1.mlp_out') x.fill(0);
      if (name === 'blocks.0.attn.z') x.fill(0, 3 * dModel + dModel / nHeads, 4 * dModel);
    });
    expect(distance(off.logits, zeroed)).toBeLessThan(CLOSE);
    expect(distance(off.logits, expected(off))).toBeGreaterThan(0.01);
    expect(off.before).toEqual(intact.written);
  });

  it('writes under a change what a model without that part would write, token by token', () => {
    const { tokens } = look([{ part: 'L0.mlp', how: 'zero' }]).written;
    const { gpt, parameters } = player.model;
    const { lens } = player;
    let sequence = [...lens.tokens(ASK)];
    for (const { word, probability } of tokens) {
      const logits = reference({ gpt, parameters }, [lens.prompt(sequence)], (name, x) => {
        if (name === 'blocks.0.mlp_out') x.fill(0);
      });
      const last = probabilitiesOf(logits.subarray((sequence.length - 1) * gpt.dVocab));
      const token = lens.vocabulary.tokens.indexOf(word);
      expect(Math.max(...last) - last[token]).toBeLessThan(CLOSE);
      expect(Math.abs(probability - last[token])).toBeLessThan(CLOSE);
      sequence = [...sequence, token];
    }
    expect(tokens.length).toBeGreaterThan(0);
  });

  it('swaps: the whole stream from the start is the other prompt, one position only that', () => {
    const all = look([{ part: 'L0.resid_pre', how: 'swap' }], 0);
    const other = player.look({ ask: DONOR, changes: [], token: 0 });
    expect([...all.logits]).toEqual([...other.logits]);
    const { lens } = player;
    const [clean, corrupted] = [lens.prompt(ASK), lens.prompt(DONOR)];
    const at = 6;
    const site = { at: activationName('resid_mid', 0), position: at };
    const patched = lens.patch({ clean, corrupted }, [[site]], (logits) => probabilitiesOf(logits)[4]);
    const one = look([{ part: 'L0.resid_mid', at, how: 'swap' }], 0);
    expect(probabilitiesOf(one.logits)[4]).toBe(patched.values[0][0]);
    expect(patched.values[0][0]).not.toBe(patched.clean[0]);
  });

  it('takes means as the ablation of the lens does: over 64 expressions of the same form', () => {
    const { lens } = player;
    const prompt = lens.prompt(ASK, { completion: 'result' });
    if (prompt.expression === undefined) throw new Error('An expression was asked.');
    const others = promptsAlike(lens, prompt.expression, 64, new Rng(0, 'inspect'), { completion: 'result' });
    const whole = lens.ablate([prompt, ...others], { parts: ['L0.attn'], by: 'mean' });
    const row = rowOf(whole);
    const { dVocab } = player.model.gpt;
    const text = `${ASK} > ${prompt.words.slice(lens.prompt(ASK).tokens.length).join(' ')}`;
    const found = player.look({ ask: text, changes: [{ part: 'L0.attn', how: 'mean' }], token: 0 });
    expect(found.position).toBe(prompt.tokens.length - 1);
    expect(distance(found.logits, whole.logits.subarray(row * dVocab, (row + 1) * dVocab))).toBeLessThan(
      1e-5,
    );
  });

  it('says the same, bit by bit, where every token takes a pass over all tokens so far', () => {
    const plain: Engine = {
      ...engine,
      createModel: (...given) =>
        Object.defineProperty(engine.createModel(...given), 'writeOn', { value: undefined }),
    };
    const document = readPlaygroundDocument(randomDocument());
    const [fast, slow] = [openPlayer(engine, document), openPlayer(plain, document)];
    expect([typeof fast.lens.model.writeOn, typeof slow.lens.model.writeOn]).toEqual([
      'function',
      'undefined',
    ]);
    const changes: readonly (readonly Change[])[] = [
      [],
      [{ part: 'L0.attn', how: 'zero' }],
      [
        { part: 'L0.H1', how: 'mean' },
        { part: 'L1.mlp', at: 3, how: 'zero' },
      ],
      [
        { part: 'L1.H0', how: 'swap' },
        { part: 'L0.resid_mid', at: 40, how: 'mean' },
      ],
    ];
    let longest = 0;
    for (const own of changes) {
      const question = { ask: ASK, donor: DONOR, changes: own };
      const found = fast.look(question);
      longest = Math.max(longest, found.words.length);
      expect(found).toEqual(slow.look(question));
    }
    expect(longest).toBeGreaterThan(40);
    fast.dispose();
    slow.dispose();
  });

  it('what the parts add is the whole, also with parts changed', () => {
    for (const changes of [
      [],
      [{ part: 'L0.H0', how: 'mean' }],
      [{ part: 'L1.attn', how: 'zero' }],
    ] as const) {
      const { shares, total, logits, target, against } = look(changes);
      expect(shares.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(total, 4);
      const tokens = player.lens.vocabulary.tokens;
      const among = [...logits].filter((_, token) => against === 'tokens' || /^\d+$/.test(tokens[token]));
      const mean = among.reduce((sum, x) => sum + x, 0) / among.length;
      expect(logits[tokens.indexOf(target)] - mean).toBeCloseTo(total, 3);
    }
  });

  it('the swap map is the patching of the lens, and says so where both prompts go on alike', () => {
    const first = player.lens.prompt(ASK, { completion: 'result' });
    const token = first.tokens.length - player.lens.prompt(ASK).tokens.length;
    const map = player.swapMap({ ask: ASK, donor: DONOR, changes: [], token });
    expect([map.answer, map.donorAnswer]).toEqual(['6', '9']);
    expect(map.effects).toHaveLength(5);
    // before the changed operand nothing differs; at it, the first stage is all that does
    expect(map.effects[0][2]).toBe(0);
    expect(map.effects[0][map.words.findIndex((word, t) => word !== map.donorWords[t])]).toBeCloseTo(1, 5);
    const same = player.swapMap({ ask: ASK, donor: DONOR, changes: [], token: 0 });
    expect(same.answer).toBe(same.donorAnswer);
    expect(same.effects[0][0]).toBeNaN();
  });

  it('refuses in one line', () => {
    const said = (
      ask: string,
      donor?: string,
      changes: readonly Change[] = [{ part: 'L0.attn', how: 'swap' }],
    ) => {
      try {
        player.look({ ask, donor, changes });
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing';
    };
    expect(said('(SUM 7 3')).toMatch(/^expression at position .*\.$/);
    expect(said(ASK)).toBe(
      'other prompt: found none, expected an expression whose activations are swapped in.',
    );
    expect(said(ASK, '(SUM 1 2)')).toBe(
      'other prompt: found 7 tokens, expected 11 as in the first. Change numbers or operations, not how many there are.',
    );
    // a part of another model is left alone, and named
    expect(look([{ part: 'L7.attn', how: 'zero' }]).absent).toEqual(['L7.attn']);
  });
});

describe('a player of the shipped runs', () => {
  it('answers right, marks right and wrong, and turns with the other prompt', () => {
    for (const run of [MIXED, SUM_ONLY]) {
      const player = open(referenceDocument(run));
      const intact = player.look({ ask: '(SUM 7 3 6)', changes: [] });
      expect(intact.words.join(' ')).toBe('s ( SUM 7 3 6 ) > 6 e');
      expect(intact.written.right).toBe(true);
      expect(intact.written.tokens[0].expected).toBe('6');
      expect(intact.written.tokens[0].probability).toBeGreaterThan(0.9);
      expect(intact.patterns).toHaveLength(2);
      const off = player.look({ ask: '(SUM 7 3 6)', changes: [{ part: 'L1.attn', how: 'zero' }] });
      expect(off.written.tokens[0].probability).not.toBe(intact.written.tokens[0].probability);
      const turned = player.look({
        ask: '(SUM 7 3 6)',
        donor: '(SUM 7 4 6)',
        changes: [{ part: 'L1.resid_post', how: 'swap' }],
      });
      expect(turned.written.tokens[0].word).toBe('7');
      expect(turned.written.right).toBe(false);
      expect(neighbourOf(player.lens, '(SUM 7 3 6)')).toBe('(SUM 8 3 6)');
      player.dispose();
    }
  });
});
