/** Puts a report together: subjects, learning curves, modules, provenance. No clock, host or path enters it. */
import type { Measured } from '../../../probes/contract.js';
import { learning, type LearningMeasurement } from '../../../probes/learning.js';
import { openRun } from '../../checkpoint/store.js';
import { distinguishingLabels } from '../../config/names.js';
import type { RunConfig } from '../../config/run-config.js';
import { canonicalClaims, claimById, LEARNED_ACCURACY } from '../../evidence/claims-file.js';
import { decideClaims } from '../../evidence/decide.js';
import { type Evidence, evidenceOf } from '../../evidence/evidence.js';
import type { Finding } from '../../evidence/finding.js';
import { moduleFindings } from '../../evidence/findings.js';
import type { StatisticInfo } from '../../evidence/statistic.js';
import { canonicalJson } from '../../io/json.js';
import { sha256Hex } from '../../io/sha256.js';
import { fileNote, mutualInformationNotes } from '../../listops/sampling/data-notes.js';
import type { Json, ModuleReport, Report, TrainingRecord } from '../../report/schema.js';
import { type MetricRow, parseMetricRows } from '../../train/metrics.js';
import { readTraining } from '../../train/read-training.js';
import { combineMeasurements } from '../probing/combine-measurements.js';
import type { ModuleOutcome } from '../probing/combine-module.js';
import { comparabilityNotes } from '../probing/comparable.js';
import { lineNotes } from './line-notes.js';
import { type NotGiven, notGivenNotes, notGivenRows } from '../probing/not-given.js';
import type { CheckpointRef } from '../probing/probe-plan.js';

export interface ReportInput {
  readonly title: string;
  readonly version: string;
  readonly refs: readonly CheckpointRef[];
  readonly kind: Report['kind'];
  /** what the reader is told beside the title */
  readonly notes?: string | undefined;
  /** the command line that makes this report */
  readonly command?: string | undefined;
  /** what a shipped plan of runs came to */
  readonly beside?: Report['beside'];
  /** runs of the same conditions that exist and were left out */
  readonly notGiven?: NotGiven | undefined;
  /** left out on purpose: then nothing is claimed */
  readonly subset?: boolean | undefined;
  readonly modules: readonly (Pick<ModuleOutcome, 'report' | 'observations' | 'further'> & {
    readonly name: string;
  })[];
}

/** Subjects with labels that tell exactly the conditions compared apart. */
export function labelRefs(refs: readonly CheckpointRef[]): CheckpointRef[] {
  const labels = distinguishingLabels(refs.map((ref) => ref.config));
  return refs.map((ref, i) => ({ ...ref, subject: { ...ref.subject, label: labels[i] } }));
}

export function buildReport(input: ReportInput): Report {
  const { kind, title, notes, command, version, refs, modules } = input;
  const { notGiven = new Map(), subset = false } = input;
  const byRun = new Map(refs.map((ref) => [ref.subject.run, ref]));
  const { training, logs, imported, engines } = trainingOf(refs);
  const all = [learningModule(refs, logs), ...modules];
  const subjects = refs.map(({ subject }) => subject);
  const observations = [
    ...all.flatMap((module) => module.observations),
    ...notGivenRows(subjects, notGiven, subset),
  ];
  const statistics = new Map(
    all.flatMap(({ name, report }) =>
      report.statistics.map((info): [string, StatisticInfo] => [`${name}/${info.id}`, info]),
    ),
  );
  const evidence = evidenceOf(subjects, observations, statistics);
  const configs = new Map<string, RunConfig>([...byRun].map(([run, ref]) => [run, ref.config]));
  return {
    schemaVersion: 2,
    kind,
    title,
    ...(notes === undefined ? {} : { notes }),
    subjects,
    observations,
    claims: decideClaims(evidence),
    ...(input.beside === undefined ? {} : { beside: input.beside }),
    training,
    modules: Object.fromEntries(
      all.map(({ name, report, further }) => [name, withFindings(name, report, further, evidence)]),
    ),
    provenance: {
      version,
      ...(command === undefined ? {} : { command }),
      claimsSha256: sha256Hex(canonicalClaims()),
      configs: Object.fromEntries([...configs].map(([run, config]) => [run, config as unknown as Json])),
      engines,
      dataNotes: [
        ...notGivenNotes(subjects, notGiven, subset),
        ...comparabilityNotes(refs),
        ...dataNotes([...configs.values()]),
        ...[...logs].flatMap(([run, rows]) => lineNotes(run, rows)),
        ...imported.map(
          (run) => `Imported, not trained here, and not counted among what was learned: ${run}.`,
        ),
      ],
    },
  };
}

/** What the logs of the runs say. */
export interface TrainingLogs {
  readonly training: readonly TrainingRecord[];
  /** of runs that were trained here, by name */
  readonly logs: ReadonlyMap<string, readonly MetricRow[]>;
  readonly imported: readonly string[];
  /** by run */
  readonly engines: Readonly<Record<string, readonly string[]>>;
}

export function trainingOf(refs: readonly CheckpointRef[]): TrainingLogs {
  const byRun = new Map(refs.map((ref) => [ref.subject.run, ref]));
  const training: TrainingRecord[] = [];
  const logs = new Map<string, readonly MetricRow[]>();
  const imported: string[] = [];
  const engines: Record<string, readonly string[]> = {};
  for (const [run, { source, config, subject }] of byRun) {
    if (source.kind === 'file') {
      engines[run] = ['unknown: a weights file without the log of its training'];
      continue;
    }
    const store = openRun(source.dir);
    const rows = parseMetricRows(store.readMetrics(), `${run}/metrics.jsonl`);
    training.push({
      ...readTraining(run, config, rows, store.end()?.reason ?? 'running'),
      label: subject.label,
    });
    engines[run] = [...new Set(store.readSessions().map(engineOf))];
    // its configuration is what was said of it, and nobody saw how it learned
    if (subject.design.trainedHere) logs.set(run, rows);
    else imported.push(run);
  }
  return { training, logs, imported, engines };
}

/** The findings of a module: those of its statistics, and its own. */
function withFindings(
  name: string,
  report: Omit<ModuleReport, 'findings'>,
  further: readonly Finding[],
  evidence: Evidence,
): ModuleReport {
  const ids = report.statistics.map(({ id }) => `${name}/${id}`);
  const { learnedAccuracy = LEARNED_ACCURACY } = claimById('C3');
  return {
    ...report,
    findings: moduleFindings(evidence, ids, { sideBySide: true, learnedAccuracy, further }),
  };
}

/** The log of each run up to its checkpoints. */
export function measuredLearning(
  refs: readonly CheckpointRef[],
  logs: TrainingLogs['logs'],
): Measured<LearningMeasurement>[] {
  return refs.flatMap(({ subject, config }) => {
    const rows = logs.get(subject.run);
    return rows === undefined
      ? []
      : [{ subject, config, measurement: learning.measure({ subject, config, rows }) }];
  });
}

/** The module about training outcomes: of every run that was trained here. */
function learningModule(
  refs: readonly CheckpointRef[],
  logs: ReadonlyMap<string, readonly MetricRow[]>,
): ReportInput['modules'][number] {
  const measured = measuredLearning(refs, logs);
  const { name, title, question, version = 1, text } = learning;
  const { statistics, observations, further, charts } = combineMeasurements(learning, {}, measured);
  return {
    name,
    report: {
      version,
      title,
      question,
      ...(text === undefined ? {} : { text }),
      options: {},
      status: 'ok',
      leftOut: [],
      statistics,
      charts,
    },
    observations,
    further,
  };
}

/** What a sessions.jsonl line says of the engine: name, instruction set and kernels, never host or time. */
function engineOf(session: unknown): string {
  const { engine, isa, kernelHash } = session as { engine?: string; isa?: string; kernelHash?: string };
  return `${engine ?? 'unknown'} (${isa ?? '?'}), kernels ${(kernelHash ?? '').slice(0, 12)}`;
}

/** A note for each kind of data among the runs, what several of them share once; a hold-out is one kind whatever its seed. */
function dataNotes(configs: readonly RunConfig[]): string[] {
  const kinds = new Map<string, RunConfig[]>();
  for (const config of configs) {
    const key = canonicalJson({ ...config.data, holdoutSeed: 0 });
    kinds.set(key, [...(kinds.get(key) ?? []), config]);
  }
  const notes = [...kinds.values()].flatMap(
    (group) => fileNote(group[0].data) ?? mutualInformationNotes(group.map(({ data }) => data)),
  );
  return [...new Set(notes)].sort();
}
