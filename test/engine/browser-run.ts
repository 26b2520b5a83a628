/** What browser.test.ts runs in Node and, bundled, in Chromium: one WASM model from end to end. Browser-safe. */
import { openWasmEngine } from '../../src/engine/wasm/engine.js';
import { activationNames } from '../../src/model/activations.js';
import { ADAMW, randomBatch, randomLengths, VARIANTS } from './cases.js';

export interface BrowserTrace {
  readonly kernelHash: string;
  /** bits of float32 numbers, in order: logits, gradients, activations, parameters, moments of each model */
  readonly bits: number[];
  readonly losses: number[];
  readonly generated: number[][];
}

/** @param wasm - the bytes of kernels.wasm */
export async function runInBrowser(wasm: Uint8Array): Promise<BrowserTrace> {
  const engine = await openWasmEngine(wasm);
  const bits: number[] = [];
  const losses: number[] = [];
  const generated: number[][] = [];
  const keep = (values: Float32Array): void => {
    for (const word of new Uint32Array(values.buffer, values.byteOffset, values.length)) bits.push(word);
  };
  for (const [index, config] of VARIANTS.entries()) {
    if (index % 3 !== 0) continue;
    const model = engine.createModel(config, { seed: index }, 'train');
    const batch = randomBatch(config, index, randomLengths(config, index, 5), 0.6);
    for (let step = 0; step < 12; step++) {
      const result = model.trainStep(batch, ADAMW);
      if (result.kind === 'updated') losses.push(result.lossNats, result.gradNorm);
    }
    keep(model.forward(batch).logits);
    keep(model.computeGradients(batch).gradients);
    const { activations } = model.forward(batch, { capture: activationNames(config) });
    for (const values of activations.values()) keep(values);
    const { parameters, m, v } = model.getState();
    for (const values of [parameters, m, v]) keep(values);
    const prompts = [batch.tokens.slice(0, 1), batch.tokens.slice(0, 2)];
    generated.push(...model.generate(prompts, { maxNewTokens: 4 }).map((tokens) => [...tokens]));
    model.dispose();
  }
  const { kernelHash } = engine;
  engine.dispose();
  return { kernelHash, bits, losses, generated };
}
