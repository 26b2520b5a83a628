/** A report of made subjects: whatever is not given is empty, and the claims are decided from the numbers. */
import { canonicalClaims } from '../../src/evidence/claims-file.js';
import { decideClaims } from '../../src/evidence/decide.js';
import { evidenceOf } from '../../src/evidence/evidence.js';
import { nine, type Observation } from '../../src/evidence/statistic.js';
import type { Subject } from '../../src/evidence/subject.js';
import { sha256Hex } from '../../src/io/sha256.js';
import type { Report } from '../../src/report/schema.js';
import { madeSubject, observed } from './made-subject.js';

const MIXED = ['MAX', 'MED', 'SUM'] as const;

export function madeReport(
  subjects: readonly Subject[],
  observations: readonly Observation[],
  more: Partial<Report> = {},
): Report {
  return {
    schemaVersion: 2,
    kind: 'claims',
    title: 'made',
    subjects,
    observations,
    claims: decideClaims(evidenceOf(subjects, observations, new Map())),
    training: [],
    modules: {},
    provenance: {
      version: '0.0.0',
      claimsSha256: sha256Hex(canonicalClaims()),
      configs: {},
      engines: {},
      dataNotes: [],
    },
    ...more,
  };
}

/** Rows of the learning log that the accuracies of subjects come back from. */
export function learningRows(subjects: readonly Subject[]): Observation[] {
  return subjects.flatMap((subject) => [
    ...Object.entries(subject.accuracy ?? {}).map(([operation, value]) =>
      observed(subject, 'learning/accuracy', value, { scope: { operation } }),
    ),
    ...Object.entries(subject.learned ?? {}).map(([operation, value]) =>
      observed(subject, 'learning/lesser-accuracy', value, { scope: { operation } }),
    ),
  ]);
}

/**
 * Both arms of C3 and a ladder of C2: order is 0.9 in the mixture and 0.1 alone, with a little spread, so that C3a is
 * supported from enough seeds on; SUM is learned from 8,000 parameters on alone and from 2,000 in the mixture.
 */
export function decidedTable(seeds: number): {
  readonly subjects: Subject[];
  readonly observations: Observation[];
} {
  const pairs = Array.from({ length: seeds }, (_, i) => i + 101).flatMap((seed) => [
    madeSubject({ seed }),
    madeSubject({ seed, tasks: MIXED }),
  ]);
  const numbers = pairs.flatMap((subject) => {
    const value = nine((subject.design.tasks.length > 1 ? 0.9 : 0.1) + 0.001 * (subject.seed % 7) + 1e-7 / 3);
    return [
      observed(subject, 'embedding-pca/order', value),
      observed(subject, 'embedding-pca/order-over-namings', value),
      observed(subject, 'embedding-pca/ring', nine(0.4 + value / 10)),
    ];
  });
  const ladder = [500, 1000, 2000, 4000, 8000, 16_000, 32_000].flatMap((parameters, i) =>
    [1, 2, 3, 4, 5].flatMap((seed) =>
      [['SUM'] as const, MIXED].map((tasks) => {
        const learned = parameters >= (tasks.length > 1 ? 2000 : 8000) ? 1 : 0.1;
        const size = { dModel: 2 * (i + 1), parameters };
        return madeSubject({ ...size, tasks, seed, regime: 'full', steps: 8000, accuracy: learned });
      }),
    ),
  );
  const evaluations = ladder.flatMap((subject) =>
    Object.entries(subject.accuracy ?? {}).flatMap(([operation, value]) =>
      [7000, 8000].map((step) =>
        observed(subject, 'learning/evaluation', value, { scope: { operation, step } }),
      ),
    ),
  );
  const subjects = [...pairs, ...ladder];
  return { subjects, observations: [...learningRows(subjects), ...numbers, ...evaluations] };
}
