/**
 * What steps of one training tell of each other. Collections of published checkpoints were found with the final weights under
 * early names, with the files of one step in the folder of another, and with steps that do not follow from their start; each
 * rule here finds one such mistake.
 */
import { sketchDistance } from './count-sketch.js';
import { finding, type Finding } from '../../checkpoint/finding.js';
import type { StepPrint } from './step-print.js';

/** A step nearer to a far one than to half its way to a neighbour lies elsewhere than its number says. */
const MUCH_NEARER = 0.5;
/** How many times farther the start may lie from the next step than that from the one after it, which took as many updates. */
const FAR_START = 10;
/** Names shown of many. */
const SHOWN = 12;

const FETCH = 'Fetch or publish the weights of each step again, and compare hashes.';

/**
 * @param prints - in the order of their steps
 * @param where - the folder that holds them
 * @param orderLevel - of findings by distance alone, which is evidence and no proof
 */
export function compareSteps(
  prints: readonly StepPrint[],
  where: string,
  orderLevel: Finding['level'],
): Finding[] {
  const twins = sharedWeights(prints, where);
  const others = otherModels(prints);
  const odd = new Set([...twins.steps, ...others.map(({ step }) => step)]);
  const alone = prints.filter(({ step }) => !odd.has(step));
  return [...twins.findings, ...others, ...sharedTensors(prints, where), ...outOfOrder(alone, orderLevel)];
}

function sharedWeights(
  prints: readonly StepPrint[],
  where: string,
): { readonly findings: Finding[]; readonly steps: ReadonlySet<number> } {
  const findings: Finding[] = [];
  const steps = new Set<number>();
  const groups = groupBy(prints, ({ weights, filesSha256 }) => weights?.sha256 ?? filesSha256);
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    for (const { step } of group) steps.add(step);
    const files = new Set(group.map(({ filesSha256 }) => filesSha256)).size;
    const how = files === 1 ? 'the same files' : `the same numbers (in ${files} different files)`;
    findings.push(
      finding('shared-weights', where, {
        problem: `${stepsText(group)} hold ${how}, expected other weights after an update.`,
        remedy: `${FETCH} Only a first update with learning rate 0 leaves them equal.`,
        step: group[group.length - 1].step,
      }),
    );
  }
  return { findings, steps };
}

/** Tensors that are equal in some steps and changed between others: the files of one step lie in the folder of another. */
function sharedTensors(prints: readonly StepPrint[], where: string): Finding[] {
  const readable = prints.filter(({ weights }) => weights !== undefined);
  const byContent = new Map<string, { name: string; steps: StepPrint[] }>();
  const seen = new Set<string>();
  for (const print of readable) {
    const { sha256 = '', tensors = new Map<string, never>() } = print.weights ?? {};
    // one of each group of equal steps, which are named already
    if (seen.has(sha256)) continue;
    seen.add(sha256);
    for (const [name, tensor] of tensors) {
      if (tensor.isConstant) continue;
      const key = `${name} ${tensor.sha256}`;
      const entry = byContent.get(key) ?? { name, steps: [] };
      entry.steps.push(print);
      byContent.set(key, entry);
    }
  }
  const shared = [...byContent.values()].filter(({ steps }) => steps.length > 1);
  const groups = groupBy(shared, ({ steps }) => steps.map(({ step }) => step).join());
  return [...groups.values()].map((group) => {
    const { steps } = group[0];
    const names = group.map(({ name }) => name).sort();
    const of = steps[0].weights?.tensors.size ?? 0;
    const which = `${names.length} of ${of} tensors (${listed(names, 3)})`;
    const isFrozen = steps.length === seen.size;
    return isFrozen
      ? finding('unchanged-tensors', where, {
          level: 'note',
          problem: `${which} are equal in all steps, expected changes unless they were not trained.`,
          remedy: 'Nothing to do if they were not.',
        })
      : finding('shared-tensors', where, {
          problem: `${stepsText(steps)} share ${which} and no others, expected all to change with every update.`,
          remedy: `${FETCH} A part of one step lies in the folder of another, unless these were not trained then.`,
          step: steps[0].step,
        });
  });
}

function otherModels(prints: readonly StepPrint[]): (Finding & { readonly step: number })[] {
  const first = prints.find(({ weights }) => weights !== undefined);
  const expected = first?.weights?.tensors;
  if (first === undefined || expected === undefined) return [];
  return prints.flatMap(({ step, path, weights }) => {
    if (weights === undefined) return [];
    const names = new Set([...expected.keys(), ...weights.tensors.keys()]);
    const differs = [...names].find(
      (name) => expected.get(name)?.shape.join() !== weights.tensors.get(name)?.shape.join(),
    );
    if (differs === undefined) return [];
    const shape = (tensor: { readonly shape: readonly number[] } | undefined): string =>
      tensor === undefined ? 'none' : `[${tensor.shape.join(', ')}]`;
    const problem = `tensor "${differs}": found ${shape(weights.tensors.get(differs))}, expected ${shape(expected.get(differs))} as in step ${first.step}: it is another model.`;
    return [{ ...finding('other-model', path, { problem, remedy: FETCH }), step }];
  });
}

/** Steps whose nearest step is a far one, the clearest first, each without those named before it; and a start of another run. */
function outOfOrder(prints: readonly StepPrint[], level: Finding['level']): Finding[] {
  let left = prints.filter(({ weights }) => weights !== undefined);
  const findings: Finding[] = [];
  for (;;) {
    const worst = farthestFromItsPlace(left);
    if (worst === undefined) break;
    const { print, near, nearest, away } = worst;
    findings.push(
      finding('out-of-order', print.path, {
        level,
        step: print.step,
        problem: `step ${print.step} lies ${shortly(near)} from step ${nearest} and ${shortly(away)} from the steps beside it, expected those to be nearer.`,
        remedy:
          'Its weights seem to be those of another step: compare its hash with its source, or evaluate it.',
      }),
    );
    left = left.filter((candidate) => candidate !== print);
  }
  const [a, b, c] = left;
  if (c !== undefined && b.step - a.step <= c.step - b.step) {
    const first = distance(a, b);
    const second = distance(b, c);
    if (first > FAR_START * second) {
      findings.push(
        finding('too-far', a.path, {
          level,
          step: a.step,
          problem: `step ${a.step} lies ${shortly(first)} from step ${b.step}, and that ${shortly(second)} from step ${c.step}, expected steps of one size: the run does not go on from this start.`,
          remedy: 'Look for the start of this run: these weights seem to be of another one.',
        }),
      );
    }
  }
  return findings;
}

function farthestFromItsPlace(
  prints: readonly StepPrint[],
): { print: StepPrint; near: number; nearest: number; away: number } | undefined {
  // with three there is no step that is no neighbour of two others
  if (prints.length < 4) return undefined;
  let worst: ReturnType<typeof farthestFromItsPlace>;
  prints.forEach((print, k) => {
    let away = Infinity;
    let near = Infinity;
    let nearest = print.step;
    prints.forEach((other, j) => {
      if (j === k) return;
      const d = distance(print, other);
      if (Math.abs(j - k) === 1) away = Math.min(away, d);
      else if (d < near) [near, nearest] = [d, other.step];
    });
    const isWorse = worst === undefined || near / away < worst.near / worst.away;
    if (near < MUCH_NEARER * away && isWorse) worst = { print, near, nearest, away };
  });
  return worst;
}

function distance(a: StepPrint, b: StepPrint): number {
  return a.weights === undefined || b.weights === undefined
    ? NaN
    : sketchDistance(a.weights.sketch, b.weights.sketch);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** `steps 0, 1, 2 and 143000`; of many the number too */
function stepsText(prints: readonly StepPrint[]): string {
  const numbers = prints.map(({ step }) => String(step));
  const count = numbers.length > SHOWN ? `${numbers.length} ` : '';
  return `${count}steps ${listed(numbers, SHOWN)}`;
}

/** The first and the last of a list. */
function listed(words: readonly string[], most: number): string {
  if (words.length === 1) return words[0];
  if (words.length <= most) return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
  return `${words.slice(0, most - 1).join(', ')}, ... and ${words[words.length - 1]}`;
}

const shortly = (x: number): string => String(Number(x.toPrecision(3)));
