/** Types of build-wasm.mjs. */
interface BuildOptions {
  readonly root: string;
  readonly log?: (line: string) => void;
  readonly check?: boolean;
}
interface BuildResult {
  readonly status: 'built' | 'current' | 'unavailable';
  readonly reason: string;
  readonly path: string;
}
export function buildWasm(options: BuildOptions): Promise<BuildResult>;
export function buildLogistic(options: BuildOptions): Promise<BuildResult>;
