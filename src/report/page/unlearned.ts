/** Why was it not learned? What the log of training says of every condition of which no seed learned an operation. */
import { type Condition, hasLearned } from '../../evidence/conditions.js';
import type { Evidence } from '../../evidence/evidence.js';
import { rowsByScope } from '../../evidence/evidence.js';
import { mean } from '../../tensor/sum.js';
import { percent, readable } from '../charts/common.js';
import type { Json, Report } from '../schema.js';
import { html, type Html } from './html.js';

export function unlearnedSection(report: Report, evidence: Evidence): Html | undefined {
  const items = evidence.conditions.flatMap((condition) => {
    const operations = condition.design.tasks.filter((operation) => {
      const answers = condition.runs.map((run) => hasLearned(run, operation));
      return answers.some((answer) => answer === false) && !answers.some((answer) => answer === true);
    });
    return operations.map((operation) => ({ condition, operation }));
  });
  if (items.length === 0) return undefined;
  return html`<section aria-labelledby="unlearned">
    <h2 id="unlearned">Why was it not learned?</h2>
    ${items.map(
      ({ condition, operation }) =>
        html`<details class="unlearned" open>
          <summary>${operation} in ${condition.label}</summary>
          <ul>
            ${factsOf(report, evidence, condition, operation).map((fact) => html`<li>${fact}</li>`)}
          </ul>
        </details>`,
    )}
  </section>`;
}

function factsOf(report: Report, evidence: Evidence, condition: Condition, operation: string): string[] {
  const { modulus } = condition.design;
  const accuracies = condition.runs.flatMap(({ accuracy }) => accuracy?.[operation] ?? []);
  const records = report.training.filter(({ condition: id }) => id === condition.id);
  const losses = records.flatMap(({ points }) => {
    const last = points.findLast(({ lossByRole }) => typeof lossByRole?.['result'] === 'number');
    return last === undefined ? [] : [Number(last.lossByRole?.['result'])];
  });
  const chance = Math.log(modulus);
  return [
    `Answered right: ${range([...accuracies].sort((a, b) => a - b).map((value) => percent(value, 1)))} of the results; guessing gives ${percent(1 / modulus, 0)} where results are even.`,
    ...plateau(evidence, condition, operation),
    ...(losses.length === 0
      ? []
      : [
          `Loss on result tokens at the end: ${range([...losses].sort((a, b) => a - b).map((value) => readable(value)))} nats; an answer without any information costs ln ${modulus} = ${readable(chance)}.`,
        ]),
    ...normOf(evidence, condition),
    ...report.provenance.dataNotes
      .filter((note) => note.includes(operation) && note.includes('information'))
      .slice(0, 1),
    ...nearest(report, evidence, condition, operation),
  ];
}

/** Right modulo a divisor and not beyond: a plateau of learning coset by coset. */
function plateau({ observations }: Evidence, condition: Condition, operation: string): string[] {
  const ids = new Set(condition.runs.map(({ id }) => id));
  const found = rowsByScope(observations, 'learning/coset').flatMap(({ scope, rows }) => {
    const values = [...rows].filter(([id]) => ids.has(id)).map(([, { value }]) => value);
    const { divisor } = scope;
    if (divisor === undefined || scope.operation !== operation || values.length === 0) return [];
    return [{ divisor, mean: mean(values) }];
  });
  if (found.length === 0) return [];
  const reached = found.filter(({ divisor, mean }) => mean > 1.5 / divisor);
  return [
    reached.length === 0
      ? `No plateau: the result is not known modulo any divisor of n either.`
      : `Plateau: right modulo ${reached.map(({ divisor, mean }) => `${divisor} in ${percent(mean, 0)}`).join(', ')}.`,
  ];
}

function normOf({ observations }: Evidence, condition: Condition): string[] {
  const ids = new Set(condition.runs.map(({ id }) => id));
  const rows = observations.filter(
    ({ statistic, subject, control }) =>
      statistic === 'embedding-pca/norm' && ids.has(subject) && control !== undefined,
  );
  if (rows.length === 0) return [];
  const now = mean(rows.map(({ value }) => value));
  const start = mean(rows.flatMap(({ control }) => control ?? []));
  return [
    `Norm of the centred number embeddings: ${readable(now)}, at the start ${readable(start)}${now < start ? ': they shrank, so no gradient that grows them was found' : ''}.`,
  ];
}

/** The condition with fewest settings that differ of those that did learn it. */
function nearest(
  { provenance }: Report,
  { conditions }: Evidence,
  condition: Condition,
  operation: string,
): string[] {
  const own = flat(provenance.configs[condition.runs[0].run]);
  const others = conditions.flatMap((other) => {
    const run = other.runs.find((candidate) => hasLearned(candidate, operation) === true);
    if (run === undefined) return [];
    const theirs = flat(provenance.configs[run.run]);
    const keys = [...new Set([...own.keys(), ...theirs.keys()])].filter(
      (key) => !IGNORED.includes(key) && own.get(key) !== theirs.get(key),
    );
    return [{ run: run.run, keys, theirs }];
  });
  const [best] = others.sort((a, b) => a.keys.length - b.keys.length);
  if (best === undefined) return ['No run of this report learned it.'];
  const settings = best.keys.map(
    (key) => `${key} ${best.theirs.get(key) ?? 'absent'} instead of ${own.get(key) ?? 'absent'}`,
  );
  return [`The nearest run that learned it, ${best.run}, differs in ${settings.join(', ')}.`];
}

const IGNORED = ['seed', 'data.holdoutSeed'];

/** path -> value as text */
function flat(value: Json | undefined, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map([[path, typeof value === 'string' ? value : JSON.stringify(value)]]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, item]) => [...flat(item, path === '' ? key : `${path}.${key}`)]),
  );
}

function range(texts: readonly string[]): string {
  const unique = [...new Set(texts)];
  if (unique.length === 0) return 'not evaluated';
  return unique.length === 1 ? unique[0] : `${unique[0]} to ${unique[unique.length - 1]}`;
}
