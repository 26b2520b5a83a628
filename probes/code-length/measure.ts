/** Code lengths of one checkpoint: parity of the result, and random labellings of it, from the residual stream after every layer. */
import { type CodeTask, blockEnds, onlineCodeBits } from '../../src/analysis/code-length.js';
import { newFitCounts } from '../../src/analysis/linear-probe.js';
import type { Model } from '../../src/engine/engine.js';
import { activationName } from '../../src/model/activations.js';
import { nineDigits } from '../../src/report/report-json.js';
import { mean } from '../../src/tensor/sum.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { describeBattery, fillFlat } from '../parity-probe/battery.js';
import { lastOfKind } from '../parity-probe/measurement.js';
import { labelsOf } from '../parity-probe/token-probes.js';

export interface MeasureOptions {
  readonly prompts: number;
  readonly labellings: number;
}

/** Substreams: prompts, the order of sending, the labellings. */
const STREAM = { prompts: 0, order: 1, labellings: 2 } as const;

export function measureSubject(subject: ProbeSubject, options: MeasureOptions, context: MeasureContext) {
  const { data } = subject.config;
  const { model, engine } = context;
  const gpt = model.config;
  const filled = fillFlat(data, gpt.nCtx, options.prompts, context.rng(STREAM.prompts)).at(-1);
  if (filled === undefined) return null;
  const battery = describeBattery(data, filled);
  const { values, groups, offset } = battery.positions[lastOfKind(battery, 'predicted')];
  const order = orderOf(groups, context);
  const ends = blockEnds(order.map((row) => groups[row]));
  const draw = context.rng(STREAM.labellings);
  const parity = labelsOf('parity', data.modulus);
  const labellings = [
    parity,
    ...Array.from({ length: options.labellings }, () => draw.shuffle(parity.slice())),
  ].map((labels) => Uint8Array.from(values, (value) => labels[value]));
  const pass = gpt.shareBlocks ? 'pass ' : '';
  const stages = [
    { name: 'embedding', at: activationName('resid_pre', 0) },
    ...Array.from({ length: gpt.nLayers }, (_, layer) => [
      { name: `attention ${pass}${layer}`, at: activationName('resid_mid', layer) },
      { name: `feed-forward ${pass}${layer}`, at: activationName('resid_post', layer) },
    ]).flat(),
  ];
  const counts = newFitCounts();
  let done = 0;
  /** bits a label of each stage */
  const codesOf = (asked: Model) => {
    const { activations } = asked.forward(filled.batch, { capture: stages.map(({ at }) => at) });
    return stages.map(({ at }) => {
      const all = activations.get(at);
      if (all === undefined) throw new RangeError(`The engine did not return ${at}.`);
      const x = new Float64Array(filled.nPrompts * gpt.dModel);
      for (let p = 0; p < filled.nPrompts; p++) {
        const from = (p * filled.length + offset) * gpt.dModel;
        x.set(all.subarray(from, from + gpt.dModel), p * gpt.dModel);
      }
      const task: CodeTask = { x, cols: gpt.dModel, order, ends };
      const bits = onlineCodeBits(task, labellings, counts).map((own) => own / filled.nPrompts);
      context.progress(++done, 2 * stages.length);
      return { parity: bits[0], random: mean(bits.subarray(1)) };
    });
  };
  const untrained = engine.createModel(gpt, { parameters: subject.untrainedParameters }, 'inference');
  try {
    return nineDigits({
      template: filled.template.id,
      prompts: filled.nPrompts,
      stages: stages.map(({ name }) => name),
      trained: codesOf(model),
      untrained: codesOf(untrained),
      notConverged: counts.notConverged,
    });
  } finally {
    untrained.dispose();
  }
}
/** What one checkpoint gives: plain JSON; null: no prompt of the run fits its context or its hold-out. */
export type CodeMeasurement = Readonly<ReturnType<typeof measureSubject>>;

/** Sets of operands in random order, the prompts of one beside each other: a block never splits one. */
function orderOf(groups: readonly string[], context: MeasureContext): number[] {
  const names = [...new Set(groups)];
  const place = new Map(
    context
      .rng(STREAM.order)
      .shuffle(names)
      .map((name, i) => [name, i]),
  );
  const at = (row: number): number => place.get(groups[row]) ?? 0;
  return groups.map((_, row) => row).sort((a, b) => at(a) - at(b) || a - b);
}
