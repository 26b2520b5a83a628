/**
 * Direct logit attribution: a logit is the sum of what every part writes to the residual stream, read by the final LayerNorm
 * (its divisor held at the run's own) and the unembedding. Browser-safe.
 */
import type { Model } from '../engine/engine.js';
import { type ActivationName, activationName } from '../model/activations.js';
import { parameterTable } from '../model/parameters.js';
import type { Readout } from './readout.js';
import { type LensRun, activationsOf } from './run.js';

export type AttributionPart =
  | { readonly kind: 'embed' | 'pos_embed' }
  | { readonly kind: 'head'; readonly layer: number; readonly head: number }
  | { readonly kind: 'neuron'; readonly layer: number; readonly neuron: number }
  /** a whole feed-forward layer without its bias: the sum of its neurons */
  | { readonly kind: 'feed-forward'; readonly layer: number }
  /** output bias of a layer's attention or feed-forward */
  | { readonly kind: 'attention bias' | 'feed-forward bias'; readonly layer: number }
  /** bias of the final LayerNorm and of the unembedding */
  | { readonly kind: 'readout bias' }
  /** what interventions put in the place of the parts' own writes; in runs with interventions only */
  | { readonly kind: 'interventions' };

export interface Attribution {
  readonly parts: readonly AttributionPart[];
  /** [asked][parts] contribution in units of the logit; each row sums to `total` */
  readonly values: readonly Float64Array[];
  /** [asked] the logit, or the sum of logits, that was asked for */
  readonly total: Float64Array;
}

/** A row of a run and the sum of its logits to be explained. */
export interface AttributionTarget {
  readonly row: number;
  /** by token: 1 for a logit; 1 and -1 for a difference */
  readonly of: ReadonlyMap<number, number>;
}

export interface AttributionOptions {
  /** neurons one by one instead of whole feed-forward layers */
  readonly neurons?: boolean;
}

/** Short name: `embed`, `L0H1`, `L1 feed-forward`, `L1N12`. */
export function partName(part: AttributionPart): string {
  switch (part.kind) {
    case 'head':
      return `L${part.layer}H${part.head}`;
    case 'neuron':
      return `L${part.layer}N${part.neuron}`;
    case 'feed-forward':
    case 'attention bias':
    case 'feed-forward bias':
      return `L${part.layer} ${part.kind}`;
    default:
      return part.kind;
  }
}

/** Activations that attribution reads: capture them in the run, or it runs once more. @param neurons - one by one */
export function attributionActivations(nLayers: number, neurons = false): ActivationName[] {
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  return [
    activationName('embed'),
    activationName('pos_embed'),
    ...layers.flatMap((layer) => [
      activationName('attn.z', layer),
      activationName(neurons ? 'mlp.post' : 'mlp_out', layer),
    ]),
    activationName('resid_post', nLayers - 1),
  ];
}

export function attributionOf(
  model: Model,
  parameters: Float32Array,
  readout: Readout,
  run: LensRun,
  targets: readonly AttributionTarget[],
  options: AttributionOptions = {},
): Attribution {
  const { config } = model;
  const { dModel, dMlp, nLayers, nHeads, shareBlocks } = config;
  const dHead = dModel / nHeads;
  const byNeuron = options.neurons === true;
  const hasInterventions = run.interventions.length > 0;
  // what interventions write in place of a layer is a part of its own: the layer's own write is then that of its neurons
  const readsNeurons = byNeuron || hasInterventions;
  const found = activationsOf(model, run, attributionActivations(nLayers, readsNeurons));
  const values = (name: ActivationName): Float32Array => {
    const x = found.get(name);
    if (x === undefined) throw new RangeError(`The engine did not return ${name}.`);
    return x;
  };
  const table = parameterTable(config);
  const tensor = (layer: number, name: string): Float32Array | undefined => {
    const spec = table.byName.get(`transformer.h.${shareBlocks ? 0 : layer}.${name}`);
    return spec && parameters.subarray(spec.offset, spec.offset + spec.size);
  };
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const hasBias = tensor(0, 'attn.c_proj.bias') !== undefined;
  const parts: AttributionPart[] = [
    { kind: 'embed' },
    { kind: 'pos_embed' },
    ...layers.flatMap((layer): AttributionPart[] => [
      ...Array.from({ length: nHeads }, (_, head) => ({ kind: 'head', layer, head }) as const),
      ...(hasBias ? [{ kind: 'attention bias', layer } as const] : []),
      ...(byNeuron
        ? Array.from({ length: dMlp }, (_, neuron) => ({ kind: 'neuron', layer, neuron }) as const)
        : [{ kind: 'feed-forward', layer } as const]),
      ...(hasBias ? [{ kind: 'feed-forward bias', layer } as const] : []),
    ]),
    { kind: 'readout bias' },
    ...(hasInterventions ? [{ kind: 'interventions' } as const] : []),
  ];

  /** everything that depends on the asked sum of logits alone, made once for it */
  const readers = new Map<string, ReturnType<typeof makeReader>>();
  const makeReader = (of: ReadonlyMap<number, number>) => {
    const direction = readout.direction(of);
    return {
      direction,
      constant: readout.constant(of),
      // through each layer's output matrices: [in] what one unit of z or of a neuron adds
      heads: layers.map((layer) => through(tensor(layer, 'attn.c_proj.weight'), direction)),
      neurons: readsNeurons
        ? layers.map((layer) => through(tensor(layer, 'mlp.c_proj.weight'), direction))
        : [],
      attentionBias: layers.map((layer) => product(tensor(layer, 'attn.c_proj.bias'), 0, direction)),
      mlpBias: layers.map((layer) => product(tensor(layer, 'mlp.c_proj.bias'), 0, direction)),
    };
  };
  const readerOf = (of: ReadonlyMap<number, number>) => {
    const key = [...of].join(';');
    let reader = readers.get(key);
    if (reader === undefined) readers.set(key, (reader = makeReader(of)));
    return reader;
  };
  const known = new Map<ReadonlyMap<number, number>, ReturnType<typeof makeReader>>();

  const embed = values(activationName('embed'));
  const position = values(activationName('pos_embed'));
  const blocks = layers.map((layer) => ({
    z: values(activationName('attn.z', layer)),
    mlp: values(activationName(readsNeurons ? 'mlp.post' : 'mlp_out', layer)),
  }));
  const stream = values(activationName('resid_post', nLayers - 1));
  const total = new Float64Array(targets.length);
  const nParts = parts.length;
  const all = new Float64Array(targets.length * nParts);
  targets.forEach(({ row, of }, asked) => {
    let reader = known.get(of);
    if (reader === undefined) known.set(of, (reader = readerOf(of)));
    const { direction } = reader;
    const first = asked * nParts;
    let at = first;
    all[at++] = product(embed, row, direction);
    all[at++] = product(position, row, direction);
    for (let layer = 0; layer < nLayers; layer++) {
      const { z, mlp } = blocks[layer];
      const heads = reader.heads[layer];
      for (let head = 0; head < nHeads; head++) all[at++] = partOf(z, row, heads, head * dHead, dHead);
      if (hasBias) all[at++] = reader.attentionBias[layer];
      if (byNeuron) {
        const neurons = reader.neurons[layer];
        for (let j = 0; j < dMlp; j++) all[at++] = mlp[row * dMlp + j] * neurons[j];
      } else if (readsNeurons) {
        all[at++] = product(mlp, row, reader.neurons[layer]);
      } else {
        // what the layer writes, less its bias, which is a part of its own
        all[at++] = product(mlp, row, direction) - reader.mlpBias[layer];
      }
      if (hasBias) all[at++] = reader.mlpBias[layer];
    }
    const divisor = readout.divisor(stream, row);
    for (let i = first; i < at; i++) all[i] /= divisor;
    all[at++] = reader.constant;
    total[asked] = product(stream, row, direction) / divisor + reader.constant;
    if (hasInterventions) {
      let sum = 0;
      for (let i = first; i < at; i++) sum += all[i];
      all[at] = total[asked] - sum;
    }
  });
  const rows = targets.map((_, asked) => all.subarray(asked * nParts, (asked + 1) * nParts));
  return { parts, values: rows, total };
}

/** w [out, in] transposed times a direction [out]. @returns [in] */
function through(w: Float32Array | undefined, direction: Float64Array): Float64Array {
  if (w === undefined) throw new RangeError('The model has no such parameter.');
  const width = w.length / direction.length;
  const out = new Float64Array(width);
  for (let o = 0; o < direction.length; o++) {
    for (let i = 0; i < width; i++) out[i] += direction[o] * w[o * width + i];
  }
  return out;
}

/** Product of row `row` of x [.., width] with a direction [width]; 0 where there is no x. */
function product(x: Float32Array | undefined, row: number, direction: Float64Array): number {
  return x === undefined ? 0 : partOf(x, row, direction, 0, direction.length);
}

function partOf(x: Float32Array, row: number, direction: Float64Array, from: number, count: number): number {
  const start = row * direction.length;
  let total = 0;
  for (let i = from; i < from + count; i++) total += x[start + i] * direction[i];
  return total;
}
