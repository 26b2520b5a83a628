/** A font that tests draw with: its family, the folder of its files, and its Debian package. */
export interface TestFont {
  readonly family: string;
  readonly folder: string;
  readonly debian: string;
}
export const FONTS: readonly TestFont[];
/** @returns path of a Chromium, undefined when there is none */
export function findChromium(): string | undefined;
/** Installs what tests need and this machine lacks, where this is root on Debian. */
export function installTestTools(log: (line: string) => void): void;
