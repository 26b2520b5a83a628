/** Measures one checkpoint: token embeddings, residual stream, causal check. */
import { type FitCounts, newFitCounts } from '../../src/analysis/classifiers/linear-probe.js';
import { centred, type Matrix, matrix, squaredNorm } from '../../src/analysis/matrix.js';
import { parityPower } from '../../src/analysis/classifiers/parity-power.js';
import { primaryOperation, type TemplateBatch } from '../../src/listops/prompts/templates.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../src/model/parameters.js';
import { nineDigits } from '../../src/report/report-json.js';
import { logDeterministic } from '../../src/tensor/math.js';
import type { Rng } from '../../src/tensor/rng.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { describeBattery, fillFlat, fillNested } from './battery.js';
import { causalNumbers } from './causal.js';
import { codeNumbers } from './code-lengths.js';
import { type ContextNumbers, contextNumbers } from './context-probes.js';
import type { MeasureOptions } from './measurement.js';
import { rowsOf } from './rows.js';
import { crossCheckNumbers, tokenNumbers, type TokenOptions } from './token-probes.js';

/** Substreams of the probe's random numbers, apart from those that tests of relabellings draw for themselves. */
const STREAM = {
  trained: 100,
  untrained: 200,
  prompts: 300,
  context: 400,
  causal: 900,
  code: 950,
  nested: 1000,
} as const;
/** Test of the number embeddings after those of token-probes.ts: a substream of its own. */
const POWER_TEST = 5;
/** Between the substreams of two templates. */
const TEMPLATE_STRIDE = 400;

/** Everything that is measured, before it is put into rows. */
export function measureParts(subject: ProbeSubject, options: MeasureOptions, context: MeasureContext) {
  const { data } = subject.config;
  const { model, engine } = context;
  const counts = newFitCounts();
  let done = 0;
  const tick = (): void => context.progress(Math.min(++done, 999), 1000);
  const tokens = { options, counts, tick, rng: (index: number) => context.rng(index) };
  const embedding = numberRows(subject, 'trained', model.config);
  const filled = fillFlat(data, model.config.nCtx, options.prompts, context.rng(STREAM.prompts));
  const largest = filled.at(-1);
  const untrained = engine.createModel(
    model.config,
    { parameters: subject.untrainedParameters },
    'inference',
  );
  try {
    const ask = (batch: TemplateBatch, stream: number): ContextNumbers =>
      contextNumbers(
        describeBattery(data, batch),
        { trained: model, untrained },
        embedding,
        {
          modulus: data.modulus,
          contextRelabellings: options.contextRelabellings,
          rng: (index) => context.rng(stream + index),
          tick,
        },
        counts,
      );
    const nestedStream = (template: number): number => STREAM.nested + TEMPLATE_STRIDE * template;
    const nested = fillNested(data, model.config.nCtx, options.prompts, (template) =>
      context.rng(nestedStream(template)),
    );
    const part = {
      n: embedding.rows,
      /** one block is applied again and again: stages are passes */
      sharedBlocks: model.config.shareBlocks,
      embedding: tokenPart(subject, 'trained', model.config, tokens),
      untrained: tokenPart(subject, 'untrained', model.config, tokens),
      crossCheck: crossCheckNumbers(embedding, counts, tick),
      /** null: no prompt of the run's operation fits its context or its hold-out */
      context: largest === undefined ? null : ask(largest, STREAM.context),
      /** nested expressions, the true chain given; empty at depth 1 and where none fits */
      lookAhead: nested.map((batch, template) => ask(batch, nestedStream(template))),
      causal:
        largest === undefined
          ? null
          : causalNumbers({
              model,
              operation: primaryOperation(data),
              batches: filled,
              vocabulary: vocabularyOf(data),
              embedding,
              draws: options.controlDraws,
              rng: context.rng(STREAM.causal),
              counts,
            }),
    };
    const code =
      largest === undefined || options.codeStages === 0
        ? null
        : codeNumbers(
            describeBattery(data, largest),
            { trained: model, untrained },
            {
              modulus: data.modulus,
              codeStages: options.codeStages,
              codeLabellings: options.codeLabellings,
              rng: (index) => context.rng(STREAM.code + index),
              tick,
            },
            counts,
          );
    const { fits: count, notConverged, mostIterations } = counts;
    /** of all logistic fits of this measurement */
    const fits = { count, notConverged, mostIterations };
    return nineDigits({ ...part, code, fits });
  } finally {
    untrained.dispose();
  }
}

export type ParityParts = Readonly<ReturnType<typeof measureParts>>;

/** Rows, what was asked where, and what the numbers rest on. */
export function measurementOf(parts: ParityParts) {
  const { n, sharedBlocks, embedding, crossCheck, fits, context, lookAhead, causal } = parts;
  return {
    n,
    sharedBlocks,
    crossCheck,
    fits,
    /** why there is no parity power, or no direction to take out */
    notDefined: { power: reasonIn(embedding.power), direction: reasonIn(causal) },
    context: context === null ? null : battery(context),
    lookAhead: lookAhead.map(battery),
    rows: rowsOf(parts),
  };
}
/** What is stored of one checkpoint: plain JSON. */
export type ParityMeasurement = Readonly<ReturnType<typeof measurementOf>>;

export function measureSubject(...given: Parameters<typeof measureParts>): ParityMeasurement {
  return measurementOf(measureParts(...given));
}

/** Of a part that is a reason instead of numbers. */
function reasonIn(part: object | null): string[] {
  return part !== null && 'reason' in part && typeof part.reason === 'string' ? [part.reason] : [];
}

function battery({ template, prompts, moduli, positions, stages }: ContextNumbers) {
  return { template, prompts, moduli, positions, stages };
}
/** What was asked of one template, and where. */
export type AskedTemplate = Readonly<ReturnType<typeof battery>>;

export interface TokenPart {
  readonly options: Pick<MeasureOptions, 'relabellings' | 'contextRelabellings' | 'valuePermutations'>;
  /** of the fits; added to */
  readonly counts: FitCounts;
  readonly rng: MeasureContext['rng'];
  readonly tick: () => void;
}

/** What is asked of the number embeddings alone: the only part of a measurement whose findings have a p in one run. */
export function tokenPart(
  subject: ProbeSubject,
  weights: Weights,
  gpt: GptConfig,
  { options, counts, rng, tick }: TokenPart,
) {
  const own: TokenOptions = { ...options, rng: (test) => rng(STREAM[weights] + test), tick };
  const rows = numberRows(subject, weights, gpt);
  return nineDigits({
    ...tokenNumbers(rows, own, counts),
    power: powerNumbers(rows, options.relabellings, () => own.rng(POWER_TEST)),
  });
}
export type EmbeddingNumbers = Readonly<ReturnType<typeof tokenPart>>;

/** Power at k = n/2 in octaves above isotropic, with the null of every labelling into equal halves; or why there is none. */
function powerNumbers(rows: Matrix, sampled: number, rng: () => Rng) {
  if (squaredNorm(centred(rows)) === 0) return { reason: 'all embeddings of the numbers are equal' };
  const found = parityPower(rows, { rng, sampled });
  if (found.kind === 'not defined') return { reason: found.reason };
  const { power, share, test } = found;
  // isotropic up to rounding is isotropic
  const octaves = (value: number): number => (Math.abs(value) < 1e-12 ? 0 : value);
  const { p, midP, labellings, exact } = test;
  const null95 = octaves(logDeterministic((rows.rows - 1) * test.null95) / Math.LN2);
  return { power: octaves(power), share, p, midP, null95, labellings, exact };
}

type Weights = 'trained' | 'untrained';

/** The rows of the token embedding that stand for numbers, float64 [n, C]. */
function numberRows(
  { config, parameters, untrainedParameters }: ProbeSubject,
  weights: Weights,
  gpt: GptConfig,
): Matrix {
  const n = config.data.modulus;
  const arena = weights === 'trained' ? parameters : untrainedParameters;
  const all = parameterView(parameterTable(gpt), arena, TOKEN_EMBEDDING);
  const first = vocabularyOf(config.data).firstNumber * gpt.dModel;
  return matrix(n, gpt.dModel, all.subarray(first, first + n * gpt.dModel));
}
