export const OLDEST_GLIBC: readonly [number, number];
export function glibcVersions(path: string): [number, number, number][];
export function makePrebuild(options: { root: string; log: (line: string) => void }): Promise<void>;
