/**
 * Flat expressions of every operation of a run, up to where their result comes next: what the modules that look at one position
 * of the model ask. The trained and the untrained model are asked the same.
 */
import type { Model } from '../src/engine/engine.js';
import { openLens } from '../src/lens/lens.js';
import type { Prompt } from '../src/lens/prompt.js';
import { RESULT } from '../src/listops/language/expression.js';
import { createOperationContext, type OperationName } from '../src/listops/language/operations.js';
import { createHoldout } from '../src/listops/sampling/regimes.js';
import { fillTemplate, flatTemplates, primaryOperation } from '../src/listops/prompts/templates.js';
import type { MeasureContext, ProbeOption, ProbeSubject } from './contract.js';

/** Prompts of one operation. */
export interface ResultPrompts {
  readonly operation: OperationName;
  readonly prompts: readonly Prompt[];
  /** [P] the right results, numbers from 0 */
  readonly results: readonly number[];
  /** distinct operand multisets */
  readonly multisets: number;
}

/** Option of every module that asks these prompts. */
export const PROMPTS_PER_TEMPLATE: ProbeOption<number> = {
  default: 128,
  series: 64,
  range: [2, 1_000_000],
  reason: 'of each flat template (two operands, three operands): an accuracy to four points',
};

/**
 * Held-out operands are left out, and templates that the context has no room for. The primary operation comes first; one
 * without any prompt is absent.
 * @param count - of each template
 */
export function resultPrompts(
  { config: { data, vocabulary } }: Pick<ProbeSubject, 'config'>,
  count: number,
  { model, rng }: Pick<MeasureContext, 'model' | 'rng'>,
): ResultPrompts[] {
  const lens = openLens(model, { data, ...(vocabulary === undefined ? {} : { vocabulary }) });
  const context = createOperationContext(data);
  const holdout = createHoldout(data);
  const accept = (operands: readonly number[]): boolean => !holdout.isHeldOut(operands);
  const primary = primaryOperation(data);
  return [primary, ...data.tasks.filter((task) => task !== primary)].flatMap((operation, task) => {
    const prompts: Prompt[] = [];
    const results: number[] = [];
    const multisets = new Set<string>();
    flatTemplates(data, operation).forEach((template, t) => {
      const filled = fillTemplate(template, { context, data, count, rng: rng(2 * task + t), accept });
      if (filled === undefined) return;
      // the first number of the chain: for a flat expression in either format, its result
      const before = filled.batch.roles.indexOf(RESULT);
      if (before < 0 || before >= model.config.nCtx) return;
      for (let p = 0; p < filled.nPrompts; p++) {
        const start = p * filled.length;
        prompts.push(lens.prompt(filled.batch.tokens.subarray(start, start + before + 1)));
        results.push(filled.results[p][0]);
        multisets.add(filled.numbers[p].toSorted((a, b) => a - b).join(' '));
      }
    });
    return prompts.length === 0 ? [] : [{ operation, prompts, results, multisets: multisets.size }];
  });
}

/** The same of a model and of the same run before training, operation by operation. @returns [asked] of each */
export function withUntrained<Asked, T>(
  { untrainedParameters }: Pick<ProbeSubject, 'untrainedParameters'>,
  asked: readonly Asked[],
  { engine, model, progress }: Pick<MeasureContext, 'engine' | 'model' | 'progress'>,
  of: (model: Model, one: Asked) => T,
): { readonly trained: T[]; readonly untrained: T[] } {
  let done = 0;
  const all = (one: Model): T[] =>
    asked.map((prompts) => {
      progress(done++, 2 * asked.length);
      return of(one, prompts);
    });
  const trained = all(model);
  const before = engine.createModel(model.config, { parameters: untrainedParameters }, 'inference');
  try {
    return { trained, untrained: all(before) };
  } finally {
    before.dispose();
  }
}
