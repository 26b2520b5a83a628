/** Types of kernel-sources.mjs, for the tests that compile the kernels themselves. */
export function readTargets(root: string): {
  readonly kernels: readonly string[];
  readonly native: { readonly kernelFlags: readonly string[] };
};
export function kernelFlagsOf(targets: ReturnType<typeof readTargets>, name: string): readonly string[];
export function compilerVersion(command: string): string | undefined;
export function compile(command: string, args: readonly string[], cwd: string): string | undefined;
