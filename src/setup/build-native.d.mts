/** Types of build-native.mjs, for the tests that make builds of their own. */
export function buildNative(options: {
  readonly root: string;
  readonly log?: (line: string) => void;
  readonly compiler?: string;
  readonly real?: 'float' | 'double';
  readonly single?: boolean;
  readonly sanitize?: readonly string[];
  readonly under?: { readonly header: string; readonly flags: readonly string[] };
  readonly name?: string;
}): Promise<{
  readonly status: 'built' | 'current' | 'unavailable';
  readonly reason: string;
  readonly path: string;
}>;
export function sanitizerFlags(sanitize: readonly string[]): string[];
