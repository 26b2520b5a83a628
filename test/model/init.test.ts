import { describe, expect, it } from 'vitest';
import { gptConfigOf, runId } from '../../src/config/names.js';
import { type DeepPartial, resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { initialParameters } from '../../src/model/init.js';
import { TOKEN_EMBEDDING, parameterTable } from '../../src/model/parameters.js';

const tiny = (model: DeepPartial<RunConfig>['model'] = {}): RunConfig =>
  resolveRunConfig({ data: { modulus: 4 }, model: { dModel: 8, nLayers: 1, nCtx: 16, ...model } });

describe('embeddingInit and positionInit', () => {
  it('scale the draws of their own tensor, and leave every other as it was', () => {
    const plain = gptConfigOf(tiny());
    const wide = gptConfigOf(tiny({ embeddingInit: 0.5 }));
    const table = parameterTable(plain);
    const [a, b] = [plain, wide].map((config) => initialParameters(config, 3));
    for (const { name, offset, size } of table.specs) {
      const [before, after] = [a, b].map((arena) => arena.subarray(offset, offset + size));
      if (name !== TOKEN_EMBEDDING) expect(after).toEqual(before);
      else after.forEach((value, i) => expect(value).toBeCloseTo(before[i] * 25, 6));
    }
    const positions = parameterTable(gptConfigOf(tiny({ positionInit: 1 })));
    expect(
      positions.specs.filter(({ init }) => init.kind === 'normal' && init.std === 1).map(({ name }) => name),
    ).toEqual(['transformer.wpe.weight']);
  });

  it('are in the id, but not where they say what is so anyway', () => {
    const ids = [{}, { embeddingInit: 0.5 }, { positionInit: 0.5 }].map((model) =>
      runId(resolveRunConfig({ model })),
    );
    expect(new Set(ids).size).toBe(3);
    const said = resolveRunConfig({
      model: { embeddingInit: 0.02, positionInit: 0.02 },
      data: { digitSkew: 0 },
    });
    expect(said).toEqual(resolveRunConfig({}));
    expect(() => resolveRunConfig({ model: { embeddingInit: 0 } })).toThrow(
      /--embedding-init\): found 0, expected a number above 0/,
    );
  });
});
