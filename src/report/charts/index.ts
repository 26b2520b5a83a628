/** The charts that every report shows, made from training records: one line a chart. */
import type { ChartSpec, TrainingRecord } from '../schema.js';
import { finalAccuracy } from './final-accuracy.js';
import { accuracyCurves, divisorCurves, lossCurves } from './training-curves.js';

export const REPORT_CHARTS: readonly ((training: readonly TrainingRecord[]) => ChartSpec)[] = [
  accuracyCurves,
  finalAccuracy,
  divisorCurves,
  lossCurves,
];
