/** Measures one checkpoint: what every head reads at the position before the result. */
import type { Model } from '../../src/engine/engine.js';
import type { Prompt, TokenKind } from '../../src/lens/prompt.js';
import { rowOf, runPrompts } from '../../src/lens/run.js';
import { activationName } from '../../src/model/activations.js';
import { nineDigits } from '../../src/report/report-json.js';
import { logDeterministic } from '../../src/tensor/math.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { resultPrompts, withUntrained } from '../result-prompts.js';

/** What is read, in the order of the table. */
export const READ = ['operands', 'operation', 'brackets', 'start', 'arrow'] as const;
export type Read = (typeof READ)[number];

const READ_OF: Readonly<Record<TokenKind, Read | undefined>> = {
  number: 'operands',
  operation: 'operation',
  open: 'brackets',
  close: 'brackets',
  start: 'start',
  arrow: 'arrow',
  end: undefined,
};

/** What one head reads, means over prompts. */
export interface HeadNumbers {
  /** [READ] weights, summing to 1 */
  readonly weights: readonly number[];
  readonly entropyNats: number;
  /** entropy over that of uniform attention, 0 to 1 */
  readonly entropyShare: number;
}

export function measureSubject(subject: ProbeSubject, prompts: number, context: MeasureContext) {
  const asked = resultPrompts(subject, prompts, context);
  const { trained, untrained } = withUntrained(subject, asked, context, (model, { prompts: own }) =>
    headsOf(model, own),
  );
  return nineDigits({
    sharedBlocks: context.model.config.shareBlocks,
    operations: asked.map((one, i) => ({
      operation: one.operation,
      prompts: one.prompts.length,
      /** every position the same */
      uniform: meanOf(
        one.prompts.map(({ tokens, kinds }) =>
          numbersOf(
            tokens.map(() => 1),
            kinds,
          ),
        ),
      ),
      /** [layers][heads], in the order of the model */
      trained: trained[i],
      untrained: untrained[i],
    })),
  });
}
export type AttentionMeasurement = Readonly<ReturnType<typeof measureSubject>>;

/** @returns [layers][heads] */
function headsOf(model: Model, prompts: readonly Prompt[]): HeadNumbers[][] {
  const { nLayers, nHeads } = model.config;
  const names = Array.from({ length: nLayers }, (_, layer) => activationName('attn.pattern', layer));
  const run = runPrompts(model, prompts, { capture: names });
  return names.map((name) => {
    const patterns = run.activations.get(name);
    if (patterns === undefined) throw new RangeError(`The engine did not return ${name}.`);
    const found = Array.from({ length: nHeads }, (): HeadNumbers[] => []);
    let start = 0;
    prompts.forEach(({ tokens: { length }, kinds }, p) => {
      const query = rowOf(run, p) - run.offsets[p];
      for (const own of found) {
        own.push(numbersOf(patterns.subarray(start + query * length, start + (query + 1) * length), kinds));
        start += length * length;
      }
    });
    return found.map(meanOf);
  });
}

/**
 * One row of a pattern.
 * @param row - [T] weights, at least 0; they are divided by their sum
 * @param kinds - [T]
 */
export function numbersOf(row: ArrayLike<number>, kinds: readonly TokenKind[]): HeadNumbers {
  const weights = READ.map(() => 0);
  const total = Array.from(row).reduce((sum, weight) => sum + weight, 0);
  let entropyNats = 0;
  kinds.forEach((kind, t) => {
    const weight = row[t] / total;
    const read = READ_OF[kind];
    if (read !== undefined) weights[READ.indexOf(read)] += weight;
    if (weight > 0) entropyNats -= weight * logDeterministic(weight);
  });
  const most = logDeterministic(kinds.length);
  return { weights, entropyNats, entropyShare: most > 0 ? entropyNats / most : 0 };
}

function meanOf(all: readonly HeadNumbers[]): HeadNumbers {
  const mean = (pick: (one: HeadNumbers) => number): number =>
    all.reduce((sum, one) => sum + pick(one), 0) / all.length;
  return {
    weights: READ.map((_, i) => mean(({ weights }) => weights[i])),
    entropyNats: mean(({ entropyNats }) => entropyNats),
    entropyShare: mean(({ entropyShare }) => entropyShare),
  };
}
