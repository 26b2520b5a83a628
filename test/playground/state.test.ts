import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TREATMENTS, changeText, parseChange, toggled } from '../../src/playground/changes.js';
import { readPlaygroundDocument } from '../../src/playground/document.js';
import { type PlaygroundState, START, parseState, stateText } from '../../src/playground/state.js';
import { randomDocument } from './documents.js';

const change = fc.record(
  {
    part: fc.constantFrom('L0.attn', 'L1.H12', 'L31.mlp', 'L0.resid_pre', 'L2.resid_mid', 'L0.resid_post'),
    how: fc.constantFrom(...TREATMENTS),
    at: fc.nat(4095),
  },
  { requiredKeys: ['part', 'how'] },
);
const state = fc.record(
  {
    models: fc.array(fc.string({ maxLength: 40 }), { maxLength: 2 }),
    ask: fc.string({ maxLength: 200 }),
    donor: fc.string({ maxLength: 200 }),
    changes: fc.array(change, { maxLength: 20 }),
    token: fc.nat(4095),
    head: fc.constantFrom('L0H1', 'L31H1023'),
  },
  { requiredKeys: ['models', 'ask', 'donor', 'changes'] },
) as fc.Arbitrary<PlaygroundState>;

const said = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
};

describe('the address of the playground', () => {
  it('gives the state back', () => {
    fc.assert(
      fc.property(state, (own) => {
        expect(parseState(stateText(own))).toEqual(own);
      }),
    );
    expect(stateText(START)).toBe('');
    expect(parseState('')).toEqual(START);
  });

  it.each([
    [
      'what=1',
      'address: found "what", expected fields among model, ask, other, change, token, head. Open the page anew without it.',
    ],
    ['model=a&model=b&model=c', 'models in the address: found 3, expected at most 2.'],
    [
      'change=L0.attn',
      'change: found "L0.attn", expected a part and what is done, such as L0.H1:zero or L0.mlp@5:swap.',
    ],
    ['change=L0.attn:burn', 'change: found "L0.attn:burn", expected one of zero, mean, swap after ":".'],
    ['token=-1', 'token in the address: found "-1", expected a whole number from 0.'],
    ['head=<b>', 'head in the address: found "<b>", expected a layer and a head such as L0H1.'],
    [`ask=${'1'.repeat(2001)}`, 'ask in the address: found 2001 letters, expected at most 2000.'],
    ['x'.repeat(7000), 'address: found "7000 letters", expected at most 6000.'],
  ])('refuses %.20s in one line', (text, message) => {
    expect(said(() => parseState(text))).toBe(message);
  });

  it('puts one change at a place, and takes the same one out again', () => {
    const zero = { part: 'L0.attn', how: 'zero' } as const;
    const mean = { part: 'L0.attn', how: 'mean' } as const;
    const there = { part: 'L0.attn', how: 'zero', at: 2 } as const;
    expect(toggled([zero, there], mean)).toEqual([there, mean]);
    expect(toggled([zero, there], zero)).toEqual([there]);
    expect(parseChange(changeText(there))).toEqual(there);
  });
});

describe('a model document', () => {
  it('gives the weights back, bit by bit', () => {
    const document = randomDocument(3);
    const { parameters } = readPlaygroundDocument(JSON.parse(JSON.stringify(document)));
    expect(parameters.some((value) => value !== 0)).toBe(true);
    expect(Buffer.from(parameters.buffer).toString('base64')).toBe(document.weights);
  });

  it.each([
    [null, 'kind of the model document: found "nothing", expected sumlens-playground-1.'],
    [{ kind: 'other' }, 'kind of the model document: found "other", expected sumlens-playground-1.'],
    [{ name: 7 }, 'model document: expected the texts name, label and weightsSha256.'],
    [{ step: -1 }, 'step of "random-1@0": found -1, expected a whole number from 0.'],
    [
      { weights: '!' },
      'weights of "random-1@0": found "no base64", expected 19968 bytes for this configuration.',
    ],
    [
      { weights: 'AAAA' },
      'weights of "random-1@0": found "3 bytes", expected 19968 bytes for this configuration.',
    ],
    [{ config: {} }, 'random-1@0: data'],
  ])('refuses what is none: %j', (fields, message) => {
    const document = fields === null ? null : { ...randomDocument(1), ...fields };
    expect(said(() => readPlaygroundDocument(document))).toContain(message);
  });

  it('refuses weights that are no numbers', () => {
    const document = randomDocument(1);
    const bytes = Buffer.from(document.weights, 'base64');
    bytes.writeFloatLE(NaN, 40);
    expect(said(() => readPlaygroundDocument({ ...document, weights: bytes.toString('base64') }))).toBe(
      'weights of "random-1@0": found NaN, expected finite numbers.',
    );
  });
});
