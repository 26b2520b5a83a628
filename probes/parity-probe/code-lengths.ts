/**
 * How few bits parity of the result takes when the residual stream is known, sent online by the module's probe (Voita and
 * Titov, "Information-theoretic probing with minimum description length", EMNLP 2020), beside random labellings of the results
 * (Hewitt and Liang, EMNLP 2019).
 */
import { blockEnds, type CodeTask, onlineCodeBits } from '../../src/analysis/classifiers/code-length.js';
import type { FitCounts } from '../../src/analysis/classifiers/linear-probe.js';
import type { Model } from '../../src/engine/engine.js';
import type { Rng } from '../../src/tensor/rng.js';
import { mean } from '../../src/tensor/sum.js';
import type { Battery } from './battery.js';
import { rowsAt, stagesOf } from './context-probes.js';
import { lastOfKind } from './measurement.js';
import { labelsOf } from './token-probes.js';

/** Substreams: the order of sending, the labellings. */
const STREAM = { order: 0, labellings: 1 } as const;

export interface CodeOptions {
  readonly modulus: number;
  /** so many of the last stages are looked at; 1: after the last layer alone */
  readonly codeStages: number;
  /** random labellings, averaged */
  readonly codeLabellings: number;
  readonly rng: (index: number) => Rng;
  readonly tick: () => void;
}

/** @param battery - of a flat expression */
export function codeNumbers(
  { filled, positions }: Battery,
  models: { readonly trained: Model; readonly untrained: Model },
  { modulus, codeStages, codeLabellings, rng, tick }: CodeOptions,
  counts: FitCounts,
) {
  const { values, groups, offset } = positions[lastOfKind({ positions }, 'predicted')];
  const order = orderOf(groups, rng(STREAM.order));
  const ends = blockEnds(order.map((row) => groups[row]));
  const draw = rng(STREAM.labellings);
  const parity = labelsOf('parity', modulus);
  const labellings = [
    parity,
    ...Array.from({ length: codeLabellings }, () => draw.shuffle(parity.slice())),
  ].map((labels) => Uint8Array.from(values, (value) => labels[value]));
  const { config } = models.trained;
  const stages = stagesOf(config)
    .map(({ at }, stage) => ({ at, stage }))
    .slice(-codeStages);
  const { nPrompts, length } = filled;
  /** bits a label of each stage */
  const codesOf = (model: Model) => {
    const { activations } = model.forward(filled.batch, { capture: stages.map(({ at }) => at) });
    return stages.map(({ at }) => {
      const all = activations.get(at);
      if (all === undefined) throw new RangeError(`The engine did not return ${at}.`);
      const { data: x } = rowsAt(all, config.dModel, length, offset, nPrompts);
      const task: CodeTask = { x, cols: config.dModel, order, ends };
      const bits = onlineCodeBits(task, labellings, counts).map((own) => own / nPrompts);
      tick();
      return { parity: bits[0], random: mean(bits.subarray(1)) };
    });
  };
  return {
    prompts: nPrompts,
    /** as in the cells of the context: 0 the embedding */
    stages: stages.map(({ stage }) => stage),
    trained: codesOf(models.trained),
    untrained: codesOf(models.untrained),
  };
}
export type CodeNumbers = Readonly<ReturnType<typeof codeNumbers>>;

/** Sets of operands in random order, the prompts of one beside each other: a block never splits one. */
function orderOf(groups: readonly string[], rng: Rng): number[] {
  const place = new Map(rng.shuffle([...new Set(groups)]).map((name, i) => [name, i]));
  const at = (row: number): number => place.get(groups[row]) ?? 0;
  return groups.map((_, row) => row).sort((a, b) => at(a) - at(b) || a - b);
}
