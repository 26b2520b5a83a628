/** Reading and overwriting activations: values leave their back end, are changed in plain code, and go back. */
import { type ActivationName, parseActivationName } from '../../model/activations.js';
import type { GptConfig } from '../../model/gpt-config.js';
import type { Batch, ForwardOptions, Intervention } from '../engine.js';
import { targetRows } from '../kernels/batch.js';
import {
  type CheckedIntervention,
  checkCapture,
  checkIntervention,
  pickRows,
} from '../kernels/interventions.js';
import type { Visitor } from './forward.js';
import { type AttentionPlan, packPatterns, unpackPatterns } from './plan.js';
import type { TensorFlow } from './tensorflow.js';

type Checked = CheckedIntervention<Float32Array>;

/**
 * @param captured - written: copies of the activations asked for, in the order of computation
 * @throws UserError where a name or an intervention does not fit the model or the batch
 */
export function createVisitor(
  tf: TensorFlow,
  config: GptConfig,
  batch: Batch,
  plan: AttentionPlan,
  options: ForwardOptions,
  captured: Map<ActivationName, Float32Array>,
): Visitor {
  const wanted = new Set(options.capture?.map((name) => parseActivationName(config, name).name));
  checkCapture(config, options);
  const nTargets = batch.targets.reduce((count, target) => count + (target >= 0 ? 1 : 0), 0);
  const kept = options.captureRows === 'targets' ? targetRows(batch, nTargets).rows : undefined;
  const interventions = (options.interventions ?? []).map((one): Checked =>
    checkIntervention(config, batch, one),
  );
  const at = (name: ActivationName): Checked[] => interventions.filter((one) => one.at === name);
  const { offsets } = batch;
  return {
    rows(name, x) {
      const changes = at(name);
      if (changes.length === 0 && !wanted.has(name)) return x;
      const values = x.dataSync().slice();
      for (const change of changes) changeRows(config, batch, change, x.shape[1], values);
      const width = x.shape[1];
      if (wanted.has(name)) {
        captured.set(name, kept === undefined ? values.slice() : pickRows(values, kept, width, width));
      }
      return changes.length === 0 ? x : tf.tensor(values, x.shape);
    },
    patterns(name, parts) {
      const changes = at(name);
      if (changes.length === 0 && !wanted.has(name)) return parts;
      const values = parts.map((part) => part.dataSync());
      const packed = packPatterns(plan, offsets, config.nHeads, values);
      for (const change of changes) changePatterns(config, batch, change, packed);
      if (wanted.has(name)) captured.set(name, packed);
      if (changes.length === 0) return parts;
      const changed = unpackPatterns(plan, offsets, config.nHeads, packed);
      return changed.map((part, g) => tf.tensor(part, parts[g].shape));
    },
  };
}

/** @param x - [N, width]; written */
function changeRows(
  config: GptConfig,
  batch: Batch,
  { op, value, heads, positions }: Checked,
  width: number,
  x: Float32Array,
): void {
  const dHead = config.dModel / config.nHeads;
  const isFull = typeof value !== 'number' && value.length !== width;
  for (const row of positions ?? batch.tokens.keys()) {
    for (let column = 0; column < width; column++) {
      if (heads !== undefined && !heads.includes(Math.floor(column / dHead))) continue;
      const at = row * width + column;
      x[at] = changed(op, x[at], typeof value === 'number' ? value : value[isFull ? at : column]);
    }
  }
}

/** @param x - concatenated [nHeads, T, T]; written, but not above the diagonal, where the mask is */
function changePatterns(
  config: GptConfig,
  batch: Batch,
  { op, value, heads, positions }: Checked,
  x: Float32Array,
): void {
  const wanted = positions === undefined ? undefined : new Set(positions);
  let at = 0;
  for (let s = 0; s + 1 < batch.offsets.length; s++) {
    const T = batch.offsets[s + 1] - batch.offsets[s];
    for (let head = 0; head < config.nHeads; head++) {
      for (let query = 0; query < T; query++, at += T) {
        if (heads !== undefined && !heads.includes(head)) continue;
        if (wanted !== undefined && !wanted.has(batch.offsets[s] + query)) continue;
        for (let i = at; i <= at + query; i++) {
          x[i] = changed(op, x[i], typeof value === 'number' ? value : value[i]);
        }
      }
    }
  }
}

function changed(op: Intervention['op'], x: number, operand: number): number {
  switch (op) {
    case 'set':
      return operand;
    case 'add':
      return x + operand;
    case 'scale':
      return x * operand;
  }
}
