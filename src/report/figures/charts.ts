/** Every chart of a report, in the order of the page, with the file name that it gets as a figure. */
import { plainText } from '../page/html.js';
import { conditionLabels, LEARNING } from '../page/conditions.js';
import { drawnSpec } from '../page/figure.js';
import { inOrder } from '../page.js';
import type { Spec } from '../charts/common.js';
import { REPORT_CHARTS } from '../charts/index.js';
import { evidenceOfReport } from '../evidence-of-report.js';
import { answer } from '../page/answer.js';
import { overTraining } from '../page/over-training.js';
import { allDifferences, differenceForest, differenceMaps } from '../page/differences.js';
import type { ChartSpec, Report } from '../schema.js';
import type { FigureWords } from './options.js';

export interface PlacedChart extends FigureWords {
  /** file name without its ending, each once */
  readonly name: string;
  readonly caption: string;
  /** as the page draws it */
  readonly spec: Spec;
}

export interface ReportFigures {
  readonly charts: readonly PlacedChart[];
  readonly conditions: readonly string[];
}

export function figuresOf(report: Report): ReportFigures {
  const names = new Set<string>();
  const charts = pictures(report).map(({ part, chart }): PlacedChart => {
    // ids are unique in their module alone
    let name = names.has(chart.id) ? `${part}-${chart.id}` : chart.id;
    for (let i = 2; names.has(name); i++) name = `${chart.id}-${i}`;
    names.add(name);
    const { spec } = drawnSpec(chart);
    return {
      name,
      title: plainText(chart.title),
      caption: plainText(chart.subtitle),
      description: plainText(chart.summary),
      spec,
    };
  });
  return { charts, conditions: conditionLabels(report).map(plainText) };
}

/** Every picture of the page, each once; `part` is what it belongs to. */
function pictures(given: Report): { readonly part: string; readonly chart: ChartSpec }[] {
  const report = inOrder(given);
  const evidence = evidenceOfReport(report);
  const first = answer(report, evidence).charts;
  const compares = report.kind === 'comparison' && allDifferences(evidence).length > 0;
  const parts: readonly (readonly [string, readonly ChartSpec[]])[] = [
    ['answer', first],
    ['difference', compares ? [...differenceMaps(evidence).charts, differenceForest(evidence)] : []],
    ['steps', overTraining(report, evidence, LEARNING).charts],
    ['training', report.training.length === 0 ? [] : REPORT_CHARTS.map((build) => build(report.training))],
    ...Object.entries(report.modules).map(
      ([name, { charts }]) => [name, charts.filter((chart) => !first.includes(chart))] as const,
    ),
  ];
  return parts.flatMap(([part, charts]) => charts.map((chart) => ({ part, chart })));
}
