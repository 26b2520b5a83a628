/**
 * The prompts of the contextual probes: one operation on numbers, the model's own result given, and what is asked at each
 * position. Held-out operands are left out.
 */
import type { DataConfig } from '../../src/listops/data-config.js';
import { createOperationContext, operationRow } from '../../src/listops/operations.js';
import { createHoldout } from '../../src/listops/regimes.js';
import {
  fillTemplate,
  flatTemplates,
  primaryOperation,
  type TemplateBatch,
} from '../../src/listops/templates.js';
import type { Rng } from '../../src/tensor/rng.js';

/** A position of the template and the value asked there. */
export interface Position {
  readonly name: string;
  /** what the value is: `running SUM`, `result` */
  readonly label: string;
  /** offset in each sequence */
  readonly offset: number;
  /** [P] the value of each prompt */
  readonly values: Int32Array;
  /** [P] operands that determine it, unordered */
  readonly groups: readonly string[];
  /** operands of each prompt that determine it, for the bag */
  readonly nOperands: number;
  /** strict parity is asked: where the result is predicted, and at its own token as positive control */
  readonly isStrict: boolean;
}

export interface Battery {
  readonly operation: string;
  readonly filled: TemplateBatch;
  readonly positions: readonly Position[];
}

/** Batches of every operand count, for the causal check; the last has the most operands. */
export function fillFlat(data: DataConfig, nCtx: number, prompts: number, rng: Rng): TemplateBatch[] {
  const holdout = createHoldout(data);
  return flatTemplates(data, primaryOperation(data)).flatMap((template) => {
    const filled = fillTemplate(template, {
      context: createOperationContext(data),
      data,
      count: prompts,
      rng,
      accept: (operands) => !holdout.isHeldOut(operands),
    });
    return filled === undefined || filled.length > nCtx ? [] : [filled];
  });
}

/** Positions from the second operand on: the first is the token itself. */
export function describeBattery(data: DataConfig, filled: TemplateBatch): Battery {
  const operation = primaryOperation(data);
  const { evaluate } = operationRow(operation);
  const context = createOperationContext(data);
  const arity = filled.template.nBlanks;
  const prefix = (count: number) => ({
    values: Int32Array.from(filled.numbers, (numbers) => evaluate(numbers.slice(0, count), context)),
    groups: filled.numbers.map((numbers) =>
      numbers
        .slice(0, count)
        .sort((a, b) => a - b)
        .join(' '),
    ),
    nOperands: count,
  });
  const whole = prefix(arity);
  // s ( OP a b c ) > r
  const first = 3;
  const operands = Array.from({ length: arity - 1 }, (_, i): Position => {
    const count = i + 2;
    const isResult = count === arity;
    return {
      name: `number ${count}`,
      label: isResult ? `running ${operation} = result` : `running ${operation}`,
      offset: first + i + 1,
      isStrict: false,
      ...prefix(count),
    };
  });
  const arrow = data.format === 'steps' ? '>' : '=';
  const result = (name: string, label: string, offset: number, isStrict: boolean): Position => ({
    name,
    label,
    offset,
    isStrict,
    ...whole,
  });
  return {
    operation,
    filled,
    positions: [
      ...operands,
      result(')', 'result', first + arity, false),
      result(arrow, 'result, predicted here', first + arity + 1, true),
      result('result', 'its own value (positive control)', first + arity + 2, true),
    ],
  };
}
