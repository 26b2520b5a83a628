/**
 * What is to be measured: checkpoints as probe subjects, the cache key of one measurement, and the check that a
 * measurement is plain JSON. No child processes here (probe-checkpoints.ts).
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Options, Probe, ProbeOption } from '../../../probes/contract.js';
import { MORE_PROBES, PROBES } from '../../../probes/index.js';
import type { RunStore } from '../../checkpoint/store.js';
import { conditionId, conditionLabel, gptConfigOf } from '../../config/names.js';
import type { RunConfig } from '../../config/run-config.js';
import { statisticInfoSchema } from '../../evidence/statistic.js';
import { errorMessage, nearest, printable, unacceptable, UserError } from '../../errors.js';
import { canonicalJson } from '../../io/json.js';
import { sha256Hex } from '../../io/sha256.js';
import { parameterTable } from '../../model/parameters.js';
import type { Json, Subject } from '../../report/schema.js';
import { designOf } from './design.js';
import { accuracyAtStep, lastTwoAtStep } from '../../train/read-training.js';

/** Where the weights of a checkpoint lie. */
export type CheckpointSource =
  { readonly kind: 'run'; readonly dir: string } | { readonly kind: 'file'; readonly path: string };

/** A checkpoint to be probed, as found on disk and verified. */
export interface CheckpointRef {
  readonly source: CheckpointSource;
  readonly config: RunConfig;
  readonly subject: Subject;
}

/** Looks modules up by name; `all` is every module of PROBES. */
export function selectProbes(names: readonly string[]): Probe[] {
  const named = [...PROBES, ...MORE_PROBES];
  const known = named.map((probe) => probe.name);
  const chosen = names.flatMap((name) => {
    if (name === 'all') return [...PROBES];
    const probe = named.find((candidate) => candidate.name === name);
    if (probe === undefined) {
      const near = nearest(name, known);
      throw unacceptable(
        'probe',
        name,
        `one of all, ${known.join(', ')}`,
        near === undefined ? undefined : `Did you mean "${near}"?`,
      );
    }
    return [probe];
  });
  return [...new Set(chosen)];
}

/** A module by name, or from a user's own file. */
export async function loadProbe(nameOrPath: string): Promise<Probe> {
  if (!/[./\\]/.test(nameOrPath)) return selectProbes([nameOrPath])[0];
  const path = resolve(nameOrPath);
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw new UserError(
      `probe: ${nameOrPath} could not be loaded: ${errorMessage(error)}. It must be a JavaScript module.`,
    );
  }
  const lacking = whatIsMissing(module.probe);
  if (lacking !== undefined) {
    throw new UserError(
      `probe: ${nameOrPath} ${lacking}; expected the Probe contract of probes/contract.ts.`,
    );
  }
  return module.probe as Probe;
}

/** What keeps a value from being a probe module, or undefined. */
function whatIsMissing(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'has no export named "probe"';
  const probe = value as Partial<Record<keyof Probe, unknown>>;
  const texts = ['name', 'title', 'question'] as const;
  const absent = [
    ...texts.filter((text) => typeof probe[text] !== 'string'),
    ...(typeof probe.measure === 'function' ? [] : ['measure']),
    ...(Array.isArray(probe.statistics) ? [] : ['statistics']),
  ];
  if (absent.length > 0) return `has no ${absent.join(', ')}`;
  const wrong = [
    ...(['isCompatible', 'combine'] as const).filter(
      (method) => probe[method] !== undefined && typeof probe[method] !== 'function',
    ),
    ...(['options', 'text'] as const).filter(
      (field) => probe[field] !== undefined && (typeof probe[field] !== 'object' || probe[field] === null),
    ),
    ...(probe.version === undefined || Number.isInteger(probe.version) ? [] : ['version']),
  ];
  if (wrong.length > 0) return `has ${wrong.join(', ')} of the wrong type`;
  const odd = whatIsWrongWithStatistics(probe.statistics as readonly unknown[]);
  if (odd !== undefined) return odd;
  // it names folders and is a key of the report
  if (/^[a-z][a-z0-9-]{0,40}$/.test(String(probe.name))) return undefined;
  return `is named ${JSON.stringify(printable(String(probe.name)))}, which is not kebab-case`;
}

/** The statistics of a module, as far as their description goes. */
function whatIsWrongWithStatistics(statistics: readonly unknown[]): string | undefined {
  const ids = new Set<string>();
  for (const [i, statistic] of statistics.entries()) {
    if (typeof statistic !== 'object' || statistic === null) return `has statistics[${i}] that is no object`;
    const { of, ...info } = statistic as { of?: unknown };
    if (typeof of !== 'function') return `has statistics[${i}] without a function "of"`;
    const parsed = statisticInfoSchema.safeParse(info);
    if (!parsed.success) {
      const [{ path, message }] = parsed.error.issues;
      return `has statistics[${i}]${path.map((key) => `.${String(key)}`).join('')}: ${printable(message, 200)}`;
    }
    if (ids.has(parsed.data.id)) return `has two statistics named ${parsed.data.id}`;
    ids.add(parsed.data.id);
  }
  return undefined;
}

/**
 * Defaults of a module, overridden by what the user gave; an unknown option is refused.
 * @param series - take the cheaper defaults that a module declares for many steps of a run
 */
export function resolveOptions(probe: Probe, given: Options = {}, series = false): Options {
  const declared = probe.options ?? {};
  const known = Object.keys(declared);
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw unacceptable(
        `option of ${probe.name}`,
        name,
        known.length === 0 ? 'none' : `one of ${known.join(', ')}`,
      );
    }
  }
  return Object.fromEntries(
    known.map((name) => {
      const option = declared[name];
      const value = given[name] ?? (series ? (option.series ?? option.default) : option.default);
      return [name, checkedOption(`${probe.name} option ${name}`, value, option)];
    }),
  );
}

/** An option of the type of its default and, where the module declares a range, a whole number of it. */
function checkedOption(field: string, value: Json, { default: fallback, range }: ProbeOption): Json {
  if (range !== undefined) {
    const [least, most] = range;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw unacceptable(field, value, `a whole number from ${least} to ${most}`);
  }
  const kind = (one: Json): string => (Array.isArray(one) ? 'list' : one === null ? 'null' : typeof one);
  if (kind(value) !== kind(fallback)) throw unacceptable(field, value, `a ${kind(fallback)}`);
  return value;
}

/** Verifies and describes one checkpoint. The label is made distinguishing later, by labelSubjects. */
export function checkpointRef(store: RunStore, step: number | 'final' | 'last'): CheckpointRef {
  const { config } = store;
  const loaded = store.loadStep(step);
  const rows = store.readMetrics();
  const learned = lastTwoAtStep(rows, loaded.step, config);
  return {
    source: { kind: 'run', dir: store.dir },
    config,
    subject: {
      id: `${store.name}@${loaded.step}`,
      run: store.name,
      step: loaded.step,
      seed: config.seed,
      condition: conditionId(config),
      label: conditionLabel(config),
      parameters: parameterTable(gptConfigOf(config)).nParameters,
      weightsSha256: loaded.weightsSha256,
      final: loaded.step === finalStepOf(store),
      accuracy: accuracyAtStep(rows, loaded.step) ?? null,
      ...(learned !== undefined && { learned }),
      design: designOf(config, store.end()?.reason ?? 'running', !isImported(store)),
    },
  };
}

/** What a run was made by: an imported one has no log of its training. */
function isImported(store: RunStore): boolean {
  return store.readSessions().some((session) => (session as { engine?: unknown }).engine === 'imported');
}

/** Where a run ended for good; the last finite checkpoint of a diverged one. Undefined while it has not ended. */
function finalStepOf(store: RunStore): number | undefined {
  const end = store.end();
  return end === undefined || end.reason === 'interrupted' ? undefined : store.finalStep();
}

/** Sorted by condition label, seed and step, so that the order in which checkpoints were named changes nothing. */
export function sortRefs(refs: readonly CheckpointRef[]): CheckpointRef[] {
  const seen = new Set<string>();
  const unique = refs.filter(({ subject }) => {
    const key = `${subject.id} ${subject.weightsSha256}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const byId = new Map<string, string>();
  for (const { subject } of unique) {
    if (byId.has(subject.id)) {
      throw new UserError(
        `checkpoints: ${subject.id} was given twice with different weights (${byId.get(subject.id)?.slice(0, 12) ?? ''} and ${subject.weightsSha256.slice(0, 12)}); compare copies of one run separately.`,
      );
    }
    byId.set(subject.id, subject.weightsSha256);
  }
  const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return unique.sort(
    (a, b) =>
      text(a.subject.label, b.subject.label) ||
      text(a.subject.condition, b.subject.condition) ||
      a.subject.seed - b.subject.seed ||
      a.subject.step - b.subject.step ||
      text(a.subject.id, b.subject.id),
  );
}

export interface Copy {
  readonly subject: string;
  readonly reason: string;
}

/**
 * Sets aside further checkpoints with the condition, seed, step and weights of another, such as an import of a run beside
 * the run: counted as seeds they would narrow every interval. The one that has learned on record stays, else the first.
 * @param refs - sorted by sortRefs; what stays keeps this order
 */
export function withoutCopies(refs: readonly CheckpointRef[]): {
  readonly refs: CheckpointRef[];
  readonly copies: Copy[];
} {
  const groups = new Map<string, CheckpointRef[]>();
  for (const ref of refs) {
    const { condition, seed, step, weightsSha256 } = ref.subject;
    const key = `${condition} ${seed} ${step} ${weightsSha256}`;
    groups.set(key, [...(groups.get(key) ?? []), ref]);
  }
  const copies = new Map<CheckpointRef, Copy>();
  for (const group of groups.values()) {
    const kept = group.find(({ subject }) => subject.learned !== undefined) ?? group[0];
    for (const ref of group) {
      if (ref === kept) continue;
      const reason = `the same weights, condition, seed and step as ${kept.subject.id}: a copy is no further seed`;
      copies.set(ref, { subject: ref.subject.id, reason });
    }
  }
  return { refs: refs.filter((ref) => !copies.has(ref)), copies: [...copies.values()] };
}

/** Hash of everything one measurement depends on. */
export function measurementKey(
  probe: { readonly name: string; readonly version?: number },
  options: Options,
  ref: CheckpointRef,
  engine: { readonly name: string; readonly kernelHash: string },
  /** of module-code.ts: a user's own module may change without its version */
  codeSha256?: string,
): string {
  const { subject, config } = ref;
  return sha256Hex(
    canonicalJson({
      probe: probe.name,
      version: probe.version ?? 1,
      ...(codeSha256 === undefined ? {} : { code: codeSha256 }),
      options,
      weights: subject.weightsSha256,
      // the label depends on what is compared with what, the measurement does not
      subject: { ...subject, label: '', design: undefined },
      config,
      engine: engine.name,
      kernels: engine.kernelHash,
    }),
  );
}

/** Throws naming the first place of a value that is not plain JSON with finite numbers. */
export function checkPlainJson(value: unknown, where: string): asserts value is Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return;
    throw new TypeError(`${where} is ${value}; write non-finite numbers as strings`);
  }
  if (Array.isArray(value)) {
    value.forEach((item, i) => checkPlainJson(item, `${where}[${i}]`));
    return;
  }
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) checkPlainJson(item, `${where}.${key}`);
    }
    return;
  }
  throw new TypeError(
    `${where} is a ${typeof value === 'object' ? value.constructor.name : typeof value}, not plain JSON`,
  );
}
