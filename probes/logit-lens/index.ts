/**
 * Module `logit-lens`: from which stage of the residual stream on the result, and each of its residues, is what the final
 * LayerNorm and the unembedding would read (nostalgebraist, "interpreting GPT: the logit lens", 2020).
 */
import type { Probe } from '../contract.js';
import { PROMPTS_PER_TEMPLATE } from '../result-prompts.js';
import { type LogitLensMeasurement, measureSubject } from './measure.js';
import { logitLensPictures } from './pictures.js';
import { LOGIT_LENS_STATISTICS } from './statistics.js';

export const logitLens: Probe<LogitLensMeasurement> = {
  name: 'logit-lens',
  title: 'Logit lens',
  question:
    'After which layer would a model already give the right result, or the right residue, if it ended there?',
  options: { promptsPerTemplate: PROMPTS_PER_TEMPLATE },
  text: {
    shows:
      'What the model would answer if it ended after the embeddings, after each attention and after each feed-forward layer, at the position before the result of a flat expression. For n with divisors the same is asked of each residue: the probabilities of all numbers of a residue class are added up. A residue that is read before the result is a stage of the computation.',
    doesNotShow:
      'That what is not read is not there: the lens reads along the directions of the unembedding alone, and a result may lie in others until the last layer turns it (the module parity-probe fits its own directions). That what is read is used. An earlier stage is not a smaller model: it was never trained to end there.',
    method:
      'Residual stream at the last position of the prompt, through the final LayerNorm and the unembedding in float64. Accuracy among the n numbers, probability among all tokens. Chance: the most frequent answer always; its 95 % limit is binomial with distinct operand multisets as examples. Control: the same run before training, the same prompts. Read from: the first stage from which accuracy stays at 0.95 or more; no value where that is never reached or where the fixed answer reaches it, so that means are over the runs that read it. Held-out operands are left out. Exploratory.',
  },
  measure: (subject, { promptsPerTemplate }, context) =>
    measureSubject(subject, Number(promptsPerTemplate), context),
  statistics: LOGIT_LENS_STATISTICS,
  combine: ({ evidence }) => ({ pictures: logitLensPictures(evidence) }),
};
