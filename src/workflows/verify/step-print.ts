/** What is kept of the weights of one step while the others are read: hashes, a sketch, the distance from the start. */
import { addToSketch, SKETCH_SIZE, sketchSeed } from './count-sketch.js';
import type { Tensor } from '../../checkpoint/format.js';
import { sha256Hex } from '../../io/sha256.js';

export interface StepPrint {
  readonly step: number;
  /** file or directory */
  readonly path: string;
  /** of its files; equal for equal files */
  readonly filesSha256: string;
  /** undefined: what cannot be read is compared by its files alone */
  readonly weights?: {
    /** by name; of the numbers, so that neither their type nor the sign of a zero counts */
    readonly tensors: ReadonlyMap<string, TensorPrint>;
    readonly sha256: string;
    readonly sketch: Float64Array;
    /** Euclidean distance of all numbers from those of the first step; undefined where the shapes are others */
    readonly distance: number | undefined;
  };
}

export interface TensorPrint {
  readonly sha256: string;
  readonly shape: readonly number[];
  /** all numbers are the same, as before training: of no use to tell steps apart */
  readonly isConstant: boolean;
}

/** Makes prints of the steps of one training, the first of them first: distances are from it. */
export class StepPrinter {
  private start: ReadonlyMap<string, Float32Array> | undefined;

  print(
    at: Pick<StepPrint, 'step' | 'path' | 'filesSha256'>,
    tensors: Iterable<Tensor>,
  ): StepPrint & { readonly weights: NonNullable<StepPrint['weights']> } {
    const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
    const prints = new Map<string, TensorPrint>();
    const sketch = new Float64Array(SKETCH_SIZE);
    for (const { name, shape, data } of sorted) {
      prints.set(name, { sha256: hashOfNumbers(data), shape, isConstant: data.every((x) => x === data[0]) });
      addToSketch(sketch, data, sketchSeed(name));
    }
    const sha256 = sha256Hex([...prints].map(([name, tensor]) => `${name} ${tensor.sha256}\n`).join(''));
    this.start ??= new Map(sorted.map(({ name, data }) => [name, data]));
    return { ...at, weights: { tensors: prints, sha256, sketch, distance: this.distanceOf(sorted) } };
  }

  private distanceOf(tensors: readonly Tensor[]): number | undefined {
    if (this.start?.size !== tensors.length) return undefined;
    let sum = 0;
    for (const { name, data } of tensors) {
      const from = this.start.get(name);
      if (from?.length !== data.length) return undefined;
      for (let i = 0; i < data.length; i++) sum += (data[i] - from[i]) ** 2;
    }
    return Math.sqrt(sum);
  }
}

/** -0 + 0 is 0: a published collection had copies that differ in the signs of their zeros. */
function hashOfNumbers(data: Float32Array): string {
  const numbers = data.map((x) => x + 0);
  return sha256Hex(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
}
