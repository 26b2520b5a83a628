/**
 * Module `neurons`: the last feed-forward neurons and the logits as functions of two numbers, by Fourier power over Z/n x Z/n;
 * key frequencies, restricted and excluded loss (Nanda et al., "Progress measures for grokking via mechanistic
 * interpretability", ICLR 2023; neurons of one frequency: Gromov, "Grokking modular arithmetic", 2023). Run by name.
 */
import { promptTokens } from '../../src/listops/prompts/result-prompts.js';
import type { Probe } from '../contract.js';
import { type NeuronMeasurement, measureSubject } from './measure.js';
import { neuronPictures } from './pictures.js';
import { NEURON_STATISTICS } from './statistics.js';

export const neurons: Probe<NeuronMeasurement> = {
  name: 'neurons',
  title: 'Clock or table?',
  question:
    'Do the last neurons turn like clock hands of one frequency, or does each know some pairs of numbers?',
  options: {
    permutations: {
      default: 999,
      series: 99,
      range: [1, 1_000_000],
      reason: 'the smallest p is then 0.001, in about a second at modulus 10',
    },
  },
  text: {
    shows:
      'Every prompt of two numbers is asked. A neuron is then a function of the two, and its variance is shared among pairs of frequencies. In a clock each neuron has one frequency, in a table of pairs it has all of them. What depends on a + b alone lies at equal frequencies. Key frequencies are the fewest that hold 90 % of what the logits say of a + b; excluded loss is what the model loses without them, restricted loss what it loses without everything else.',
    doesNotShow:
      'That the answer is computed from these waves: taking them out of the logits is no intervention inside the model. Logits of a model that is right follow a + b by need, whatever computes them; only few key frequencies speak for a clock. A function of one number alone can have one frequency too: read the share of a + b beside it. Permuted labels say that the names of the numbers matter, so a rule that follows their order (MAX) is significant as well, and a table is not. Held-out pairs are among the pairs.',
    method:
      'Neurons of the last feed-forward layer after the activation function, at the position that predicts the result; all n x n pairs, means over pairs taken out, power pooled over neurons. For NADD the second number is negated. Null: the labels of both numbers permuted alike, all n! where they are at most as many as draws. A random table gives 1 / (n + 1) of its variance to a + b on average. Logits of numbers are centred for each prompt; losses are over the whole vocabulary. Control of the excluded loss: waves of a - b at the same frequencies, n/2 aside.',
  },
  isCompatible({ data, model }) {
    if (data.operands[0] > 2)
      return `needs prompts of two operands, and the run has ${data.operands[0]} or more`;
    if (data.modulus < 4) return `needs at least 4 numbers, and modulus ${data.modulus} has ${data.modulus}`;
    if (model.nCtx < promptTokens(2))
      return `its context of ${model.nCtx} tokens is shorter than a prompt of two operands (${promptTokens(2)})`;
    return true;
  },
  measure: (subject, { permutations }, context) =>
    measureSubject(subject, { permutations: Number(permutations) }, context),
  statistics: NEURON_STATISTICS,
  combine: ({ last, evidence }) => ({ pictures: neuronPictures(last, evidence) }),
};
