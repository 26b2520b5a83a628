/**
 * What a model is asked for the split by role: whole chains of flat and nested expressions of one operation, with the true
 * token before each place given. A role belongs to the token that is predicted: the new number of a reduction, what is carried
 * over, brackets and ends.
 */
import { openLens } from '../../src/lens/lens.js';
import type { Prompt } from '../../src/lens/prompt.js';
import { ROLES, type Role } from '../../src/listops/language/expression.js';
import {
  createOperationContext,
  type OperationName,
  OPERATION_NAMES,
} from '../../src/listops/language/operations.js';
import { createHoldout } from '../../src/listops/sampling/regimes.js';
import { batteryTemplates, fillTemplate } from '../../src/listops/prompts/templates.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';

/** Templates of one operation: the flat ones, then, in runs that nest, the shortest nested ones. */
export const ROLE_TEMPLATES = 4;
/** First substream of their prompts; those before it are of the prompts that end before a result. */
const STREAM = 100;

/** Chains of one operation, without their last token. */
export interface Chains {
  readonly prompts: readonly Prompt[];
  /** by role: where a token is predicted, and which one is right; only roles that occur */
  readonly roles: readonly { readonly role: Role; readonly places: readonly RolePlace[] }[];
}

export interface RolePlace {
  /** over all prompts end to end */
  readonly row: number;
  /** the token that comes next */
  readonly token: number;
}

/**
 * Every call in them is of this operation, so that every token that is predicted belongs to it. Held-out operands are left
 * out at every reduction, and templates that the context has no room for.
 * @param count - of each template
 */
export function chainsOf(
  operation: OperationName,
  { config: { data, vocabulary } }: Pick<ProbeSubject, 'config'>,
  count: number,
  { model, rng }: Pick<MeasureContext, 'model' | 'rng'>,
): Chains {
  const lens = openLens(model, { data, ...(vocabulary === undefined ? {} : { vocabulary }) });
  const context = createOperationContext(data);
  const holdout = createHoldout(data);
  const accept = (operands: readonly number[]): boolean => !holdout.isHeldOut(operands);
  const stream = STREAM + ROLE_TEMPLATES * OPERATION_NAMES.indexOf(operation);
  const prompts: Prompt[] = [];
  const places = ROLES.map((role) => ({ role, places: [] as RolePlace[] }));
  let end = 0;
  batteryTemplates({ ...data, tasks: [operation] }, ROLE_TEMPLATES).forEach((template, t) => {
    const filled = fillTemplate(template, { context, data, count, rng: rng(stream + t), accept });
    if (filled === undefined || filled.length > model.config.nCtx) return;
    const { tokens, targets, roles } = filled.batch;
    for (let p = 0; p < filled.nPrompts; p++) {
      const start = p * filled.length;
      prompts.push(lens.prompt(tokens.subarray(start, start + filled.length)));
      for (let at = start; at < start + filled.length; at++) {
        if (roles[at] >= 0) places[roles[at]].places.push({ row: end + at - start, token: targets[at] });
      }
      end += filled.length;
    }
  });
  return { prompts, roles: places.filter((one) => one.places.length > 0) };
}
