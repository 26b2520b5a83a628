export interface Targets {
  readonly kernels: readonly string[];
  readonly headers: readonly string[];
  readonly glue: readonly string[];
  readonly native: {
    readonly kernelFlags: readonly string[];
    readonly glueFlags: readonly string[];
    readonly linkFlags: readonly string[];
    readonly double: { readonly flags: readonly string[]; readonly linkFlags: readonly string[] };
  };
  readonly wasm: {
    readonly compiler: string;
    readonly linker: string;
    readonly version: string;
    readonly flags: readonly string[];
  };
}
export function readTargets(root: string): Targets;
export function compilerVersion(command: string): string | undefined;
/** @returns undefined when it succeeded, else what the compiler said */
export function compile(command: string, args: readonly string[], cwd: string): string | undefined;
