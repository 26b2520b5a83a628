/** Hands out 64-byte aligned pieces of the work arena, counted first and placed after. Browser-safe. */
import { type Address, align64, type KernelMemory, type RealArray } from './module.js';

/** A plan of pieces: add them all, then `place` gives the first byte of the arena they fit in. */
export class Carve<R extends RealArray> {
  private used = 0;
  private base = 0;
  private placed = false;
  /** where each piece ends, from the first byte of the arena; kept only for a memory with guards */
  private readonly ends: number[] = [];

  constructor(
    private readonly memory: KernelMemory<R>,
    private readonly realBytes: number,
  ) {}

  /** @returns a function that gives the address, once placed */
  bytes(count: number): () => Address {
    const at = this.used;
    this.used += align64(count);
    if (this.memory.guards !== undefined) {
      this.ends.push(this.used);
      this.used += this.memory.guards.bytes;
    }
    return () => {
      if (!this.placed) throw new Error('The arena has not been placed yet.');
      return this.base + at;
    };
  }

  reals(count: number): () => Address {
    return this.bytes(count * this.realBytes);
  }

  ints(count: number): () => Address {
    return this.bytes(count * 4);
  }

  place(): void {
    this.base = this.memory.work(this.used);
    this.placed = true;
    this.memory.guards?.placed(this.ends.map((end) => this.base + end));
  }
}
