/** Dose curves of one operation, and the loss of the best constant that they are measured against. */
import { HALF_OCTAVE_DOSES } from './half-dose.js';
import { nine } from '../../src/evidence/statistic.js';
import { RESULT } from '../../src/listops/language/expression.js';
import {
  type OperationContext,
  type OperationName,
  operationRow,
} from '../../src/listops/language/operations.js';
import { ENUMERATE_BELOW, digits } from '../../src/listops/prompts/templates.js';
import { logDeterministic } from '../../src/tensor/math.js';
import { type Kind, KINDS, type Method, METHODS } from '../../src/lens/components.js';
import { bestConstantLossNats, DOSES } from './dose.js';
import { type Run, total } from './effect-tables.js';
import { type Tally, cellIndex, cellNames } from './tally.js';
import { FREEZE_ID, doseId } from './treatments.js';

export interface DoseCurve {
  readonly kind: Kind;
  readonly method: Method;
  /** ascending; those of dose.ts and, for attention and feed-forward of the primary operation, half octaves */
  readonly doses: readonly number[];
  /** mean loss on result tokens at each dose: a loss, not a rise, and not clipped */
  readonly nats: readonly number[];
  readonly accuracy: readonly number[];
}

const EVERY_DOSE = [...new Set([...HALF_OCTAVE_DOSES, ...DOSES])].sort((a, b) => a - b);

/**
 * Dose curves on the pure templates of one operation; nothing when there is no such template.
 * @param accept - false for operands that training never saw
 */
export function doseOf(
  operation: OperationName,
  runs: readonly Run[],
  tasks: readonly string[],
  operations: OperationContext,
  accept: (operands: readonly number[]) => boolean,
) {
  const own = runs.filter(({ template }) => template.operation === operation);
  if (own.length === 0) return [];
  const cell = cellIndex(tasks, operation, RESULT);
  const nCells = cellNames(tasks).length;
  const lossOf = (tallies: readonly Tally[]): { nats: number; accuracy: number; count: number } => {
    const sum = total(tallies, nCells);
    const count = sum.count[cell];
    return { nats: sum.nats[cell] / count, accuracy: sum.correct[cell] / count, count };
  };
  const curves: DoseCurve[] = [];
  for (const kind of KINDS) {
    for (const method of METHODS) {
      const points = EVERY_DOSE.flatMap((dose) => {
        const tallies = own.flatMap(({ result }) => result.tallies.get(doseId(kind, method, dose)) ?? []);
        return tallies.length === 0 ? [] : [{ dose, ...lossOf(tallies) }];
      });
      const doses = points.map(({ dose }) => dose);
      if (!DOSES.every((dose) => doses.includes(dose))) continue;
      curves.push({
        kind,
        method,
        doses,
        nats: points.map(({ nats }) => nine(nats)),
        accuracy: points.map(({ accuracy }) => nine(accuracy)),
      });
    }
  }
  const clean = lossOf(own.map(({ result }) => result.clean));
  const withMean = own.filter(({ result }) => result.hasMean);
  const frozen = withMean.flatMap(({ result }) => result.tallies.get(FREEZE_ID) ?? []);
  const constant = (of: readonly Run[]): number => constantLoss(of, operation, operations, accept);
  return [
    {
      operation: operation as string,
      /** result tokens */
      examples: clean.count,
      cleanNats: nine(clean.nats),
      cleanAccuracy: nine(clean.accuracy),
      /** the same on the templates that have a mean (equal unless a template has too few prompts) */
      cleanNatsMean: nine(lossOf(withMean.map(({ result }) => result.clean)).nats),
      /** L_c: the best constant given operation and arity */
      constantNats: nine(constant(own)),
      /** the same on the templates that have a mean */
      constantNatsMean: nine(constant(withMean)),
      /** loss with all attention patterns at their template mean, on the templates that have a mean */
      patternFreezeNats: nine(lossOf(frozen).nats),
      curves: curves as readonly DoseCurve[],
    },
  ];
}
/** Dose curves on the pure templates of one operation, result tokens. */
export type OperationDose = Readonly<ReturnType<typeof doseOf>[number]>;

/**
 * L_c: cross-entropy of the best constant for each arity, over the inputs that training may show; enumerated where there are
 * few enough, otherwise and for nested templates over the template's own prompts. NaN without templates.
 */
function constantLoss(
  own: readonly Run[],
  operation: OperationName,
  context: OperationContext,
  accept: (operands: readonly number[]) => boolean,
): number {
  if (own.length === 0) return NaN;
  const { modulus } = context;
  // sums of uniform numbers are uniform, nested or not; a hold-out of spread sums moves ln n by less than one per cent
  if (operation === 'SUM' || operation === 'GSUM') return logDeterministic(modulus);
  let nats = 0;
  let targets = 0;
  for (const { template, filled } of own) {
    const counts = new Float64Array(modulus);
    const inputs = modulus ** template.nBlanks;
    if (template.depth === 1 && inputs <= ENUMERATE_BELOW) {
      for (let input = 0; input < inputs; input++) {
        const operands = digits(input, template.nBlanks, modulus);
        if (accept(operands)) counts[operationRow(operation).evaluate(operands, context)]++;
      }
    } else for (const results of filled.results) for (const result of results) counts[result]++;
    const weight = filled.nPrompts * filled.results[0].length;
    nats += weight * bestConstantLossNats([counts]);
    targets += weight;
  }
  return nats / targets;
}
