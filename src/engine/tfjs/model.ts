/**
 * The Model of the engine contract on TensorFlow.js. Parameters, moments and gradients lie in plain arenas; TensorFlow.js
 * computes the forward pass and its autodiff the gradients; AdamW is plain float64 (adamw.ts).
 */
import { unacceptable } from '../../errors.js';
import type { ActivationName } from '../../model/activations.js';
import { checkGptConfig, type GptConfig } from '../../model/gpt-config.js';
import { initialParameters } from '../../model/init.js';
import { type ParameterTable, parameterTable } from '../../model/parameters.js';
import { assertLength } from '../../tensor/shape.js';
import type {
  AdamWOptions,
  Batch,
  ForwardOptions,
  ForwardResult,
  Model,
  TrainingState,
  TrainStepResult,
} from '../engine.js';
import { checkBatch, sumLossByRole, targetRows } from '../kernels/batch.js';
import { checkAdamWOptions } from '../kernels/model.js';
import { adamw, gradientNorm, whatDiverged } from './adamw.js';
import { attendWithin, type ForwardModel, residualStream, unembed } from './forward.js';
import { generateGreedy } from './generate.js';
import { crossEntropy, gatherRows } from './operations.js';
import { planAttention, positionsOf } from './plan.js';
import { readoutRows } from './readout.js';
import type { Tensor, TensorFlow } from './tensorflow.js';
import { createVisitor } from './visits.js';

/** A loaded back end; `use` makes it the current one, as TensorFlow.js has one at a time in a process. */
export interface Backend {
  readonly tf: TensorFlow;
  readonly exactErf: boolean;
  readonly use: () => void;
}

type Weights = ReadonlyMap<string, Tensor>;
interface Losses {
  /** [nTargets, 1] nats */
  readonly losses: Tensor;
  readonly logits: Tensor;
}

export class TfjsModel implements Model {
  readonly config: GptConfig;
  readonly mode: 'train' | 'inference';
  private readonly table: ParameterTable;
  private readonly parameters: Float32Array;
  /** present in mode `train` */
  private readonly training: { readonly m: Float32Array; readonly v: Float32Array } | undefined;
  /** the parameters as TensorFlow.js holds them, by name */
  private weights: Weights = new Map();
  private step = 0;
  private disposed = false;

  constructor(
    private readonly backend: Backend,
    config: GptConfig,
    from: { readonly seed: number } | { readonly parameters: Float32Array },
    mode: 'train' | 'inference',
    /** called once, so that an engine does not keep what has been disposed of */
    private readonly onDispose: (model: TfjsModel) => void = () => undefined,
  ) {
    checkGptConfig(config);
    this.config = { ...config };
    this.mode = mode;
    this.table = parameterTable(config);
    const { arenaSize } = this.table;
    const initial = 'seed' in from ? initialParameters(config, from.seed) : from.parameters.slice();
    assertLength(initial, arenaSize, 'parameters [arenaSize]');
    this.parameters = initial;
    this.training =
      mode === 'train' ? { m: new Float32Array(arenaSize), v: new Float32Array(arenaSize) } : undefined;
    this.refresh();
  }

  forward(batch: Batch, options: ForwardOptions = {}): ForwardResult {
    const { tf } = this.open();
    const { nTargets } = checkBatch(this.config, batch);
    const activations = new Map<ActivationName, Float32Array>();
    const { logits, losses } = tf.tidy(() => {
      const found = this.lossesOf(this.weights, batch, nTargets, options, activations);
      return { logits: found.logits.dataSync().slice(), losses: found.losses.dataSync().slice() };
    });
    return {
      logits,
      losses,
      lossNats: sumOf(losses) / nTargets,
      lossByRole: sumLossByRole(batch, losses),
      activations,
    };
  }

  readout(stream: Float32Array): Float64Array {
    this.open();
    const { dModel } = this.config;
    if (stream.length % dModel !== 0) {
      throw unacceptable('stream', `${stream.length} numbers`, `rows of ${dModel} (dModel)`);
    }
    return readoutRows(this.config, this.parameters, stream);
  }

  computeGradients(batch: Batch): { readonly lossNats: number; readonly gradients: Float32Array } {
    this.openForTraining('computeGradients');
    const { losses, gradients } = this.backward(batch);
    return { lossNats: sumOf(losses) / losses.length, gradients };
  }

  trainStep(batch: Batch, options: AdamWOptions): TrainStepResult {
    const { m, v } = this.openForTraining('trainStep');
    checkAdamWOptions(options);
    const { losses, gradients } = this.backward(batch);
    const lossNats = sumOf(losses) / losses.length;
    const gradNorm = gradientNorm(this.table, gradients);
    const arenas = { parameters: this.parameters, m, v };
    const diverged = whatDiverged(this.table, arenas, lossNats, gradNorm);
    if (diverged !== undefined) return diverged;
    adamw(this.table, arenas, gradients, gradNorm, options, this.step + 1);
    this.step++;
    this.refresh();
    return { kind: 'updated', lossNats, gradNorm, lossByRole: sumLossByRole(batch, losses) };
  }

  generate(
    prompts: readonly Int32Array[],
    options: { readonly maxNewTokens: number; readonly stopToken?: number },
  ): Int32Array[] {
    this.open();
    return generateGreedy(this.forwardModel(this.weights), prompts, options);
  }

  getParameters(): Float32Array {
    this.open();
    return this.parameters.slice();
  }

  setParameters(parameters: Float32Array): void {
    this.open();
    assertLength(parameters, this.table.arenaSize, 'parameters [arenaSize]');
    this.parameters.set(parameters);
    this.refresh();
  }

  getState(): TrainingState {
    const { m, v } = this.openForTraining('getState');
    return { parameters: this.parameters.slice(), m: m.slice(), v: v.slice(), step: this.step };
  }

  setState(state: TrainingState): void {
    const { m, v } = this.openForTraining('setState');
    if (!Number.isSafeInteger(state.step) || state.step < 0) {
      throw unacceptable('state.step', state.step, 'a whole number, 0 or more');
    }
    for (const name of ['parameters', 'm', 'v'] as const) {
      assertLength(state[name], this.table.arenaSize, `state.${name} [arenaSize]`);
    }
    m.set(state.m);
    v.set(state.v);
    this.step = state.step;
    this.setParameters(state.parameters);
  }

  /** The arenas, and the tensors that live between calls: the parameters. */
  memory(): { readonly stateBytes: number; readonly workBytes: number } {
    const section = this.parameters.byteLength;
    const tensorBytes = this.table.nParameters * this.parameters.BYTES_PER_ELEMENT;
    return {
      stateBytes: this.training === undefined ? section : 3 * section,
      workBytes: this.disposed ? 0 : tensorBytes,
    };
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.backend.use();
    this.dropWeights();
    this.onDispose(this);
  }

  private open(): Backend {
    if (this.disposed) throw new Error('This model has been disposed of. Create a new one.');
    this.backend.use();
    return this.backend;
  }

  private openForTraining(what: string): { readonly m: Float32Array; readonly v: Float32Array } {
    if (this.training === undefined) {
      throw new Error(`${what} needs a model created with mode "train", this one is for "${this.mode}".`);
    }
    this.open();
    return this.training;
  }

  private forwardModel(weights: Weights): ForwardModel {
    const { tf, exactErf } = this.backend;
    return { tf, exactErf, config: this.config, weight: (name) => weights.get(name) };
  }

  private lossesOf(
    weights: Weights,
    batch: Batch,
    nTargets: number,
    options: ForwardOptions = {},
    activations = new Map<ActivationName, Float32Array>(),
  ): Losses {
    const { tf } = this.backend;
    const { config } = this;
    const model = this.forwardModel(weights);
    const plan = planAttention(batch.offsets, config.nHeads);
    const visitor = createVisitor(tf, config, batch, plan, options, activations);
    const rows = { tokens: batch.tokens, positions: positionsOf(batch) };
    const hidden = residualStream(model, rows, attendWithin(model, plan, visitor), visitor);
    if (nTargets === 0) {
      const none = (width: number): Tensor => tf.tensor(new Float32Array(), [0, width]);
      return { logits: none(config.dVocab), losses: none(1) };
    }
    const wanted = targetRows(batch, nTargets);
    const logits = unembed(model, gatherRows(tf, hidden, wanted.rows));
    return { logits, losses: crossEntropy(tf, logits, wanted.targets) };
  }

  /** Losses [nTargets], and the gradient of their mean, [arenaSize]. */
  private backward(batch: Batch): { readonly losses: Float32Array; readonly gradients: Float32Array } {
    const { tf } = this.backend;
    const { nTargets } = checkBatch(this.config, batch);
    if (nTargets === 0) {
      throw unacceptable('batch.targets', 'none', 'at least one position with a target to learn from');
    }
    const { specs, arenaSize } = this.table;
    const gradients = new Float32Array(arenaSize);
    let losses = new Float32Array();
    tf.tidy(() => {
      const { grads } = tf.valueAndGrads((...tensors) => {
        const weights = new Map(specs.map((spec, i) => [spec.name, tensors[i]]));
        const found = this.lossesOf(weights, batch, nTargets);
        losses = found.losses.dataSync().slice();
        return tf.mul(tf.sum(found.losses), 1 / nTargets);
      })([...this.weights.values()]);
      specs.forEach((spec, i) => gradients.set(grads[i].dataSync(), spec.offset));
    });
    return { losses, gradients };
  }

  /** Gives TensorFlow.js the parameters as they are now. */
  private refresh(): void {
    const { tf } = this.open();
    this.dropWeights();
    // slices: a back end may keep the array it is given
    this.weights = new Map(
      this.table.specs.map(({ name, shape, offset, size }) => [
        name,
        tf.tensor(this.parameters.slice(offset, offset + size), shape),
      ]),
    );
  }

  private dropWeights(): void {
    for (const tensor of this.weights.values()) tensor.dispose();
    this.weights = new Map();
  }
}

/** In float64, in order. */
function sumOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
