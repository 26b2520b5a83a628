/** @returns path of a Chromium, undefined when there is none and none can be installed */
export function ensureChromium(log: (line: string) => void): string | undefined;
