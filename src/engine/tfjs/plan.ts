/**
 * How a ragged batch is computed without padding: everything but attention on all rows at once, attention for all
 * sequences of one length together. A sequence's numbers therefore depend on no other sequence.
 */
import type { Batch } from '../engine.js';

/** The sequences of one length. */
export interface LengthGroup {
  /** T */
  readonly length: number;
  /** numbers of the sequences in the batch */
  readonly sequences: readonly number[];
}

export interface AttentionPlan {
  readonly groups: readonly LengthGroup[];
  /** [N nHeads] place (row nHeads + head) of each head row in the order group, sequence, head, position */
  readonly grouped: Int32Array;
  /** [N nHeads] the inverse: where in that order row nHeads + head is */
  readonly back: Int32Array;
}

/** @param offsets - [S + 1] as in Batch */
export function planAttention(offsets: Int32Array, nHeads: number): AttentionPlan {
  const byLength = new Map<number, number[]>();
  for (let s = 0; s + 1 < offsets.length; s++) {
    const length = offsets[s + 1] - offsets[s];
    const own = byLength.get(length);
    if (own === undefined) byLength.set(length, [s]);
    else own.push(s);
  }
  const groups = [...byLength].map(([length, sequences]): LengthGroup => ({ length, sequences }));
  const grouped = new Int32Array(offsets[offsets.length - 1] * nHeads);
  const back = new Int32Array(grouped.length);
  let at = 0;
  for (const { length, sequences } of groups) {
    for (const s of sequences) {
      for (let head = 0; head < nHeads; head++) {
        for (let t = 0; t < length; t++, at++) {
          const place = (offsets[s] + t) * nHeads + head;
          grouped[at] = place;
          back[place] = at;
        }
      }
    }
  }
  return { groups, grouped, back };
}

/** [N] position of each row within its sequence */
export function positionsOf({ tokens, offsets }: Pick<Batch, 'tokens' | 'offsets'>): Int32Array {
  const positions = new Int32Array(tokens.length);
  for (let s = 0; s + 1 < offsets.length; s++) {
    for (let i = offsets[s]; i < offsets[s + 1]; i++) positions[i] = i - offsets[s];
  }
  return positions;
}

/**
 * 1 where a query may look at a key: at itself and before.
 * @param count - matrices
 * @returns [count, T, T]
 */
export function causalMask(count: number, T: number): Uint8Array {
  const mask = new Uint8Array(count * T * T);
  for (let i = 0; i < count * T; i++) mask.fill(1, i * T, i * T + (i % T) + 1);
  return mask;
}

/**
 * From the groups' tensors to the contract's order of sequences, or back: each sequence is one block.
 * @param parts - for each group the values [sequences nHeads, T, T]
 * @returns concatenated [nHeads, T, T] in the order of the batch
 */
export function packPatterns(
  { groups }: AttentionPlan,
  offsets: Int32Array,
  nHeads: number,
  parts: readonly Float32Array[],
): Float32Array {
  const starts = patternStarts(offsets, nHeads);
  const packed = new Float32Array(starts[starts.length - 1]);
  groups.forEach(({ length, sequences }, g) => {
    const block = nHeads * length * length;
    sequences.forEach((s, i) => packed.set(parts[g].subarray(i * block, (i + 1) * block), starts[s]));
  });
  return packed;
}

/** The inverse of packPatterns: one array a group. */
export function unpackPatterns(
  { groups }: AttentionPlan,
  offsets: Int32Array,
  nHeads: number,
  packed: Float32Array,
): Float32Array[] {
  const starts = patternStarts(offsets, nHeads);
  return groups.map(({ length, sequences }) => {
    const block = nHeads * length * length;
    const part = new Float32Array(sequences.length * block);
    sequences.forEach((s, i) => part.set(packed.subarray(starts[s], starts[s] + block), i * block));
    return part;
  });
}

/** [S + 1] first number of each sequence's patterns */
function patternStarts(offsets: Int32Array, nHeads: number): Int32Array {
  const starts = new Int32Array(offsets.length);
  for (let s = 0; s + 1 < offsets.length; s++) {
    starts[s + 1] = starts[s] + nHeads * (offsets[s + 1] - offsets[s]) ** 2;
  }
  return starts;
}
