/**
 * Measures one checkpoint: what every part writes to the margin of the right result, its logit less the mean over the numbers,
 * at the position before the result.
 */
import type { Model } from '../../src/engine/engine.js';
import { type AttributionPart, attributionOf, attributionActivations } from '../../src/lens/attribution.js';
import { createReadout } from '../../src/lens/readout.js';
import { logitsAt, rowOf, runPrompts } from '../../src/lens/run.js';
import { vocabularyOf } from '../../src/listops/tokenizer.js';
import { nineDigits } from '../../src/report/report-json.js';
import { mean } from '../../src/tensor/sum.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { type ResultPrompts, resultPrompts, withUntrained } from '../result-prompts.js';

export function measureSubject(subject: ProbeSubject, prompts: number, context: MeasureContext) {
  const { data, vocabulary } = subject.config;
  const { firstNumber } = vocabularyOf(data, vocabulary);
  const { nLayers, nHeads, shareBlocks } = context.model.config;
  const asked = resultPrompts(subject, prompts, context);
  const { trained, untrained } = withUntrained(subject, asked, context, (model, one) =>
    contributions(model, one, data.modulus, firstNumber),
  );
  return nineDigits({
    sharedBlocks: shareBlocks,
    nLayers,
    nHeads,
    operations: asked.map(({ operation, results }, i) => ({
      operation,
      prompts: results.length,
      trained: trained[i],
      untrained: untrained[i],
    })),
  });
}
export type AttributionMeasurement = Readonly<ReturnType<typeof measureSubject>>;
export type Contributions = AttributionMeasurement['operations'][number]['trained'];

/** Means over prompts, in nats. @param firstNumber - token of the number 0 */
function contributions(
  model: Model,
  { prompts, results }: Pick<ResultPrompts, 'prompts' | 'results'>,
  modulus: number,
  firstNumber: number,
) {
  const { nLayers, nHeads } = model.config;
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const run = runPrompts(model, prompts, { capture: attributionActivations(nLayers), keep: 'last' });
  const parameters = model.getParameters();
  const margins = Array.from({ length: modulus }, (_, result) => marginOf(result, modulus, firstNumber));
  const targets = prompts.map((_, p) => ({ row: rowOf(run, p), of: margins[results[p]] }));
  const { parts, values, total } = attributionOf(
    model,
    parameters,
    createReadout(model.config, parameters),
    run,
    targets,
  );
  const sumOf = (holds: (part: AttributionPart) => boolean): number =>
    mean(values.map((row) => row.reduce((sum, x, i) => (holds(parts[i]) ? sum + x : sum), 0)));
  // the model's own logits, which attribution does not read
  const own = targets.map(({ row, of }) => {
    const logits = logitsAt(run, row);
    return [...of].reduce((sum, [token, times]) => sum + times * logits[token], 0);
  });
  return {
    margin: mean(own),
    embedding: sumOf(({ kind }) => kind === 'embed'),
    position: sumOf(({ kind }) => kind === 'pos_embed'),
    /** [layers][heads] */
    heads: layers.map((layer) =>
      Array.from({ length: nHeads }, (_, head) =>
        sumOf((part) => part.kind === 'head' && part.layer === layer && part.head === head),
      ),
    ),
    /** [layers] */
    feedForward: layers.map((layer) => sumOf((part) => part.kind === 'feed-forward' && part.layer === layer)),
    /** of the layers' outputs, the final LayerNorm and the unembedding */
    biases: sumOf(({ kind }) => kind.endsWith('bias')),
    /** largest distance over prompts between the sum of the parts and the margin of the model's own logits */
    sumError: Math.max(
      ...values.map((row, p) => Math.abs(row.reduce((sum, x) => sum + x, 0) - own[p])),
      ...total.map((x, p) => Math.abs(x - own[p])),
    ),
  };
}

/** Factors of the logits: the right result's less the mean over all numbers. */
function marginOf(result: number, modulus: number, firstNumber: number): ReadonlyMap<number, number> {
  return new Map(
    Array.from({ length: modulus }, (_, number): [number, number] => [
      firstNumber + number,
      Number(number === result) - 1 / modulus,
    ]),
  );
}
