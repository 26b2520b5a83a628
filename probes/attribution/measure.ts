/**
 * Measures one checkpoint: what every part writes to the margin of the right token. Of results, at the position before them,
 * the margin is the logit less the mean over the numbers: which number. By role, at every place of whole chains, it is the
 * logit less the mean over all tokens: which token.
 */
import type { Model } from '../../src/engine/engine.js';
import {
  type AttributionPart,
  type AttributionTarget,
  attributionOf,
  attributionActivations,
} from '../../src/lens/attribution.js';
import { createReadout } from '../../src/lens/readout.js';
import { type LensRun, logitsAt, rowOf, runPrompts } from '../../src/lens/run.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import { nineDigits } from '../../src/report/report-json.js';
import { mean } from '../../src/tensor/sum.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { type ResultPrompts, resultPrompts, withUntrained } from '../result-prompts.js';
import { type Chains, chainsOf } from './roles.js';

export function measureSubject(subject: ProbeSubject, prompts: number, context: MeasureContext) {
  const { data, vocabulary } = subject.config;
  const { firstNumber } = vocabularyOf(data, vocabulary);
  const { nLayers, nHeads, shareBlocks } = context.model.config;
  const asked = resultPrompts(subject, prompts, context).map((one) => ({
    ...one,
    chains: chainsOf(one.operation, subject, prompts, context),
  }));
  const { trained, untrained } = withUntrained(subject, asked, context, (model, one) => ({
    ...ofResults(model, one, data.modulus, firstNumber),
    roles: ofRoles(model, one.chains),
  }));
  return nineDigits({
    sharedBlocks: shareBlocks,
    nLayers,
    nHeads,
    operations: asked.map(({ operation, results, chains }, i) => ({
      operation,
      prompts: results.length,
      /** by role: how many tokens */
      roles: chains.roles.map(({ role, places }) => ({ role, tokens: places.length })),
      trained: trained[i],
      untrained: untrained[i],
    })),
  });
}
export type AttributionMeasurement = Readonly<ReturnType<typeof measureSubject>>;
export type Contributions = Readonly<ReturnType<typeof contributions>>;

function ofResults(
  model: Model,
  { prompts, results }: Pick<ResultPrompts, 'prompts' | 'results'>,
  modulus: number,
  firstNumber: number,
): Contributions {
  const { nLayers } = model.config;
  const run = runPrompts(model, prompts, { capture: attributionActivations(nLayers), keep: 'last' });
  const numbers = Array.from({ length: modulus }, (_, number) => firstNumber + number);
  const margins = numbers.map((right) => marginOf(right, numbers));
  return contributions(
    model,
    run,
    prompts.map((_, p) => ({ row: rowOf(run, p), of: margins[results[p]] })),
  );
}

/** Of each role, in the order of the chains'. */
function ofRoles(model: Model, { prompts, roles }: Chains): Contributions[] {
  if (prompts.length === 0) return [];
  const { nLayers, dVocab } = model.config;
  const run = runPrompts(model, prompts, { capture: attributionActivations(nLayers) });
  const tokens = Array.from({ length: dVocab }, (_, token) => token);
  const margins = tokens.map((right) => marginOf(right, tokens));
  return roles.map(({ places }) =>
    contributions(
      model,
      run,
      places.map(({ row, token }) => ({ row, of: margins[token] })),
    ),
  );
}

/** Means over targets, in nats. */
function contributions(model: Model, run: LensRun, targets: readonly AttributionTarget[]) {
  const { nLayers, nHeads } = model.config;
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const parameters = model.getParameters();
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
    /** largest distance over targets between the sum of the parts and the margin of the model's own logits */
    sumError: values.reduce((most, row, p) => {
      const parts = row.reduce((sum, x) => sum + x, 0);
      return Math.max(most, Math.abs(parts - own[p]), Math.abs(total[p] - own[p]));
    }, 0),
  };
}

/** Factors of the logits: the right token's less the mean over `among`, which holds it. */
function marginOf(right: number, among: readonly number[]): ReadonlyMap<number, number> {
  return new Map(among.map((token) => [token, Number(token === right) - 1 / among.length]));
}
