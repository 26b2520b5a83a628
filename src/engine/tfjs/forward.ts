/**
 * The forward pass in TensorFlow.js operations, stage by stage as in model/activations.ts. One code for training,
 * analysis and generation; they differ in who visits the stages.
 */
import {
  type ActivationName,
  activationName,
  type BlockActivation,
  type ModelActivation,
} from '../../model/activations.js';
import type { ActivationFunction } from '../../model/activation-functions.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { POSITION_EMBEDDING, TOKEN_EMBEDDING, UNEMBEDDING } from '../../model/parameters.js';
import { gatherRows, gelu, layerNorm, linear } from './operations.js';
import { type AttentionPlan, causalMask } from './plan.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/** What a forward pass needs of a model. */
export interface ForwardModel {
  readonly tf: TensorFlow;
  readonly config: GptConfig;
  /** tf.erf of this back end is within rounding */
  readonly exactErf: boolean;
  /** a tensor of parameterTable by name; undefined: the model has none, such as a bias */
  readonly weight: (name: string) => Tensor | undefined;
}

/** Sees every activation as soon as it exists, and may give another in its place. */
export interface Visitor {
  /** @param x - [N, width] */
  rows(name: ActivationName, x: Tensor): Tensor;
  /** @param parts - for each group of the plan [sequences nHeads, T, T] */
  patterns(name: ActivationName, parts: readonly Tensor[]): readonly Tensor[];
}

const ACTIVATION_FUNCTIONS: Readonly<
  Record<ActivationFunction, (model: ForwardModel, pre: Tensor) => Tensor>
> = {
  gelu: ({ tf, exactErf }, pre) => gelu(tf, pre, exactErf),
  relu: ({ tf }, pre) => tf.relu(pre),
};

export const NOBODY: Visitor = { rows: (_, x) => x, patterns: (_, parts) => parts };

/** From queries, keys and values [N, C] to z [N, C]. */
export type Attend = (layer: number, q: Tensor, k: Tensor, v: Tensor) => Tensor;

/** @returns [N, C] `ln_final.normalized` */
export function residualStream(
  model: ForwardModel,
  rows: { readonly tokens: Int32Array; readonly positions: Int32Array },
  attend: Attend,
  visitor: Visitor = NOBODY,
): Tensor {
  const { tf, config } = model;
  const atModel = (name: ModelActivation, x: Tensor): Tensor => visitor.rows(activationName(name), x);
  const norm = (x: Tensor, name: string): Tensor =>
    layerNorm(tf, x, needed(model, `${name}.weight`), model.weight(`${name}.bias`));
  const project = (x: Tensor, name: string): Tensor =>
    linear(tf, x, needed(model, `${name}.weight`), model.weight(`${name}.bias`));

  const embed = atModel('embed', gatherRows(tf, needed(model, TOKEN_EMBEDDING), rows.tokens));
  const position = atModel('pos_embed', gatherRows(tf, needed(model, POSITION_EMBEDDING), rows.positions));
  let residual = tf.add(embed, position);
  for (let layer = 0; layer < config.nLayers; layer++) {
    const at = (name: BlockActivation, x: Tensor): Tensor => visitor.rows(activationName(name, layer), x);
    const block = `transformer.h.${config.shareBlocks ? 0 : layer}`;
    residual = at('resid_pre', residual);
    const normalized1 = at('ln1.normalized', norm(residual, `${block}.ln_1`));
    const parts = tf.split(
      project(normalized1, `${block}.attn.c_attn`),
      [config.dModel, config.dModel, config.dModel],
      1,
    );
    const q = at('attn.q', parts[0]);
    const k = at('attn.k', parts[1]);
    const v = at('attn.v', parts[2]);
    const z = at('attn.z', attend(layer, q, k, v));
    const attnOut = at('attn_out', project(z, `${block}.attn.c_proj`));
    const middle = at('resid_mid', tf.add(residual, attnOut));
    const normalized2 = at('ln2.normalized', norm(middle, `${block}.ln_2`));
    const pre = at('mlp.pre', project(normalized2, `${block}.mlp.c_fc`));
    const post = at('mlp.post', ACTIVATION_FUNCTIONS[config.activation](model, pre));
    const mlpOut = at('mlp_out', project(post, `${block}.mlp.c_proj`));
    residual = at('resid_post', tf.add(middle, mlpOut));
  }
  return atModel('ln_final.normalized', norm(residual, 'transformer.ln_f'));
}

/** Attention of whole sequences among themselves. */
export function attendWithin(model: ForwardModel, plan: AttentionPlan, visitor: Visitor = NOBODY): Attend {
  const { tf, config } = model;
  const count = (group: AttentionPlan['groups'][number]): number => group.sequences.length * config.nHeads;
  const masks = plan.groups.map((group) => createMask(tf, count(group), group.length));
  return (layer, q, k, v) => {
    const [queries, keys, values] = [q, k, v].map((x) => splitGroups(model, plan, x));
    const scores = visitor.patterns(
      activationName('attn.attn_scores', layer),
      queries.map((own, g) => scoresOf(model, own, keys[g], masks[g])),
    );
    const patterns = visitor.patterns(
      activationName('attn.pattern', layer),
      scores.map((own) => tf.softmax(own)),
    );
    return joinGroups(
      model,
      plan,
      patterns.map((own, g) => tf.matMul(own, values[g])),
    );
  };
}

/** @param hidden - [n, C] rows of `ln_final.normalized`; @returns [n, V] */
export function unembed(model: ForwardModel, hidden: Tensor): Tensor {
  const weight = needed(model, model.config.tied ? TOKEN_EMBEDDING : UNEMBEDDING);
  return linear(model.tf, hidden, weight, model.weight('lm_head.bias'));
}

interface Mask {
  /** bool, true where a query may look */
  readonly allowed: Tensor;
  /** -Infinity everywhere */
  readonly forbidden: Tensor;
}

/** Of `count` matrices [T, T]. */
function createMask(tf: TensorFlow, count: number, T: number): Mask {
  const shape = [count, T, T];
  return {
    allowed: tf.tensor(causalMask(count, T), shape, 'bool'),
    forbidden: tf.fill(shape, -Infinity),
  };
}

/** q.k / sqrt(dHead), -Infinity where the mask forbids; a choice and no sum, so that no number is ever -Infinity + Infinity */
function scoresOf({ tf, config }: ForwardModel, q: Tensor, k: Tensor, mask: Mask): Tensor {
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(config.dModel / config.nHeads));
  return tf.where(mask.allowed, scores, mask.forbidden);
}

/** [N, C] to [sequences nHeads, T, dHead] for each group */
function splitGroups({ tf, config }: ForwardModel, plan: AttentionPlan, x: Tensor): Tensor[] {
  const dHead = config.dModel / config.nHeads;
  const heads = gatherRows(tf, tf.reshape(x, [plan.grouped.length, dHead]), plan.grouped);
  const shapes = plan.groups.map((group) => [group.sequences.length * config.nHeads, group.length, dHead]);
  const parts =
    shapes.length === 1
      ? [heads]
      : tf.split(
          heads,
          shapes.map(([count, length]) => count * length),
          0,
        );
  return parts.map((part, g) => tf.reshape(part, shapes[g]));
}

/** The inverse of splitGroups. */
function joinGroups({ tf, config }: ForwardModel, plan: AttentionPlan, parts: readonly Tensor[]): Tensor {
  const dHead = config.dModel / config.nHeads;
  const flat = parts.map((part) => tf.reshape(part, [part.shape[0] * part.shape[1], dHead]));
  const all = flat.length === 1 ? flat[0] : tf.concat(flat, 0);
  const rows = gatherRows(tf, all, plan.back);
  return tf.reshape(rows, [plan.back.length / config.nHeads, config.dModel]);
}

function needed({ weight }: ForwardModel, name: string): Tensor {
  const found = weight(name);
  if (found === undefined) throw new RangeError(`The model has no parameter named "${name}".`);
  return found;
}
