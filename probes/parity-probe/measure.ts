/** Measures one checkpoint: token embeddings, residual stream, causal check. Comparing checkpoints is combine.ts. */
import { newFitCounts } from '../../src/analysis/linear-probe.js';
import { type Matrix, matrix } from '../../src/analysis/matrix.js';
import { FIRST_NUMBER } from '../../src/listops/tokenizer.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../src/model/parameters.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { describeBattery, fillFlat } from './battery.js';
import { causalNumbers } from './causal.js';
import { contextNumbers } from './context-probes.js';
import type { MeasureOptions, ParityMeasurement } from './measurement.js';
import { crossCheckNumbers, tokenNumbers, type TokenOptions } from './token-probes.js';

/** Substreams of the probe's random numbers, apart from those that tests of relabellings draw for themselves. */
const STREAM = { trained: 100, untrained: 200, prompts: 300, context: 400, causal: 900 } as const;

export function measureSubject(
  subject: ProbeSubject,
  options: MeasureOptions,
  context: MeasureContext,
): ParityMeasurement {
  const { data } = subject.config;
  const { model, engine } = context;
  const counts = newFitCounts();
  let done = 0;
  const tick = (): void => context.progress(Math.min(++done, 999), 1000);
  const tokens = (stream: number): TokenOptions => ({
    ...options,
    rng: (test) => context.rng(stream + test),
    tick,
  });
  const embedding = numberRows(subject, subject.parameters, model);
  const filled = fillFlat(data, model.config.nCtx, options.prompts, context.rng(STREAM.prompts));
  const largest = filled.at(-1);
  const untrained = engine.createModel(
    model.config,
    { parameters: subject.untrainedParameters },
    'inference',
  );
  try {
    const battery = largest === undefined ? undefined : describeBattery(data, largest);
    const part = {
      n: embedding.rows,
      d: embedding.cols,
      embedding: tokenNumbers(embedding, tokens(STREAM.trained), counts),
      untrained: tokenNumbers(
        numberRows(subject, subject.untrainedParameters, model),
        tokens(STREAM.untrained),
        counts,
      ),
      crossCheck: crossCheckNumbers(embedding, counts),
      context:
        battery === undefined
          ? null
          : contextNumbers(
              battery,
              { trained: model, untrained },
              embedding,
              {
                modulus: data.modulus,
                contextRelabellings: options.contextRelabellings,
                rng: (index) => context.rng(STREAM.context + index),
                tick,
              },
              counts,
            ),
      causal:
        battery === undefined
          ? null
          : causalNumbers({
              model,
              operation: battery.operation,
              batches: filled,
              embedding,
              draws: options.controlDraws,
              rng: context.rng(STREAM.causal),
              counts,
            }),
    };
    return {
      ...part,
      fits: {
        count: counts.fits,
        notConverged: counts.notConverged,
        mostIterations: counts.mostIterations,
      },
    };
  } finally {
    untrained.dispose();
  }
}

/** The rows of the token embedding that stand for numbers, float64 [n, C]. */
function numberRows(
  subject: ProbeSubject,
  parameters: Float32Array,
  { config }: MeasureContext['model'],
): Matrix {
  const n = subject.config.data.modulus;
  const all = parameterView(parameterTable(config), parameters, TOKEN_EMBEDDING);
  const first = FIRST_NUMBER * config.dModel;
  return matrix(n, config.dModel, all.subarray(first, first + n * config.dModel));
}
