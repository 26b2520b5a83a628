/** What the parity probe measures, and what is stored of it. */
import {
  type ParityMeasurement,
  type ParityParts,
  measureParts,
  measurementOf,
} from '../../probes/parity-probe/measure.js';
import { checkPlainJson } from '../../src/workflows/probing/probe-plan.js';

export type MeasuredParity = ParityParts & ParityMeasurement;

export function withRows(parts: ParityParts): MeasuredParity {
  const { context, lookAhead } = parts;
  return { ...parts, ...measurementOf(parts), context, lookAhead };
}

/** What is stored must be plain JSON with finite numbers. */
export function measureParity(...given: Parameters<typeof measureParts>): MeasuredParity {
  const parts = measureParts(...given);
  checkPlainJson({ ...measurementOf(parts) }, 'measurement');
  return withRows(parts);
}
