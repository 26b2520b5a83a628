/**
 * The reference model (src/model/reference.ts) as tests ask it: every activation kept, interventions as edits. What engines
 * and probes are checked against.
 */
import type { Batch, Intervention } from '../../src/engine/engine.js';
import { parseActivationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { type ReferenceResult, type Watch, referenceForward } from '../../src/model/reference.js';

export { erf } from '../../src/model/activation-functions.js';

export interface NaiveResult extends ReferenceResult {
  /** every activation, in the layout of model/activations.ts, after any edit */
  readonly activations: ReadonlyMap<string, Float64Array>;
}

/** Called with each activation as soon as it exists; may change the values before anything reads them. */
export type Edit = Watch;

/** Forward pass of a batch. @param parameters - [arenaSize] in parameterTable layout */
export function naiveForward(
  config: GptConfig,
  parameters: Float32Array,
  batch: Batch,
  edit: Edit = () => undefined,
): NaiveResult {
  const activations = new Map<string, Float64Array>();
  const result = referenceForward(config, parameters, batch, (name, values) => {
    edit(name, values);
    activations.set(name, values);
  });
  return { ...result, activations };
}

/** The contract's interventions as an edit, so that both sides of a comparison take the same list. */
export function editOf(config: GptConfig, batch: Batch, interventions: readonly Intervention[]): Edit {
  return (name, values) => {
    for (const { at, positions, heads, op, value } of interventions) {
      if (at !== name) continue;
      const { layout } = parseActivationName(config, name).row;
      const rowsChanged = positions === undefined ? undefined : new Set(positions);
      const width = layout.kind === 'rows' ? layout.width(config) : 0;
      const addresses =
        layout.kind === 'rows'
          ? rowAddresses(values.length, width, config.nHeads)
          : patternAddresses(batch, config.nHeads);
      for (const { index, row, head, column } of addresses) {
        if (rowsChanged !== undefined && !rowsChanged.has(row)) continue;
        if (heads !== undefined && !heads.includes(head)) continue;
        const operand =
          typeof value === 'number' ? value : value.length === values.length ? value[index] : value[column];
        if (op === 'set') values[index] = operand;
        else if (op === 'add') values[index] += operand;
        else values[index] *= operand;
      }
    }
  };
}

interface Address {
  readonly index: number;
  readonly row: number;
  readonly head: number;
  readonly column: number;
}

function* rowAddresses(length: number, width: number, nHeads: number): Generator<Address> {
  for (let index = 0; index < length; index++) {
    const column = index % width;
    yield { index, row: Math.floor(index / width), head: Math.floor(column / (width / nHeads)), column };
  }
}

function* patternAddresses(batch: Batch, nHeads: number): Generator<Address> {
  let index = 0;
  for (const { start, length } of sequences(batch)) {
    for (let head = 0; head < nHeads; head++) {
      for (let query = 0; query < length; query++) {
        for (let key = 0; key < length; key++)
          yield { index: index++, row: start + query, head, column: key };
      }
    }
  }
}

/** Start and length of each sequence of a batch. */
export function sequences(batch: Batch): { readonly start: number; readonly length: number }[] {
  return Array.from({ length: batch.offsets.length - 1 }, (_, s) => ({
    start: batch.offsets[s],
    length: batch.offsets[s + 1] - batch.offsets[s],
  }));
}
