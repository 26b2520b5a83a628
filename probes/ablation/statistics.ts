/**
 * Which numbers an ablation gives. Those of dose curves are of result tokens on the pure templates of one operation, and
 * exist where the intact model is better than the best constant.
 */
import type { StatisticInfo } from '../../src/evidence/statistic.js';

const RANDOM = 'equal-norm random disturbance';
/** Nothing is 0, in every run that has learned. */
const AGAINST_0 = { tested: 'against-0', counts: 'learned', reference: 0 } as const;

export const ABLATION_STATISTICS = [
  {
    id: 'half-dose-accuracy',
    title: 'Half dose by accuracy, F : A',
    formula: 'log2 a50(feed-forward) - log2 a50(attention), a50 = dose at which accuracy is half way to 1/n',
    unit: 'octaves',
    sentence:
      'how many octaves more of the feed-forward writes than of those of attention must be replaced to lose half of the answers',
    ...AGAINST_0,
    controlName: RANDOM,
  },
  {
    id: 'half-dose-of-part',
    title: 'Half dose by accuracy',
    formula:
      'log2 of the dose at which accuracy is half way from intact to 1/n, log-linear between half octaves',
    unit: 'octaves',
    sentence: 'log2 of the share of the writes that must be replaced to lose half of the answers',
    detail: true,
  },
  {
    id: 'clean-loss',
    title: 'Loss of the intact model',
    formula: 'mean cross-entropy of result tokens, nothing replaced',
    unit: 'nats',
    sentence: 'loss of the intact model on results',
    compared: false,
  },
  {
    id: 'share',
    title: 'Feed-forward share',
    formula: '(A_F + 0.01) / (A_F + A_A + 0.02), A the mean share lost over doses 1/8 to 1',
    unit: '1',
    sentence: 'feed-forward share of the causal effect on results',
    counts: 'learned',
    reference: 0.5,
  },
  {
    id: 'half-dose',
    title: 'Half dose by loss, F : A',
    formula: 'log2 of the dose at which D = 1/2, feed-forward : attention, resample ablation',
    unit: 'octaves',
    sentence:
      'how many octaves more of the feed-forward writes than of those of attention must be replaced to lose half',
    ...AGAINST_0,
  },
  {
    id: 'specific',
    title: 'Beyond a random disturbance',
    formula: 'area under the dose curve, resample - equal-norm random',
    unit: '1',
    sentence: 'extra cost of replacing writes over moving them as far in a random direction',
    ...AGAINST_0,
  },
  {
    id: 'freeze',
    title: 'Lost with patterns frozen',
    formula: 'D of the loss with every attention pattern at its template mean, values kept',
    unit: '1',
    sentence: 'share of the results lost when attention patterns are frozen at their template mean',
    counts: 'learned',
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
  },
  {
    id: 'operation-information',
    title: 'Operation information',
    formula: 'rise of the loss on results, donor of the same numbers and another operation',
    unit: 'nats',
    sentence: 'operation information in the writes (donor: same numbers, another operation)',
    compared: false,
    counts: 'learned',
  },
  {
    id: 'norm-ratio-change',
    title: 'Size of writes A : F, change',
    formula: 'log norm ratio attention : feed-forward at result-predicting positions, trained - untrained',
    unit: 'log ratio',
    sentence: "change by training of the size of attention's writes against feed-forward's",
    ...AGAINST_0,
    compared: false,
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
  },
  {
    id: 'raw-norm-ratio',
    title: 'Size of whole writes A : F',
    formula: 'log(rms of attn_out : rms of mlp_out), constant part included',
    unit: 'log ratio',
    sentence: 'how much more attention writes than feed-forward, constant part included',
    controlName: 'before training',
    detail: true,
  },
  {
    id: 'write-cosine',
    title: 'Cosine of the two writes',
    formula: 'mean cosine of attn_out and mlp_out less their template means: negative is cancellation',
    unit: '1',
    sentence: 'cosine of what attention and feed-forward write, varying over prompts',
    detail: true,
  },
  {
    id: 'area',
    title: 'Area under the dose curve',
    formula: 'mean of D over doses 1/8 to 1, resample ablation',
    unit: '1',
    sentence: 'mean share of the results lost over the doses',
    controlName: RANDOM,
    detail: true,
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
  },
  {
    id: 'shapley',
    title: 'Shapley value of feed-forward',
    formula: '(D_F(1) + D_AF(1) - D_A(1)) / 2, resample ablation',
    unit: '1',
    sentence: 'Shapley value of feed-forward at full dose',
    detail: true,
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
  },
  {
    id: 'effect',
    title: 'Loss that a part prevents',
    formula: 'mean cross-entropy with the part resampled at every token - intact, total effect',
    unit: 'nats',
    sentence: 'loss added when one part writes what it writes on another prompt',
    detail: true,
    map: { x: ['operation'], y: ['part'] },
  },
  {
    id: 'way',
    title: 'Loss that a part prevents, by replacement and path',
    formula: 'mean cross-entropy of result tokens with the part replaced - intact; direct: other writes held',
    unit: 'nats',
    sentence: 'loss on results added by one way of replacing what one part writes',
    counts: 'learned',
    detail: true,
  },
  {
    id: 'intact-accuracy',
    title: 'Accuracy of the intact model',
    formula: 'share of result tokens right, single operations without held-out operands',
    unit: 'accuracy',
    sentence: 'accuracy of the intact model on single operations',
    detail: true,
  },
  {
    id: 'chains-right',
    title: 'Chains right to the end',
    formula: 'share of whole chains right in free running, resample ablation at every token',
    unit: 'accuracy',
    sentence: 'share of chains that come out right as a whole',
    detail: true,
  },
  {
    id: 'first-error',
    title: 'Role of the first wrong token',
    formula:
      'share of chains whose first wrong token has the role, free running, resample ablation at every token',
    unit: 'accuracy',
    sentence: 'share of chains whose first wrong token has the role',
    detail: true,
  },
] as const satisfies readonly StatisticInfo[];
export type AblationStatistic = (typeof ABLATION_STATISTICS)[number]['id'];
