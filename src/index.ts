/** Public API of the library: re-exports only. */
export { UserError, RunError } from './errors.js';
export { openEngine } from './engine/registry.js';
export type { Engine, Model, Batch, Intervention, ForwardResult } from './engine/engine.js';
export type { RunConfig } from './config/run-config.js';
export { resolveRunConfig } from './config/parse.js';
export { gptConfigOf } from './config/hash.js';
export { getPreset, PRESET_NAMES, type Preset } from './config/presets.js';
export {
  parameterTable,
  parameterView,
  POSITION_EMBEDDING,
  TOKEN_EMBEDDING,
  UNEMBEDDING,
} from './model/parameters.js';
export { vocabularyOf } from './listops/tokenizer.js';
export { Rng } from './tensor/rng.js';
export { train } from './train/train.js';
export type { TrainOptions, TrainOutcome } from './train/train-run.js';
export { listRuns, openRun, type RunStore } from './checkpoint/store.js';
export {
  loadCheckpoint,
  loadCheckpoints,
  runProbe,
  type Checkpoint,
  type LoadOptions,
  type RunProbeOptions,
} from './workflows/library.js';
export { exportCheckpoint, type ExportedCheckpoint } from './workflows/export-checkpoint.js';
export {
  importCheckpoint,
  type ImportedCheckpoint,
  type ImportOptions,
} from './workflows/import-checkpoint.js';
export { PROBES } from '../probes/index.js';
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
export { probeAndReport, type ProbeJobOptions, type ProbeJobResult } from './workflows/probe-job.js';
export { mainJob, type MainJobOptions, type MainJobResult } from './workflows/main-job.js';
export { writeReport, type WrittenReport } from './report/write.js';
export { parseReport } from './report/parse-report.js';
export type { ChartSpec, Finding, Json, ModuleReport, Report, Subject } from './report/schema.js';
