/** Where the playground's models come from: the viewer's server, or the page itself. */

export interface ModelChoice {
  readonly key: string;
  readonly label: string;
  /** it may have no checkpoint yet: shown only where somebody asks for it */
  readonly isUntried?: true;
}

export interface FoundModels {
  /** the first of them, as many as a list can hold */
  readonly choices: readonly ModelChoice[];
  /** found, and all that there are */
  readonly found: number;
  readonly total: number;
  /** terms of the search that mean nothing, in words */
  readonly problems: readonly string[];
}

export interface Library {
  /** what can be chosen; the first two are shown where the address names none */
  choices(): Promise<readonly ModelChoice[]>;
  /** the choices that a search finds, in the language of the list of runs; absent: all choices are shown */
  readonly find?: (text: string) => Promise<FoundModels>;
  /** steps of a chosen run, ascending; absent: every choice is one checkpoint */
  readonly steps?: (key: string) => Promise<readonly number[]>;
  /** the document of `key` or `key@step`. @throws Error whose message is one line */
  load(name: string): Promise<unknown>;
  /** the bytes of kernels.wasm */
  kernels(): Promise<Uint8Array>;
}

/** The part of the page's address that is the playground's. */
export interface AddressBar {
  read(): string;
  write(text: string): void;
  /** @returns ends it */
  onChange(listener: () => void): () => void;
}
