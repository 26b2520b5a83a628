/**
 * Which numbers an ablation gives. Those of dose curves are of result tokens on the pure templates of one operation, and
 * exist where the intact model is better than the best constant.
 */
import { HALF_OCTAVE_DOSES } from '../../src/analysis/half-dose.js';
import type { Scope } from '../../src/evidence/scope.js';
import type { Statistic, StatisticRow } from '../../src/evidence/statistic.js';
import { SITES } from '../../src/listops/templates.js';
import { numberOf } from '../../src/report/report-json.js';
import { type Kind, KINDS } from '../../src/lens/components.js';
import { DOSES, lostShare } from './dose.js';
import type { OperationDose } from './dose-tables.js';
import type { AblationMeasurement } from './measure.js';
import type { NormRow } from './norms.js';
import {
  at,
  curvesOf,
  dosesOf,
  halfDoseOctaves,
  halfDoseOf,
  halfLossOctaves,
  hasKnowledge,
  losses,
  methodName,
  primaryDose,
  riseOf,
  summaryOf,
  TWO_KINDS,
} from './readings.js';

const RANDOM = 'equal-norm random disturbance';

/** Of the primary operation, one a layer; with shared blocks a pass, which no layer is compared with. */
function normRows(m: AblationMeasurement, of: (row: NormRow) => Omit<StatisticRow, 'scope'>): StatisticRow[] {
  return m.norms
    .filter(({ operation }) => operation === m.primary)
    .map((row) => ({
      scope: {
        operation: m.primary,
        ...(m.sharedBlocks ? { part: `pass ${row.layer}` } : { layer: row.layer }),
      },
      ...of(row),
    }));
}

/** Rows of the primary operation's dose curves, with the number of result tokens. */
function ofPrimary(
  rows: (dose: OperationDose, measurement: AblationMeasurement) => readonly StatisticRow[],
): (measurement: AblationMeasurement) => StatisticRow[] {
  return (measurement) => {
    const dose = primaryDose(measurement);
    if (dose === undefined) return [];
    return rows(dose, measurement).map(({ scope, ...row }) => ({
      scope: { operation: dose.operation, ...scope },
      ...row,
      examples: dose.examples,
    }));
  };
}

/** One row, or none. */
function row(scope: Scope, value: number | undefined, control?: number): StatisticRow[] {
  return value === undefined ? [] : [{ scope, value, ...(control === undefined ? {} : { control }) }];
}

const realAndRandom = (dose: OperationDose) =>
  [summaryOf(dose, 'resample'), summaryOf(dose, 'random')] as const;

/** Accuracy or loss at each of some doses under resample, the random disturbance of the same dose beside it. */
function along(
  dose: OperationDose,
  kinds: readonly Kind[],
  of: 'nats' | 'accuracy',
  doses: readonly number[],
): StatisticRow[] {
  const [real, random] = (['resample', 'random'] as const).map((method) => curvesOf(dose, method));
  if (real === undefined || !hasKnowledge(dose)) return [];
  return kinds.flatMap((part) =>
    doses.flatMap((alpha) => {
      const control = random === undefined ? undefined : at(random[part], of, [alpha])?.[0];
      return row({ part, method: 'resample', dose: alpha }, at(real[part], of, [alpha])?.[0], control);
    }),
  );
}

/** Nothing is 0, in every run that has learned. */
const AGAINST_0 = { tested: 'against-0', counts: 'learned', reference: 0 } as const;

export const ABLATION_STATISTICS: readonly Statistic<AblationMeasurement>[] = [
  {
    id: 'half-dose-accuracy',
    title: 'Half dose by accuracy, F : A',
    formula: 'log2 a50(feed-forward) - log2 a50(attention), a50 = dose at which accuracy is half way to 1/n',
    unit: 'octaves',
    sentence:
      'how many octaves more of the feed-forward writes than of those of attention must be replaced to lose half of the answers',
    ...AGAINST_0,
    controlName: RANDOM,
    of: ofPrimary((dose, m) => {
      const [resample, random] = (['resample', 'random'] as const).map((method) =>
        halfDoseOctaves(m, dose, method),
      );
      return [
        ...row({ method: methodName(m, 'resample') }, resample, random),
        ...row({ method: methodName(m, 'random') }, random),
      ];
    }),
  },
  {
    id: 'half-dose-of-part',
    title: 'Half dose by accuracy',
    formula:
      'log2 of the dose at which accuracy is half way from intact to 1/n, log-linear between half octaves',
    unit: 'octaves',
    sentence: 'log2 of the share of the writes that must be replaced to lose half of the answers',
    detail: true,
    of: ofPrimary((dose, m) =>
      (['resample', 'random'] as const).flatMap((method) =>
        TWO_KINDS.flatMap((part) => {
          const found = halfDoseOf(m, dose, part, method);
          return row(
            { part, method: methodName(m, method) },
            found?.kind === 'measured' ? found.log2 : undefined,
          );
        }),
      ),
    ),
  },
  {
    id: 'clean-loss',
    title: 'Loss of the intact model',
    formula: 'mean cross-entropy of result tokens, nothing replaced',
    unit: 'nats',
    sentence: 'loss of the intact model on results',
    compared: false,
    of: ofPrimary(({ cleanNats }) => row({}, cleanNats)),
  },
  {
    id: 'share',
    title: 'Feed-forward share',
    formula: '(A_F + 0.01) / (A_F + A_A + 0.02), A the mean share lost over doses 1/8 to 1',
    unit: '1',
    sentence: 'feed-forward share of the causal effect on results',
    counts: 'learned',
    reference: 0.5,
    of: (m) =>
      dosesOf(m).flatMap((dose) =>
        (['resample', 'mean', 'zero'] as const).flatMap((method) =>
          row({ operation: dose.operation, method }, summaryOf(dose, method)?.share).map((one) => ({
            ...one,
            examples: dose.examples,
          })),
        ),
      ),
  },
  {
    id: 'half-dose',
    title: 'Half dose by loss, F : A',
    formula: 'log2 of the dose at which D = 1/2, feed-forward : attention, resample ablation',
    unit: 'octaves',
    sentence:
      'how many octaves more of the feed-forward writes than of those of attention must be replaced to lose half',
    ...AGAINST_0,
    of: ofPrimary((dose) => row({}, halfLossOctaves(dose, 'resample'))),
  },
  {
    id: 'specific',
    title: 'Beyond a random disturbance',
    formula: 'area under the dose curve, resample - equal-norm random',
    unit: '1',
    sentence: 'extra cost of replacing writes over moving them as far in a random direction',
    ...AGAINST_0,
    of: ofPrimary((dose) => {
      const [real, random] = realAndRandom(dose);
      return real === undefined || random === undefined
        ? []
        : TWO_KINDS.flatMap((part) => row({ part }, real.area[part] - random.area[part]));
    }),
  },
  {
    id: 'freeze',
    title: 'Lost with patterns frozen',
    formula: 'D of the loss with every attention pattern at its template mean, values kept',
    unit: '1',
    sentence: 'share of the results lost when attention patterns are frozen at their template mean',
    counts: 'learned',
    of: ofPrimary((dose) => {
      const [clean, constant] = losses(dose, 'mean');
      const frozen = numberOf(dose.patternFreezeNats);
      return Number.isFinite(frozen) && constant > clean ? row({}, lostShare(frozen, clean, constant)) : [];
    }),
  },
  {
    id: 'first-dose',
    title: 'Lost at the smallest dose of the share',
    formula: 'D at dose 1/8, resample ablation',
    unit: '1',
    sentence:
      'share of the results lost when one eighth of the writes is replaced (near 1: nothing is left to tell apart)',
    compared: false,
    counts: 'learned',
    of: ofPrimary((dose) => {
      const lost = summaryOf(dose, 'resample')?.lost;
      return TWO_KINDS.flatMap((part) => row({ part }, lost?.[part][0]));
    }),
  },
  {
    id: 'operation-information',
    title: 'Operation information',
    formula: 'rise of the loss on results, donor of the same numbers and another operation',
    unit: 'nats',
    sentence: 'operation information in the writes (donor: same numbers, another operation)',
    compared: false,
    counts: 'learned',
    of: (m) => {
      const rises = TWO_KINDS.map((part) => ({
        scope: { operation: m.primary, part },
        value: riseOf(m, part, 'other operation'),
      }));
      return rises.every(({ value }) => Number.isFinite(value)) ? rises : [];
    },
  },
  {
    id: 'norm-ratio-change',
    title: 'Size of writes A : F, change',
    formula: 'log norm ratio attention : feed-forward at result-predicting positions, trained - untrained',
    unit: 'log ratio',
    sentence: "change by training of the size of attention's writes against feed-forward's",
    ...AGAINST_0,
    compared: false,
    of: (m) =>
      normRows(m, ({ logRatio, untrainedLogRatio }) => ({
        value: numberOf(logRatio) - numberOf(untrainedLogRatio),
      })),
  },
  {
    id: 'norm-ratio',
    title: 'Size of writes A : F',
    formula:
      'log(rms of attn_out less its template mean : rms of mlp_out less its), result-predicting positions',
    unit: 'log ratio',
    sentence:
      'how much more attention writes than feed-forward, varying over prompts (size says nothing of use)',
    controlName: 'before training',
    counts: 'learned',
    detail: true,
    reference: 0,
    of: (m) =>
      normRows(m, ({ logRatio, untrainedLogRatio }) => ({
        value: numberOf(logRatio),
        control: numberOf(untrainedLogRatio),
      })),
  },
  {
    id: 'raw-norm-ratio',
    title: 'Size of whole writes A : F',
    formula: 'log(rms of attn_out : rms of mlp_out), constant part included',
    unit: 'log ratio',
    sentence: 'how much more attention writes than feed-forward, constant part included',
    controlName: 'before training',
    detail: true,
    of: (m) =>
      normRows(m, ({ rawLogRatio, untrainedRawLogRatio }) => ({
        value: numberOf(rawLogRatio),
        control: numberOf(untrainedRawLogRatio),
      })),
  },
  {
    id: 'write-cosine',
    title: 'Cosine of the two writes',
    formula: 'mean cosine of attn_out and mlp_out less their template means: negative is cancellation',
    unit: '1',
    sentence: 'cosine of what attention and feed-forward write, varying over prompts',
    detail: true,
    of: (m) => normRows(m, ({ variationCosine }) => ({ value: numberOf(variationCosine) })),
  },
  {
    id: 'area',
    title: 'Area under the dose curve',
    formula: 'mean of D over doses 1/8 to 1, resample ablation',
    unit: '1',
    sentence: 'mean share of the results lost over the doses',
    controlName: RANDOM,
    detail: true,
    of: (m) =>
      dosesOf(m).flatMap((dose) => {
        const [real, random] = realAndRandom(dose);
        return KINDS.flatMap((part) =>
          row({ operation: dose.operation, part }, real?.area[part], random?.area[part]),
        );
      }),
  },
  {
    id: 'full-dose',
    title: 'Lost at full dose',
    formula: 'D at dose 1, resample ablation',
    unit: '1',
    sentence:
      'share of the results lost when the writes are replaced as a whole (attention: everything, by construction)',
    controlName: RANDOM,
    detail: true,
    of: ofPrimary((dose) => {
      const [real, random] = realAndRandom(dose);
      return KINDS.flatMap((part) => row({ part }, real?.lost[part].at(-1), random?.lost[part].at(-1)));
    }),
  },
  {
    id: 'shapley',
    title: 'Shapley value of feed-forward',
    formula: '(D_F(1) + D_AF(1) - D_A(1)) / 2, resample ablation',
    unit: '1',
    sentence: 'Shapley value of feed-forward at full dose',
    detail: true,
    of: ofPrimary((dose) => row({}, summaryOf(dose, 'resample')?.shapley)),
  },
  {
    id: 'dose-accuracy',
    title: 'Accuracy along the dose',
    formula: 'share of result tokens right with a share of the writes replaced, resample ablation',
    unit: 'accuracy',
    sentence: 'accuracy on results with a share of the writes replaced',
    controlName: RANDOM,
    counts: 'learned',
    detail: true,
    of: ofPrimary((dose) => along(dose, TWO_KINDS, 'accuracy', HALF_OCTAVE_DOSES)),
  },
  {
    id: 'dose-loss',
    title: 'Loss along the dose',
    formula: 'mean cross-entropy of result tokens with a share of the writes replaced: a loss, not a rise',
    unit: 'nats',
    sentence: 'loss on results with a share of the writes replaced (not the rise above the intact loss)',
    controlName: RANDOM,
    counts: 'learned',
    detail: true,
    of: ofPrimary((dose) => along(dose, KINDS, 'nats', DOSES)),
  },
  {
    id: 'effect',
    title: 'Loss that a part prevents',
    formula: 'mean cross-entropy with the part resampled at every token - intact, total effect',
    unit: 'nats',
    sentence: 'loss added when one part writes what it writes on another prompt',
    detail: true,
    map: { x: ['operation'], y: ['part'] },
    of: (m) => {
      const heads = new Set(m.effects.map(({ component }) => component).filter(isFurtherHead));
      return m.effects.flatMap(({ component, method, site, effect }, i) => {
        const isShown = method === 'resample' && site === SITES[0] && effect === 'total';
        // the only head of its layer is that layer's attention
        if (!isShown || (component.startsWith('head ') && heads.size === 0)) return [];
        return m.cells.map((cell, j) => {
          const [operation, role] = cell.split(' ');
          return {
            scope: { operation, role, part: component, method },
            value: numberOf(m.deltaNats.data[i * m.cells.length + j]),
            examples: numberOf(m.clean.count.data[j]),
          };
        });
      });
    },
  },
  {
    id: 'intact-accuracy',
    title: 'Accuracy of the intact model',
    formula: 'share of result tokens right, single operations without held-out operands',
    unit: 'accuracy',
    sentence: 'accuracy of the intact model on single operations',
    detail: true,
    of: ({ learned }) =>
      learned.map(({ operation, accuracy, prompts }) => ({
        scope: { operation },
        value: accuracy,
        examples: prompts,
      })),
  },
  {
    id: 'chains-right',
    title: 'Chains right to the end',
    formula: 'share of whole chains right in free running, resample ablation at every token',
    unit: 'accuracy',
    sentence: 'share of chains that come out right as a whole',
    detail: true,
    of: (m) => freeRunning(m, (row) => [{ value: row.exact }]),
  },
  {
    id: 'first-error',
    title: 'Role of the first wrong token',
    formula:
      'share of chains whose first wrong token has the role, free running, resample ablation at every token',
    unit: 'accuracy',
    sentence: 'share of chains whose first wrong token has the role',
    detail: true,
    of: (m) =>
      freeRunning(m, (row) =>
        (['result', 'copy', 'format'] as const).map((role) => ({ scope: { role }, value: row[role] })),
      ),
  },
];

/** `head 0.1`, not `head 0.0`: there is more than one head a layer. */
function isFurtherHead(component: string): boolean {
  return /^head .*\.[1-9]\d*$/.test(component);
}

/** The intact model and the two kinds under resample. */
function freeRunning(
  { freeRunning: all, primary }: AblationMeasurement,
  of: (row: AblationMeasurement['freeRunning'][number]) => readonly StatisticRow[],
): StatisticRow[] {
  return all.flatMap((row) => {
    const { component, method } = row;
    const isIntact = component === 'none';
    if (!isIntact && !(method === 'resample' && TWO_KINDS.some((kind) => kind === component))) return [];
    return of(row).map(({ scope, ...rest }) => ({
      ...rest,
      scope: { operation: primary, ...scope, ...(isIntact ? {} : { part: component, method }) },
    }));
  });
}
