/** docs/api.md */
export const API_FILE: string;
/** @returns the whole file, from the declarations of the build */
export function makeApi(): Promise<string>;
