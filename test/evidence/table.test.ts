/** The tidy table: what is written is read again, and the claims decided from the copy are the same. */
import { describe, expect, it } from 'vitest';
import { decideClaims } from '../../src/evidence/decide.js';
import { evidenceOf } from '../../src/evidence/evidence.js';
import type { Observation } from '../../src/evidence/statistic.js';
import { COLUMNS, fromCsv, toCsv } from '../../src/evidence/table.js';
import type { Subject } from '../../src/evidence/subject.js';
import { madeSubject, observed } from '../helpers/made-subject.js';

const MIXED = ['MAX', 'MED', 'SUM'] as const;

/** Subjects of both arms of C3 with numbers of all kinds. */
function sample(): { subjects: Subject[]; observations: Observation[] } {
  const subjects = [1, 2, 3, 4, 5, 6, 7].flatMap((seed) => [
    madeSubject({ seed }),
    madeSubject({ seed, tasks: MIXED }),
  ]);
  const observations = subjects.flatMap((subject, i) => [
    ...Object.entries(subject.accuracy ?? {}).map(([operation, value]) =>
      observed(subject, 'learning/accuracy', value, { scope: { operation } }),
    ),
    ...Object.entries(subject.learned ?? {}).map(([operation, value]) =>
      observed(subject, 'learning/lesser-accuracy', value, { scope: { operation } }),
    ),
    observed(subject, 'embedding-pca/order', 0.1 * i + 1e-7 / 3, {
      null: { mean: 0, high: 0.3, p: 0.01, midP: 0.009 },
      control: -1.5e-9,
      examples: 10,
    }),
    observed(subject, 'embedding-pca/order-over-namings', 0.02 * i),
    observed(subject, 'embedding-pca/ring', 0.4 + 0.01 * i),
    observed(subject, 'ablation/share', 0.5, {
      scope: { part: 'odd, "quoted"\nname', layer: 0, dose: 0.125, method: 'resample' },
    }),
  ]);
  return { subjects, observations };
}

describe('toCsv and fromCsv', () => {
  it('give back the subjects and observations', () => {
    const { subjects, observations } = sample();
    const again = fromCsv(toCsv({ subjects, observations }), 'observations.csv');
    expect(again.observations).toEqual(observations);
    expect(again.subjects).toEqual(subjects);
  });

  it('decide the claims alike', () => {
    const { subjects, observations } = sample();
    const decided = decideClaims(evidenceOf(subjects, observations, new Map()));
    const again = fromCsv(toCsv({ subjects, observations }), 'observations.csv');
    expect(decideClaims(evidenceOf(again.subjects, again.observations, new Map()))).toEqual(decided);
    const c3a = decided.find(({ part }) => part === 'C3a');
    expect(c3a?.counts.map(({ usable }) => usable)).toEqual([7, 7]);
    expect(c3a?.estimate).toBeDefined();
  });

  it('do not mind further columns, their order, a byte order mark or Windows line ends', () => {
    const { subjects, observations } = sample();
    const lines = toCsv({ subjects: subjects.slice(0, 1), observations: observations.slice(0, 2) })
      .trimEnd()
      .split('\n');
    const wider = lines.map((line, i) => `${i === 0 ? 'mine' : 'x'},${line}`).join('\r\n');
    expect(fromCsv(`\uFEFF${wider}\r\n`, 'wider.csv').observations).toEqual(observations.slice(0, 2));
  });

  it.each([
    ['', 'bad.csv: found no header, expected a table of observations.'],
    ['a,b\n1,2\n', 'bad.csv: found no column subject, run, step; expected the columns'],
    [`${COLUMNS.join(',')}\n1,2\n`, `bad.csv: row 2: found 2 cells, expected ${COLUMNS.length}.`],
  ])('refuse what is no such table: %j', (text, message) => {
    expect(() => fromCsv(text, 'bad.csv')).toThrow(message);
  });

  it('name the row and column of a cell that is no number, or no regime of the closed sets', () => {
    const { subjects, observations } = sample();
    const plain = subjects.slice(0, 1).map((subject) => ({ ...subject, label: 'SUM' }));
    const csv = toCsv({ subjects: plain, observations: observations.slice(0, 1) });
    const cells = csv.split('\n')[1].split(',');
    const withCell = (column: string, value: string): string =>
      `${COLUMNS.join(',')}\n${cells.map((cell, i) => (COLUMNS[i] === column ? value : cell)).join(',')}\n`;
    expect(() => fromCsv(withCell('value', 'many'), 'bad.csv')).toThrow(
      'bad.csv: row 2: value: found "many", expected a number.',
    );
    expect(() => fromCsv(withCell('seed', ''), 'bad.csv')).toThrow('bad.csv: row 2: seed: found ""');
    expect(() => fromCsv(withCell('end', 'later'), 'bad.csv')).toThrow('bad.csv: row 2: design.end:');
    expect(() => fromCsv(withCell('scope.layer', '0.5'), 'bad.csv')).toThrow('bad.csv: row 2: scope.layer:');
  });
});
