/** One checkpoint: every operation on every multiset of operands, held out or not, and prompts beyond training. */
import { phaseSpans } from '../../src/config/phases.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { operandMultisets, type MultisetList } from '../../src/listops/multisets.js';
import { aritiesOf } from '../../src/listops/inputs.js';
import { leakReport } from '../../src/listops/leak.js';
import { type OperationName, createOperationContext } from '../../src/listops/operations.js';
import { type Holdout, createHoldout } from '../../src/listops/regimes.js';
import { primaryOperation } from '../../src/listops/templates.js';
import {
  type TrainingCounts,
  examplesUsed,
  summedCounts,
  trainingCounts,
} from '../../src/listops/training-counts.js';
import { mean } from '../../src/tensor/sum.js';
import { finiteNumber, jsonArray, jsonNumber } from '../../src/report/report-json.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { type AskedMultiset, type Asker, askMultisets, probabilityOf } from './ask.js';
import { beyondRows } from './beyond.js';
import { cellRow, frequencyRows, indexRows } from './cells.js';
import type {
  CellRow,
  FrequencyRow,
  HoldoutFacts,
  LearnedRow,
  MemorizationMeasurement,
} from './measurement.js';

export interface MeasureOptions {
  readonly beyondPrompts: number;
  readonly leakExamples: number;
}

export function measureMemorization(
  { subject, config }: ProbeSubject,
  options: MeasureOptions,
  context: MeasureContext,
): MemorizationMeasurement {
  const { data } = config;
  const { model } = context;
  const asker: Asker = { model, data, context: createOperationContext(data) };
  const holdout = createHoldout(data);
  const { examples, counts } = trainedOn(config, subject.step);
  const primary = primaryOperation(data);
  const lists = aritiesOf(data).map((arity) => operandMultisets(data.modulus, arity, context.rng(arity)));
  const total = data.tasks.length * lists.length + 1;

  const learned: LearnedRow[] = [];
  const cells: CellRow[] = [];
  const frequency: FrequencyRow[] = [];
  let pairs: MemorizationMeasurement['pairs'] = null;
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
  return {
    modulus: data.modulus,
    tasks: [...data.tasks],
    regime: data.regime,
    primary,
    holdout: holdoutFacts(holdout),
    learned,
    cells,
    indices: indexRows(cells),
    pairs,
    frequency,
    frequencyMethod: counts.method,
    beyond,
    leak: { examples: scanned, leaks, setsSeen },
  };
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

interface Split {
  readonly trained: AskedMultiset[];
  readonly held: AskedMultiset[];
}

/** What a set of fixed size never drew is neither held out nor trained: it appears under the frequency 0 only. */
function splitAsked(
  asked: readonly AskedMultiset[],
  holdout: Holdout,
  isDrawn: (one: AskedMultiset) => boolean,
): Split {
  const held = asked.filter(({ operands }) => holdout.isHeldOut(operands));
  const trained = asked.filter((one) => !holdout.isHeldOut(one.operands) && isDrawn(one));
  return { trained, held };
}

function levelCells(
  operation: OperationName,
  { arity, complete }: MultisetList,
  { trained, held }: Split,
  holdout: Holdout,
): CellRow[] {
  const key = { operation, arity, complete, modulus: holdout.modulus };
  return [
    ...(trained.length === 0 ? [] : [cellRow({ ...key, level: 'trained' }, trained)]),
    ...(held.length === 0 ? [] : [cellRow({ ...key, level: holdout.level }, held)]),
  ];
}

/** Operand counts weighted alike, and every order of a multiset as often as training draws it. */
function learnedRow(operation: OperationName, byArity: readonly (readonly AskedMultiset[])[]): LearnedRow {
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
  const accuracy = rates.length === 0 ? 0 : finiteNumber(mean(rates), 'trained accuracy');
  return { operation, accuracy, lossNats: jsonNumber(losses.length === 0 ? NaN : mean(losses)) };
}

/** [n, n], rows the first operand. */
function pairTable(asked: readonly AskedMultiset[], n: number): MemorizationMeasurement['pairs'] {
  const table = new Float64Array(n * n);
  for (const { multiset, lossNats } of asked) {
    multiset.orders.forEach(([a, b], i) => {
      table[a * n + b] = Number(probabilityOf(lossNats[i]).toPrecision(4));
    });
  }
  return jsonArray([n, n], table);
}

function holdoutFacts(holdout: Holdout): HoldoutFacts | null {
  if (holdout.sets.length === 0) return null;
  const { modulus: n } = holdout;
  const all = holdout.sets[0].length === 2 ? (n * (n + 1)) / 2 : (n * (n + 1) * (n + 2)) / 6;
  return {
    level: holdout.level,
    sets: holdout.sets.map((set) => [...set]),
    share: finiteNumber(holdout.sets.length / all, 'held share'),
    signalRatio: jsonNumber(holdout.signalRatio),
  };
}
