/** Types of fuzz.mjs, for its test. */
import type { buildNative } from './build-native.mjs';

export const FUZZERS: readonly string[];
export function sanitizerLibrary(): string | undefined;
export function buildGuarded(): ReturnType<typeof buildNative>;

export const FIXED_CASES: Readonly<Record<'engine' | 'guarded' | 'parsers', number>>;
export function bundleFuzzers(): Promise<string>;
export function runFuzzer(options: {
  readonly program: string;
  readonly fuzzer: string;
  readonly seed: number;
  readonly cases?: number;
  readonly minutes?: number;
  readonly sanitizer?: string;
}): Promise<{
  readonly cases: number;
  readonly problem?: { readonly seed: string; readonly lines: readonly string[] };
}>;
