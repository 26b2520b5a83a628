/** Writing a sequence on row by row (write-on.ts) against a pass over all tokens at every step: equal bytes. */
import { expect, it } from 'vitest';
import type { Batch, Intervention, Model } from '../../src/engine/engine.js';
import { activationNames, parseActivationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { Rng } from '../../src/tensor/rng.js';
import { expectSameBytes } from '../helpers/close.js';
import { describeConfig, randomParameters, VARIANTS } from './cases.js';
import { describeEngines, KERNEL_ENGINES } from './engines.js';

/** A long sequence of several heads, wider than the registers hold. */
const LONG: GptConfig = { ...VARIANTS[3], dModel: 32, nHeads: 4, dMlp: 128, nLayers: 3, nCtx: 100 };

/** Interventions of every form at random activations that have rows. */
function randomInterventions(config: GptConfig, rng: Rng, count: number): Intervention[] {
  const names = activationNames(config).filter(
    (name) => parseActivationName(config, name).row.layout.kind === 'rows',
  );
  return Array.from({ length: count }, (): Intervention => {
    const at = names[rng.below(names.length)];
    const { name, layout } = parseActivationName(config, at).row;
    const width = layout.kind === 'rows' ? layout.width(config) : 0;
    const array = (length: number): Float32Array => Float32Array.from({ length }, () => rng.normal());
    const hasHeads = ['attn.q', 'attn.k', 'attn.v', 'attn.z'].includes(name);
    return {
      at,
      op: (['set', 'add', 'scale'] as const)[rng.below(3)],
      value: [rng.normal(), array(width), array(config.nCtx * width)][rng.below(3)],
      ...(hasHeads && rng.below(2) === 0 ? { heads: [rng.below(config.nHeads)] } : {}),
      ...(rng.below(2) === 0
        ? { positions: Int32Array.from({ length: 1 + rng.below(3) }, () => rng.below(config.nCtx)) }
        : {}),
    };
  });
}

/** The same for a shorter sequence. */
function cutTo(config: GptConfig, length: number, all: readonly Intervention[]): Intervention[] {
  return all.map(({ positions, value, ...own }) => {
    const { layout } = parseActivationName(config, own.at).row;
    const width = layout.kind === 'rows' ? layout.width(config) : 0;
    return {
      ...own,
      value: typeof value !== 'number' && value.length > width ? value.slice(0, length * width) : value,
      ...(positions === undefined ? {} : { positions: positions.filter((position) => position < length) }),
    };
  });
}

function batchOf(tokens: Int32Array): Batch {
  const N = tokens.length;
  const targets = new Int32Array(N).fill(-1);
  targets[N - 1] = 0;
  return { tokens, targets, roles: new Int32Array(N).fill(-1), offsets: Int32Array.of(0, N) };
}

/** @returns number of steps compared */
function compare(
  model: Model,
  tokens: Int32Array,
  promptLength: number,
  interventions: readonly Intervention[],
): number {
  const { config } = model;
  const found: Float32Array[] = [];
  model.writeOn?.(tokens.slice(0, promptLength), {
    interventions,
    next(logits) {
      found.push(logits);
      return tokens[promptLength + found.length - 1];
    },
  });
  found.forEach((logits, step) => {
    const length = promptLength + step;
    const expected = model.forward(batchOf(tokens.slice(0, length)), {
      interventions: cutTo(config, length, interventions),
    });
    expectSameBytes(logits, expected.logits, `logits of ${length} tokens`);
  });
  return found.length;
}

describeEngines(
  'writing on',
  ({ create }) => {
    it.each([...VARIANTS, LONG].map((config, index) => [describeConfig(config), config, index] as const))(
      '%s: the bytes of a pass over all tokens, changed or not',
      (_, config, index) => {
        const model = create(config, randomParameters(config, index), 'inference');
        const rng = new Rng(index, 'write-on');
        for (const changes of [0, 1, 3, 6]) {
          const tokens = Int32Array.from({ length: config.nCtx }, () => rng.below(config.dVocab));
          const promptLength = 1 + rng.below(config.nCtx - 1);
          const steps = compare(model, tokens, promptLength, randomInterventions(config, rng, changes));
          expect(steps).toBe(config.nCtx - promptLength + 1);
        }
        model.dispose();
      },
    );

    it('ends where it is told to, and refuses what forward refuses', () => {
      const [config] = VARIANTS;
      const model = create(config, randomParameters(config, 1), 'inference');
      let steps = 0;
      model.writeOn?.(Int32Array.of(1, 2), {
        interventions: [],
        next: () => (++steps < 3 ? 1 : undefined),
      });
      expect(steps).toBe(3);
      const ask = (prompt: Int32Array, token = 1): (() => void) => {
        return () => model.writeOn?.(prompt, { interventions: [], next: () => token });
      };
      expect(ask(new Int32Array(config.nCtx + 1))).toThrow(/length of sequence 0/);
      expect(ask(Int32Array.of(config.dVocab))).toThrow(/batch.tokens/);
      expect(ask(Int32Array.of(1), -1)).toThrow(/batch.tokens/);
      model.dispose();
    });
  },
  KERNEL_ENGINES,
);
