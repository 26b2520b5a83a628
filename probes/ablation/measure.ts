/** Measures one checkpoint: fills the battery, runs every template, adds the tallies up. Comparing checkpoints is combine.ts. */
import { type WriteSums, addWrites, emptyWriteSums, writeRatios } from '../../src/analysis/ablation-norms.js';
import { DOSES, bestConstantLossNats } from '../../src/analysis/dose.js';
import type { Model } from '../../src/engine/engine.js';
import { RESULT, ROLES } from '../../src/listops/expression.js';
import {
  OPERATION_NAMES,
  type OperationContext,
  type OperationName,
  createOperationContext,
  operationRow,
} from '../../src/listops/operations.js';
import { createHoldout } from '../../src/listops/regimes.js';
import {
  ENUMERATE_BELOW as ENUMERATED_INPUTS,
  SITES,
  type Template,
  type TemplateBatch,
  batteryTemplates,
  chooseDonors,
  digits,
  fillTemplate,
  otherOperationBatch,
  primaryOperation,
} from '../../src/listops/templates.js';
import { activationName } from '../../src/model/activations.js';
import { logDeterministic } from '../../src/tensor/math.js';
import type { MeasureContext, Options, ProbeSubject } from '../contract.js';
import { METHODS, type Replacements, listComponents } from './components.js';
import { finiteNumber, jsonArray, jsonNumber } from './json-numbers.js';
import { measureLearned } from './learned.js';
import type { AblationMeasurement, DoseCurve, FreeRunning, NormRow, OperationDose } from './measurement.js';
import { type Tally, addTally, cellIndex, cellNames, emptyTally } from './tally.js';
import { type TemplateResult, layersOf, runTemplate, sublayerNames } from './template-run.js';
import { type Plan, doseId, planId, planTreatments } from './treatments.js';

interface Run {
  readonly template: Template;
  readonly filled: TemplateBatch;
  readonly sameResult: number;
  readonly result: TemplateResult;
}

/** Substreams of the probe's random numbers: a template keeps its prompts whatever other templates there are. */
export const STREAM = { prompts: 0, donors: 1000, other: 2000, control: 3000, learned: 4000 } as const;

export function measure(
  subject: ProbeSubject,
  options: Options,
  context: MeasureContext,
): AblationMeasurement {
  const { data } = subject.config;
  const { model } = context;
  const tasks = [...data.tasks];
  const primary = primaryOperation(data);
  const operations = createOperationContext(data);
  const holdout = createHoldout(data);
  const accept = (operands: readonly number[]): boolean => !holdout.isHeldOut(operands);
  const plans = planTreatments(listComponents(model.config), tasks.length);
  const templates = batteryTemplates(data);
  const untrained = context.engine.createModel(
    model.config,
    { parameters: subject.untrainedParameters },
    'inference',
  );
  const norms = { trained: new Map<string, WriteSums>(), untrained: new Map<string, WriteSums>() };
  const runs: Run[] = [];
  try {
    templates.forEach((template, index) => {
      context.progress(index, templates.length + 1);
      const filled = fillTemplate(template, {
        context: operations,
        data,
        count: Number(options['promptsPerTemplate']),
        rng: context.rng(STREAM.prompts + index),
        accept,
      });
      if (filled === undefined || filled.nPrompts < 2 || filled.length > model.config.nCtx) return;
      const donors = chooseDonors(filled.results, context.rng(STREAM.donors + index));
      const other = otherOperationBatch(filled, tasks, {
        context: operations,
        data,
        rng: context.rng(STREAM.other + index),
      });
      const result = runTemplate({
        model,
        filled,
        donors,
        otherOperation: other?.batch,
        tasks,
        primary,
        modulus: data.modulus,
        plans,
        rng: context.rng(STREAM.control + index),
      });
      runs.push({ template, filled, sameResult: donors.sameResult, result });
      const { activations } = untrained.forward(filled.batch, { capture: sublayerNames(model.config) });
      addNorms(norms.trained, filled, result.activations, model);
      addNorms(norms.untrained, filled, activations, model);
    });
  } finally {
    untrained.dispose();
  }
  context.progress(templates.length, templates.length + 1);
  const learned = measureLearned(model, data, operations, accept, context.rng(STREAM.learned));
  const effects = effectTable(runs, plans, tasks);
  return {
    primary,
    tasks,
    regime: data.regime,
    modulus: data.modulus,
    sharedBlocks: model.config.shareBlocks,
    learned,
    templates: runs.map(({ template, filled, sameResult, result }) => ({
      id: template.id,
      prompts: filled.nPrompts,
      hasMean: result.hasMean,
      sameResult,
    })),
    cells: cellNames(tasks),
    clean: cleanTable(runs, tasks),
    ...effects,
    dose: tasks.flatMap((operation) => doseOf(operation, runs, tasks, operations)),
    norms: normRows(norms.trained, norms.untrained),
    freeRunning: freeRunningOf(runs, plans, primary),
  };
}

function total(tallies: readonly Tally[], nCells: number): Tally {
  const sum = emptyTally(nCells);
  tallies.forEach((tally) => addTally(sum, tally));
  return sum;
}

function cleanTable(runs: readonly Run[], tasks: readonly string[]): AblationMeasurement['clean'] {
  const cells = cellNames(tasks);
  const sum = total(
    runs.map(({ result }) => result.clean),
    cells.length,
  );
  const perTarget = (values: Float64Array): number[] => Array.from(values, (v, cell) => v / sum.count[cell]);
  return {
    nats: jsonArray([cells.length], perTarget(sum.nats)),
    accuracy: jsonArray([cells.length], perTarget(sum.correct)),
    count: jsonArray([cells.length], sum.count),
  };
}

/** Ablated minus clean by operation and role, over the templates that have the treatment; NaN where none has. */
function effectTable(
  runs: readonly Run[],
  plans: readonly Plan[],
  tasks: readonly string[],
): Pick<AblationMeasurement, 'effects' | 'deltaNats' | 'deltaAccuracy'> {
  const nCells = cellNames(tasks).length;
  const nats: number[] = [];
  const accuracy: number[] = [];
  const table = plans.filter(({ inTable }) => inTable);
  for (const plan of table) {
    const ablated = emptyTally(nCells);
    const clean = emptyTally(nCells);
    for (const { result } of runs) {
      const tally = result.tallies.get(planId(plan));
      if (tally === undefined) continue;
      addTally(ablated, tally);
      addTally(clean, result.clean);
    }
    for (let cell = 0; cell < nCells; cell++) {
      nats.push((ablated.nats[cell] - clean.nats[cell]) / clean.count[cell]);
      accuracy.push((ablated.correct[cell] - clean.correct[cell]) / clean.count[cell]);
    }
  }
  const shape = [table.length, nCells];
  return {
    effects: table.map(({ key }) => key),
    deltaNats: jsonArray(shape, nats),
    deltaAccuracy: jsonArray(shape, accuracy),
  };
}

/** Dose curves on the pure templates of one operation; nothing when there is no such template. */
function doseOf(
  operation: OperationName,
  runs: readonly Run[],
  tasks: readonly string[],
  operations: OperationContext,
): OperationDose[] {
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
  for (const kind of ['attention', 'feed-forward', 'both'] as const) {
    for (const method of METHODS) {
      const points = DOSES.map((alpha) =>
        own.flatMap(({ result }) => result.tallies.get(doseId(kind, method, alpha)) ?? []),
      );
      if (points.some((tallies) => tallies.length === 0)) continue;
      const losses = points.map(lossOf);
      curves.push({
        kind,
        method,
        nats: losses.map(({ nats }) => finiteNumber(nats, `loss under ${method} ablation of ${kind}`)),
        accuracy: losses.map(({ accuracy }) => finiteNumber(accuracy, 'accuracy')),
      });
    }
  }
  const clean = lossOf(own.map(({ result }) => result.clean));
  const withMean = own.filter(({ result }) => result.hasMean);
  return [
    {
      operation,
      examples: clean.count,
      cleanNats: finiteNumber(clean.nats, 'loss of the intact model'),
      cleanAccuracy: finiteNumber(clean.accuracy, 'accuracy of the intact model'),
      cleanNatsMean: jsonNumber(lossOf(withMean.map(({ result }) => result.clean)).nats),
      constantNats: finiteNumber(constantLoss(own, operation, operations), 'loss of a constant'),
      curves,
    },
  ];
}

/** L_c: cross-entropy of the best constant for each arity, operands uniform; enumerated where there are few enough inputs. */
function constantLoss(own: readonly Run[], operation: OperationName, context: OperationContext): number {
  const { modulus } = context;
  // sums of uniform numbers are uniform, nested or not
  if (operation === 'SUM' || operation === 'GSUM') return logDeterministic(modulus);
  let nats = 0;
  let targets = 0;
  for (const { template, filled } of own) {
    const counts = new Float64Array(modulus);
    const inputs = modulus ** template.nBlanks;
    if (template.depth === 1 && inputs <= ENUMERATED_INPUTS) {
      for (let input = 0; input < inputs; input++) {
        counts[operationRow(operation).evaluate(digits(input, template.nBlanks, modulus), context)]++;
      }
    } else for (const results of filled.results) for (const result of results) counts[result]++;
    const weight = filled.nPrompts * filled.results[0].length;
    nats += weight * bestConstantLossNats([counts]);
    targets += weight;
  }
  return nats / targets;
}

function addNorms(
  into: Map<string, WriteSums>,
  filled: TemplateBatch,
  activations: Replacements,
  model: Model,
): void {
  const { batch, length, nPrompts } = filled;
  for (let t = 0; t < length; t++) {
    if (batch.roles[t] !== RESULT) continue;
    const rows = Int32Array.from({ length: nPrompts }, (_, p) => p * length + t);
    for (const layer of layersOf(model.config)) {
      const key = normKey(OPERATION_NAMES[batch.operations[t]], layer);
      const attention = activations.get(activationName('attn_out', layer));
      const mlp = activations.get(activationName('mlp_out', layer));
      if (attention === undefined || mlp === undefined)
        throw new RangeError(`Layer ${layer} was not captured.`);
      const sums = into.get(key) ?? emptyWriteSums();
      into.set(key, sums);
      addWrites(sums, attention, mlp, rows, model.config.dModel);
    }
  }
}

function normKey(operation: string, layer: number): string {
  return `${operation} ${layer}`;
}

function normRows(
  trained: ReadonlyMap<string, WriteSums>,
  untrained: ReadonlyMap<string, WriteSums>,
): NormRow[] {
  return [...trained].map(([key, sums]) => {
    const [operation, layer] = key.split(' ');
    const { logRatio, rawLogRatio, cosine, variationCosine } = writeRatios(sums);
    const before = writeRatios(untrained.get(key) ?? emptyWriteSums());
    return {
      operation,
      layer: Number(layer),
      logRatio: jsonNumber(logRatio),
      rawLogRatio: jsonNumber(rawLogRatio),
      cosine: jsonNumber(cosine),
      variationCosine: jsonNumber(variationCosine),
      untrainedLogRatio: jsonNumber(before.logRatio),
      untrainedRawLogRatio: jsonNumber(before.rawLogRatio),
    };
  });
}

/** Greedy generation under ablation: see addForward for why the teacher-forced pass answers it. */
function freeRunningOf(runs: readonly Run[], plans: readonly Plan[], primary: string): FreeRunning[] {
  const own = runs.filter(({ template }) => template.operation === primary);
  const row = (
    component: string,
    method: FreeRunning['method'],
    tallies: readonly Tally[],
  ): FreeRunning[] => {
    if (tallies.length === 0) return [];
    const sum = total(tallies, tallies[0].nats.length);
    const chains = sum.exact + sum.firstWrong.reduce((a, b) => a + b, 0);
    const [result, copy, format] = ROLES.map((_, role) => sum.firstWrong[role] / chains);
    return [{ component, method, exact: sum.exact / chains, result, copy, format }];
  };
  const whole = plans.filter(
    ({ key, inTable }) => inTable && key.site === SITES[0] && key.effect === 'total',
  );
  return [
    ...row(
      'none',
      'zero',
      own.map(({ result }) => result.clean),
    ),
    ...whole.flatMap((plan) =>
      row(
        plan.key.component,
        plan.key.method,
        own.flatMap(({ result }) => result.tallies.get(planId(plan)) ?? []),
      ),
    ),
  ];
}
