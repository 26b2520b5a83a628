/** The first of the named programs that is on PATH. */
export function onPath(...names: string[]): string | undefined;
