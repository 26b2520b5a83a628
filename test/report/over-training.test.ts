/** The section over steps: every statistic in panels with the accuracy of its condition, onsets in a table, nothing for one step. */
import { describe, expect, it } from 'vitest';
import { conditionLabels } from '../../src/report/page/conditions.js';
import { overTraining } from '../../src/report/page/over-training.js';
import { evidenceOfReport } from '../../src/report/evidence-of-report.js';
import type { Report } from '../../src/report/schema.js';
import { compileWarnings } from './compile.js';
import { exampleReport } from './example-report.js';

const GEOMETRY = 'embedding-geometry';

/** The example with every run measured at two more steps; above its null from step 4,000 on in mixed runs, never in others. */
function overSteps(): Report {
  const report = exampleReport({ seeds: 3 });
  const steps = [0, 4000, 8000];
  const subjects = report.subjects.flatMap((subject) =>
    steps.map((step) => ({ ...subject, id: `${subject.run}@${step}`, step, final: step === 8000 })),
  );
  const observations = subjects.map(({ id, step, design }) => ({
    subject: id,
    statistic: `${GEOMETRY}/order`,
    scope: {},
    value: step > 0 && design.tasks.length > 2 ? 0.7 : 0.1,
    null: { mean: 0, high: 0.2 },
  }));
  return { ...report, subjects, observations };
}

const sectionOf = (report: Report) => overTraining(report, evidenceOfReport(report), 'learning');

describe('over training', () => {
  it('is nothing where every run was measured once', () => {
    expect(sectionOf(exampleReport({ seeds: 2 }))).toEqual({ charts: [], onsets: undefined });
  });

  it('draws every statistic of a module with the accuracy of every condition on the same steps', () => {
    const report = overSteps();
    const [chart, ...rest] = sectionOf(report).charts;
    expect(rest).toEqual([]);
    expect(chart.id).toBe(`series-${GEOMETRY}`);
    expect(compileWarnings(chart.spec, conditionLabels(report))).toEqual([]);
    expect(chart.subtitle).toContain('Dotted, right axis: accuracy on SUM');
    const rows: Record<string, unknown>[] = [];
    JSON.stringify(chart.spec, (key, value: unknown) => {
      if (key === 'values' && Array.isArray(value) && typeof value[0] === 'object')
        rows.push(...(value as Record<string, unknown>[]));
      return value;
    });
    const accuracy = rows.filter((row) => !('kind' in row));
    expect(new Set(accuracy.map(({ condition }) => condition))).toEqual(new Set(conditionLabels(report)));
    const onsets = rows.filter(({ kind }) => kind === 'onset' || kind === 'later');
    // of three seeds: the range, which begins at the step measured before
    expect(onsets.map(({ kind, low, onset, high }) => [kind, low, onset, high])).toEqual(
      conditionLabels(report).map((label) =>
        label.startsWith('MAX') ? ['onset', 0.5, 4000, 4000] : ['later', 8000, 8000, 8000],
      ),
    );
    expect(new Set(onsets.map(({ lane }) => lane)).size).toBe(conditionLabels(report).length);
  });

  it('has a table of onsets: median, range, how many seeds, and what its level is', () => {
    const text = sectionOf(overSteps())
      .onsets?.text.replace(/<[^>]*>|\s+/g, ' ')
      .replace(/ +/g, ' ');
    expect(text).toContain('4,000 [0, 4,000] (3 of 3)');
    expect(text).toContain('later than 8,000 (0 of 3)');
    expect(text).toContain('(75 %: the range, since fewer than six seeds allow no more)');
  });
});
