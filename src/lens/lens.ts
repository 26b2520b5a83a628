/**
 * A lens on one model: prompts, runs with capture and interventions, logit lens, attribution, attention patterns, patching,
 * ablation, steering, generation. Over the engine contract alone, so that every engine and a browser can have it.
 */
import type { Model } from '../engine/engine.js';
import type { DataConfig } from '../listops/data-config.js';
import { oldestVocabulary } from '../listops/language/operations.js';
import { type Vocabulary, vocabularyOf } from '../listops/language/tokenizer.js';
import { activationName } from '../model/activations.js';
import { type AblateOptions, ablatePrompts } from './ablate.js';
import {
  type Attribution,
  type AttributionOptions,
  type AttributionTarget,
  attributionOf,
} from './attribution.js';
import { type GenerateOptions, type GeneratedToken, generateAnswer } from './generate.js';
import { type LogitLens, logitLensOf } from './logit-lens.js';
import {
  METRICS,
  type Metric,
  type MetricName,
  type PatchCell,
  type PatchResult,
  type PromptPair,
  answerOf,
  patchCells,
} from './patch.js';
import { type Path, patchPaths } from './path.js';
import { type Prompt, type PromptOptions, createPromptReader } from './prompt.js';
import { createReadout } from './readout.js';
import { type LensRun, type RunOptions, activationsOf, offsetsOf, rowOf, runPrompts } from './run.js';
import { type SteerOptions, steering } from './steer.js';

/** A prompt, or what one is read from: an expression as text, or token ids. */
export type Asked = string | ArrayLike<number> | Prompt;

export interface Attributed {
  /** which logits are explained; default the right answer's. A list of tokens and factors makes a difference */
  readonly of?: 'answer' | ReadonlyMap<number, number>;
  /** of every prompt; default the last */
  readonly position?: number;
}

export interface Pattern {
  readonly layer: number;
  readonly head: number;
  /** [T, T] row-major (query, key); rows sum to 1 */
  readonly weights: Float32Array;
}

export interface Lens {
  readonly model: Model;
  readonly vocabulary: Vocabulary;
  /** @throws UserError in one line for what cannot be read */
  prompt(asked: Asked, options?: PromptOptions): Prompt;
  /** [T] token ids */
  tokens(asked: Asked, options?: PromptOptions): Int32Array;
  /** one forward pass over one or many prompts; logits at every position */
  run(asked: Asked | readonly Prompt[], options?: RunOptions): LensRun;
  logitLens(run: LensRun, rows?: readonly number[]): LogitLens;
  attribution(run: LensRun, options?: Attributed & AttributionOptions): Attribution;
  /** of one prompt of a run */
  patterns(run: LensRun, prompt?: number): Pattern[];
  /** [cells] activation patching of one or many pairs */
  patch(
    pairs: PromptPair | readonly PromptPair[],
    cells: readonly PatchCell[],
    metric?: MetricName | Metric,
  ): PatchResult;
  /** path patching */
  patchPaths(
    pairs: PromptPair | readonly PromptPair[],
    paths: readonly Path[],
    metric?: MetricName | Metric,
  ): PatchResult;
  ablate(prompts: readonly Prompt[], options: AblateOptions): LensRun;
  steer(asked: Asked | readonly Prompt[], options: SteerOptions): LensRun;
  generate(asked: Asked, options?: GenerateOptions): GeneratedToken[];
}

export interface LensConfig {
  readonly data: DataConfig;
  /** operations of the run's vocabulary; absent: those of the oldest that holds the tasks */
  readonly vocabulary?: readonly string[];
}

/** @param config - the run's: data and vocabulary are read */
export function openLens(model: Model, { data, vocabulary }: LensConfig): Lens {
  const vocab = vocabularyOf(data, vocabulary ?? oldestVocabulary(data.tasks));
  const reader = createPromptReader(data, vocab, model.config.nCtx);
  const parameters = model.getParameters();
  const readout = createReadout(model.config, parameters);
  const prompt = (asked: Asked, options?: PromptOptions): Prompt =>
    isPrompt(asked) ? asked : reader.read(asked, options);
  const prompts = (asked: Asked | readonly Prompt[]): readonly Prompt[] =>
    isPromptList(asked) ? asked : [prompt(asked)];
  const pairList = (pairs: PromptPair | readonly PromptPair[]): readonly PromptPair[] =>
    'clean' in pairs ? [pairs] : pairs;
  const metricOf = (metric: MetricName | Metric = 'logit difference'): Metric =>
    typeof metric === 'string' ? METRICS[metric] : metric;

  return {
    model,
    vocabulary: vocab,
    prompt,
    tokens: (asked, options) => prompt(asked, options).tokens,
    run: (asked, options) => runPrompts(model, prompts(asked), options),
    logitLens: (run, rows) => logitLensOf(model, run, rows),
    attribution(run, { of = 'answer', position = -1, ...options } = {}) {
      // one map a token: what depends on it alone is then made once
      const answers = Array.from({ length: model.config.dVocab }, (_, token) => new Map([[token, 1]]));
      const targets = run.prompts.map((own, p): AttributionTarget => ({
        row: rowOf(run, p, position),
        of: of === 'answer' ? answers[answerOf(own)] : of,
      }));
      return attributionOf(model, parameters, readout, run, targets, options);
    },
    patterns(run, p = 0) {
      const { nLayers, nHeads } = model.config;
      const names = Array.from({ length: nLayers }, (_, layer) => activationName('attn.pattern', layer));
      const found = activationsOf(model, run, names);
      const lengths = Array.from(run.offsets.subarray(1), (end, s) => end - run.offsets[s]);
      const start = lengths.slice(0, p).reduce((sum, length) => sum + nHeads * length * length, 0);
      const size = lengths[p] * lengths[p];
      return names.flatMap((name, layer) =>
        Array.from({ length: nHeads }, (_, head) => {
          const all = found.get(name);
          if (all === undefined) throw new RangeError(`The engine did not return ${name}.`);
          return { layer, head, weights: all.slice(start + head * size, start + (head + 1) * size) };
        }),
      );
    },
    patch: (pairs, cells, metric) => patchCells(model, pairList(pairs), cells, metricOf(metric)),
    patchPaths: (pairs, paths, metric) => patchPaths(model, pairList(pairs), paths, metricOf(metric)),
    ablate: (asked, options) => ablatePrompts(model, asked, options),
    steer(asked, options) {
      const list = prompts(asked);
      const interventions = [steering(offsetsOf(list), options)];
      return runPrompts(model, list, { capture: options.capture ?? [], interventions });
    },
    generate: (asked, options) => generateAnswer(model, reader, prompt(asked), options),
  };
}

const isPrompt = (asked: Asked | readonly Prompt[]): asked is Prompt =>
  typeof asked === 'object' && 'kinds' in asked;

const isPromptList = (asked: Asked | readonly Prompt[]): asked is readonly Prompt[] =>
  Array.isArray(asked) && asked.length > 0 && isPrompt(asked[0] as Asked);
