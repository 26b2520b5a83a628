/**
 * Which checkpoints may stand beside each other. Vocabulary, context length and modulus change what the tokens and
 * positions are, so models that differ in them are not compared. A hold-out changes the learning problem, and so do the
 * lines of a file: they are shown together, and differences are taken within one regime and one source of examples.
 */
import { operationsOf } from '../../config/gpt-config-of.js';
import type { RunConfig } from '../../config/run-config.js';
import { UserError } from '../../errors.js';
import type { CheckpointRef } from './probe-plan.js';

interface Field {
  readonly name: string;
  readonly value: (config: RunConfig) => string;
  /** short form for the message */
  readonly show: (config: RunConfig) => string;
}

const plain = (name: string, of: (config: RunConfig) => number): Field => ({
  name,
  value: (config) => String(of(config)),
  show: (config) => String(of(config)),
});

/** A difference in any of these refuses a comparison. */
const SAME_FIELDS: readonly Field[] = [
  {
    name: 'vocabulary',
    value: (config) => [config.data.notation ?? '', ...operationsOf(config)].join(' '),
    show: (config) =>
      `${operationsOf(config).length} operations${config.data.notation === undefined ? '' : ", authors' notation"}`,
  },
  plain('modulus', (config) => config.data.modulus),
  plain('nCtx', (config) => config.model.nCtx),
];

/** Where the examples of a run come from, by content. */
function sourceOf({ data: { file } }: RunConfig): string {
  return file === undefined ? 'generated' : `${file.sha256} ${file.kept} ${file.heldFraction}`;
}

function sourceText({ data: { file } }: RunConfig): string {
  return file === undefined
    ? 'generated'
    : `${file.kept} lines of ${file.name} (SHA-256 ${file.sha256.slice(0, 12)})`;
}

/** `modulus: 7 (run-a@100), 10 (run-b@100)` for every field in which checkpoints are unlike. */
function unlikeFields(refs: readonly CheckpointRef[]): string[] {
  return SAME_FIELDS.flatMap(({ name, value, show }) => {
    const first = new Map<string, CheckpointRef>();
    for (const ref of refs) if (!first.has(value(ref.config))) first.set(value(ref.config), ref);
    if (first.size < 2) return [];
    return [
      `${name}: ${[...first.values()].map((ref) => `${show(ref.config)} (${ref.subject.id})`).join(', ')}`,
    ];
  });
}

export function isComparable(refs: readonly CheckpointRef[]): boolean {
  return unlikeFields(refs).length === 0;
}

/** @throws UserError naming the fields, when the checkpoints cannot be compared */
export function checkComparable(refs: readonly CheckpointRef[]): void {
  const unlike = unlikeFields(refs);
  if (unlike.length === 0) return;
  throw new UserError(
    `compare: found checkpoints of different ${unlike.join('; ')}; expected one of each. Compare those that agree, or see them beside each other with "sumlens probe all".`,
  );
}

/** Sentences for the report where unlike checkpoints are shown together; sorted. */
export function comparabilityNotes(refs: readonly CheckpointRef[]): string[] {
  const unlike = unlikeFields(refs).map(
    (text) => `Unlike checkpoints, shown beside each other and not subtracted: ${text}.`,
  );
  const regimes = [...new Set(refs.map(({ config }) => config.data.regime))].sort();
  const sources = new Map(refs.map(({ config }) => [sourceOf(config), sourceText(config)]));
  const notes = [...unlike];
  if (sources.size > 1) {
    notes.push(
      `Examples are ${[...sources.values()].sort().join(' and ')}: different learning problems, and differences are ` +
        `taken within one of them only.`,
    );
  }
  if (regimes.length < 2) return notes;
  return [
    ...notes,
    `Regimes ${regimes.join(' and ')} are different learning problems: differences are taken within a regime only.`,
  ];
}
