/**
 * Means over the seeds of a condition of what is readable at each layer and position, and where it rises above every baseline
 * (pure): the untrained model of the same seed at the same place, the bag of operands, guessing, other relabellings.
 */
import { accuracyInterval } from '../../src/analysis/grouped-probe.js';
import type {
  CellNumbers,
  ContextNumbers,
  MeanCell,
  MeanContext,
  PositionKind,
} from '../../src/report/charts/parity-data.js';
import { mean } from '../../src/tensor/sum.js';
import { round } from './measurement.js';

/** One condition has one set of positions and one set of layers for a template. */
export function meanContext(all: readonly ContextNumbers[]): MeanContext | null {
  if (all.length === 0) return null;
  const [first] = all;
  const { template, moduli, stages } = first;
  const positions = first.positions.map((position, p) => ({
    ...position,
    multisets: Math.min(...all.map((one) => one.positions[p].multisets)),
  }));
  const cells = (pick: (one: ContextNumbers) => readonly CellNumbers[]): MeanCell[] =>
    pick(first).map(({ position }, i) =>
      meanCell(
        all.map((one) => pick(one)[i]),
        all.map((one) => one.majority[position]),
        positions[position].multisets,
      ),
    );
  return {
    template,
    prompts: Math.min(...all.map(({ prompts }) => prompts)),
    moduli,
    positions,
    stages,
    majority: first.majority.map((own, p) =>
      own.map((_, m) => round(mean(all.map((one) => one.majority[p][m])))),
    ),
    cells: cells((one) => one.cells),
    untrained: cells((one) => one.untrained),
    bag: cells((one) => one.bag),
  };
}

/** By template, over the runs that have it. */
export function meanLookAhead(runs: readonly (readonly ContextNumbers[])[]): MeanContext[] {
  const templates = [...new Set(runs.flatMap((run) => run.map(({ template }) => template)))];
  return templates.flatMap((template) => {
    const own = meanContext(runs.flatMap((run) => run.filter((one) => one.template === template)));
    return own === null ? [] : [own];
  });
}

function meanCell(
  seeds: readonly CellNumbers[],
  majority: readonly (readonly number[])[],
  multisets: number,
): MeanCell {
  const [{ stage, position, accuracy, circleR2 }] = seeds;
  const strict = seeds.flatMap((one) => (one.strict === null ? [] : [one.strict]));
  const intervals = accuracy.map((_, m) =>
    accuracyInterval(
      seeds.map((one) => one.accuracy[m]),
      multisets,
    ),
  );
  return {
    stage,
    position,
    accuracy: intervals.map(({ estimate }) => round(estimate)),
    low: intervals.map(({ low }) => round(low)),
    high: intervals.map(({ high }) => round(high)),
    seeds: seeds.map((one) => one.accuracy),
    aboveMajority: accuracy.map((_, m) =>
      round(mean(seeds.map((one, s) => aboveGuess(one.accuracy[m], majority[s][m])))),
    ),
    control: round(mean(seeds.map((one) => one.control))),
    circleR2: circleR2.map((_, k) => round(mean(seeds.map((one) => one.circleR2[k])))),
    strict: strict.map(({ share }) => share),
    strictNull95: strict.length === 0 ? null : round(mean(strict.map(({ null95 }) => null95))),
  };
}

function aboveGuess(accuracy: number, majority: number): number {
  return majority >= 1 ? 0 : (accuracy - majority) / (1 - majority);
}

/** Cells of one position, layer by layer. */
export function pathAt({ cells }: Pick<MeanContext, 'cells'>, position: number): MeanCell[] {
  return cells.filter((cell) => cell.position === position);
}

/** The best that needs no trained layer: guessing, the untrained model at the same place, the bag of operands. */
export function accuracyFloor(context: MeanContext, { stage, position }: MeanCell, modulus: number): number {
  const at = (cells: readonly MeanCell[], own: number): number =>
    cells.find((cell) => cell.position === position && cell.stage === own)?.accuracy[modulus] ?? 0;
  return Math.max(context.majority[position][modulus], at(context.untrained, stage), at(context.bag, 0));
}

/** First layer at which the whole interval of the accuracy lies above the floor. @param modulus - index into moduli */
export function accuracyRises(context: MeanContext, position: number, modulus: number): string | undefined {
  const found = pathAt(context, position).find(
    (cell) => cell.low[modulus] > accuracyFloor(context, cell, modulus),
  );
  return found === undefined ? undefined : context.stages[found.stage];
}

export function strictMean({ strict }: MeanCell): number | undefined {
  return strict.length === 0 ? undefined : mean(strict);
}

/**
 * First layer whose mean strict score is above 95 % of relabellings, the untrained model there, and the bag. A residue of the
 * value must be readable there too: mean activations of values that are not are the battery's sampling noise, which a probe of
 * ten points separates as it happens.
 */
export function strictRises(context: MeanContext, position: number): string | undefined {
  const at = (cells: readonly MeanCell[], stage: number): number => {
    const cell = cells.find((one) => one.position === position && one.stage === stage);
    return (cell === undefined ? undefined : strictMean(cell)) ?? 0.5;
  };
  const found = pathAt(context, position).find((cell) => {
    const score = strictMean(cell);
    const floor = Math.max(at(context.untrained, cell.stage), at(context.bag, 0), cell.strictNull95 ?? 1);
    return score !== undefined && score > floor && isReadable(context, cell);
  });
  return found === undefined ? undefined : context.stages[found.stage];
}

function isReadable(context: MeanContext, cell: MeanCell): boolean {
  return cell.low.some((low, m) => low > accuracyFloor(context, cell, m));
}

/** Last position of a kind. */
export function positionOf(
  { positions }: Pick<MeanContext, 'positions'>,
  kind: PositionKind,
): number | undefined {
  const at = positions.findLastIndex((position) => position.kind === kind);
  return at === -1 ? undefined : at;
}

/** Where look-ahead is summed up: the closing bracket of the whole expression, where all of it has been read. */
export function outerBracket({ positions }: Pick<MeanContext, 'positions'>): number | undefined {
  const at = positions.findIndex(({ kind, name }) => kind === 'ahead' && name === 'outer )');
  return at === -1 ? undefined : at;
}

/** The final answer there after the last layer, in the template of one operation. */
export function aheadAccuracy(lookAhead: readonly ContextNumbers[]): number | null {
  const [pure] = lookAhead;
  if (pure === undefined) return null;
  const at = outerBracket(pure);
  return (
    pure.cells
      .filter(({ position }) => position === at)
      .at(-1)
      ?.accuracy.at(-1) ?? null
  );
}
