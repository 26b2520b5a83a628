/**
 * Between our parameters and the tensors of another program: one row says where each of its tensors lies in ours, and
 * both directions are read off it, so that reading undoes writing bit for bit. The rows are in nanogpt.ts, hf-gpt2.ts
 * and transformer-lens.ts. No files here.
 */
import { UserError, nearest, printable } from '../../errors.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { type ParameterTable, parameterTable, parameterView } from '../../model/parameters.js';
import type { Tensor } from '../format.js';

/** One tensor of another program. */
export interface ForeignTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** our parameter of which it is made; undefined: our model has no such parameter, and zero changes nothing */
  readonly source: string | undefined;
  /** element of `source` that stands at element i of this tensor; absent: i */
  readonly at?: (i: number) => number;
  /** a copy of another tensor, which a file may leave out; `implied`: the other program never stores it */
  readonly twin?: 'stored' | 'implied';
}

/** Parameter names of one block; with shared blocks every block has those of the first. */
export const blockSource = (config: GptConfig, layer: number): string =>
  `transformer.h.${config.shareBlocks ? 0 : layer}`;

/** A name if the model has such a parameter, else undefined: zeros. */
export const ifPresent = (table: ParameterTable, name: string): string | undefined =>
  table.byName.has(name) ? name : undefined;

/** Element of [columns, rows] at element i of its transpose [rows, columns], both row-major. */
export function transposed(rows: number, columns: number): (i: number) => number {
  return (i) => (i % columns) * rows + Math.floor(i / columns);
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/**
 * Our parameters as the other program's tensors.
 * @param arena - [arenaSize] float32 in parameterTable layout
 */
export function toForeign(rows: readonly ForeignTensor[], config: GptConfig, arena: Float32Array): Tensor[] {
  const table = parameterTable(config);
  return rows
    .filter((row) => row.twin !== 'implied')
    .map(({ name, shape, source, at }) => {
      const data = new Float32Array(sizeOf(shape));
      if (source !== undefined) {
        const view = parameterView(table, arena, source);
        if (at === undefined) data.set(view);
        else for (let i = 0; i < data.length; i++) data[i] = view[at(i)];
      }
      return { name, shape, data };
    });
}

/**
 * The other program's tensors as our parameters. Where several of its tensors stand for one of ours (a tied embedding,
 * shared blocks) they must be equal; where ours has none they must be zero.
 * @param where - file for messages
 * @returns [arenaSize] float32 in parameterTable layout; gaps are zero
 * @throws UserError naming the tensor that is missing, unknown, of another shape, or not what the model can hold
 */
export function fromForeign(
  rows: readonly ForeignTensor[],
  config: GptConfig,
  tensors: ReadonlyMap<string, Tensor>,
  where: string,
): Float32Array {
  const fail = (problem: string): never => {
    throw new UserError(`${printable(where, 300)}: ${problem}`);
  };
  const table = parameterTable(config);
  const arena = new Float32Array(table.arenaSize);
  const names = rows.map((row) => row.name);
  const unknown = [...tensors.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, names);
    fail(
      `found the tensor "${printable(unknown)}", which this model does not have.` +
        (ROTARY.test(unknown)
          ? ' It belongs to rotary positions; sumlens adds learned positions to the embedding.'
          : near === undefined || tensors.has(near)
            ? ''
            : ` Did you mean "${near}"?`),
    );
  }
  const filledBy = new Map<string, string>();
  for (const row of rows) {
    const tensor = tensors.get(row.name);
    if (tensor === undefined) {
      if (row.twin !== undefined) continue;
      return fail(`found no tensor "${row.name}" [${row.shape.join(', ')}], expected one.`);
    }
    checkShape(tensor, row.shape, fail);
    const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) fail(`tensor "${row.name}": found ${tensor.data[bad]}, expected finite numbers.`);
    if (row.source === undefined) checkZero(tensor, fail);
    else fill(row, row.source, tensor.data, parameterView(table, arena, row.source), filledBy, fail);
  }
  return arena;
}

/** Tables of rotary positions, as transformers (`rotary_emb.inv_freq`) and TransformerLens (`rotary_sin`) name them. */
const ROTARY = /\.rotary_|\.rotary\.|inv_freq$/;

type Fail = (problem: string) => never;

function checkShape({ name, shape }: Tensor, expected: readonly number[], fail: Fail): void {
  if (shape.length === expected.length && expected.every((n, i) => n === shape[i])) return;
  const isTransposed = shape.length === 2 && expected.length === 2 && shape[0] === expected[1];
  fail(
    `tensor "${name}": found shape [${shape.join(', ')}], expected [${expected.join(', ')}].` +
      (isTransposed && shape[1] === expected[0]
        ? ' It is transposed: nanoGPT stores [out, in], Hugging Face GPT-2 and TransformerLens [in, out].'
        : ''),
  );
}

function checkZero({ name, data }: Tensor, fail: Fail): void {
  const i = data.findIndex((value) => value !== 0);
  if (i === -1) return;
  fail(
    `tensor "${name}": found ${data[i]} at element ${i}, expected zeros, as the configuration has no such bias.`,
  );
}

/** Writes a tensor into our parameter, or compares it with what an earlier tensor wrote there. */
function fill(
  { name, at }: ForeignTensor,
  source: string,
  data: Float32Array,
  view: Float32Array,
  filledBy: Map<string, string>,
  fail: Fail,
): void {
  // parts of one parameter (queries, keys, values) have names of their own; a twin fills the same elements again
  const key = `${source} ${at === undefined ? 0 : at(0)}`;
  const first = filledBy.get(key);
  for (let i = 0; i < data.length; i++) {
    const j = at === undefined ? i : at(i);
    if (first === undefined) view[j] = data[i];
    else if (!Object.is(view[j], data[i])) {
      fail(
        `tensor "${name}" differs from "${first}" at element ${i} (${data[i]} and ${view[j]}), but the configuration has one parameter for both (tied or shared).`,
      );
    }
  }
  filledBy.set(key, first ?? name);
}
