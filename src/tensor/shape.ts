/** Checks on entry: lengths and finiteness of typed arrays, so that loops may index freely afterwards. Browser-safe. */

/**
 * Throws a RangeError unless `array` has exactly `length` elements.
 * @param what - name and shape for the message, e.g. `probs [B,T,V]`
 */
export function assertLength(array: ArrayLike<unknown>, length: number, what: string): void {
  if (array.length !== length) {
    throw new RangeError(`${what}: found ${array.length} elements, expected ${length}.`);
  }
}

/** Throws a RangeError naming the first element that is NaN or infinite. */
export function assertFinite(array: ArrayLike<number>, what: string): void {
  for (let i = 0; i < array.length; i++) {
    if (!Number.isFinite(array[i])) {
      throw new RangeError(`${what}: found ${array[i]} at element ${i}, expected finite numbers.`);
    }
  }
}
