/** Measures one checkpoint: what the model would answer if it ended after each stage of the residual stream. */
import { majorityRate } from '../../src/analysis/classifiers/grouped-probe.js';
import type { Model } from '../../src/engine/engine.js';
import { logitLensOf, residualStages } from '../../src/lens/logit-lens.js';
import { largestAt, probabilitiesOf, runPrompts } from '../../src/lens/run.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import { nineDigits } from '../../src/report/report-json.js';
import { mean } from '../../src/tensor/sum.js';
import { properDivisors } from '../../src/train/evaluate.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { type ResultPrompts, resultPrompts, withUntrained } from '../result-prompts.js';

export function measureSubject(subject: ProbeSubject, prompts: number, context: MeasureContext) {
  const { data, vocabulary } = subject.config;
  const { firstNumber } = vocabularyOf(data, vocabulary);
  /** the result itself, then its residues */
  const moduli = [data.modulus, ...properDivisors(data.modulus)];
  const asked = resultPrompts(subject, prompts, context);
  const { trained, untrained } = withUntrained(subject, asked, context, (model, one) =>
    stagesOf(model, one, moduli, firstNumber),
  );
  return nineDigits({
    sharedBlocks: context.model.config.shareBlocks,
    moduli,
    operations: asked.map(({ operation, results, multisets }, i) => ({
      operation,
      prompts: results.length,
      multisets,
      /** [moduli] accuracy of the best fixed answer */
      chance: moduli.map((m) => majorityRate(results.map((result) => result % m))),
      trained: trained[i],
      untrained: untrained[i],
    })),
  });
}
export type LogitLensMeasurement = Readonly<ReturnType<typeof measureSubject>>;

/** @param firstNumber - token of the number 0 */
function stagesOf(
  model: Model,
  { prompts, results }: Pick<ResultPrompts, 'prompts' | 'results'>,
  moduli: readonly number[],
  firstNumber: number,
) {
  const run = runPrompts(model, prompts, { capture: residualStages(model.config), keep: 'last' });
  const stages = logitLensOf(model, run).logits.map((logits) => logits.map(probabilitiesOf));
  return {
    /** [stages] probability of the right result among all tokens */
    probability: stages.map((stage) => mean(stage.map((row, p) => row[firstNumber + results[p]]))),
    /** [moduli][stages] how often the most probable residue class is the right one */
    accuracy: moduli.map((m) =>
      stages.map((stage) =>
        mean(
          stage.map((row, p) =>
            Number(likeliestClass(row.subarray(firstNumber, firstNumber + moduli[0]), m) === results[p] % m),
          ),
        ),
      ),
    ),
  };
}

/** The residue modulo m with the most probability of all numbers together; ties go to the smallest. */
export function likeliestClass(probabilities: Float64Array, m: number): number {
  const classes = new Float64Array(m);
  probabilities.forEach((probability, number) => (classes[number % m] += probability));
  return largestAt(classes);
}
