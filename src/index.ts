/** Public API of the library: re-exports only. */
export { UserError, RunError, DivergedError } from './errors.js';
export { openEngine } from './engine/registry.js';
export type { Engine, Model, Batch, Intervention, ForwardResult } from './engine/engine.js';
export type { RunConfig } from './config/run-config.js';
export { resolveRunConfig } from './config/parse.js';
export { getPreset } from './config/presets.js';
export { train } from './train/train.js';
export { openRun as loadCheckpoint, openRun } from './checkpoint/store.js';
export { PROBES } from '../probes/index.js';
export type { Probe, ProbeSubject, MeasureContext } from '../probes/contract.js';
export { probeAndReport as runProbe, probeAndReport } from './workflows/probe-job.js';
export { mainJob } from './workflows/main-job.js';
export { writeReport } from './report/write.js';
export type { Report, Finding, ChartSpec, Subject } from './report/schema.js';
