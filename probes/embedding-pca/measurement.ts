/** What one checkpoint gives: the geometry of its number embeddings. Plain JSON. */
import type { JsonArray } from '../../src/report/schema.js';

/** A statistic with its permutation null. */
export interface TestNumbers {
  readonly value: number;
  readonly p: number;
  /** ties count half: what is joined over seeds */
  readonly midP: number;
  readonly nullMean: number;
  readonly null95: number;
}

/** The same as named and at the best naming i -> u i. */
export interface NamingNumbers {
  readonly asNamed: TestNumbers;
  readonly best: TestNumbers;
  readonly unit: number;
  /** best minus the mean of its null */
  readonly excess: number;
}

/** Statistics of one [n, d] embedding of the numbers. */
export interface GeometryNumbers {
  readonly rank: number;
  /** Frobenius norm of the centred rows: how far the numbers lie from each other */
  readonly norm: number;
  /** share of variance by principal component */
  readonly explained: readonly number[];
  readonly order: NamingNumbers;
  /** mean of the order over all namings that SUM cannot tell apart */
  readonly orderOverNamings: TestNumbers;
  readonly circular: NamingNumbers;
  readonly closure: { readonly asNamed: number; readonly maximum: number; readonly widestGap: number };
  readonly fourier: {
    /** by frequency 1..floor(n/2) */
    readonly share: readonly number[];
    readonly isotropic: readonly number[];
    readonly null95: readonly number[];
    readonly p: readonly number[];
    readonly peak: {
      readonly frequency: number;
      readonly ratio: number;
      readonly p: number;
      readonly midP: number;
    };
  };
}

export interface EmbeddingMeasurement {
  readonly n: number;
  readonly d: number;
  /** [n, n - 1] principal coordinates of the centred rows: the whole geometry, zero beyond the rank */
  readonly scores: JsonArray;
  /** [n, n] cosines of the centred rows */
  readonly cosine: JsonArray;
  readonly embedding: GeometryNumbers;
  /** after LayerNorm without affine */
  readonly normalised: GeometryNumbers;
  /** null: tied to the embedding */
  readonly unembedding: GeometryNumbers | null;
  /** the same run before training */
  readonly untrained: GeometryNumbers;
  /** explained variance of isotropic noise, 2.5 and 97.5 %, by component */
  readonly explainedNull: { readonly low: readonly number[]; readonly high: readonly number[] };
}
