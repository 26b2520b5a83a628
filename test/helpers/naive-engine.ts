/** The float64 reference behind the engine contract, inference only: lets a probe run on it unchanged. Slow. */
import type { Engine, ForwardResult, Model } from '../../src/engine/engine.js';
import { targetRows } from '../../src/engine/kernels/batch.js';
import { pickRows } from '../../src/engine/kernels/interventions.js';
import { readoutRows } from '../../src/engine/tfjs/readout.js';
import { initialParameters } from '../../src/model/init.js';
import type { ActivationName } from '../../src/model/activations.js';
import { editOf, naiveForward } from './naive-gpt.js';

const notHere = (): never => {
  throw new Error('The naive engine only runs forward passes.');
};

export function naiveEngine(): Engine {
  return {
    name: 'wasm',
    isa: 'float64 reference',
    kernelHash: '',
    threads: 1,
    dispose: () => undefined,
    createModel: (config, from): Model => {
      const parameters = 'seed' in from ? initialParameters(config, from.seed) : from.parameters.slice();
      return {
        config,
        mode: 'inference',
        forward: (batch, options = {}): ForwardResult => {
          const edit = editOf(config, batch, options.interventions ?? []);
          const { logits, losses, activations } = naiveForward(config, parameters, batch, edit);
          const captured = (options.capture ?? []).map((name): [ActivationName, Float32Array] => {
            const values = activations.get(name);
            if (values === undefined) throw new RangeError(`No activation ${name}.`);
            const all = Float32Array.from(values);
            if (options.captureRows !== 'targets') return [name, all];
            const width = all.length / batch.tokens.length;
            return [name, pickRows(all, targetRows(batch, losses.length).rows, width, width)];
          });
          return {
            logits: Float32Array.from(logits),
            losses: Float32Array.from(losses),
            lossNats: losses.reduce((a, b) => a + b, 0) / losses.length,
            lossByRole: [],
            activations: new Map(captured),
          };
        },
        readout: (stream) => readoutRows(config, parameters, stream),
        computeGradients: notHere,
        trainStep: notHere,
        generate: notHere,
        getParameters: () => parameters.slice(),
        setParameters: notHere,
        getState: notHere,
        setState: notHere,
        memory: () => ({ stateBytes: 0, workBytes: 0 }),
        dispose: () => undefined,
      };
    },
  };
}
