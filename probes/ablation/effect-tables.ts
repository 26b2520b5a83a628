/** Adds the tallies of all templates up: intact model, effects by operation and role, free-running outcomes. */
import { ROLES } from '../../src/listops/language/expression.js';
import { SITES, type Template, type TemplateBatch } from '../../src/listops/prompts/templates.js';
import { nine } from '../../src/evidence/statistic.js';
import { type Tally, addTally, cellNames, emptyTally } from './tally.js';
import type { TemplateResult } from './template-run.js';
import { type EffectMethod, type Plan, planId } from './treatments.js';

/** One template of the battery, run. */
export interface Run {
  readonly template: Template;
  readonly filled: TemplateBatch;
  readonly sameResult: number;
  readonly result: TemplateResult;
}

export function total(tallies: readonly Tally[], nCells: number): Tally {
  const sum = emptyTally(nCells);
  tallies.forEach((tally) => addTally(sum, tally));
  return sum;
}

export function cleanTable(runs: readonly Run[], tasks: readonly string[]) {
  const cells = cellNames(tasks);
  const sum = total(
    runs.map(({ result }) => result.clean),
    cells.length,
  );
  return { nats: Array.from(sum.nats, (nats, cell) => nine(nats / sum.count[cell])), count: [...sum.count] };
}

/** Ablated minus clean by operation and role, over the templates that have the treatment; NaN where none has. */
export function effectTable(runs: readonly Run[], plans: readonly Plan[], tasks: readonly string[]) {
  const nCells = cellNames(tasks).length;
  const deltaNats: number[] = [];
  const table = plans.filter(({ inTable }) => inTable);
  for (const plan of table) {
    const ablated = emptyTally(nCells);
    const clean = emptyTally(nCells);
    for (const { result } of runs) {
      const tally = result.tallies.get(planId(plan));
      if (tally === undefined) continue;
      addTally(ablated, tally);
      addTally(clean, result.clean);
    }
    for (let cell = 0; cell < nCells; cell++) {
      deltaNats.push(nine((ablated.nats[cell] - clean.nats[cell]) / clean.count[cell]));
    }
  }
  return {
    /** rows of deltaNats */
    effects: table.map(({ key }) => key),
    /** [effects, cells] ablated minus clean; NaN: not measured */
    deltaNats,
  };
}

/** Greedy generation under ablation: see addForward for why the teacher-forced pass answers it. */
export function freeRunningOf(runs: readonly Run[], plans: readonly Plan[], primary: string) {
  const own = runs.filter(({ template }) => template.operation === primary);
  const row = (component: string, method: EffectMethod, tallies: readonly Tally[]) => {
    if (tallies.length === 0) return [];
    const sum = total(tallies, tallies[0].nats.length);
    const chains = sum.exact + sum.firstWrong.reduce((a, b) => a + b, 0);
    // shares of chains whose first wrong token has this role; with `exact`, those right as a whole, they sum to 1
    const [result, copy, format] = ROLES.map((_, role) => sum.firstWrong[role] / chains);
    return [{ component, method, exact: sum.exact / chains, result, copy, format }];
  };
  const whole = plans.filter(
    ({ key, inTable }) => inTable && key.site === SITES[0] && key.effect === 'total',
  );
  return [
    ...row(
      'none',
      'zero',
      own.map(({ result }) => result.clean),
    ),
    ...whole.flatMap((plan) =>
      row(
        plan.key.component,
        plan.key.method,
        own.flatMap(({ result }) => result.tallies.get(planId(plan)) ?? []),
      ),
    ),
  ];
}
