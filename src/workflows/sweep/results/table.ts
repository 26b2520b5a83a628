/** The results of a sweep as the table of observations: verdicts come from the file alone, without a checkpoint. */
import { learning } from '../../../../probes/learning.js';
import { conditionId, distinguishingLabels } from '../../../config/names.js';
import type { Evidence } from '../../../evidence/evidence.js';
import { observe, type Observation } from '../../../evidence/statistic.js';
import type { Subject } from '../../../evidence/subject.js';
import { accuracyAtStep, lastTwoAtStep } from '../../../train/read-training.js';
import { designOf } from '../../probing/design.js';
import { evaluationRows, type ResultLine } from './result-line.js';

/** Subjects and observations of finished runs, one subject a run. */
export function tableOfResults(lines: readonly ResultLine[]): Pick<Evidence, 'subjects' | 'observations'> {
  const labels = distinguishingLabels(lines.map(({ configuration }) => configuration));
  const subjects: Subject[] = [];
  const observations: Observation[] = [];
  lines.forEach((line, i) => {
    const { id: run, configuration: config, end } = line;
    const rows = evaluationRows(line);
    const learned = lastTwoAtStep(rows, end.step, config);
    const last = rows.at(-1);
    const subject: Subject = {
      id: `${run}@${line.weightsStep}`,
      run,
      step: line.weightsStep,
      seed: config.seed,
      condition: conditionId(config),
      label: labels[i],
      parameters: line.parameters,
      weightsSha256: line.weightsSha256,
      final: true,
      accuracy: last === undefined ? null : (accuracyAtStep(rows, last.step) ?? null),
      ...(learned !== undefined && { learned }),
      design: designOf(config, end.reason, true),
    };
    subjects.push(subject);
    observations.push(
      ...observe(learning.name, learning.statistics, subject.id, learning.measure({ subject, config, rows })),
      ...line.observations.map((row): Observation => ({ ...row, subject: subject.id })),
    );
  });
  return { subjects, observations };
}
