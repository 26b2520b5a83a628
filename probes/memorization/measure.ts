/** One checkpoint: every operation on every multiset of operands, held out or not, and prompts beyond training. */
import { phaseSpans } from '../../src/config/phases.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { operandMultisets, type MultisetList } from '../../src/listops/sampling/multisets.js';
import { aritiesOf } from '../../src/listops/sampling/inputs.js';
import { leakReport } from '../../src/listops/sampling/leak.js';
import { type OperationName, createOperationContext } from '../../src/listops/language/operations.js';
import { type Holdout, createHoldout } from '../../src/listops/sampling/regimes.js';
import { primaryOperation } from '../../src/listops/prompts/templates.js';
import {
  type TrainingCounts,
  examplesUsed,
  summedCounts,
  trainingCounts,
} from '../../src/listops/sampling/training-counts.js';
import { mean } from '../../src/tensor/sum.js';
import { jsonArray, nineDigits } from '../../src/report/report-json.js';
import type { JsonArray } from '../../src/report/schema.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { type AskedMultiset, type Asker, askMultisets, probabilityOf } from './ask.js';
import { beyondRows } from './beyond.js';
import { cellRow, type CellRow, frequencyRows } from './cells.js';
import { heldArity, rowsOf } from './rows.js';

/** prompts of each kind beyond training, and training examples read in search of a leak */
export type MeasureOptions = Readonly<Record<'beyondPrompts' | 'leakExamples', number>>;

/** Everything that is counted, before it is put into rows. */
export function measureParts(
  { subject, config }: ProbeSubject,
  options: MeasureOptions,
  context: MeasureContext,
) {
  const { data } = config;
  const { model } = context;
  const asker: Asker = { model, data, context: createOperationContext(data) };
  const holdout = createHoldout(data);
  const { examples, counts } = trainedOn(config, subject.step);
  const primary = primaryOperation(data);
  const lists = aritiesOf(data).map((arity) => operandMultisets(data.modulus, arity, context.rng(arity)));
  const total = data.tasks.length * lists.length + 1;

  const learned: ReturnType<typeof learnedRow>[] = [];
  const cells: CellRow[] = [];
  const frequency: ReturnType<typeof frequencyRows> = [];
  let pairs: JsonArray | null = null;
  let done = 0;
  for (const operation of data.tasks) {
    const trainedByArity: AskedMultiset[][] = [];
    for (const list of lists) {
      const asked = askMultisets(asker, operation, list.multisets);
      const split = splitAsked(
        asked,
        holdout,
        (one) => counts.draws(operation, one.multiset) > 0 || examples === 0,
      );
      trainedByArity.push(split.trained);
      cells.push(...levelCells(operation, list, split, holdout));
      frequency.push(...frequencyRows(operation, list.arity, asked, counts));
      if (operation === primary && list.arity === 2) pairs = pairTable(asked, data.modulus);
      context.progress(++done, total);
    }
    learned.push(learnedRow(operation, trainedByArity));
  }
  const beyond = beyondRows(asker, {
    operation: primary,
    count: options.beyondPrompts,
    examples,
    rng: context.rng(100),
  });
  const { leaks, setsSeen, examples: scanned } = leakReport(data, config.seed, options.leakExamples);
  context.progress(total, total);
  return nineDigits({
    modulus: data.modulus,
    tasks: data.tasks,
    /** SUM where the run has it, otherwise its first operation */
    primary,
    holdout: holdoutFacts(holdout),
    learned,
    cells,
    /** [n, n] probability of the right answer of the primary operation, rows the first operand; null: not of two operands */
    pairs,
    frequency,
    /** how `draws` of the frequency rows is known */
    frequencyMethod: counts.method,
    beyond,
    /** the run's own first examples, read again: examples that show a held-out set, and how many sets they show */
    leak: { examples: scanned, leaks, setsSeen },
  });
}

export type MemorizationParts = Readonly<ReturnType<typeof measureParts>>;

/** Rows, and what pictures show that is no number of a scope: the table of pairs, and how wrong answers are wrong. */
export function measurementOf(parts: MemorizationParts) {
  const { modulus, primary, holdout, pairs, cells } = parts;
  return {
    modulus,
    primary,
    holdout: holdout === null ? null : { level: holdout.level, sets: holdout.sets, share: holdout.share },
    pairs,
    /** of held-out operands where there are any, otherwise of trained ones */
    wrong: cells
      .filter(({ operation, arity }) => operation === primary && arity === heldArity(parts))
      .filter(({ level }) => (level !== 'trained') === (holdout !== null))
      .map(({ level, accuracy, outside, differences }) => ({ level, accuracy, outside, differences })),
    rows: rowsOf(parts),
  };
}
/** What is stored of one checkpoint: plain JSON. */
export type MemorizationMeasurement = Readonly<ReturnType<typeof measurementOf>>;

export function measureMemorization(...given: Parameters<typeof measureParts>): MemorizationMeasurement {
  return measurementOf(measureParts(...given));
}

/** What `steps` updates have shown, over the phases of the run. */
function trainedOn(config: RunConfig, steps: number): { examples: number; counts: TrainingCounts } {
  const { batchSize } = config.training;
  let examples = 0;
  const parts = phaseSpans(config)
    .filter(({ from }) => from === 0 || from < steps)
    .map(({ tasks, from, to }) => {
      const data = { ...config.data, tasks };
      const used = examplesUsed(data, config.seed, (Math.min(steps, to) - from) * batchSize);
      examples += used;
      return trainingCounts(data, config.seed, used, from * batchSize);
    });
  return { examples, counts: summedCounts(parts) };
}

/** What a set of fixed size never drew is neither held out nor trained: it appears under the frequency 0 only. */
function splitAsked(
  asked: readonly AskedMultiset[],
  holdout: Holdout,
  isDrawn: (one: AskedMultiset) => boolean,
) {
  const held = asked.filter(({ operands }) => holdout.isHeldOut(operands));
  const trained = asked.filter((one) => !holdout.isHeldOut(one.operands) && isDrawn(one));
  return { trained, held };
}

function levelCells(
  operation: OperationName,
  { arity, complete }: MultisetList,
  { trained, held }: ReturnType<typeof splitAsked>,
  holdout: Holdout,
): CellRow[] {
  const key = { operation, arity, complete, modulus: holdout.modulus };
  return [
    ...(trained.length === 0 ? [] : [cellRow({ ...key, level: 'trained' }, trained)]),
    ...(held.length === 0 ? [] : [cellRow({ ...key, level: holdout.level }, held)]),
  ];
}

/** Operand counts weighted alike, and every order of a multiset as often as training draws it. */
function learnedRow(operation: string, byArity: readonly (readonly AskedMultiset[])[]) {
  const rates: number[] = [];
  const losses: number[] = [];
  for (const asked of byArity) {
    let weight = 0;
    let right = 0;
    let nats = 0;
    for (const { multiset, answers, results, lossNats } of asked) {
      const each = multiset.nOrders / answers.length;
      for (let i = 0; i < answers.length; i++) {
        weight += each;
        if (answers[i] === results[i]) right += each;
        nats += each * lossNats[i];
      }
    }
    if (weight === 0) continue;
    rates.push(right / weight);
    losses.push(nats / weight);
  }
  return {
    operation,
    accuracy: rates.length === 0 ? 0 : mean(rates),
    /** mean loss on the result, nats */
    lossNats: losses.length === 0 ? NaN : mean(losses),
  };
}

/** [n, n], rows the first operand. */
function pairTable(asked: readonly AskedMultiset[], n: number): JsonArray {
  const table = new Float64Array(n * n);
  for (const { multiset, lossNats } of asked) {
    multiset.orders.forEach(([a, b], i) => {
      table[a * n + b] = Number(probabilityOf(lossNats[i]).toPrecision(4));
    });
  }
  return jsonArray([n, n], table);
}

function holdoutFacts({ level, sets, signalRatio, modulus: n }: Holdout) {
  if (sets.length === 0) return null;
  const all = sets[0].length === 2 ? (n * (n + 1)) / 2 : (n * (n + 1) * (n + 2)) / 6;
  return {
    level,
    /** ascending numbers of each held pair or triple */
    sets,
    /** held sets over all there are */
    share: sets.length / all,
    /** max over min of the first-order signal that the hold-out makes; 1 is balanced */
    signalRatio,
  };
}
