/**
 * What the charts of number embeddings read: plain JSON made by the probe's `combine`. A group is a condition, divided by
 * whether its runs have learned SUM; one run is one seed.
 */

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
  /** share of variance by principal component */
  readonly explained: readonly number[];
  readonly order: NamingNumbers;
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

export interface SeedRow {
  readonly subject: string;
  readonly seed: number;
  /** accuracy on SUM result tokens; null: not evaluated or not trained */
  readonly accuracy: number | null;
  readonly embedding: GeometryNumbers;
  /** after LayerNorm without affine */
  readonly normalised: GeometryNumbers;
  /** null: tied to the embedding */
  readonly unembedding: GeometryNumbers | null;
  /** the same run before training */
  readonly untrained: GeometryNumbers;
  /** [n][2] in the plane of the group's consensus, after alignment */
  readonly plane: readonly (readonly [number, number])[];
}

export interface EllipseNumbers {
  readonly number: number;
  readonly centre: readonly [number, number];
  readonly semiAxes: readonly [number, number];
  readonly angle: number;
}

export interface Agreement {
  /** share of variance that seeds do not have in common after rotation: 0 when equal */
  readonly unexplained: number;
  readonly nullMean: number;
  readonly p: number;
  /** the same when each seed may choose its naming in (Z/n)*; null: not computed */
  readonly unexplainedRenamed: number | null;
}

export interface EmbeddingGroup {
  /** condition id, and `-not-learned` where its runs have not learned SUM */
  readonly id: string;
  readonly condition: string;
  /** the condition's label, as everywhere in the report */
  readonly label: string;
  /** for pictures: the label, and what sets the group apart */
  readonly name: string;
  readonly tasks: readonly string[];
  readonly regime: string;
  /** null: SUM is not among the tasks, or was not evaluated */
  readonly learnedSum: boolean | null;
  readonly n: number;
  readonly d: number;
  readonly seeds: readonly SeedRow[];
  /** by component: mean over seeds, and the limits of isotropic noise of the same n and d */
  readonly explained: {
    readonly mean: readonly number[];
    readonly nullLow: readonly number[];
    readonly nullHigh: readonly number[];
  };
  /** [n][2] consensus of the seeds in its own first two components, and their shares of its variance */
  readonly consensus: readonly (readonly [number, number])[];
  readonly planeShares: readonly [number, number];
  /** by number, 95 % of a normal distribution fitted to the seeds; empty below three seeds */
  readonly ellipses: readonly EllipseNumbers[];
  /** null: one seed */
  readonly agreement: Agreement | null;
  /** [n][n] mean over seeds: cosine of centred rows; squared distance over its own mean */
  readonly cosine: readonly (readonly number[])[];
  readonly distances: readonly (readonly number[])[];
}

/** One checkpoint of a run that was looked at more than once. */
export interface SeriesPoint {
  readonly run: string;
  readonly label: string;
  readonly seed: number;
  readonly step: number;
  readonly order: number;
  readonly circularExcess: number;
  readonly closure: number;
}

/** `has not learned SUM (accuracy 0.11)` over the seeds of a group. */
export function notLearnedText(seeds: readonly { readonly accuracy: number | null }[]): string {
  const values = seeds.flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy]));
  const [low, high] = [Math.min(...values).toFixed(2), Math.max(...values).toFixed(2)];
  return `has not learned SUM (accuracy ${low === high ? low : `${low} to ${high}`})`;
}
