/** Whether a model has learned what it was trained on: accuracy on single operations, held-out operands left out. */
import type { Model } from '../../src/engine/engine.js';
import type { DataConfig } from '../../src/listops/data-config.js';
import { RESULT } from '../../src/listops/language/expression.js';
import type { OperationContext } from '../../src/listops/language/operations.js';
import { batchOf, fillTemplate, flatTemplates } from '../../src/listops/prompts/templates.js';
import type { Rng } from '../../src/tensor/rng.js';
import { addForward, cellIndex, emptyTally, targetsOf } from './tally.js';

/** Every input is tried when there are no more than this of an operation, else SAMPLED of each arity together. */
const ENUMERATED_INPUTS = 20_000;
const SAMPLED = 4000;
/** prompts a forward pass */
const CHUNK = 512;

/** @param accept - false for operands that training never saw */
export function measureLearned(
  model: Model,
  data: DataConfig,
  context: OperationContext,
  accept: (operands: readonly number[]) => boolean,
  rng: Rng,
) {
  return data.tasks.map((operation) => {
    const templates = flatTemplates(data, operation);
    const inputs = templates.reduce((sum, { nBlanks }) => sum + data.modulus ** nBlanks, 0);
    const enumerated = inputs <= ENUMERATED_INPUTS;
    const count = enumerated ? Infinity : Math.ceil(SAMPLED / templates.length);
    const tally = emptyTally(3);
    for (const template of templates) {
      const filled = fillTemplate(template, { context, data, count, rng, accept });
      if (filled === undefined || filled.length > model.config.nCtx) continue;
      for (let from = 0; from < filled.nPrompts; from += CHUNK) {
        const { batch } = batchOf(template, filled.numbers.slice(from, from + CHUNK), { context, data });
        addForward(tally, targetsOf(batch, [operation]), model.forward(batch));
      }
    }
    const cell = cellIndex([operation], operation, RESULT);
    const prompts = tally.count[cell];
    const accuracy = prompts === 0 ? 0 : tally.correct[cell] / prompts;
    return { operation, prompts, enumerated, accuracy };
  });
}
