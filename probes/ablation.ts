/**
 * Attention against feed-forward: what breaks when the writes of one are replaced. Zero, mean and resample ablation of
 * every layer, head and feed-forward layer, dose curves of each kind, pattern freeze, an equal-norm random control, and
 * the sizes of the writes as description. Activation patching after Vig et al. (NeurIPS 2020) and Wang et al. (ICLR 2023,
 * arXiv 2211.00593), resample ablation after Chan et al. (causal scrubbing, 2022). Verdict on C4 only.
 */
import type { RunConfig } from '../src/config/run-config.js';
import { charts } from './ablation/charts.js';
import { C4_PROMPTS, combine } from './ablation/combine.js';
import { ablationStatisticsBySubject } from './ablation/compared.js';
import { findings } from './ablation/findings.js';
import { measure } from './ablation/measure.js';
import type { AblationMeasurement } from './ablation/measurement.js';
import type { AblationResult } from './ablation/result.js';
import type { Probe } from './contract.js';

export const ablation: Probe<AblationMeasurement, AblationResult> = {
  name: 'ablation',
  title: 'Attention or feed-forward?',
  question: 'Which part of the model computes the result: attention, or the feed-forward layers?',
  version: 2,
  cost: 'seconds',
  options: {
    promptsPerTemplate: {
      default: C4_PROMPTS,
      series: 96,
      reason:
        'keeps the standard error of a mean loss well below the spread between seeds; C4 gets no verdict with fewer, and a mean ablation needs 64',
    },
  },
  text: {
    shows:
      'How much of what a model knows of the results is lost as the writes of attention, of the feed-forward layers or of ' +
      'one part are mixed with those of another prompt of the same form (resample), with their mean (mean) or with ' +
      'nothing (zero). The dose curve shows it from one eighth to all. The dashed control moves the writes as far in a ' +
      'random direction: what it costs is the price of any disturbance of that size, not of losing information.',
    doesNotShow:
      'Where a computation happens: attention is the only path between positions, so attention ablated in full loses ' +
      'everything by construction and the share at full dose is 1/2; only the dose curve and the pattern freeze carry information. Blocks are serial, so ablating attention also changes what the feed-forward layers read ' +
      '(total effects; direct effects hold every other sublayer at its clean write). The sizes of writes are ' +
      'description and say nothing of use. Trained models are brittle: where nearly all is lost at the smallest dose of the ' +
      'claim, shares gather near one half and tell little; the dose at which half is lost then says more. Models that have not learned the operation are shown, and leave C4.',
    method:
      'Templates are expressions with the numbers blanked, 256 prompts each where so many exist, held-out operands left ' +
      'out; the whole chain is given (teacher forcing). Resample takes a donor of the same template with another result, ' +
      'the same donor at all sites; mean is over the other prompts at that position and needs 64. D is the share of ' +
      '(loss of the best constant - intact loss) that is lost, clipped to 0..1; A its mean over the eight doses 1/8 to 1 (smaller ones are drawn, and enter only the dose at which half is lost); share = ' +
      '(A_F + 0.01) / (A_F + A_A + 0.02). Losses beside it are not clipped. Free-running accuracy is exact, because the ' +
      'first wrong token is the same with and without teacher forcing.',
  },
  isCompatible: (config: RunConfig): true | string => {
    // "s ( OP a b ) >" and the result
    const shortest = config.data.operands[0] + 6;
    return config.model.nCtx >= shortest
      ? true
      : `its context of ${config.model.nCtx} tokens is shorter than the shortest prompt (${shortest})`;
  },
  measure,
  combine: (measurements, options) =>
    combine(measurements, Number(options['promptsPerTemplate'] ?? C4_PROMPTS)),
  findings,
  charts,
  compared: ablationStatisticsBySubject,
};
