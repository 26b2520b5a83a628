/** Everything in one run directory: its own hashes, its rows, and what its steps tell of each other. */
import { join } from 'node:path';
import { SKETCH_SIZE, sketchDistance } from './count-sketch.js';
import { finding, type Finding } from '../../checkpoint/finding.js';
import { openRun, verifyRun, type RunStore } from '../../checkpoint/store.js';
import { gptConfigOf } from '../../config/names.js';
import type { RunConfig } from '../../config/run-config.js';
import { parameterTable, parameterView } from '../../model/parameters.js';
import { leadsInto, linksBelow, linkTarget } from '../../io/tree.js';
import { printable } from '../../errors.js';
import { learningRates } from '../../train/schedule.js';
import { compareSteps } from './compare-steps.js';
import { checkRows } from './rows.js';
import { type StepPrint, StepPrinter } from './step-print.js';

export interface VerifiedRun {
  readonly name: string;
  readonly dir: string;
  readonly findings: readonly Finding[];
  readonly prints: readonly StepPrint[];
}

/** @param root - real path of the tree that links may not leave */
export function verifyRunDirectory(dir: string, root: string): VerifiedRun {
  const links = linksBelow(dir).filter((path) => !leadsInto(path, root));
  if (links.length > 0) {
    // reading on would read what lies elsewhere
    const findings = links.map((path) =>
      finding('link', path, {
        problem: `is a link to ${printable(linkTarget(path) ?? '', 200)}, which is not in this tree, expected files of the run itself.`,
        remedy: 'Put the file in its place. This run was not read further.',
      }),
    );
    return { name: dir, dir, findings, prints: [] };
  }
  let store: RunStore;
  try {
    store = openRun(dir);
  } catch (error) {
    const remedy = 'Restore config.json, or delete the run and train it again.';
    return {
      name: dir,
      dir,
      findings: [finding('damaged-config', dir, { problem: error, remedy })],
      prints: [],
    };
  }
  const table = parameterTable(gptConfigOf(store.config));
  const printer = new StepPrinter();
  const prints: StepPrint[] = [];
  const findings = verifyRun(store, ({ step, parameters, weightsSha256 }) => {
    const path = join(store.dir, 'steps', String(step).padStart(6, '0'));
    const tensors = table.specs.map(({ name, shape }) => ({
      name,
      shape,
      data: parameterView(table, parameters, name),
    }));
    prints.push(printer.print({ step, path, filesSha256: weightsSha256 }, tensors));
  });
  return {
    name: store.name,
    dir: store.dir,
    findings: [...findings, ...moreOf(store, prints, findings)],
    prints,
  };
}

/** What needs more than the hashes of one run: rows, and the way from step to step. */
function moreOf(store: RunStore, prints: readonly StepPrint[], found: readonly Finding[]): Finding[] {
  const isDamaged = (kind: Finding['kind']): boolean => found.some((one) => one.kind === kind);
  const rows =
    isDamaged('damaged-log') || isDamaged('torn-tail') || isDamaged('damaged-end')
      ? []
      : checkRows(store, store.readMetrics(), store.end());
  // equal steps were named by their hashes
  const compared = compareSteps(prints, join(store.dir, 'steps'), 'note').filter(
    ({ kind }) => kind !== 'shared-weights' || !isDamaged('shared-weights'),
  );
  return [...rows, ...compared, ...tooFar(store.config, prints)];
}

/** The sketch of a distance is off by 2 %; five times that. */
const SKETCH_SLACK = 1.1;

/** Steps that lie farther from the one before than AdamW can go in so many updates, whatever the gradients. */
function tooFar(config: RunConfig, prints: readonly StepPrint[]): Finding[] {
  const { nParameters } = parameterTable(gptConfigOf(config));
  const zero = new Float64Array(SKETCH_SIZE);
  return prints.flatMap((print, i) => {
    const before = prints[i - 1] as StepPrint | undefined;
    if (print.weights === undefined || before?.weights === undefined) return [];
    const found = sketchDistance(print.weights.sketch, before.weights.sketch);
    const norm = SKETCH_SLACK * sketchDistance(before.weights.sketch, zero);
    const most = SKETCH_SLACK * farthest(config, { from: before.step, to: print.step, nParameters, norm });
    if (found <= most) return [];
    const problem = `step ${print.step} lies ${found.toPrecision(3)} from step ${before.step}, expected at most ${most.toPrecision(3)}, the farthest that ${print.step - before.step} updates go: one of the two is of another run or step.`;
    const remedy = 'Restore it, or train the run again.';
    return [finding('too-far', print.path, { step: print.step, problem, remedy })];
  });
}

/**
 * The farthest that AdamW goes. With m and v the running means of g and g^2, Cauchy-Schwarz bounds one element of an update by
 * lr (1 - b1) / sqrt(1 - b2) sqrt(sum over k < a of (b1^2 / b2)^k) sqrt(1 - b2^a) / (1 - b1^a), a updates after the moments
 * began; weight decay adds lr times decay times the weights.
 * @param way.norm - of the weights at step `from`
 */
export function farthest(
  config: RunConfig,
  way: { readonly from: number; readonly to: number; readonly nParameters: number; readonly norm: number },
): number {
  const { optimizer, init } = config;
  const rates = learningRates(config);
  const { beta1, beta2, weightDecay } = optimizer;
  const ratio = beta1 ** 2 / beta2;
  const atAge = (age: number, sum: number): number =>
    (((1 - beta1) / Math.sqrt(1 - beta2)) * Math.sqrt(sum) * Math.sqrt(1 - beta2 ** age)) /
    (1 - beta1 ** age);
  let [most, sum, power] = [0, 0, 1];
  let distance = 0;
  // moments kept from a source are older than the run
  const older = init?.optimizer?.updates ?? 0;
  for (let age = 1; age <= older + way.to; age++) {
    sum += power;
    power *= ratio;
    most = Math.max(most, atAge(age, sum));
    const step = age - older;
    if (step <= way.from) continue;
    distance += rates(step) * (most * Math.sqrt(way.nParameters) + weightDecay * (way.norm + distance));
  }
  return distance;
}
