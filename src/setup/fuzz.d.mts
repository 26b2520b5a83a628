/** Types of fuzz.mjs, for its test. */
import type { buildNative } from './build-native.mjs';

export const FUZZERS: readonly string[];
export function sanitizerLibrary(): string | undefined;
export function buildGuarded(): ReturnType<typeof buildNative>;
