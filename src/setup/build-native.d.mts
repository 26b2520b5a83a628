export interface BuildResult {
  readonly status: 'built' | 'current' | 'unavailable';
  readonly reason: string;
  readonly path: string;
}
export function buildNative(options: {
  readonly root: string;
  readonly log?: (line: string) => void;
  readonly compiler?: string;
  readonly real?: 'float' | 'double';
  readonly name?: string;
}): Promise<BuildResult>;
