/**
 * Module `parity-probe`: parity in the number embeddings, as power and as what a linear probe can read, of them and of the
 * residual stream. Leave-pair-out parity with the exact null of every relabelling, other labellings as controls (Hewitt and
 * Liang, EMNLP 2019), residues and frequencies of the result by layer and position, and a causal check.
 */
import { SAMPLED_RELABELLINGS } from '../../src/analysis/classifiers/relabellings.js';
import { ofRows } from '../../src/evidence/statistic.js';
import type { Probe } from '../contract.js';
import { measureSubject, type ParityMeasurement } from './measure.js';
import type { MeasureOptions } from './measurement.js';
import { parityPictures } from './pictures.js';
import { readingsOf } from './reading.js';
import { PARITY_STATISTICS } from './statistics.js';
import { readingFindings, recordFindings } from './together.js';

const DRAWS = [1, 1_000_000] as const;
/** Fewest numbers for which a null of relabellings says anything: 10 of them at n = 6. */
const FEWEST_NUMBERS = 6;

export const parityProbe: Probe<ParityMeasurement, MeasureOptions> = {
  name: 'parity-probe',
  title: 'Parity and residues',
  question:
    'Does a model know which numbers are even, and where do the residues of a result become readable?',
  version: 6,
  options: {
    relabellings: {
      default: SAMPLED_RELABELLINGS,
      series: 999,
      range: DRAWS,
      reason: 'drawn for the embeddings when there are more than 20,000; the smallest p is then 1e-4',
    },
    contextRelabellings: {
      default: 999,
      series: 99,
      range: DRAWS,
      reason: 'the same for activations and control labellings, which carry no verdict',
    },
    valuePermutations: {
      default: 1999,
      series: 499,
      range: DRAWS,
      reason: 'a p down to 0.0005 for the value of a number',
    },
    prompts: {
      default: 300,
      series: 120,
      range: DRAWS,
      reason: 'of each template: 30 prompts a result at modulus 10, in one to some seconds a template',
    },
    controlDraws: {
      default: 8,
      series: 2,
      range: DRAWS,
      reason: 'random controls of the causal check, averaged',
    },
    codeStages: {
      default: 1,
      range: [0, 1_000_000],
      reason:
        'code lengths after the last layer alone, in a thirtieth of the time; 100 for every layer, 0 for none',
    },
    codeLabellings: {
      default: 4,
      series: 2,
      range: [1, 1000],
      reason: 'random labels beside parity in the code lengths, averaged',
    },
  },
  text: {
    shows:
      'How much of the variance of the number embeddings sets even numbers apart from odd ones, in octaves beside noise without direction; whether a straight cut through the number embeddings tells even from odd numbers that it was not fitted on: one even and one odd number are held out in turn, and the score is how often the odd one lies further on the odd side. A score of one half is chance. The same is asked for other ways to split the numbers, and for the residual stream after every layer: from where on can the result, or its residue modulo a divisor of n, be read off? Residues that appear one after the other are stages of the computation. In nested expressions, is the final answer there before the model has written the inner step? How few bits do the parities of the results take for someone who sees the stream where they are predicted, beside random labels of the results? At last the direction that the probe has found is taken out of the input, and the model answers again.',
    doesNotShow:
      'That the model uses the variance that sets even numbers apart, or what a probe can read: only the causal check speaks of use, and only of the input. With as many dimensions as numbers every labelling can be separated when no number is held out, so accuracy without held-out numbers says nothing. Parity power needs an even number of numbers: an odd one has no frequency n/2, and no such number is given. A score well below one half is no lack of structure: on a line or ring the neighbours of an even number are odd, and a probe of its neighbours is wrong about it. A result that is readable after the last layer need not have been computed by parity: the output holds every residue by need, which is why parity is also asked of results the probe has not met. Code lengths depend on the number of prompts and on the penalty: compare them within this module only; above 1 bit the probe misleads. Runs that have not learned SUM do not count in C3 and are left out of the pictures of layers.',
    method:
      'Parity power: log2 of (n-1) times the share of the centred variance at k = n/2, which is what every labelling of the numbers into equal halves has on average; 0 for isotropic embeddings, the same under every naming that SUM cannot tell apart; p over all those labellings. It decides C3 b. Scores: ridge logistic regression, penalty 1, intercept not penalised, Newton; features centred on the training fold and divided by one scalar (mean squared norm 1); nothing is tuned. Leave-pair-out over all pairs of one even and one odd number (above 144 pairs a fixed set of at least 64), ties of the score broken by the mean signed held-out margin. Null: every relabelling with the same class sizes (126 for ten numbers, complements counted once), 20,000 at most, otherwise samples and p = (k + 1) / (N + 1); above 16 numbers the probe is the first Newton step of the fit, ridge regression of the labels. No p below n = 8 can be small: ten relabellings at n = 6. Per seed the score minus the mean of its own relabellings; intervals over seeds; Stouffer of mid-p says only that some seed has it. Value: ridge regression, leave-one-out. Residual stream: the flat expression with most operands of the first two operand counts, held-out operands left out, the true result given; folds keep all orders of the same operands together; one class against the rest; majority class, random labels of the values, sum of operand embeddings (bag) and the untrained model of the same seed at the same layer and position as baselines; intervals count distinct sets of operands and seeds, not prompts. Strict parity: mean activation of each value, same test as the embeddings, at every position. Look-ahead, from depth 2 on: SUM inside SUM, and another operation of the run inside SUM, with the true chain; the final answer is asked at the outer number, the closing bracket and the arrow. Code length: the parities are sent in blocks that double (1/32, 1/16, ... of the prompts, a set of operands never split); the first costs a bit a label, every next the surprise of the probe fitted on all before it. Causal check: the unit weight vector of the probe is projected out of the centred number embeddings through an intervention on the token embedding. ml-logistic-regression is run beside it on standardised embeddings. Everything else is exploratory, Benjamini-Hochberg within this module.',
  },
  isCompatible({ data }) {
    if (data.modulus >= FEWEST_NUMBERS) return true;
    return `needs at least ${FEWEST_NUMBERS} numbers for a null of relabellings, and modulus ${data.modulus} has ${data.modulus}`;
  },
  measure: measureSubject,
  statistics: ofRows(PARITY_STATISTICS),
  combine({ measured, last, evidence }) {
    const flat = readingsOf(evidence, last, ({ context }) => (context === null ? [] : [context]));
    const nested = readingsOf(evidence, last, ({ lookAhead }) => lookAhead);
    return {
      findings: [...readingFindings(flat, nested), ...recordFindings(evidence, measured, last)],
      pictures: parityPictures(evidence, flat, nested),
    };
  },
};
