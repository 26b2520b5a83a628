/**
 * A model that answers what a function says, without weights: for probes that only ask for results. It reads each prompt's
 * tokens itself; positions that ask for anything but the result of one call get `elsewhere`.
 */
import type { Batch, ForwardResult, Model } from '../../src/engine/engine.js';
import type { GptConfig } from '../../src/model/gpt-config.js';

const FIRST_NUMBER = 6;
const CLOSE = 5;

export interface AnswerModelOptions {
  readonly gpt: GptConfig;
  readonly modulus: number;
  /** the operation's place in the table, and the operands as written: the number answered, or the id of another token */
  readonly answer: (operation: number, operands: readonly number[]) => number | { readonly token: number };
  /** token answered at targets that no single call explains; default `e` */
  readonly elsewhere?: number;
}

const notHere = (): never => {
  throw new Error('This model only runs forward passes.');
};

/** @returns the model and how many prompts it was asked */
export function answerModel(options: AnswerModelOptions): Model & { readonly asked: () => number } {
  const { gpt, modulus, answer, elsewhere = 1 } = options;
  let asked = 0;
  const tokenFor = (sequence: readonly number[], position: number): number => {
    const open = sequence.lastIndexOf(4);
    const isOneCall =
      open === 1 &&
      sequence.indexOf(CLOSE) === position - 1 &&
      (sequence[position] === 2 || sequence[position] === 3);
    if (!isOneCall) return elsewhere;
    const operands = sequence.slice(3, position - 1).map((token) => token - FIRST_NUMBER);
    const given = answer(sequence[2] - FIRST_NUMBER - modulus, operands);
    return typeof given === 'number' ? FIRST_NUMBER + given : given.token;
  };
  const forward = (batch: Batch): ForwardResult => {
    const width = gpt.dVocab;
    const targets = batch.targets.filter((target) => target >= 0).length;
    const logits = new Float32Array(targets * width);
    const losses = new Float32Array(targets);
    let row = 0;
    for (let s = 0; s + 1 < batch.offsets.length; s++) {
      asked++;
      const sequence = [...batch.tokens.subarray(batch.offsets[s], batch.offsets[s + 1])];
      for (let t = 0; t < sequence.length; t++) {
        const target = batch.targets[batch.offsets[s] + t];
        if (target < 0) continue;
        const token = tokenFor(sequence.slice(0, t + 1), t);
        logits[row * width + token] = 10;
        losses[row++] = Math.log(width - 1 + Math.exp(10)) - (token === target ? 10 : 0);
      }
    }
    return { logits, losses, lossNats: 0, lossByRole: [], activations: new Map() };
  };
  return {
    config: gpt,
    mode: 'inference',
    forward,
    readout: notHere,
    computeGradients: notHere,
    trainStep: notHere,
    generate: notHere,
    getParameters: notHere,
    setParameters: notHere,
    getState: notHere,
    setState: notHere,
    memory: () => ({ stateBytes: 0, workBytes: 0 }),
    dispose: () => undefined,
    asked: () => asked,
  };
}
