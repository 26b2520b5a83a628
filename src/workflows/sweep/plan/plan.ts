/**
 * A plan: which runs a sweep trains, and what it is to decide. Written as YAML or JSON. The shape is checked here, the
 * values of run configurations when the plan is expanded (expand.ts).
 */
import { parseDocument } from 'yaml';
import { CLAIMS } from '../../../evidence/claims-file.js';
import { presetFields } from '../../../config/presets.js';
import { errorMessage, nearest, printable, UserError } from '../../../errors.js';
import { readText } from '../../../io/files.js';
import { parseJsonStrict } from '../../../io/json.js';
import { OPERATION_NAMES } from '../../../listops/language/operations.js';
import { selectProbes } from '../../probing/probe-plan.js';
import type { Choice } from './choose.js';
import { type Fields, isFields, mergedFields, nestedFields, shown } from './fields.js';

/** Seeds: a list, or `{ first, count }` for consecutive ones, which are never written out before they are counted. */
export type Seeds = readonly number[] | { readonly first: number; readonly count: number };

export interface PlanArm {
  readonly fields: Fields;
  /** instead of those of the part */
  readonly seeds?: Seeds;
  /** the run of another arm with the same axes, and the same seed or a fixed one, that this one starts from */
  readonly from?: { readonly arm: string; readonly seed: 'same' | number };
}

/** One axis: the fields that each of its points sets. */
export interface PlanAxis {
  readonly name: string;
  readonly points: readonly Fields[];
}

/** Arms x axes x seeds. */
export interface PlanPart {
  /** empty where the plan has one part */
  readonly name: string;
  readonly base: Fields;
  readonly arms: ReadonlyMap<string, PlanArm>;
  readonly axes: readonly PlanAxis[];
  readonly seeds: Seeds;
  /** probe modules that measure the end of each run */
  readonly modules: readonly string[];
}

export interface Plan {
  readonly name: string;
  readonly description: string;
  readonly claims: readonly string[];
  readonly parts: readonly PlanPart[];
  /** a value that is chosen by what the runs learned */
  readonly choose?: Choice;
}

export const PLAN_SIZES = ['small', 'paper'] as const;
export type PlanSize = (typeof PLAN_SIZES)[number];

const PART_KEYS = ['base', 'arms', 'axes', 'seeds', 'modules'] as const;
const PLAN_KEYS = ['name', 'description', 'claims', 'parts', 'sizes', 'choose', ...PART_KEYS] as const;
const MOST_BYTES = 1024 * 1024;

/** @throws UserError naming the file */
export function readPlan(path: string, size?: PlanSize): Plan {
  let text: string;
  try {
    text = readText(path, MOST_BYTES);
  } catch (error) {
    // a file the user named is the user's to mend
    throw new UserError(`plan: ${errorMessage(error)}`, { cause: error });
  }
  return parsePlan(text, path, size);
}

/**
 * @param text - JSON where it begins with a brace, else YAML
 * @param where - the file, for messages
 * @param size - takes the fields under `sizes.<size>` instead of those of the plan; default: the first size it has
 * @throws UserError in one line
 */
export function parsePlan(text: string, where: string, size?: PlanSize): Plan {
  const content = /^\s*\{/.test(text) ? parseJsonStrict(text, { where }) : parseYaml(text, where);
  try {
    return checkPlan(content, size);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${printable(where, 300)}: ${error.message}`, { cause: error });
  }
}

function parseYaml(text: string, where: string): unknown {
  const shownPath = printable(where, 300);
  if (text.startsWith('\ufeff')) {
    throw new UserError(
      `${shownPath}: starts with a byte order mark, expected plain UTF-8. Save it without BOM.`,
    );
  }
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true });
  const problem = document.errors.at(0) ?? document.warnings.at(0);
  if (problem !== undefined) {
    const [line] = problem.message.split('\n');
    throw new UserError(`${shownPath}: is not acceptable YAML: ${printable(line.replace(/:$/, ''), 200)}.`);
  }
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw new UserError(`${shownPath}: is not acceptable YAML: ${printable(errorMessage(error), 200)}.`);
  }
}

function checkPlan(content: unknown, size: PlanSize | undefined): Plan {
  const given = record(content, 'the plan', 'an object with name, base, arms, axes and seeds');
  refuseUnknown(given, PLAN_KEYS, '');
  const name = given['name'];
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
    throw new UserError(
      `name: found ${shown(name)}, expected 1 to 40 small letters, digits or "-", which name the folder of the results.`,
    );
  }
  const { chosen, sized } = chooseSize(given, size);
  const plan = { ...given, ...sized };
  const description = plan['description'] ?? '';
  if (typeof description !== 'string') {
    throw new UserError(`description: found ${shown(description)}, expected a text.`);
  }
  const parts = checkParts(plan);
  return {
    name: chosen === undefined ? name : `${name}-${chosen}`,
    description: description.trim(),
    claims: checkClaims(plan['claims']),
    parts,
    ...(plan['choose'] === undefined ? {} : { choose: checkChoice(plan['choose'], parts) }),
  };
}

/** What `sizes` says for the size asked for; it stands instead of what the plan says by itself, key by key. */
function chooseSize(
  given: Fields,
  size: PlanSize | undefined,
): { readonly chosen: PlanSize | undefined; readonly sized: Fields } {
  if (given['sizes'] === undefined) {
    if (size === undefined) return { chosen: undefined, sized: {} };
    throw new UserError(`--size: found ${size}, but the plan has one size only. Leave --size out.`);
  }
  const sizes = record(given['sizes'], 'sizes', `fields under ${PLAN_SIZES.join(' and ')}`);
  refuseUnknown(sizes, PLAN_SIZES, 'sizes.');
  const chosen = size ?? PLAN_SIZES.find((one) => sizes[one] !== undefined);
  if (chosen === undefined || sizes[chosen] === undefined) {
    throw new UserError(
      `--size: found ${chosen ?? 'nothing'}, expected one of ${Object.keys(sizes).join(', ') || 'none'}.`,
    );
  }
  const sized = record(sizes[chosen], `sizes.${chosen}`, 'keys of a plan');
  refuseUnknown(sized, [...PART_KEYS, 'claims', 'parts', 'description'], `sizes.${chosen}.`);
  const base = [given['base'], sized['base']].filter((fields) => fields !== undefined);
  if (base.length < 2) return { chosen, sized };
  const [under, over] = base.map((fields) => nestedFields(fields, 'base'));
  return { chosen, sized: { ...sized, base: mergedFields(under, over) } };
}

function checkParts(plan: Fields): PlanPart[] {
  if (plan['parts'] === undefined) return [checkPart(plan, '', {})];
  if (plan['arms'] !== undefined) {
    throw new UserError('arms: found arms beside parts, expected the arms inside the parts.');
  }
  const parts = record(plan['parts'], 'parts', 'parts by name, each with arms, axes and seeds');
  if (Object.keys(parts).length === 0) throw new UserError('parts: found none, expected at least one.');
  return Object.entries(parts).map(([name, value]) => {
    checkName(name, 'parts');
    const part = record(value, `parts.${name}`, `an object with ${PART_KEYS.join(', ')}`);
    refuseUnknown(part, PART_KEYS, `parts.${name}.`);
    const inherited = Object.fromEntries(
      (['axes', 'seeds', 'modules'] as const).map((key) => [key, part[key] ?? plan[key]]),
    );
    return checkPart({ ...part, ...inherited }, name, baseOf(plan['base'], 'base'));
  });
}

function checkPart(part: Fields, name: string, under: Fields): PlanPart {
  const place = name === '' ? '' : `parts.${name}.`;
  const arms = record(part['arms'], `${place}arms`, 'arms by name, such as { sum: { data.tasks: [SUM] } }');
  if (Object.keys(arms).length === 0) throw new UserError(`${place}arms: found none, expected at least one.`);
  const checked = new Map<string, PlanArm>();
  for (const [arm, value] of Object.entries(arms)) {
    checkName(arm, `${place}arms`);
    checked.set(arm, checkArm(value, `${place}arms.${arm}`));
  }
  for (const [arm, { from }] of checked) checkSource(checked, arm, from, `${place}arms.${arm}.init.from.arm`);
  return {
    name,
    base: mergedFields(under, baseOf(part['base'], `${place}base`)),
    arms: checked,
    axes: checkAxes(part['axes'], `${place}axes`),
    seeds: checkSeeds(part['seeds'], `${place}seeds`),
    modules: checkModules(part['modules'], `${place}modules`),
  };
}

/** `preset` takes what all runs of a preset have in common. */
function baseOf(value: unknown, where: string): Fields {
  if (value === undefined) return {};
  const { preset, ...fields } = nestedFields(value, where);
  if (preset === undefined) return fields;
  if (typeof preset !== 'string') {
    throw new UserError(`${where}.preset: found ${shown(preset)}, expected the name of a preset.`);
  }
  return mergedFields(presetFields(preset), fields);
}

function checkArm(value: unknown, where: string): PlanArm {
  const { seeds, ...rest } = value === null ? {} : nestedFields(value, where);
  const given = seeds === undefined ? {} : { seeds: checkSeeds(seeds, `${where}.seeds`) };
  const init = rest['init'];
  if (!isFields(init) || !isFields(init['from'])) return { fields: rest, ...given };
  const { arm, seed = 'same', ...unknown } = init['from'];
  const [odd] = Object.keys(unknown);
  if (odd !== undefined) {
    throw new UserError(`${where}.init.from.${printable(odd)}: unknown field, expected arm and seed.`);
  }
  if (typeof arm !== 'string') {
    throw new UserError(`${where}.init.from.arm: found ${shown(arm)}, expected the name of another arm.`);
  }
  if (seed !== 'same' && !isSeed(seed)) {
    throw new UserError(`${where}.init.from.seed: found ${shown(seed)}, expected same or a whole number.`);
  }
  return { fields: rest, ...given, from: { arm, seed } };
}

/** Another arm must exist, and no arm may start from itself by way of others. */
function checkSource(
  arms: ReadonlyMap<string, PlanArm>,
  arm: string,
  from: PlanArm['from'],
  where: string,
): void {
  const seen = [arm];
  for (let next = from; next !== undefined; next = arms.get(next.arm)?.from) {
    if (!arms.has(next.arm)) {
      const near = nearest(next.arm, [...arms.keys()]);
      throw new UserError(
        `${where}: found ${shown(next.arm)}, expected one of ${[...arms.keys()].join(', ')}.` +
          (near === undefined ? '' : ` Did you mean ${near}?`),
      );
    }
    if (seen.includes(next.arm)) {
      throw new UserError(
        `${where}: arms start from each other in a circle: ${[...seen, next.arm].join(' < ')}.`,
      );
    }
    seen.push(next.arm);
  }
}

function checkAxes(value: unknown, where: string): PlanAxis[] {
  if (value === undefined) return [];
  const axes = record(value, where, 'values by field, such as { model.dModel: [8, 16] }');
  return Object.entries(axes).map(([name, values]) => {
    if (!Array.isArray(values)) {
      throw new UserError(`${where}.${printable(name)}: found ${shown(values)}, expected a list of values.`);
    }
    if (values.length === 0) {
      throw new UserError(
        `${where}.${printable(name)}: found an empty list, expected at least one value. Leave the axis out, or fill it.`,
      );
    }
    const texts = values.map((one) => JSON.stringify(one));
    const twin = texts.findIndex((text, i) => texts.indexOf(text) !== i);
    if (twin !== -1) {
      throw new UserError(`${where}.${printable(name)}: found ${shown(values[twin])} twice.`);
    }
    const points = values.map((one: unknown) =>
      nestedFields(isFields(one) ? one : { [name]: one }, `${where}.${printable(name)}`),
    );
    return { name, points };
  });
}

const isSeed = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function checkSeeds(value: unknown, where: string): Seeds {
  const expected = 'a list of whole numbers, or "first..last" such as "101..105"';
  const range = typeof value === 'string' ? /^(\d{1,15})\.\.(\d{1,15})$/.exec(value.trim()) : null;
  if (range !== null) {
    const [first, last] = [Number(range[1]), Number(range[2])];
    if (last >= first) return { first, count: last - first + 1 };
  }
  if (!Array.isArray(value) || !value.every(isSeed)) {
    throw new UserError(`${where}: found ${shown(value)}, expected ${expected}.`);
  }
  if (value.length === 0) throw new UserError(`${where}: found an empty list, expected at least one seed.`);
  const twin = value.find((seed, i) => value.indexOf(seed) !== i);
  if (twin !== undefined) throw new UserError(`${where}: found ${twin} twice.`);
  return value;
}

/** Seeds in number. */
export const countSeeds = (seeds: Seeds): number => ('count' in seeds ? seeds.count : seeds.length);

export function seedsOf(seeds: Seeds): number[] {
  return 'count' in seeds ? Array.from({ length: seeds.count }, (_, i) => seeds.first + i) : [...seeds];
}

function checkModules(value: unknown, where: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) {
    throw new UserError(`${where}: found ${shown(value)}, expected a list of probe modules.`);
  }
  return selectProbes(value).map(({ name }) => name);
}

function checkClaims(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    throw new UserError(`claims: found ${shown(value)}, expected a list such as [C1, C2].`);
  }
  const names = [...new Set(CLAIMS.flatMap(({ id, parts }) => [id, ...parts.map((part) => part.id)]))];
  return value.map((name: unknown) => {
    const known = names.find((one) => one === name);
    if (known !== undefined) return known;
    throw new UserError(`claims: found ${shown(name)}, expected one of ${names.join(', ')}.`);
  });
}

function checkChoice(value: unknown, parts: readonly PlanPart[]): Choice {
  const expected = 'an axis and an operation, such as { field: model.embeddingInit, operation: SUM }';
  const { field, operation, ...rest } = record(value, 'choose', expected);
  refuseUnknown(rest, [], 'choose.');
  const axes = [...new Set(parts.flatMap((part) => part.axes.map(({ name }) => name)))];
  if (typeof field !== 'string' || !axes.includes(field)) {
    throw new UserError(
      `choose.field: found ${shown(field)}, expected one of ${axes.join(', ') || 'the axes, of which there are none'}.`,
    );
  }
  const known = OPERATION_NAMES.find((name) => name === operation);
  if (known === undefined) {
    throw new UserError(
      `choose.operation: found ${shown(operation)}, expected one of ${OPERATION_NAMES.join(', ')}.`,
    );
  }
  return { field, operation: known };
}

function checkName(name: string, where: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9+_-]{0,39}$/.test(name)) return;
  throw new UserError(
    `${where}: found the name ${shown(name)}, expected 1 to 40 letters, digits, "+", "-" or "_".`,
  );
}

function record(value: unknown, field: string, expected: string): Fields {
  if (isFields(value)) return value;
  throw new UserError(`${field}: found ${shown(value)}, expected ${expected}.`);
}

function refuseUnknown(value: Fields, known: readonly string[], prefix: string): void {
  const odd = Object.keys(value).find((key) => !known.includes(key));
  if (odd === undefined) return;
  const near = nearest(odd, known);
  throw new UserError(
    `${prefix}${printable(odd)}: unknown field, expected one of ${known.join(', ')}.` +
      (near === undefined ? '' : ` Did you mean ${near}?`),
  );
}
