export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
}
export interface RowResult {
  readonly status: 'met' | 'missed' | 'not measured' | 'for information';
  readonly reason?: string;
  readonly missingPeer?: boolean;
  readonly goal?: Goal;
}
export class NotMeasured extends Error {}
export function judge(goal: Goal | undefined, value: number): RowResult['status'];
export function measureRow(row: object, context: object): Promise<RowResult>;
export function sameLosses(
  losses: readonly (readonly [string, readonly number[]])[],
  tolerance?: number,
): void;
