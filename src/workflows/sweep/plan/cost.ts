/** What a dry run says of a plan: types alone, for the command line and for the viewer. Browser-safe. */

/** Of one arm of one part. */
export interface PlanCostRow {
  readonly part: string;
  readonly arm: string;
  readonly runs: number;
  /** without a result yet */
  readonly left: number;
  readonly fewestParameters: number;
  readonly mostParameters: number;
  readonly fewestSteps: number;
  readonly mostSteps: number;
  /** of what is left, at most: runs that stop when solved take less */
  readonly coreHours: number;
}

/** Whether the runs of a plan can decide a part of a claim. */
export interface Reach {
  readonly claim: string;
  readonly reachable: boolean;
  /** what there is, or what is missing */
  readonly why: string;
}

export interface PlanCost {
  readonly rows: readonly PlanCostRow[];
  /** distinct runs: one that stands in two parts is trained once */
  readonly runs: number;
  readonly left: number;
  readonly coreHours: number;
  /** those that the plan names */
  readonly claims: readonly Reach[];
}
