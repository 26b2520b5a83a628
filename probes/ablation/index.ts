/**
 * Module `ablation`: attention against feed-forward, by what breaks when the writes of one are replaced. Zero, mean and
 * resample ablation of every layer, head and feed-forward layer, dose curves of each kind, pattern freeze, an equal-norm
 * random control, and the sizes of the writes as description. Activation patching after Vig et al. (NeurIPS 2020) and Wang et
 * al. (ICLR 2023, arXiv 2211.00593), resample ablation after Chan et al. (causal scrubbing, 2022).
 */
import { ofRows } from '../../src/evidence/statistic.js';
import type { Probe } from '../contract.js';
import { type AblationMeasurement, type AblationOptions, measureSubject } from './measure.js';
import { ablationPictures } from './pictures.js';
import { C4_DOSES_PER_OCTAVE, C4_PROMPTS } from './rows.js';
import { ABLATION_STATISTICS } from './statistics.js';

export const ablation: Probe<AblationMeasurement, AblationOptions> = {
  name: 'ablation',
  title: 'Attention or feed-forward?',
  question: 'Which part of the model computes the result: attention, or the feed-forward layers?',
  version: 4,
  options: {
    promptsPerTemplate: {
      default: C4_PROMPTS,
      series: 96,
      range: [2, 20_000],
      reason:
        'keeps the standard error of a mean loss well below the spread between seeds; C4 counts no half dose made with fewer, and a mean ablation needs 64',
    },
    dosesPerOctave: {
      default: C4_DOSES_PER_OCTAVE,
      series: 1,
      range: [1, 2],
      reason: 'half doses to about a tenth of an octave; C4 counts none made with fewer',
    },
  },
  text: {
    shows:
      'How many answers are left as the writes of attention or of the feed-forward layers are mixed with those of another prompt of the same form, and at which share half of them is lost. Beside it: losses by part, operation and role under resample, mean and zero ablation, with attention patterns frozen, and along direct paths only. The control moves the writes as far in a random direction: what it costs is the price of any disturbance of that size, not of losing information.',
    doesNotShow:
      'Where a computation happens: attention is the only path between positions, so attention ablated in full loses everything by construction; only the dose curve and the pattern freeze carry information. A half dose says how much of a write can be replaced, and a large write stands more. Blocks are serial, so ablating attention also changes what the feed-forward layers read (total effects; direct effects hold every other sublayer at its clean write). The sizes of writes are description and say nothing of use. The older share of the dose curves lies near one half whatever happens, since nearly all is lost at its smallest dose. The measures beside the half dose answer differently in some models. Models that have not learned the operation leave C4.',
    method:
      'Templates are expressions with the numbers blanked, 256 prompts each where so many exist, held-out operands left out; the whole chain is given (teacher forcing). Resample takes a donor of the same template with another result, the same donor at all sites; mean is over the other prompts at that position and needs 64. Half dose a50: where accuracy on results first falls below half way from intact to 1/n, half octaves from 1/256 to 1, log-linear between; h = log2 a50(feed-forward) - log2 a50(attention), without a value where a50 is outside. D is the share of (loss of the best constant - intact loss) that is lost, clipped to 0..1; A its mean over the doses 1/8 to 1; share = (A_F + 0.01) / (A_F + A_A + 0.02). Losses along the dose are losses, not rises. Free-running accuracy is exact, because the first wrong token is the same with and without teacher forcing.',
  },
  isCompatible({ data, model }) {
    // "s ( OP a b ) >" and the result
    const shortest = data.operands[0] + 6;
    return model.nCtx >= shortest
      ? true
      : `its context of ${model.nCtx} tokens is shorter than the shortest prompt (${shortest})`;
  },
  measure: measureSubject,
  statistics: ofRows(ABLATION_STATISTICS),
  combine: ({ last, evidence }) => ({ pictures: ablationPictures(last, evidence) }),
};
