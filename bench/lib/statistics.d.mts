export interface Summary {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly n: number;
}
export function quantile(values: readonly number[], q: number): number;
export function median(values: readonly number[]): number;
export function summary(values: readonly number[]): Summary;
