/** Reads fixtures/fixtures.json (made by fixtures/make_fixtures.py) and lays its tensors out as the engine's arenas. */
import { readFileSync } from 'node:fs';
import type { Batch } from '../../src/engine/engine.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { type ParameterTable, parameterTable } from '../../src/model/parameters.js';

type LaterField = 'qkvBias' | 'unembeddingBias' | 'residualInit';

interface FixtureFile {
  readonly cases: readonly {
    readonly name: string;
    /** fields it leaves out: a bias where `bias` says so, none in the unembedding */
    readonly config: Omit<GptConfig, LaterField> & Partial<Pick<GptConfig, LaterField>>;
    readonly optimizer: Readonly<
      Record<
        'learningRate' | 'warmupSteps' | 'finalFraction' | 'beta1' | 'beta2' | 'eps' | 'weightDecay' | 'clip',
        number
      >
    >;
    readonly batches: readonly Readonly<Record<'tokens' | 'targets' | 'offsets', readonly number[]>>[];
    /** names in PyTorch's order */
    readonly parameters: readonly string[];
    readonly loss: number;
    readonly logits: string;
    readonly losses: readonly number[];
    readonly gradientNorms: readonly number[];
    readonly gradients: Readonly<Record<string, string>>;
    readonly final: Readonly<Record<string, string>>;
  }[];
}

/** One PyTorch model. Arenas are [arenaSize] in parameterTable layout. */
export interface Fixture {
  readonly name: string;
  readonly config: GptConfig;
  readonly optimizer: FixtureFile['cases'][number]['optimizer'];
  readonly table: ParameterTable;
  readonly batches: readonly Batch[];
  readonly initial: Float32Array;
  /** of batches[0] with the initial parameters, float64 */
  readonly loss: number;
  readonly logits: Float64Array;
  readonly gradients: Float64Array;
  /** of ten AdamW steps on the batches in turn, float64 */
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
  readonly final: Float64Array;
}

/** The same formula as parameter_values in make_fixtures.py. */
function initialValues(config: GptConfig): Float32Array {
  const table = parameterTable(config);
  const arena = new Float32Array(table.arenaSize);
  table.specs.forEach((spec, index) => {
    const isNorm = spec.init.kind === 'constant' && spec.init.value === 1;
    const scale = spec.shape.length === 1 ? 0.25 : 0.5;
    for (let i = 0; i < spec.size; i++) {
      const fraction = (((i * i * 31 + i * 7919 + index * 104729) % 2003) - 1001) / 1024;
      arena[spec.offset + i] = (isNorm ? 1 : 0) + scale * fraction;
    }
  });
  return arena;
}

function decode(text: string): Float64Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Float64Array(bytes.buffer);
}

function arenaOf(table: ParameterTable, tensors: Readonly<Record<string, string>>): Float64Array {
  const arena = new Float64Array(table.arenaSize);
  for (const spec of table.specs) {
    const values = decode(tensors[spec.name]);
    if (values.length !== spec.size)
      throw new Error(`${spec.name}: the fixture has ${values.length} numbers.`);
    arena.set(values, spec.offset);
  }
  return arena;
}

export function readFixtures(): Fixture[] {
  const file = JSON.parse(
    readFileSync(new URL('fixtures/fixtures.json', import.meta.url), 'utf8'),
  ) as FixtureFile;
  return file.cases.map((one) => {
    const config: GptConfig = {
      qkvBias: one.config.bias,
      unembeddingBias: false,
      residualInit: 'scaled',
      ...one.config,
    };
    const table = parameterTable(config);
    const names = table.specs.map((spec) => spec.name);
    if (names.join() !== one.parameters.join()) {
      throw new Error(`${one.name}: PyTorch has ${one.parameters.join()}, the table ${names.join()}.`);
    }
    return {
      name: one.name,
      config,
      optimizer: one.optimizer,
      table,
      batches: one.batches.map(({ tokens, targets, offsets }) => ({
        tokens: Int32Array.from(tokens),
        targets: Int32Array.from(targets),
        roles: Int32Array.from(targets, () => -1),
        offsets: Int32Array.from(offsets),
      })),
      initial: initialValues(config),
      loss: one.loss,
      logits: decode(one.logits),
      gradients: arenaOf(table, one.gradients),
      losses: one.losses,
      gradientNorms: one.gradientNorms,
      final: arenaOf(table, one.final),
    };
  });
}

/** [arenaSize] 1 at entries that key biases occupy: their gradient is zero but for rounding, and AdamW amplifies it. */
export function keyBiases(config: GptConfig): Uint8Array {
  const table = parameterTable(config);
  const mask = new Uint8Array(table.arenaSize);
  for (const spec of table.specs) {
    if (!spec.name.endsWith('c_attn.bias')) continue;
    mask.fill(1, spec.offset + config.dModel, spec.offset + 2 * config.dModel);
  }
  return mask;
}
