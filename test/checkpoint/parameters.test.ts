import { describe, expect, it } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  parametersToTensors,
  tensorsToParameters,
  type Tensor,
} from '../../src/checkpoint/format.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { initialParameters } from '../../src/model/init.js';
import { parameterTable, parameterView } from '../../src/model/parameters.js';

const config: GptConfig = {
  dVocab: 11,
  nCtx: 5,
  dModel: 6,
  nLayers: 2,
  nHeads: 2,
  dMlp: 7,
  activation: 'gelu',
  bias: true,
  tied: true,
  shareBlocks: false,
  qkvBias: true,
  unembeddingBias: false,
  residualInit: 'scaled',
};
const asMap = (tensors: readonly Tensor[]): Map<string, Tensor> => new Map(tensors.map((t) => [t.name, t]));

describe('parametersToTensors and tensorsToParameters', () => {
  it.each([{}, { tied: false }, { bias: false }, { shareBlocks: true }])('are inverse for %j', (change) => {
    const gpt = { ...config, ...change };
    const arena = initialParameters(gpt, 3);
    const bytes = encodeSafetensors(parametersToTensors(gpt, arena));
    expect(tensorsToParameters(gpt, decodeSafetensors(bytes).tensors)).toEqual(arena);
  });

  it("uses nanoGPT's names and shapes, and writes tied weights twice", () => {
    const tensors = asMap(parametersToTensors(config, initialParameters(config, 3)));
    expect(tensors.get('transformer.h.1.attn.c_attn.weight')?.shape).toEqual([18, 6]);
    expect(tensors.get('transformer.h.0.mlp.c_proj.weight')?.shape).toEqual([6, 7]);
    expect(tensors.get('lm_head.weight')?.data).toEqual(tensors.get('transformer.wte.weight')?.data);
    expect(tensors.get('lm_head.weight')?.shape).toEqual([11, 6]);
  });

  it('copies: changing the arena later does not change the tensors', () => {
    const arena = initialParameters(config, 3);
    const tensors = asMap(parametersToTensors(config, arena));
    const before = tensors.get('transformer.wte.weight')?.data[0];
    parameterView(parameterTable(config), arena, 'transformer.wte.weight')[0] = 99;
    expect(tensors.get('transformer.wte.weight')?.data[0]).toBe(before);
  });

  const broken = (change: (tensors: Map<string, Tensor>) => void): (() => Float32Array) => {
    const tensors = asMap(parametersToTensors(config, initialParameters(config, 3)));
    change(tensors);
    return () => tensorsToParameters(config, tensors, 'm.safetensors');
  };

  it('refuses a missing, an unknown, a transposed tensor and a tied twin that differs', () => {
    expect(broken((t) => t.delete('transformer.ln_f.bias'))).toThrow(
      'm.safetensors: tensor "transformer.ln_f.bias" is missing.',
    );
    expect(broken((t) => t.delete('lm_head.weight'))).toThrow(
      'm.safetensors: tensor "lm_head.weight" is missing.',
    );
    expect(
      broken((t) => t.set('transformer.wpe.wight', { name: 'x', shape: [1], data: new Float32Array(1) })),
    ).toThrow(
      'm.safetensors: tensor "transformer.wpe.wight" does not belong to this configuration. Did you mean "transformer.wpe.weight"?',
    );
    const name = 'transformer.h.0.attn.c_attn.weight';
    expect(broken((t) => t.set(name, { ...(t.get(name) as Tensor), shape: [6, 18] }))).toThrow(
      `m.safetensors: tensor "${name}": found shape [6, 18], expected [18, 6].`,
    );
    expect(
      broken((t) => {
        const head = t.get('lm_head.weight') as Tensor;
        t.set('lm_head.weight', { ...head, data: head.data.map((x, i) => (i === 4 ? 7 : x)) });
      }),
    ).toThrow(
      /tensor "lm_head\.weight" differs from "transformer\.wte\.weight" at element 4 \(7 and .*\), but the model is tied\./,
    );
  });

  it('refuses weights of another configuration', () => {
    const wider = { ...config, dModel: 8 };
    const tensors = asMap(parametersToTensors(wider, initialParameters(wider, 3)));
    expect(() => tensorsToParameters(config, tensors)).toThrow(/found shape \[11, 8\], expected \[11, 6\]/);
  });
});
