/**
 * A model without a transformer: eight parameters, a loss that is a smooth function of them and of the batch, AdamW's
 * moments replaced by plain momentum. Deterministic, and its whole state counts, as with a real one.
 */
import type { AdamWOptions, Batch, Model, TrainingState, TrainStepResult } from '../../src/engine/engine.js';
import type { GptConfig } from '../../src/model/gpt-config.js';

const NOT_HERE = (): never => {
  throw new Error('the toy model only trains');
};

export class ToyModel implements Model {
  readonly config: GptConfig = {
    dVocab: 8,
    nCtx: 8,
    dModel: 1,
    nLayers: 1,
    nHeads: 1,
    dMlp: 4,
    activation: 'gelu',
    bias: true,
    tied: true,
    shareBlocks: false,
    qkvBias: true,
    unembeddingBias: false,
    residualInit: 'scaled',
  };
  readonly mode = 'train';
  parameters = Float32Array.from({ length: 8 }, (_, i) => Math.sin(i + 1));
  private readonly momentum = new Float32Array(8);
  private step = 0;

  trainStep(batch: Batch, { learningRate }: AdamWOptions): TrainStepResult {
    const pull = batch.tokens.reduce((sum, token, i) => sum + Math.cos(token * (i + 1)), 0);
    let lossNats = 0;
    const gradient = this.parameters.map((p, i) => {
      lossNats += p * p + 0.1 * p * Math.sin(pull + i);
      return 2 * p + 0.1 * Math.sin(pull + i);
    });
    const gradNorm = Math.hypot(...gradient);
    if (!Number.isFinite(lossNats)) return { kind: 'diverged', quantity: 'loss', value: lossNats };
    this.step++;
    gradient.forEach((g, i) => {
      this.momentum[i] = 0.9 * this.momentum[i] + g;
      this.parameters[i] -= learningRate * this.momentum[i];
    });
    const count = batch.targets.filter((target) => target >= 0).length;
    return {
      kind: 'updated',
      lossNats,
      gradNorm,
      lossByRole: [
        { sumNats: lossNats * 0.75 * count, count: Math.floor(count / 2) },
        { sumNats: 0, count: 0 },
        { sumNats: lossNats * 0.25 * count, count: count - Math.floor(count / 2) },
      ],
    };
  }

  getParameters(): Float32Array {
    return this.parameters.slice();
  }
  setParameters(parameters: Float32Array): void {
    this.parameters.set(parameters);
  }
  getState(): TrainingState {
    return {
      parameters: this.parameters.slice(),
      m: this.momentum.slice(),
      v: new Float32Array(8),
      step: this.step,
    };
  }
  setState({ parameters, m, step }: TrainingState): void {
    this.parameters.set(parameters);
    this.momentum.set(m);
    this.step = step;
  }
  memory(): { stateBytes: number; workBytes: number } {
    return { stateBytes: 96, workBytes: 0 };
  }
  dispose(): void {
    this.step = -1;
  }
  forward = NOT_HERE;
  readout = NOT_HERE;
  computeGradients = NOT_HERE;
  generate = NOT_HERE;
}
