/** The evidence of a report again: what every part of the page is computed from. */
import { type Evidence, evidenceOf } from '../evidence/evidence.js';
import type { StatisticInfo } from '../evidence/statistic.js';
import type { Report } from './schema.js';

export function evidenceOfReport({ subjects, observations, modules }: Report): Evidence {
  const named = Object.entries(modules).flatMap(([name, { statistics }]) =>
    statistics.map((info): [string, StatisticInfo] => [`${name}/${info.id}`, info]),
  );
  return evidenceOf(subjects, observations, new Map(named));
}
