/** Findings on the level `expression`, from the prompts beyond training; the other levels are in findings.ts. */
import type {
  BeyondRow,
  MemorizationCondition,
  MemorizationRun,
} from '../../src/report/charts/memorization-data.js';
import type { Finding } from '../../src/report/schema.js';
import { valuesOf } from './finding-parts.js';

/** Level expression: whole expressions that training never showed, of facts that it did. */
export function expressionFindings(
  condition: MemorizationCondition,
  add: (
    id: string,
    values: readonly number[],
    examples: number,
    texts: Pick<Finding, 'statement' | 'statistic' | 'unit'>,
    test: boolean,
  ) => void,
): void {
  const { label, runs } = condition;
  const of = (run: MemorizationRun, kind: BeyondRow['kind']): BeyondRow | undefined =>
    run.beyond.find((row) => row.kind === kind && row.positions === 'seen');
  const depth = runs.map((run) => of(run, 'expression')?.value).find((value) => value !== undefined);
  const examples = runs.reduce((sum, run) => sum + (of(run, 'expression')?.prompts ?? 0), 0);
  const where = `${label}, new expressions of depth ${depth ?? 0} (level expression, every reduction in them trained)`;
  add(
    'expression',
    valuesOf(condition, (run) => of(run, 'expression')?.exact),
    examples,
    {
      statement: `${where}: whole chains right.`,
      statistic: 'share of chains without an error',
      unit: 'accuracy',
    },
    false,
  );
  add(
    'expression-gap',
    valuesOf(condition, (run) => {
      const [shown, fresh] = [of(run, 'shown'), of(run, 'expression')];
      return shown === undefined || fresh === undefined ? undefined : shown.accuracy - fresh.accuracy;
    }),
    examples,
    {
      statement: `${where}: accuracy lost against expressions that training has shown, which are shorter.`,
      statistic: 'result tokens right in shown - in new expressions',
      unit: 'accuracy',
    },
    true,
  );
}
