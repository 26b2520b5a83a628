/** Types of fuzz.mjs, for its test. */
export const FUZZERS: readonly string[];
export function sanitizerLibrary(): string | undefined;
