/** Words of what one checkpoint gives; the measurement itself is made, and typed, by measure.ts. */

/** The labellings of the numbers that are asked of one embedding. */
export const LABELLINGS = ['parity', 'half', 'residue3', 'prime'] as const;
export type LabellingName = (typeof LABELLINGS)[number];

/**
 * What is asked at a position: the running value at a number; the result where it is determined; the final answer of a nested
 * expression before its inner step is written (`ahead`); the final result where the model predicts it; a result token's own
 * value, which is there by need.
 */
export type PositionKind = 'running' | 'result' | 'ahead' | 'predicted' | 'own';

/** Relabellings are sampled where they are too many to enumerate: of the embedding, and for everything else. */
export type MeasureOptions = Readonly<
  Record<
    | 'relabellings'
    | 'contextRelabellings'
    | 'valuePermutations'
    | 'prompts'
    | 'controlDraws'
    | 'codeStages'
    | 'codeLabellings',
    number
  >
>;

interface Positions {
  readonly positions: readonly { readonly kind: PositionKind; readonly name: string }[];
}

/** Last position of a kind. */
export function lastOfKind({ positions }: Positions, kind: PositionKind): number {
  return positions.findLastIndex((position) => position.kind === kind);
}

/** Where look-ahead is summed up: the closing bracket of the whole expression, where all of it has been read; -1: none. */
export function outerBracket({ positions }: Positions): number {
  return positions.findIndex(({ kind, name }) => kind === 'ahead' && name === 'outer )');
}
