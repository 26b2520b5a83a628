/**
 * The tidy table as text: one row for each number of a checkpoint, with all that says what the number is of. A table
 * written and read again gives the same subjects, observations and verdicts.
 */
import { csvFormatRows, csvParseRows } from 'd3-dsv';
import { printable, UserError } from '../errors.js';
import type { Evidence } from './evidence.js';
import { EVALUATION } from './ladders.js';
import { NUMERIC_SCOPE_KEYS, SCOPE_KEYS, type Scope, type ScopeKey } from './scope.js';
import { nullSchema, type NullNumbers, type Observation, observationSchema } from './statistic.js';
import { type Design, designSchema, type Subject, subjectSchema } from './subject.js';

type Cell = string | number | boolean;

/** Columns that say which checkpoint a row is of, how to write them and how to read them back. */
const DESIGN_KEYS = Object.keys(designSchema.shape) as readonly (keyof Design)[];
const SUBJECT_KEYS = [
  'run',
  'step',
  'seed',
  'condition',
  'label',
  'parameters',
  'weightsSha256',
  'final',
] as const;
const NULL_KEYS = Object.keys(nullSchema.shape) as readonly (keyof NullNumbers)[];

/** A cell is read as what its column holds. */
const SHAPE = { ...subjectSchema.shape, ...designSchema.shape };

/** Accuracy at the checkpoint, and the smaller of its last two evaluations, are rows of these names. */
export const ACCURACY = 'learning/accuracy';
export const LESSER_ACCURACY = 'learning/lesser-accuracy';

export const COLUMNS: readonly string[] = [
  'subject',
  ...SUBJECT_KEYS,
  ...DESIGN_KEYS,
  'statistic',
  ...SCOPE_KEYS.map((key) => `scope.${key}`),
  'value',
  ...NULL_KEYS.map((key) => `null.${key}`),
  'control',
  'examples',
];

/**
 * Rows of a table, cells in the order of COLUMNS; an absent number is undefined. A subject without observations has one row,
 * without statistic and value.
 */
export function tableRows({
  subjects,
  observations,
}: Pick<Evidence, 'subjects' | 'observations'>): (Cell | undefined)[][] {
  const heads = new Map(subjects.map((subject) => [subject.id, headOf(subject)]));
  const seen = new Set(observations.map(({ subject }) => subject));
  const empty = COLUMNS.slice(1 + SUBJECT_KEYS.length + DESIGN_KEYS.length).map(() => undefined);
  // a checkpoint that nothing was measured of counts among the runs all the same
  const unmeasured = subjects
    .filter(({ id }) => !seen.has(id))
    .map((subject): (Cell | undefined)[] => [...headOf(subject), ...empty]);
  const measured = observations.map(({ subject, statistic, scope, value, null: own, control, examples }) => {
    const head = heads.get(subject);
    if (head === undefined)
      throw new Error(`table: found an observation of ${subject}, which is no subject.`);
    return [
      ...head,
      statistic,
      ...SCOPE_KEYS.map((key) => scope[key]),
      value,
      ...NULL_KEYS.map((key) => own?.[key]),
      control,
      examples,
    ];
  });
  return [...measured, ...unmeasured];
}

function headOf(subject: Subject): Cell[] {
  const { design } = subject;
  return [
    subject.id,
    ...SUBJECT_KEYS.map((key) => subject[key]),
    ...DESIGN_KEYS.map((key): Cell => {
      const value = design[key];
      return Array.isArray(value) ? value.join('+') : value;
    }),
  ];
}

/** CSV (RFC 4180, \n): header, then one line an observation. */
export function toCsv(evidence: Pick<Evidence, 'subjects' | 'observations'>): string {
  const rows = tableRows(evidence).map((row) => row.map((cell) => (cell === undefined ? '' : String(cell))));
  return `${csvFormatRows([[...COLUMNS], ...rows])}\n`;
}

/**
 * Subjects and observations of a CSV that toCsv wrote; further columns are left alone.
 * @param where - file name for messages
 * @throws UserError naming the line and column
 */
export function fromCsv(text: string, where: string): Pick<Evidence, 'subjects' | 'observations'> {
  const [header, ...lines] = parseCsv(text, where);
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    throw new UserError(
      `${printable(where, 300)}: found no column ${missing.slice(0, 3).join(', ')}; expected the columns that "sumlens report --csv" writes.`,
    );
  }
  const at = new Map(header.map((name, i) => [name, i]));
  const subjects = new Map<string, Subject>();
  const observations: Observation[] = [];
  lines.forEach((cells, i) => {
    const line = `${printable(where, 300)}: row ${i + 2}`;
    const text = (column: string): string => cells[at.get(column) ?? -1] ?? '';
    const number = (column: string): number => {
      const value = Number(text(column));
      if (text(column) === '' || !Number.isFinite(value)) {
        throw new UserError(`${line}: ${column}: found "${printable(text(column))}", expected a number.`);
      }
      return value;
    };
    const optional = (column: string): number | undefined =>
      text(column) === '' ? undefined : number(column);
    const id = text('subject');
    if (!subjects.has(id)) subjects.set(id, subjectOf(id, text, number, line));
    if (text('statistic') === '' && text('value') === '') return;
    const observation = observationSchema.safeParse(
      withoutUndefined({
        subject: id,
        statistic: text('statistic'),
        scope: scopeOf(text, number),
        value: number('value'),
        null:
          text('null.mean') === ''
            ? undefined
            : withoutUndefined(Object.fromEntries(NULL_KEYS.map((key) => [key, optional(`null.${key}`)]))),
        control: optional('control'),
        examples: optional('examples'),
      }),
    );
    if (!observation.success) throw refusal(line, observation.error.issues[0]);
    observations.push(observation.data);
  });
  return { subjects: withAccuracies([...subjects.values()], observations), observations };
}

function refusal(
  line: string,
  issue: { readonly path: readonly PropertyKey[]; readonly message: string },
): UserError {
  return new UserError(`${line}: ${issue.path.map(String).join('.')}: ${printable(issue.message, 300)}.`);
}

function subjectOf(
  id: string,
  text: (column: string) => string,
  number: (column: string) => number,
  line: string,
): Subject {
  const read = (key: keyof typeof SHAPE): unknown => {
    switch (SHAPE[key].def.type) {
      case 'array':
        return text(key).split('+');
      case 'tuple':
        return text(key).split('+').map(Number);
      case 'boolean':
        return text(key) === 'true';
      case 'number':
        return number(key);
      default:
        return text(key);
    }
  };
  const parsed = subjectSchema.safeParse({
    id,
    ...Object.fromEntries(SUBJECT_KEYS.map((key) => [key, read(key)])),
    accuracy: null,
    design: Object.fromEntries(DESIGN_KEYS.map((key) => [key, read(key)])),
  });
  if (!parsed.success) throw refusal(line, parsed.error.issues[0]);
  return parsed.data;
}

function scopeOf(text: (column: string) => string, number: (column: string) => number): Scope {
  return Object.fromEntries(
    SCOPE_KEYS.flatMap((key: ScopeKey) => {
      const column = `scope.${key}`;
      if (text(column) === '') return [];
      return [[key, NUMERIC_SCOPE_KEYS.includes(key) ? number(column) : text(column)]];
    }),
  );
}

/** Accuracies are rows of the table too: put back where conditions look for them. */
function withAccuracies(subjects: readonly Subject[], observations: readonly Observation[]): Subject[] {
  const collect = (statistic: string): Map<string, Record<string, number>> => {
    const found = new Map<string, Record<string, number>>();
    for (const { subject, statistic: id, scope, value } of observations) {
      if (id !== statistic || scope.operation === undefined) continue;
      found.set(subject, { ...found.get(subject), [scope.operation]: value });
    }
    return found;
  };
  const [accuracy, lesser] = [ACCURACY, LESSER_ACCURACY].map(collect);
  const steps = new Map<string, number[]>();
  for (const { subject, statistic, scope } of observations) {
    if (statistic === EVALUATION) steps.set(subject, [...(steps.get(subject) ?? []), scope.step ?? -1]);
  }
  return subjects.map((subject) => {
    const learned = lesser.get(subject.id);
    // the accuracy in the table is of the last evaluation, a subject's of one at its own step
    const isEvaluated = steps.get(subject.id)?.includes(subject.step) ?? true;
    return {
      ...subject,
      accuracy: (isEvaluated ? accuracy.get(subject.id) : undefined) ?? null,
      ...(learned === undefined ? {} : { learned }),
    };
  });
}

function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

/** Cells of a CSV; every row as long as the header. */
function parseCsv(text: string, where: string): string[][] {
  const rows = csvParseRows(text.startsWith('\uFEFF') ? text.slice(1) : text);
  if (rows.length === 0) {
    throw new UserError(`${printable(where, 300)}: found no header, expected a table of observations.`);
  }
  const [header] = rows;
  const odd = rows.findIndex((one) => one.length !== header.length);
  if (odd > 0) {
    throw new UserError(
      `${printable(where, 300)}: row ${odd + 1}: found ${rows[odd].length} cells, expected ${header.length}.`,
    );
  }
  return rows;
}
