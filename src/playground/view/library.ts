/** Where the playground's models come from: the viewer's server, or the page itself. */

export interface ModelChoice {
  readonly key: string;
  readonly label: string;
}

export interface Library {
  /** what can be chosen; the first two are shown where the address names none */
  choices(): Promise<readonly ModelChoice[]>;
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
