/** Units in words, for axes. */
import type { Unit } from '../evidence/statistic.js';

const TITLES: Readonly<Record<Unit, string>> = {
  '1': 'Value (dimensionless)',
  accuracy: 'Share of answers (%)',
  nats: 'Loss (nats)',
  octaves: 'Octaves (powers of two)',
  'log ratio': 'Natural logarithm of a ratio',
  steps: 'Training steps',
  bits: 'Bits',
};

export function unitTitle(unit: Unit): string {
  return TITLES[unit];
}
