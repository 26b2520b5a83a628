/** The report of a sweep: made from results.jsonl alone, without a checkpoint. Claims first. */
import { learning } from '../../../../probes/learning.js';
import { MORE_PROBES, PROBES } from '../../../../probes/index.js';
import { canonicalClaims, claimById, LEARNED_ACCURACY } from '../../../evidence/claims-file.js';
import { decideClaims } from '../../../evidence/decide.js';
import { evidenceOf } from '../../../evidence/evidence.js';
import { moduleFindings } from '../../../evidence/findings.js';
import { type StatisticInfo, statisticInfoSchema } from '../../../evidence/statistic.js';
import { sha256Hex } from '../../../io/sha256.js';
import { statisticPictures } from '../../../report/marks/statistics.js';
import type { Json, ModuleReport, Report } from '../../../report/schema.js';
import type { ResultLine } from './result-line.js';
import { tableOfResults } from './table.js';

export interface SweepReportInput {
  readonly title: string;
  readonly version: string;
  /** what readers are told beside the title, a paragraph a line */
  readonly notes?: string | undefined;
  /** the command line that makes the report */
  readonly command?: string | undefined;
}

/** @param lines - of results.jsonl, in any order */
export function reportOfResults(
  lines: readonly ResultLine[],
  { title, version, notes = '', command }: SweepReportInput,
): Report {
  const ordered = [...lines].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { subjects, observations } = tableOfResults(ordered);
  const measured = new Set(observations.map(({ statistic }) => statistic.slice(0, statistic.indexOf('/'))));
  const modules = [learning, ...PROBES, ...MORE_PROBES].filter(({ name }) => measured.has(name));
  const named = modules.flatMap(({ name, statistics }) =>
    infosOf(statistics).map((info): [string, StatisticInfo] => [`${name}/${info.id}`, info]),
  );
  const evidence = evidenceOf(subjects, observations, new Map(named));
  const { learnedAccuracy = LEARNED_ACCURACY } = claimById('C3');
  const sections = modules.map(
    ({ name, title: heading, question, text, version: number = 1, statistics }) => {
      const ids = statistics.map(({ id }) => `${name}/${id}`);
      const combined =
        name === learning.name
          ? learning.combine?.({ measured: [], last: [], options: {}, evidence })
          : undefined;
      const report: ModuleReport = {
        version: number,
        title: heading,
        question,
        ...(text === undefined ? {} : { text }),
        options: {},
        status: 'ok',
        leftOut: [],
        statistics: infosOf(statistics),
        // every two of hundreds of conditions would say nothing: the comparisons and means only
        findings: moduleFindings(evidence, ids, {
          sideBySide: false,
          learnedAccuracy,
          further: combined?.findings ?? [],
        }),
        charts: [...(combined?.pictures ?? statisticPictures(evidence, ids))],
      };
      return [name, report] as const;
    },
  );
  return {
    schemaVersion: 2,
    kind: 'claims',
    title,
    ...(notes === '' ? {} : { notes }),
    subjects,
    observations,
    claims: decideClaims(evidence),
    training: [],
    modules: Object.fromEntries(sections),
    provenance: {
      version,
      ...(command === undefined ? {} : { command }),
      claimsSha256: sha256Hex(canonicalClaims()),
      configs: Object.fromEntries(
        ordered.map(({ id, configuration }) => [id, configuration as unknown as Json]),
      ),
      engines: Object.fromEntries(ordered.map(({ id, engine }) => [id, [engine]])),
      dataNotes: [],
    },
  };
}

/** The description alone: what computes a number is no part of a report. */
function infosOf(statistics: readonly StatisticInfo[]): StatisticInfo[] {
  return statistics.map((statistic) =>
    statisticInfoSchema.parse(Object.fromEntries(Object.entries(statistic).filter(([key]) => key !== 'of'))),
  );
}
