/**
 * The reference engine: the contract of engine.ts on TensorFlow.js, whose autodiff shares nothing with our kernels. It
 * checks them and opens the way to other back ends; it is 10 to 1,000 times slower. Node only.
 */
import { createHash } from 'node:crypto';
import type { Engine } from '../engine.js';
import { registerGradients } from './gradients.js';
import { type Importer, loadTensorFlow, type TfjsBackend } from './load.js';
import { type Backend, TfjsModel } from './model.js';

/** Raised when this folder's code comes to give other numbers: it takes the place of the kernels' sources in the hash. */
const REVISION = 1;

/** @throws UserError with the remedy when the packages are missing or do not load */
export async function openTfjsEngine(name: TfjsBackend, load?: Importer): Promise<Engine> {
  const { tf, versions } = await loadTensorFlow(name, load);
  const backend: Backend = {
    tf,
    exactErf: name !== 'cpu',
    use() {
      // another back end's package may have brought rules of its own since
      registerGradients(tf);
      if (tf.getBackend() === name) return;
      // takes effect at once, as the back end has been initialised; the promise says nothing more
      void tf.setBackend(name);
      if (tf.getBackend() !== name) throw new Error(`TensorFlow.js did not switch to its ${name} back end.`);
    },
  };
  const models = new Set<TfjsModel>();
  let disposed = false;
  const hash = createHash('sha256').update(JSON.stringify([REVISION, name, versions]));
  return {
    name: `tfjs:${name}`,
    isa: isaOf(name, versions),
    kernelHash: hash.digest('hex'),
    threads: 1,
    createModel(config, from, mode) {
      if (disposed) throw new Error('This engine has been disposed of. Open a new one.');
      backend.use();
      const model = new TfjsModel(backend, config, from, mode, (gone) => models.delete(gone));
      models.add(model);
      return model;
    },
    dispose() {
      disposed = true;
      for (const model of models) model.dispose();
      models.clear();
    },
  };
}

function isaOf(name: TfjsBackend, versions: readonly string[]): string {
  const core = /\d+\.\d+\.\d+/.exec(versions.join(' '))?.[0] ?? 'of unknown version';
  const native = versions.at(-1) ?? '';
  switch (name) {
    case 'tensorflow':
      return `TensorFlow.js ${core} on libtensorflow ${native}`;
    case 'wasm':
      return `TensorFlow.js ${core} on WebAssembly`;
    case 'cpu':
      return `TensorFlow.js ${core} in plain JavaScript`;
  }
}
