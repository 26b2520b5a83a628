/** Between the parameter arena of an engine and named tensors (nanoGPT's names and shapes). Browser-safe. */
import { RunError, nearest, printable } from '../errors.js';
import type { GptConfig } from '../model/gpt-config.js';
import { TOKEN_EMBEDDING, UNEMBEDDING, parameterTable, parameterView } from '../model/parameters.js';
import { assertLength } from '../tensor/shape.js';
import type { Tensor } from './format.js';

/**
 * Every tensor of a model, copied. Tied weights are written twice, as nanoGPT does.
 * @param arena - [arenaSize] float32 in parameterTable layout
 * @param prefix - put before every name, for optimizer moments
 */
export function parametersToTensors(config: GptConfig, arena: Float32Array, prefix = ''): Tensor[] {
  const table = parameterTable(config);
  assertLength(arena, table.arenaSize, 'parameters [arenaSize]');
  const tensors = table.specs.map(({ name, shape }) => ({
    name: `${prefix}${name}`,
    shape,
    data: parameterView(table, arena, name).slice(),
  }));
  // moments have no copy: nothing reads one
  if (config.tied && prefix === '') {
    const embedding = tensors.find((tensor) => tensor.name === TOKEN_EMBEDDING);
    if (embedding !== undefined) tensors.push({ ...embedding, name: UNEMBEDDING });
  }
  return tensors;
}

/**
 * Fills an arena from named tensors, which must be exactly those of the model.
 * @param where - file for messages
 * @returns [arenaSize] float32; gaps are zero
 * @throws RunError naming the tensor that is missing, unknown, of another shape, or not equal to its tied twin
 */
export function tensorsToParameters(
  config: GptConfig,
  tensors: ReadonlyMap<string, Tensor>,
  where = 'checkpoint',
  prefix = '',
): Float32Array {
  const table = parameterTable(config);
  const arena = new Float32Array(table.arenaSize);
  const fail = (problem: string): never => {
    throw new RunError(`${printable(where, 300)}: ${problem}`);
  };
  const expected = new Set(table.specs.map((spec) => `${prefix}${spec.name}`));
  if (config.tied && prefix === '') expected.add(UNEMBEDDING);
  for (const name of tensors.keys()) {
    if (!name.startsWith(prefix) || expected.has(name)) continue;
    const near = nearest(name, [...expected]);
    fail(
      `tensor "${printable(name)}" does not belong to this configuration.` +
        (near === undefined ? '' : ` Did you mean "${near}"?`),
    );
  }
  for (const { name, shape } of table.specs) {
    const tensor = tensors.get(`${prefix}${name}`);
    if (tensor === undefined) return fail(`tensor "${prefix}${name}" is missing.`);
    checkShape(tensor, shape, fail);
    parameterView(table, arena, name).set(tensor.data);
  }
  const twin = tensors.get(UNEMBEDDING);
  if (config.tied && prefix === '') {
    if (twin === undefined) return fail(`tensor "${UNEMBEDDING}" is missing.`);
    checkShape(twin, [config.dVocab, config.dModel], fail);
    checkTwin(twin.data, parameterView(table, arena, TOKEN_EMBEDDING), fail);
  }
  return arena;
}

function checkShape(tensor: Tensor, shape: readonly number[], fail: (problem: string) => never): void {
  if (tensor.shape.length === shape.length && shape.every((n, i) => n === tensor.shape[i])) return;
  fail(`tensor "${tensor.name}": found shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}].`);
}

function checkTwin(twin: Float32Array, embedding: Float32Array, fail: (problem: string) => never): void {
  for (let i = 0; i < twin.length; i++) {
    // Object.is, so that a NaN equals itself
    if (!Object.is(twin[i], embedding[i])) {
      fail(
        `tensor "${UNEMBEDDING}" differs from "${TOKEN_EMBEDDING}" at element ${i} (${twin[i]} and ${embedding[i]}), but the model is tied.`,
      );
    }
  }
}
