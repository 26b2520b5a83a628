/** Public API of the library: re-exports only. */
export { UserError, RunError } from './errors.js';
export { openEngine } from './engine/registry.js';
export type { Engine, Model, Batch, Intervention, ForwardResult } from './engine/engine.js';
export type { RunConfig } from './config/run-config.js';
export { resolveRunConfig } from './config/parse.js';
export { gptConfigOf } from './config/names.js';
export { getPreset, PRESET_NAMES, type Preset } from './config/presets.js';
export {
  parameterTable,
  parameterView,
  POSITION_EMBEDDING,
  TOKEN_EMBEDDING,
  UNEMBEDDING,
} from './model/parameters.js';
export { decode, encode, vocabularyOf, type Vocabulary } from './listops/language/tokenizer.js';
export { ACTIVATIONS, activationName, activationNames, type ActivationName } from './model/activations.js';
export type { GptConfig } from './model/gpt-config.js';
export {
  openLens,
  type Asked,
  type Attributed,
  type Lens,
  type LensConfig,
  type Pattern,
} from './lens/lens.js';
export type { SteerOptions } from './lens/steer.js';
export { type Prompt, type PromptOptions, type TokenKind } from './lens/prompt.js';
export { largestAt, logitsAt, probabilitiesOf, rowOf, type LensRun, type RunOptions } from './lens/run.js';
export type { LogitLens } from './lens/logit-lens.js';
export {
  partName,
  type Attribution,
  type AttributionOptions,
  type AttributionPart,
} from './lens/attribution.js';
export {
  answerOf,
  headCells,
  METRICS,
  positionCells,
  type Metric,
  type MetricName,
  type PatchCell,
  type PatchResult,
  type PatchSite,
  type PromptPair,
} from './lens/patch.js';
export type { Path, Receiver, Sender } from './lens/path.js';
export { ABLATIONS, parsePart, partNames, type AblateOptions, type Ablation } from './lens/ablate.js';
export type { GeneratedToken, GenerateOptions } from './lens/generate.js';
export { createGenerator } from './listops/sampling/generate.js';
export { Rng } from './tensor/rng.js';
export { train } from './train/train.js';
export type { TrainOptions, TrainOutcome } from './train/train-run.js';
export { listRuns, openRun, type RunStore } from './checkpoint/store.js';
export {
  loadCheckpoint,
  loadCheckpoints,
  openModel,
  runProbe,
  type Checkpoint,
  type LoadOptions,
  type OpenModelOptions,
  type OpenedModel,
  type RunProbeOptions,
} from './workflows/library.js';
export {
  measureModule,
  observations,
  type MeasureModuleOptions,
  type ModuleResults,
  type ObservationRow,
} from './workflows/probing/module-results.js';
export { toCsv } from './evidence/table.js';
export { exportCheckpoint, type ExportedCheckpoint } from './workflows/exchange/export-checkpoint.js';
export {
  importCheckpoint,
  type ImportedCheckpoint,
  type ImportOptions,
} from './workflows/exchange/import-checkpoint.js';
export { MORE_PROBES, PROBES } from '../probes/index.js';
export type {
  Combined,
  CombineInput,
  Measured,
  MeasureContext,
  Options,
  Probe,
  ProbeOption,
  ProbeSubject,
} from '../probes/contract.js';
export type {
  NullNumbers,
  Observation,
  Statistic,
  StatisticInfo,
  StatisticRow,
  Unit,
} from './evidence/statistic.js';
export type { Scope } from './evidence/scope.js';
export { jsonArray, numberOf } from './report/report-json.js';
export { probeAndReport, type ProbeJobOptions, type ProbeJobResult } from './workflows/probing/probe-job.js';
export { mainJob, type MainJobOptions, type MainJobResult } from './workflows/main-job.js';
export { writeReport, type WrittenReport } from './report/write.js';
export { parseReport } from './report/parse-report.js';
export type { ChartSpec, Finding, Json, ModuleReport, Report, Subject } from './report/schema.js';
