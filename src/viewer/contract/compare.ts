/** The page that sets checkpoints side by side: what the server sends of it. Browser-safe. */

/** Most checkpoints of one comparison: more fill no screen, and an address is no longer than 2,048 letters. */
export const MOST_COMPARED = 64;

/** A condition of the comparison: its place is its colour. */
export interface ComparedCondition {
  readonly label: string;
  readonly place: number;
  /** seeds whose last checkpoint counts, and those of them that have learned SUM; null: it is not their task */
  readonly runs: number;
  readonly learned: number | null;
}

export interface ComparedCheckpoint {
  /** `<run>@<step>` */
  readonly id: string;
  readonly run: string;
  readonly step: number;
  readonly seed: number;
  /** place of its condition */
  readonly place: number;
  readonly label: string;
  /** the last chosen of its run: the one that counts among the seeds of its condition */
  readonly counts: boolean;
  /** has learned SUM; null: it is not its task, or was not evaluated */
  readonly learned: boolean | null;
  /** by operation, at this step */
  readonly accuracy: Readonly<Record<string, number>> | null;
}

/** [step, value] */
export type RunPoint = readonly [step: number, value: number];

/** One run of the comparison over its whole training. */
export interface ComparedRun {
  readonly run: string;
  /** of its page; absent: it has none */
  readonly address?: string;
  readonly seed: number;
  readonly place: number;
  readonly label: string;
  /** all its checkpoints on disk */
  readonly steps: readonly number[];
  /** steps of it that are compared */
  readonly chosen: readonly number[];
  /** training loss in nats, where it was finite */
  readonly loss: readonly RunPoint[];
  /** accuracy on result tokens, by operation */
  readonly accuracy: readonly { readonly operation: string; readonly points: readonly RunPoint[] }[];
  /** what probes read of the result after the last layer, at the steps measured */
  readonly readout: readonly { readonly name: string; readonly points: readonly RunPoint[] }[];
}

/** A setting in which the conditions differ. */
export interface SettingRow {
  readonly path: string;
  /** in the order of the conditions; those of their seeds joined where they differ */
  readonly values: readonly string[];
}

export interface MeasuredModule {
  readonly module: string;
  readonly title: string;
  readonly measured: number;
  readonly missing: number;
  /** checkpoints that it does not apply to, with the reason */
  readonly leftOut: readonly { readonly checkpoint: string; readonly reason: string }[];
}

/** A mean over seeds. */
export interface GroupMean {
  readonly place: number;
  readonly learned: boolean | null;
  readonly mean: number;
  /** 95 % over seeds; null: one seed, or equal values */
  readonly low: number | null;
  readonly high: number | null;
  readonly p: number | null;
  readonly control: number | null;
  readonly values: readonly { readonly checkpoint: string; readonly seed: number; readonly value: number }[];
}

/** One number of the models in one scope. */
export interface StatisticRow {
  /** `<module>/<statistic>` */
  readonly statistic: string;
  readonly title: string;
  /** the scope in words; empty: the whole model */
  readonly within: string;
  readonly unit: string;
  readonly sentence: string;
  readonly means: readonly GroupMean[];
}

/** a - b of the seeds of two conditions. */
export interface DifferenceRow {
  readonly statistic: string;
  readonly title: string;
  readonly within: string;
  readonly unit: string;
  /** places */
  readonly a: number;
  readonly b: number;
  readonly seeds: readonly [number, number];
  readonly estimate: number;
  /** 95 % (Welch); null: one seed, or equal values */
  readonly low: number | null;
  readonly high: number | null;
  readonly p: number | null;
  readonly method: string | null;
  /** in standard deviations of one seed; null: no spread to measure by */
  readonly spreads: number | null;
}

export interface MapCell {
  readonly x: string;
  readonly y: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Differences of one statistic part by part, layer by layer. */
export interface LayerMap {
  readonly statistic: string;
  readonly title: string;
  readonly unit: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** greatest size of a value: colours are the same in all panels */
  readonly most: number;
  readonly panels: readonly {
    readonly title: string;
    readonly x: readonly string[];
    readonly y: readonly string[];
    readonly cells: readonly MapCell[];
  }[];
}

/** Of condition a minus condition b, by place. */
export interface PairMaps {
  readonly a: number;
  readonly b: number;
  readonly maps: readonly LayerMap[];
}

export interface Comparison {
  /** addresses of the checkpoints as the page may write them, sorted */
  readonly of: readonly string[];
  /** cheaper options were asked for, for many steps */
  readonly series: boolean;
  readonly conditions: readonly ComparedCondition[];
  readonly checkpoints: readonly ComparedCheckpoint[];
  readonly runs: readonly ComparedRun[];
  readonly settings: readonly SettingRow[];
  readonly modules: readonly MeasuredModule[];
  /** measurements that a job would have to make */
  readonly missing: number;
  readonly statistics: readonly StatisticRow[];
  /** largest first, in spreads of one seed */
  readonly differences: readonly DifferenceRow[];
  /** the pair that a report shows comes first; empty: no two conditions can be subtracted */
  readonly maps: readonly PairMaps[];
  /** runs of the same conditions that are not chosen: a choice of runs is never silent */
  readonly others: readonly { readonly address: string; readonly label: string }[];
  /** sentences: what may not be compared, copies, damaged checkpoints */
  readonly notes: readonly string[];
  readonly leftOut: readonly { readonly checkpoint: string; readonly reason: string }[];
  /** accuracy that counts as learned */
  readonly learnedAccuracy: number;
}

/** The numbers of one run in the plane of its last step. */
export interface PlaneRun {
  readonly run: string;
  readonly seed: number;
  readonly place: number;
  readonly label: string;
  /** share of the variance at the last step that lies in the plane */
  readonly share: number;
  /** by step */
  readonly steps: readonly {
    readonly step: number;
    /** of all the numbers together, as a share of that at the last step */
    readonly size: number;
    /** [n][2] of a configuration of norm 1 */
    readonly points: readonly (readonly [number, number])[];
  }[];
}

export interface Planes {
  /** how many numbers */
  readonly n: number;
  readonly runs: readonly PlaneRun[];
  /** greatest size of a coordinate */
  readonly reach: number;
  readonly leftOut: readonly { readonly checkpoint: string; readonly reason: string }[];
}

/** Body of a request to measure what is missing: see the job of kind `compare`. */
export interface MeasureRequest {
  /** parts of an address of the page */
  readonly of: readonly string[];
  readonly series?: boolean | undefined;
  /** folder of a report with verdicts; absent: none is written */
  readonly name?: string | undefined;
}

/** Body of a request to write what the page shows as one file. */
export interface SaveRequest {
  readonly of: readonly string[];
  readonly series?: boolean | undefined;
  /** folder below the reports: letters, digits, dots, dashes and underscores */
  readonly name: string;
  readonly title?: string | undefined;
}

export interface SavedReport {
  /** address of the report that was written */
  readonly report: string;
}

/** All that the page of a comparison shows: what a file of it holds, and comparison.json beside it. */
export interface SavedComparison {
  readonly kind: 'comparison';
  readonly version: 1;
  readonly title: string;
  readonly comparison: Comparison;
  readonly planes: Planes;
}

/** Where such a page is drawn, and where its data lie. */
export const PAGE_ROOT = 'comparison';
export const PAGE_DATA = 'comparison-data';
