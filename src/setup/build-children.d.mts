/** Entries of child processes, below the package root without extension. */
export const CHILD_ENTRIES: readonly string[];
/** @returns paths of the bundles */
export function buildChildren(options: { root: string; outDir?: string }): Promise<string[]>;
