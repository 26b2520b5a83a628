/** Runs on disk: what other parts of the program use of this folder. */
export {
  parseCheckpointAddress,
  resolveCheckpoints,
  selectSteps,
  type CheckpointAddress,
  type StepSelection,
} from './address.js';
export { listRuns, RUN_STATUSES, type ListedRun, type RunStatus } from './list.js';
export { checkRunName, END_REASONS, type EndReason, type RunEnd } from './run-files.js';
export { createOrOpenRun, openRun } from './open-run.js';
export { RunStore, type LoadedStep, type PassedOver, type ResumePoint } from './run-store.js';
export { finding, findingLine, type Finding, type FindingKind } from './finding.js';
export { checkLeftovers, verifyRun } from './verify.js';
export { cutTail, moveAside, moveFileAside, rebuiltManifest, restoreManifest } from './mend.js';
export { loadWeightsFile, type WeightsFile } from './weights-file.js';
export { LockedError } from '../io/lock.js';
