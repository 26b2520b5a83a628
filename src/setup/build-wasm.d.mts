/** Types of build-wasm.mjs. */
export function buildWasm(options: {
  readonly root: string;
  readonly log?: (line: string) => void;
  readonly check?: boolean;
}): Promise<{
  readonly status: 'built' | 'current' | 'unavailable';
  readonly reason: string;
  readonly path: string;
}>;
