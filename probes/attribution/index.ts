/**
 * Module `attribution`: what every part writes directly for the right result (direct logit attribution; Elhage et al., "A
 * Mathematical Framework for Transformer Circuits", 2021).
 */
import type { Evidence } from '../../src/evidence/evidence.js';
import { type Scope, scopeText } from '../../src/evidence/scope.js';
import { groupName, summariesOf, type Summary } from '../../src/evidence/summaries.js';
import { heatMapChart } from '../../src/report/marks/heat-map.js';
import { pointRows, pointsChart } from '../../src/report/marks/points.js';
import type { ChartSpec } from '../../src/report/schema.js';
import type { Probe } from '../contract.js';
import { PROMPTS_PER_TEMPLATE } from '../result-prompts.js';
import { type AttributionMeasurement, measureSubject } from './measure.js';
import { ATTRIBUTION_STATISTICS } from './statistics.js';

export const attribution: Probe<AttributionMeasurement> = {
  name: 'attribution',
  title: 'Direct attribution',
  version: 2,
  question:
    'Which part writes the right result, and the tokens around it: embeddings, heads, or feed-forward layers?',
  options: { promptsPerTemplate: PROMPTS_PER_TEMPLATE },
  text: {
    shows:
      'The margin of the right result, its logit less the mean over the numbers, at the position before the result of a flat expression, split exactly into what each part writes to the residual stream: token and position embedding, every head, every feed-forward layer, biases. Which parts speak for the result directly, by operation. Then the same by role, along whole chains: what speaks for results, for tokens that are carried over (runs that nest), and for brackets, arrows and ends, there against all other tokens and not against numbers alone.',
    doesNotShow:
      'Which parts are needed: a head that brings the operands to a feed-forward layer writes nothing for the result itself, and ablating it (module ablation) takes the result away all the same. Direct share and causal share may therefore disagree, and that is a finding, not an error. A part may also write what a later one takes back.',
    method:
      'A logit is linear in the writes once the divisor of the final LayerNorm is held at its own value. Contribution: the product of a write with the direction of the margin, over the divisor, mean over prompts. Share: mean contribution over mean margin, in runs whose margin is at least 1 nat. By role: flat expressions and, in runs that nest, the shortest nested ones whose calls all have one operation, the true chain given; the margin is the logit of the right token less the mean over all tokens, the same for every role. Feed-forward share: F / (F + A) of the summed layers without biases, negative sums as 0, the same form as the share of the ablation. The heads of a layer are ranked by what they add on the first operation, in each run for itself, as head numbers of different seeds have nothing in common; the largest of several is large by choice, which the control, ranked alike, shows. Control: the same run before training. Held-out operands are left out. Exploratory.',
  },
  measure: (subject, { promptsPerTemplate }, context) =>
    measureSubject(subject, Number(promptsPerTemplate), context),
  statistics: ATTRIBUTION_STATISTICS,
  combine: ({ evidence }) => ({ pictures: pictures(evidence) }),
};

/** `feed-forward, layer 0`. */
const partName = ({ part = '', layer }: Scope): string =>
  layer === undefined ? part : scopeText({ part, layer });

function pictures(evidence: Evidence): ChartSpec[] {
  const of = (id: string): Summary[] => summariesOf(evidence, `attribution/${id}`);
  const contribution = of('contribution');
  const first = contribution.at(0)?.scope.operation;
  return [
    pointsChart(
      pointRows(
        contribution.filter(({ scope }) => scope.operation === first),
        { panel: ({ scope }) => scope.operation ?? '', category: ({ scope }) => partName(scope) },
      ),
      {
        id: 'attribution-parts',
        title: 'Which part writes the right result?',
        note: 'Logit of the right result less the mean over the numbers, split by part; attention is the sum of its heads; control: the same run before training.',
        axis: 'Contribution to the margin (nats)',
        category: 'Part',
        reference: 0,
        headline: true,
      },
    ),
    pointsChart(
      pointRows(of('role-feed-forward-share'), {
        panel: ({ scope: { role = '' } }) => roleTitle(role),
        category: ({ scope, learned }) =>
          `${scope.operation ?? ''}${learned === false ? ', not learned' : ''}`,
      }),
      {
        id: 'attribution-roles',
        title: 'Feed-forward or attention, directly, by role',
        note: 'The logit of the right token less the mean over all tokens. Above 50 % feed-forward layers write more of it; the share of the ablation counts what they are needed for as well. No point where the margin is below 1 nat.',
        axis: 'Feed-forward share (%)',
        category: 'Operation',
        share: true,
        reference: 0.5,
        columns: 3,
      },
    ),
    heatMapChart(
      of('role-contribution').map((summary) => ({
        panel: groupName(summary),
        x: `${summary.scope.operation ?? ''} ${summary.scope.role ?? ''}`,
        y: partName(summary.scope),
        value: summary.mean,
      })),
      {
        id: 'attribution-map',
        title: 'Contributions by role and operation',
        note: 'To the logit of the right token less the mean over all tokens; mean over seeds; heads by rank on the first operation.',
        x: 'Operation and role of the token',
        y: 'Part',
        value: 'Contribution (nats)',
        diverging: true,
        angle: -45,
        independent: true,
      },
    ),
  ];
}

const ROLE_TITLES: Readonly<Record<string, string>> = {
  result: 'Result',
  copy: 'Copied tokens',
  format: 'Brackets, arrows, ends',
};
const roleTitle = (role: string): string => ROLE_TITLES[role] ?? role;
