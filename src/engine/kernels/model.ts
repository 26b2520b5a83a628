/**
 * The Model of the engine contract on a kernel module, native or WASM alike: owns the arenas, checks what goes in, copies
 * what goes out. The mathematics is in kernels/*.c. Browser-safe.
 */
import { unacceptable } from '../../errors.js';
import { checkGptConfig, type GptConfig } from '../../model/gpt-config.js';
import { fillInitialParameters } from '../../model/init.js';
import { type ParameterTable, parameterTable } from '../../model/parameters.js';
import { assertLength } from '../../tensor/shape.js';
import type { AdamWOptions, Batch, TrainStepResult } from '../engine.js';
import { runStages } from './analysis.js';
import { type BatchShape, checkBatch, sumLossByRole } from './batch.js';
import { captureActivations } from './capture.js';
import { Carve } from './carve.js';
import {
  copy,
  type ModelContext,
  type RealForwardOptions,
  type RealForwardResult,
  type RealTrainingState,
  type RealWriteOnOptions,
} from './context.js';
import { describeModel } from './description.js';
import { forwardFused, isFused } from './fused.js';
import { generateGreedy } from './generate.js';
import { writeOn } from './write-on.js';
import { checkCapture } from './interventions.js';
import { type Address, align64, type KernelMemory, type KernelModule, type RealArray } from './module.js';

/** Order of the sections of the state arena; an inference model holds the first only. */
const SECTIONS = ['parameter', 'gradient', 'first moment', 'second moment'] as const;

/** One model in memory of its own. For R = Float32Array this is `Model` of engine.ts. */
export class KernelModel<R extends RealArray> {
  readonly config: GptConfig;
  readonly mode: 'train' | 'inference';
  private readonly table: ParameterTable;
  private readonly memoryOfModel: KernelMemory<R>;
  private readonly description: Address;
  /** [6] AdamW options, then [4] results of a step, float64 */
  private readonly exchange: Address;
  private readonly parameters: Address;
  private step = 0;
  /** the last update left finite parameters and moments, and nothing has changed them since */
  private stateIsFinite = false;
  private disposed = false;

  constructor(
    private readonly module: KernelModule<R>,
    config: GptConfig,
    from: { readonly seed: number } | { readonly parameters: R },
    mode: 'train' | 'inference',
    /** called once, so that an engine does not keep what has been disposed of */
    private readonly onDispose: (model: KernelModel<R>) => void = () => undefined,
  ) {
    checkGptConfig(config);
    this.config = { ...config };
    this.mode = mode;
    this.table = parameterTable(config);
    if (!('seed' in from)) assertLength(from.parameters, this.table.arenaSize, 'parameters [arenaSize]');
    const record = describeModel(config, this.table);
    const sections = mode === 'train' ? SECTIONS.length : 1;
    const recordBytes = align64(record.byteLength);
    const exchangeBytes = align64(10 * 8);
    // 64 bytes more: kernels read whole vectors past the last tensor
    const arenaBytes = sections * this.table.arenaSize * module.realBytes + 64;
    this.memoryOfModel = module.createMemory(recordBytes + exchangeBytes + arenaBytes);
    this.description = this.memoryOfModel.state;
    this.exchange = this.description + recordBytes;
    this.parameters = this.exchange + exchangeBytes;
    this.memoryOfModel.ints(this.description, record.length).set(record);
    if ('seed' in from) fillInitialParameters(config, from.seed, this.section(0));
    else this.section(0).set(from.parameters);
  }

  forward(batch: Batch, options: RealForwardOptions<R> = {}): RealForwardResult<R> {
    const memory = this.open();
    const shape = checkBatch(this.config, batch);
    const context = this.context(memory);
    const { capture = [], interventions = [] } = options;
    checkCapture(this.config, options);
    const found = isFused(this.config, options)
      ? forwardFused(context, batch, shape, options)
      : interventions.length > 0 || options.captureRows === 'targets'
        ? runStages(context, batch, shape, options)
        : captureActivations(context, batch, shape, capture);
    return { ...found, lossByRole: sumLossByRole(batch, found.losses) };
  }

  readout(stream: R): Float64Array {
    const memory = this.open();
    const { dModel, dVocab } = this.config;
    const rows = stream.length / dModel;
    if (!Number.isInteger(rows)) {
      throw unacceptable('stream', `${stream.length} numbers`, `rows of ${dModel} (dModel)`);
    }
    const carve = new Carve(memory, this.module.realBytes);
    const x = carve.reals(stream.length);
    // numbers of the module's own type take part of a double's place each
    const { array, address } = memory.newReals((rows * dVocab * 8) / this.module.realBytes);
    const waiting = carve.bytes(address === undefined ? 8 * rows * dVocab : 0);
    const scratch = carve.bytes(8 * memory.functions.readout_scratch(this.description));
    carve.place();
    memory.reals(x(), stream.length).set(stream);
    memory.functions.readout_rows(
      this.description,
      this.parameters,
      scratch(),
      address ?? waiting(),
      x(),
      rows,
    );
    const out = new Float64Array(array.buffer, array.byteOffset, rows * dVocab);
    if (address === undefined) out.set(memory.doubles(waiting(), rows * dVocab));
    return out;
  }

  computeGradients(batch: Batch): { readonly lossNats: number; readonly gradients: R } {
    const memory = this.openForTraining('computeGradients');
    const shape = this.checkTrainingBatch(batch);
    const { io, work } = this.placeTraining(memory, shape, batch);
    const sum = memory.functions.train_gradients(
      this.module.pool,
      this.description,
      this.parameters,
      work,
      io.tokens(),
      io.targets(),
      io.offsets(),
      shape.N,
      shape.S,
      shape.longest,
      io.losses(),
    );
    return { lossNats: sum / shape.nTargets, gradients: copy(this.section(1)) };
  }

  trainStep(batch: Batch, options: AdamWOptions): TrainStepResult {
    const memory = this.openForTraining('trainStep');
    const shape = this.checkTrainingBatch(batch);
    checkAdamWOptions(options);
    const { io, work } = this.placeTraining(memory, shape, batch);
    const exchange = memory.doubles(this.exchange, 10);
    exchange[0] = options.learningRate;
    exchange[1] = options.beta1;
    exchange[2] = options.beta2;
    exchange[3] = options.eps;
    exchange[4] = options.weightDecay;
    exchange[5] = options.clip;
    exchange[9] = this.stateIsFinite ? 1 : 0;
    const updated = memory.functions.train_step(
      this.module.pool,
      this.description,
      this.parameters,
      work,
      io.tokens(),
      io.targets(),
      io.offsets(),
      shape.N,
      shape.S,
      shape.longest,
      io.losses(),
      this.exchange,
      this.step + 1,
      this.exchange + 6 * 8,
    );
    const lossNats = exchange[6] / shape.nTargets;
    if (updated === 0) return this.whatDiverged(lossNats, exchange[7], exchange[8]);
    this.step++;
    this.stateIsFinite = exchange[9] === 1;
    return {
      kind: 'updated',
      lossNats,
      gradNorm: exchange[7],
      lossByRole: sumLossByRole(batch, memory.reals(io.losses(), shape.nTargets)),
    };
  }

  generate(
    prompts: readonly Int32Array[],
    options: { readonly maxNewTokens: number; readonly stopToken?: number },
  ): Int32Array[] {
    return generateGreedy(this.context(this.open()), prompts, options);
  }

  writeOn(prompt: Int32Array, options: RealWriteOnOptions<R>): void {
    writeOn(this.context(this.open()), prompt, options);
  }

  getParameters(): R {
    this.open();
    return copy(this.section(0));
  }

  setParameters(parameters: R): void {
    this.open();
    assertLength(parameters, this.table.arenaSize, 'parameters [arenaSize]');
    this.stateIsFinite = false;
    this.section(0).set(parameters);
  }

  getState(): RealTrainingState<R> {
    this.openForTraining('getState');
    return {
      parameters: copy(this.section(0)),
      m: copy(this.section(2)),
      v: copy(this.section(3)),
      step: this.step,
    };
  }

  setState(state: RealTrainingState<R>): void {
    this.openForTraining('setState');
    if (!Number.isSafeInteger(state.step) || state.step < 0) {
      throw unacceptable('state.step', state.step, 'a whole number, 0 or more');
    }
    const sections = [
      [0, 'parameters'],
      [2, 'm'],
      [3, 'v'],
    ] as const;
    // all of them before the first is taken: what is refused changes nothing
    for (const [, name] of sections) {
      assertLength(state[name], this.table.arenaSize, `state.${name} [arenaSize]`);
    }
    for (const [index, name] of sections) this.section(index).set(state[name]);
    this.stateIsFinite = false;
    this.step = state.step;
  }

  memory(): { readonly stateBytes: number; readonly workBytes: number } {
    const { stateBytes, workBytes } = this.memoryOfModel;
    return { stateBytes, workBytes };
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.memoryOfModel.dispose();
    this.onDispose(this);
  }

  /** View of section 0 parameters, 1 gradients, 2 m, 3 v. */
  private section(index: number): R {
    const size = this.table.arenaSize;
    return this.memoryOfModel.reals(this.parameters + index * size * this.module.realBytes, size);
  }

  private open(): KernelMemory<R> {
    if (this.disposed) throw new Error('This model has been disposed of. Create a new one.');
    return this.memoryOfModel;
  }

  private openForTraining(what: string): KernelMemory<R> {
    if (this.mode !== 'train') {
      throw new Error(`${what} needs a model created with mode "train", this one is for "${this.mode}".`);
    }
    return this.open();
  }

  private context(memory: KernelMemory<R>): ModelContext<R> {
    const { config, description, parameters } = this;
    const { realBytes, pool, threads } = this.module;
    return { config, memory, description, parameters, realBytes, pool, threads };
  }

  private checkTrainingBatch(batch: Batch): BatchShape {
    const shape = checkBatch(this.config, batch);
    if (shape.nTargets === 0) {
      throw unacceptable('batch.targets', 'none', 'at least one position with a target to learn from');
    }
    return shape;
  }

  private carveBatch(carve: Carve<R>, shape: BatchShape): BatchAddresses {
    return {
      tokens: carve.ints(shape.N),
      targets: carve.ints(shape.N),
      offsets: carve.ints(shape.S + 1),
      losses: carve.reals(shape.nTargets),
    };
  }

  private writeBatch(memory: KernelMemory<R>, io: BatchAddresses, batch: Batch): void {
    memory.ints(io.tokens(), batch.tokens.length).set(batch.tokens);
    memory.ints(io.targets(), batch.targets.length).set(batch.targets);
    memory.ints(io.offsets(), batch.offsets.length).set(batch.offsets);
  }

  private placeTraining(
    memory: KernelMemory<R>,
    shape: BatchShape,
    batch: Batch,
  ): { io: BatchAddresses; work: Address } {
    const carve = new Carve(memory, this.module.realBytes);
    const io = this.carveBatch(carve, shape);
    const { threads } = this.module;
    const work = carve.bytes(
      memory.functions.train_work_bytes(this.description, shape.N, shape.S, shape.longest, threads),
    );
    carve.place();
    this.writeBatch(memory, io, batch);
    return { io, work: work() };
  }

  /** The loss first, as a NaN there spreads to everything; then weights and moments, by the tensor's name. */
  private whatDiverged(lossNats: number, gradNorm: number, badSection: number): TrainStepResult {
    for (const section of [0, 2, 3]) {
      if (badSection !== section + 1) continue;
      const values = this.section(section);
      const at = values.findIndex((x) => !Number.isFinite(x));
      const spec = this.table.specs.findLast((candidate) => candidate.offset <= at);
      const name = spec?.name ?? 'unknown';
      const quantity = section === 0 ? `parameter ${name}` : `${SECTIONS[section]} of ${name}`;
      return { kind: 'diverged', quantity, value: values[at] };
    }
    return Number.isFinite(lossNats)
      ? { kind: 'diverged', quantity: 'gradient norm', value: gradNorm }
      : { kind: 'diverged', quantity: 'loss', value: lossNats };
  }
}

interface BatchAddresses {
  readonly tokens: () => Address;
  readonly targets: () => Address;
  readonly offsets: () => Address;
  readonly losses: () => Address;
}

/** Throws a UserError naming the first option out of range. */
export function checkAdamWOptions(options: AdamWOptions): void {
  const inRange = (field: keyof AdamWOptions, low: number, high: number, text: string): void => {
    const value = options[field];
    if (!(value >= low && value <= high)) throw unacceptable(field, value, text);
  };
  inRange('learningRate', 0, 1e30, 'a number from 0 to 1e30');
  inRange('beta1', 0, 1 - 1e-9, 'a number from 0 to below 1');
  inRange('beta2', 0, 1 - 1e-9, 'a number from 0 to below 1');
  inRange('eps', 1e-30, 1, 'a number above 0, at most 1');
  inRange('weightDecay', 0, 1e6, 'a number from 0 to 1e6');
  inRange('clip', Number.MIN_VALUE, Infinity, 'a number above 0, or Infinity for no clipping');
}
