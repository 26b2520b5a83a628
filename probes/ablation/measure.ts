/** Measures one checkpoint: fills the battery, runs every template, adds the tallies up. What its numbers are called is statistics.ts. */
import { createOperationContext } from '../../src/listops/language/operations.js';
import { createHoldout } from '../../src/listops/sampling/regimes.js';
import {
  batteryTemplates,
  chooseDonors,
  fillTemplate,
  otherOperationBatch,
  primaryOperation,
} from '../../src/listops/prompts/templates.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { listComponents } from '../../src/lens/components.js';
import { doseOf } from './dose-tables.js';
import { type Run, cleanTable, effectTable, freeRunningOf } from './effect-tables.js';
import { measureLearned } from './learned.js';
import { type NormSums, addNorms, normTable } from './norms.js';
import { rowsOf } from './rows.js';
import { cellNames } from './tally.js';
import { runTemplate, sublayerNames } from './template-run.js';
import { planTreatments } from './treatments.js';

/** Substreams of the probe's random numbers: a template keeps its prompts whatever other templates there are. */
export const STREAM = { prompts: 0, donors: 1000, other: 2000, control: 3000, learned: 4000 } as const;

/** What is asked for; small templates have fewer prompts. */
export type AblationOptions = Readonly<Record<'promptsPerTemplate' | 'dosesPerOctave', number>>;

/** Everything that is counted, before it is put into rows. */
export function measureParts(subject: ProbeSubject, asked: AblationOptions, context: MeasureContext) {
  const { data } = subject.config;
  const { model } = context;
  const tasks = [...data.tasks];
  const primary = primaryOperation(data);
  const operations = createOperationContext(data);
  const holdout = createHoldout(data);
  const accept = (operands: readonly number[]): boolean => !holdout.isHeldOut(operands);
  const plans = planTreatments(listComponents(model.config), tasks.length, asked.dosesPerOctave);
  const templates = batteryTemplates(data);
  const untrained = context.engine.createModel(
    model.config,
    { parameters: subject.untrainedParameters },
    'inference',
  );
  const norms = { trained: new Map() as NormSums, untrained: new Map() as NormSums };
  const runs: Run[] = [];
  try {
    templates.forEach((template, index) => {
      const filled = fillTemplate(template, {
        context: operations,
        data,
        count: asked.promptsPerTemplate,
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
        vocabulary: vocabularyOf(data),
        plans,
        rng: context.rng(STREAM.control + index),
        progress: (share) => context.progress(index + share, templates.length + 1),
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
    asked,
    primary: primary as string,
    modulus: data.modulus,
    sharedBlocks: model.config.shareBlocks,
    /** result tokens of single-operation prompts without held-out operands: accuracy and number of prompts */
    learned,
    templates: runs.map(({ template, filled, sameResult, result }) => ({
      id: template.id,
      prompts: filled.nPrompts,
      /** at least 64 prompts: mean ablation and pattern mean are reported */
      hasMean: result.hasMean,
      /** prompts whose donor has the same result at some reduction */
      sameResult,
    })),
    /** columns of clean and effects: `SUM result` */
    cells: cellNames(tasks),
    clean: cleanTable(runs, tasks),
    ...effects,
    dose: tasks.flatMap((operation) => doseOf(operation, runs, tasks, operations, accept)),
    norms: normTable(norms.trained, norms.untrained),
    /** on pure templates of the primary operation; the first entry is the intact model (component `none`) */
    freeRunning: freeRunningOf(runs, plans, primary),
  };
}
export type AblationParts = Readonly<ReturnType<typeof measureParts>>;

export function measureSubject(...given: Parameters<typeof measureParts>) {
  const parts = measureParts(...given);
  return { primary: parts.primary, rows: rowsOf(parts) };
}
/** What is stored of one checkpoint: plain JSON. */
export type AblationMeasurement = Readonly<ReturnType<typeof measureSubject>>;
