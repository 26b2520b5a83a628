/**
 * Module `patching`: activation patching (Meng et al. 2022; Zhang and Nanda 2024) and path patching (Wang et al. 2023;
 * Goldowsky-Dill et al. 2023) over pairs of flat prompts that differ in one operand or in the operation. Run by name.
 */
import { promptTokens } from '../../src/listops/prompts/result-prompts.js';
import type { Probe } from '../contract.js';
import { type PatchingMeasurement, measureSubject } from './measure.js';
import { patchingPictures } from './pictures.js';
import { PATCHING_STATISTICS } from './statistics.js';

export const patching: Probe<PatchingMeasurement> = {
  name: 'patching',
  title: 'Where the answer is decided',
  question: 'Through which places, heads and paths does one number, or the operation, reach the answer?',
  options: {
    pairs: {
      default: 64,
      series: 24,
      range: [2, 10_000],
      reason: 'of each operation and kind of change; shares are ratios of means over them',
    },
  },
  text: {
    shows:
      'Two prompts differ in one operand, or in the operation, and so in their result. The activations of the second go into the run on the first at one place, and the answer moves by a share of the way to that of the second: 0 not at all, 1 the whole way. Maps show where the difference is at each stage: first at what was changed, after attention at the position that predicts the result. Paths say which part tells which: what one part writes is changed for one later part alone.',
    doesNotShow:
      'A share is no probability: parts may push beyond 1 or the other way, and shares of different places do not add up, since later parts answer to the change together. In any model the changed token before the first block, and the result position after the last one, move the answer the whole way, and a place where both prompts agree does not move it. In an untrained model the answer hardly depends on the prompt, and shares are ratios of small numbers. Changing the operation needs runs of several operations.',
    method:
      'Flat prompts with the fewest operands of the run, uniform numbers, no held-out operands in either prompt, the results different; pairs are seeded and the same before training. Each operand is changed in an equal part of the pairs. Metric: logit of the clean answer minus that of the corrupted one where the result is predicted; share = mean of (patched - clean) / mean of (corrupted - clean) over all pairs. Places: residual stream before, within and after each block; other operands are patched together. Heads: attn.z at all positions. Paths: the receiver alone takes what the sender changes, every sublayer between is held at its clean write, and everything after the receiver is computed.',
  },
  isCompatible({ data, model }) {
    const shortest = promptTokens(data.operands[0]);
    return model.nCtx >= shortest
      ? true
      : `its context of ${model.nCtx} tokens is shorter than the shortest prompt (${shortest})`;
  },
  measure: (subject, { pairs }, context) => measureSubject(subject, { pairs: Number(pairs) }, context),
  statistics: PATCHING_STATISTICS,
  combine: ({ evidence }) => ({ pictures: patchingPictures(evidence) }),
};
