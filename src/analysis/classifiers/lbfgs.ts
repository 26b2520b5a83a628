/**
 * Limited-memory BFGS directions (Nocedal and Wright, Numerical Optimization, algorithm 7.4): the last few steps and changes
 * of the gradient correct a first guess of the inverse Hessian. Which steps are taken is the caller's.
 */

const MEMORY = 8;

export class LimitedMemory {
  private readonly steps: Float64Array[];
  private readonly changes: Float64Array[];
  private readonly curvature = new Float64Array(MEMORY);
  private readonly weight = new Float64Array(MEMORY);
  private kept = 0;
  private next = 0;

  /** @param size - most unknowns */
  constructor(size: number) {
    this.steps = Array.from({ length: MEMORY }, () => new Float64Array(size));
    this.changes = Array.from({ length: MEMORY }, () => new Float64Array(size));
  }

  forget(): void {
    this.kept = 0;
    this.next = 0;
  }

  /** The step scale * direction changed the gradient from `before` to `after`; nothing is kept without positive curvature. */
  add(scale: number, direction: Float64Array, before: Float64Array, after: Float64Array, size: number): void {
    const [step, change] = [this.steps[this.next], this.changes[this.next]];
    let product = 0;
    for (let j = 0; j < size; j++) {
      step[j] = scale * direction[j];
      change[j] = after[j] - before[j];
      product += step[j] * change[j];
    }
    if (!(product > 0)) return;
    this.curvature[this.next] = 1 / product;
    this.next = (this.next + 1) % MEMORY;
    this.kept = Math.min(this.kept + 1, MEMORY);
  }

  /**
   * Multiplies by the inverse Hessian, in place.
   * @param vector - [size] the gradient; becomes the step to subtract
   * @param first - applies the first guess of the inverse in place
   */
  apply(vector: Float64Array, size: number, first: (vector: Float64Array) => void): void {
    const { steps, changes, curvature, weight } = this;
    for (let i = 1; i <= this.kept; i++) {
      const at = (this.next - i + MEMORY) % MEMORY;
      weight[at] = curvature[at] * dotOf(steps[at], vector, size);
      for (let j = 0; j < size; j++) vector[j] -= weight[at] * changes[at][j];
    }
    first(vector);
    for (let i = this.kept; i >= 1; i--) {
      const at = (this.next - i + MEMORY) % MEMORY;
      const left = weight[at] - curvature[at] * dotOf(changes[at], vector, size);
      for (let j = 0; j < size; j++) vector[j] += left * steps[at][j];
    }
  }
}

function dotOf(a: Float64Array, b: Float64Array, size: number): number {
  let total = 0;
  for (let j = 0; j < size; j++) total += a[j] * b[j];
  return total;
}
