/** Puts a report together: subjects, learning curves, modules, provenance. No clock, host or path enters it. */
import { canonicalClaims } from '../analysis/claims.js';
import { distinguishingLabels } from '../config/hash.js';
import type { RunConfig } from '../config/run-config.js';
import { canonicalJson } from '../io/json.js';
import { sha256Hex } from '../io/sha256.js';
import { openRun } from '../checkpoint/store.js';
import { fileNote, mutualInformationNotes } from '../listops/data-notes.js';
import { gptConfigOf } from '../config/hash.js';
import { parameterTable } from '../model/parameters.js';
import type { Json, ModuleReport, Report, Subject, TrainingRecord } from '../report/schema.js';
import { readTraining } from '../train/read-training.js';
import { parseMetricRows } from '../train/metrics.js';
import { comparabilityNotes } from './comparable.js';
import { joinBudgets, joinClaimParts } from './joined-claims.js';
import { learningModule } from './learning.js';
import type { TrainedRun } from './trained-run.js';
import { lineNotes } from './line-notes.js';
import type { CheckpointRef } from './probe-plan.js';

export interface ReportInput {
  readonly title: string;
  readonly version: string;
  readonly refs: readonly CheckpointRef[];
  readonly modules: Readonly<Record<string, ModuleReport>>;
}

/** Subjects with labels that tell exactly the conditions compared apart. */
export function labelRefs(refs: readonly CheckpointRef[]): CheckpointRef[] {
  const labels = distinguishingLabels(refs.map((ref) => ref.config));
  return refs.map((ref, i) => ({ ...ref, subject: { ...ref.subject, label: labels[i] } }));
}

export function buildReport({ title, version, refs, modules }: ReportInput): Report {
  const byRun = new Map(refs.map((ref) => [ref.subject.run, ref]));
  const training: TrainingRecord[] = [];
  const trained: TrainedRun[] = [];
  const imported: string[] = [];
  const engines: Record<string, readonly string[]> = {};
  for (const [run, { source, config, subject }] of byRun) {
    if (source.kind === 'file') {
      engines[run] = ['unknown: a weights file without the log of its training'];
      continue;
    }
    const store = openRun(source.dir);
    const rows = parseMetricRows(store.readMetrics(), `${run}/metrics.jsonl`);
    const end = store.end()?.reason ?? 'running';
    training.push({
      ...readTraining(run, config, rows, end),
      label: subject.label,
    });
    const { nParameters } = parameterTable(gptConfigOf(config));
    const sessions = store.readSessions();
    engines[run] = [...new Set(sessions.map(engineOf))];
    // its configuration is what was said of it, and nobody saw how it learned
    if (sessions.some(isImported)) {
      imported.push(run);
      continue;
    }
    trained.push({
      id: run,
      config,
      label: subject.label,
      parameters: nParameters,
      rows,
      ended: end !== 'running' && end !== 'interrupted',
    });
  }
  const configs = new Map<string, RunConfig>([...byRun].map(([run, ref]) => [run, ref.config]));
  return {
    schemaVersion: 1,
    title,
    subjects: refs.map((ref): Subject => ref.subject),
    training,
    modules: { learning: learningModule(trained), ...joinBudgets(joinClaimParts(modules)) },
    provenance: {
      version,
      claimsSha256: sha256Hex(canonicalClaims()),
      configs: Object.fromEntries([...configs].map(([run, config]) => [run, config as unknown as Json])),
      engines,
      dataNotes: [
        ...comparabilityNotes(refs),
        ...dataNotes([...configs.values()]),
        ...trained.flatMap(({ id, rows }) => lineNotes(id, rows)),
        ...imported.map(
          (run) => `Imported, not trained here, and not counted among what was learned: ${run}.`,
        ),
      ],
    },
  };
}

/** What a sessions.jsonl line says of the engine: name, instruction set and kernels, never host or time. */
function engineOf(session: unknown): string {
  const { engine, isa, kernelHash } = session as { engine?: string; isa?: string; kernelHash?: string };
  return `${engine ?? 'unknown'} (${isa ?? '?'}), kernels ${(kernelHash ?? '').slice(0, 12)}`;
}

/** A session line that import wrote. */
const isImported = (session: unknown): boolean => (session as { engine?: unknown }).engine === 'imported';

/** One note for each kind of data among the runs; a hold-out is one kind whatever its seed. */
function dataNotes(configs: readonly RunConfig[]): string[] {
  const kinds = new Map<string, RunConfig[]>();
  for (const config of configs) {
    const key = canonicalJson({ ...config.data, holdoutSeed: 0 });
    kinds.set(key, [...(kinds.get(key) ?? []), config]);
  }
  return [...kinds.values()]
    .flatMap((group) => fileNote(group[0].data) ?? mutualInformationNotes(group.map(({ data }) => data)))
    .sort();
}
